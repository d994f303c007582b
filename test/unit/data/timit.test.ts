// TIMIT: a made-up copy with the names of the real one, in the parts that phoneme recognition is told by.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { getTimit, timit } from '../../../lib/data/index.js'
import { timitCoreTest, timitValidation } from '../../../lib/data/sources/timit.js'
import { shorts, sphereFile, sphereLines } from '../../support/sounds.js'
import { tarEntry, tarOf } from './support.js'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-timit-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

const letters = (i: number): string =>
  [i / 676, i / 26, i].map((part) => String.fromCharCode(97 + (Math.floor(part) % 26))).join('')

/** Ten sentences of each speaker, two of which all of them read; names in capitals, as on the disc. */
function copy(): Record<string, Uint8Array> {
  const sound = sphereFile(sphereLines(4), shorts([1, 2, 3, 4]))
  const phonemes = Buffer.from('0 1 h#\n1 3 ix\n3 4 h#\n')
  const files: Record<string, Uint8Array> = {}
  const add = (half: string, speaker: string): void => {
    for (const sentence of ['sa1', 'sa2', ...[1, 2, 3, 4, 5].map((n) => `sx${n}`), 'si6', 'si7', 'si8']) {
      const path = `TIMIT/${half}/DR1/${speaker}/${sentence}`.toUpperCase()
      files[`${path}.WAV`] = sound
      files[`${path}.PHN`] = phonemes
    }
  }
  for (let i = 0; i < 462; i++) add('train', `m${letters(i)}9`)
  for (const speaker of [...timitCoreTest, ...timitValidation, 'mxxx9']) add('test', speaker)
  return files
}

async function archive(files: Record<string, Uint8Array>): Promise<string> {
  const path = join(folder, 'timit.tar')
  await writeFile(path, tarOf(...Object.entries(files).map(([name, bytes]) => tarEntry(name, bytes))))
  return path
}

describe('TIMIT', () => {
  it('has the parts that are published, without the sentences that all speakers read', async () => {
    const dir = join(folder, 'timit')
    await getTimit({ dir, from: await archive(copy()) })
    const { train, validation, test } = await timit({ dir })
    expect([train.length, validation?.length, test.length]).toEqual([3696, 400, 192])
    const all = [...train, ...validation!, ...test]
    expect(all.filter(({ name }) => /_sa/.test(name!))).toHaveLength(0)
    expect(all.filter(({ transcript, sound }) => transcript !== 'h# ix h#' || sound.samples.length !== 4)).toHaveLength(
      0,
    )
    expect(new Set(test.map(({ speaker }) => speaker))).toEqual(new Set(timitCoreTest))
    expect(new Set(validation!.map(({ speaker }) => speaker))).toEqual(new Set(timitValidation))
    expect(test.find(({ name }) => name === 'fmld0_si6')?.sound.rate).toBe(16_000)
  })

  it('has 24 and 50 different speakers to be measured by, none of them in both', () => {
    expect([new Set(timitCoreTest).size, new Set(timitValidation).size]).toEqual([24, 50])
    expect(timitCoreTest.filter((speaker) => timitValidation.includes(speaker))).toEqual([])
    // Two men and a woman of each region.
    expect(timitCoreTest.map((speaker) => speaker[0]).join('')).toBe('mmf'.repeat(8))
  })

  it('names what a copy lacks', { timeout: 60_000 }, async () => {
    const dir = join(folder, 'none')
    const from = async (name: string, bytes: Uint8Array | undefined): Promise<string> => {
      const { [name]: _, ...others } = copy()
      return archive(bytes === undefined ? others : { ...others, [name]: bytes })
    }
    const path = 'TIMIT/TEST/DR1/FMLD0/SX1'
    const cases: readonly (readonly [string, Uint8Array | undefined, RegExp])[] = [
      [`${path}.PHN`, undefined, /expected the phonemes of TIMIT\/TEST\/DR1\/FMLD0\/SX1\.WAV \(\.PHN\), got none/],
      [`${path}.PHN`, Buffer.from('0 1 h#\nx\n'), /SX1\.PHN:2: expected two samples and a phoneme, got "x"/],
      [`${path}.WAV`, undefined, /expected 192 recordings of 24 speakers for test, got 191 of 24/],
      [
        `${path}.WAV`,
        Buffer.from('x'),
        /timit: expected 4288 recordings, got 1 bad ones; the first: .*SX1\.WAV: expected a WAV/,
      ],
    ]
    for (const [name, bytes, message] of cases) {
      await expect(getTimit({ dir, from: await from(name, bytes) })).rejects.toThrow(message)
    }
    await expect(timit({ dir })).rejects.toThrow(/Run: ostrich data get timit --from <the folder TIMIT/)
  })
})
