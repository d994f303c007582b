// Hostile files: whatever bytes are changed, cut or added, a reader gives finite samples or refuses them as data, and takes no memory that
// a header asks for in vain.
import { describe, expect, it } from 'vitest'
import { DataError, PhiloxStream, readSound } from '../../../lib/data/index.js'
import { flacFile, noise, shorts, sphereFile, sphereLines, wavFile } from '../../support/sounds.js'

const seeds: Readonly<Record<string, readonly Uint8Array[]>> = {
  WAV: [
    wavFile(shorts(noise(50, 16, 1)), { channels: 2 }),
    wavFile(Uint8Array.from(noise(60, 7, 2), Math.abs), { bits: 24, valid: 20 }),
    wavFile(shorts(noise(40, 16, 3)), { bits: 32, tag: 3 }),
    wavFile(shorts(noise(40, 16, 3), false), { little: false }),
    wavFile(Uint8Array.from(noise(60, 7, 4), Math.abs), { bits: 8, tag: 7 }),
  ],
  SPHERE: [
    sphereFile(sphereLines(50), shorts(noise(50, 16, 5))),
    sphereFile(sphereLines(25, { channel_count: '-i 2', sample_byte_format: '-s2 10' }), shorts(noise(50, 16, 6))),
  ],
  FLAC: [flacFile([noise(1100, 16, 8)], 16_000, 16), flacFile([noise(20, 8, 9), noise(20, 8, 10)], 8000, 8)],
}

/** Bytes that headers are made of, and ends of ranges. */
const STRANGE = [0, 1, 2, 0x7f, 0x80, 0xff, 0x2d, 0x39]

/** Changes, cuts, doubles or adds some bytes, most of them among the first. */
function mutated(bytes: Uint8Array, random: PhiloxStream): Uint8Array {
  let result = Buffer.from(bytes)
  for (let change = random.below(4); change >= 0; change--) {
    const at = random.below(random.below(2) === 0 ? Math.min(80, result.length) : result.length)
    const kind = random.below(6)
    if (kind < 3)
      result[at] =
        kind === 0 ? random.below(256) : kind === 1 ? STRANGE[random.below(8)]! : result[at]! ^ (1 << random.below(8))
    else if (kind === 3) result = result.subarray(0, Math.max(1, at))
    else if (kind === 4) result = Buffer.concat([result.subarray(0, at), result.subarray(at + 1 + random.below(4))])
    else result = Buffer.concat([result.subarray(0, at), Buffer.from([random.below(256)]), result.subarray(at)])
    if (result.length === 0) result = Buffer.from([0])
  }
  return result
}

describe('hostile sound files', () => {
  it.each([
    ['WAV', 20_000],
    ['SPHERE', 20_000],
    ['FLAC', 600],
  ] as const)('of the kind %s are read or refused: %d of them', { timeout: 120_000 }, async (kind, runs) => {
    const counts = { read: 0, refused: 0 }
    for (let run = 0; run < runs; run++) {
      const random = new PhiloxStream(27, run, 0x66757a7a)
      const files = seeds[kind]!
      const bytes = mutated(files[run % files.length]!, random)
      try {
        const { samples, rate } = await readSound(bytes, { channel: random.below(2) === 0 ? 'mean' : 0 })
        const strange = samples.findIndex((sample) => !Number.isFinite(sample))
        const most = kind === 'FLAC' ? Infinity : bytes.length
        if (strange >= 0 || samples.length === 0 || samples.length > most || !(rate >= 1)) {
          expect.fail(
            `run ${run}: ${samples.length} samples of ${bytes.length} bytes at ${rate} Hz, strange at ${strange}`,
          )
        }
        counts.read++
      } catch (error) {
        if (!(error instanceof DataError) || !/: expected [^]*, got /.test(error.message)) {
          expect.fail(`run ${run}: ${String(error)}`)
        }
        counts.refused++
      }
    }
    // Files that were changed where it does not matter are read, but for FLAC, which has a digest.
    expect(counts.refused).toBeGreaterThan(runs / 2)
    expect(counts.read).toBeGreaterThanOrEqual(kind === 'FLAC' ? 0 : runs / 10)
  })
})
