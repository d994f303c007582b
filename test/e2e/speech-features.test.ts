// Features of sound on each backend: HTK's of a recorded sentence, and torchaudio's of made-up ones, in f32 and where a network is in bf16.
import { describe, expect, test } from 'vitest'
import { feed, type Tensor } from '../../lib/graph/index.js'
import * as nn from '../../lib/nn/index.js'
import { mul } from '../../lib/ops/index.js'
import type { Programs } from '../../lib/train/programs.js'
import { htkFeatures, htkFiles, htkSound } from '../support/htk.js'
import { onDevice, roomFor } from '../support/model-golden.js'
import { backends } from '../support/native.js'
import type { NDArray } from '../support/ndarray.js'
import { layerOf, soundOf, speechGoldens, wantedOf } from '../support/speech-golden.js'

type Precision = 'f32' | 'bf16'
const options = (precision: Precision) => ({ name: 'features', mode: 'eval', precision, brings: true }) as const

/** What a function of sound gives on a device. */
async function numbersOf(
  programs: Programs,
  precision: Precision,
  sound: NDArray,
  of: (samples: Tensor<'f32'>) => Tensor,
): Promise<Float32Array> {
  const built = await programs.build(options(precision), () => ({
    y: of(feed('x', 'f32', sound.shape)),
  }))
  const results = roomFor(built)
  await built.program.run({ x: Float32Array.from(sound.data) }, results)
  programs.free(built)
  return results['y']!
}

/** The largest error, as a share of a number or, where it is below that, of `least`. */
function worstOf(got: Float32Array, { data }: NDArray, least: number): number {
  expect(got).toHaveLength(data.length)
  return data.reduce((worst, x, i) => Math.max(worst, Math.abs(got[i]! - x) / Math.max(least, Math.abs(x))), 0)
}

const banks = { convention: 'htk', rate: 16_000, filters: 23, power: 2, preEmphasis: 0 } as const
const warp = { low: 100, high: 7500 }
const emphasis = { ...banks, preEmphasis: 0.97 }
/** The layers of Kaldi's configurations for HTK: fbank1.conf and on, hcopy1.conf and on. */
const configurations: readonly [string, () => nn.FrameLayer, boolean][] = [
  ['test.wav.fbank_htk.1', () => nn.filterBanks(banks), false],
  ['test.wav.fbank_htk.2', () => nn.filterBanks({ ...banks, low: 25 }), false],
  ['test.wav.fbank_htk.3', () => nn.filterBanks({ ...banks, low: 25, warp: { ...warp, factor: 0.9 } }), false],
  ['test.wav.fbank_htk.4', () => nn.filterBanks({ ...banks, low: 25, warp: { ...warp, factor: 1.1 } }), false],
  ['test.wav.fea_htk.1', () => nn.mfcc({ ...banks, zeroth: 'c0' }), true],
  ['test.wav.fea_htk.2', () => nn.mfcc({ ...banks, zeroth: 'energy' }), true],
  ['test.wav.fea_htk.3', () => nn.mfcc({ ...banks, zeroth: 'energy', low: 20 }), true],
  ['test.wav.fea_htk.4', () => nn.mfcc({ ...emphasis, zeroth: 'energy' }), true],
  ['test.wav.fea_htk.5', () => nn.mfcc({ ...emphasis, zeroth: 'energy', warp: { ...warp, factor: 1.1 } }), true],
  ['test.wav.fea_htk.6', () => nn.mfcc({ ...emphasis, zeroth: 'c0', filters: 24, low: 125, high: 7800 }), true],
]

describe.each(backends())('$name', ({ name: backend, reason }) => {
  const able = reason === undefined

  test.skipIf(!able || htkFiles === undefined)("gives HTK's filter banks, cepstra and deltas", () =>
    onDevice(backend, async (programs) => {
      const sound = htkSound()
      for (const [file, make, withDeltas] of configurations) {
        const [layer, slopes] = [make(), nn.deltas()]
        const got = await numbersOf(programs, 'f32', sound, (samples) => {
          const { output } = layer.run(samples)
          return withDeltas ? slopes.run(output).output : output
        })
        expect(worstOf(got, htkFeatures(file), 1), file).toBeLessThan(2e-4)
      }
    }),
  )

  test.skipIf(!able).each(['f32', 'bf16'] as const)("gives torchaudio's, in a program of %s", (precision) =>
    onDevice(backend, async (programs) => {
      for (const golden of speechGoldens) {
        if (golden.layer === 'deltas') continue
        const layer = layerOf(golden)
        const got = await numbersOf(programs, precision, soundOf(golden), (samples) => layer.run(samples).output)
        const want = wantedOf(golden)
        const largest = want.data.reduce((most, x) => Math.max(most, Math.abs(x)), 0)
        // Spectra are squares: what is far below the largest has the rounding of that.
        const least = golden.layer === 'spectrogram' ? largest / 100 : 1
        expect(worstOf(got, want, least), golden.name).toBeLessThan(1e-3)
      }
    }),
  )

  test.skipIf(!able)('refuses lengths that no row of the batch has', () =>
    onDevice(backend, async (programs) => {
      const layer = nn.filterBanks({ ...banks, rate: 1600 })
      const built = await programs.build(options('f32'), () => {
        const lengths = feed('lengths', 'i32', [2])
        return { y: layer.run(feed('x', 'f32', [50, 2]), { lengths }).output }
      })
      const run = (...lengths: number[]) =>
        built.program.run({ x: new Float32Array(100).fill(0.5), lengths: Int32Array.from(lengths) }, roomFor(built))
      await run(50, 0)
      await expect(run(50, 51)).rejects.toMatchObject({ code: 'ERR_DATA' })
      await expect(run(-1, 50)).rejects.toMatchObject({ code: 'ERR_DATA' })
    }),
  )

  test.skipIf(!able)('gives the same once the matrices were freed, and to several programs at once', () =>
    onDevice(backend, async (programs) => {
      const golden = speechGoldens[0]!
      const layer = layerOf(golden)
      const sound = soundOf(golden)
      const of = (samples: Tensor<'f32'>) => layer.run(samples).output
      const first = await numbersOf(programs, 'f32', sound, of)
      const kept = await programs.build(options('f32'), () => ({
        y: mul(of(feed('x', 'f32', sound.shape)), 2),
      }))
      const again = await numbersOf(programs, 'f32', sound, of)
      const results = roomFor(kept)
      await kept.program.run({ x: Float32Array.from(sound.data) }, results)
      expect(first.every((x, i) => x === again[i])).toBe(true)
      expect(first.every((x, i) => Math.abs(results['y']![i]! - 2 * x) <= 1e-5 * Math.abs(x))).toBe(true)
      expect(worstOf(first, wantedOf(golden), 1)).toBeLessThan(1e-3)
    }),
  )
})
