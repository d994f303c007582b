// Spectra, filter banks and cepstra against their definitions in double precision, and what they refuse.
import { describe, expect, test } from 'vitest'
import { feed, Names, OstrichError, trace } from '../../../../lib/graph/index.js'
import * as nn from '../../../../lib/nn/index.js'
import { difference } from '../../../support/compare.js'
import { ndarray } from '../../../support/ndarray.js'
import {
  asFrames,
  type FrameRule,
  framesInside,
  rowOf,
  side,
  spectraOf,
  tones,
  triangles,
} from '../../../support/sound.js'
import { untyped } from '../support.js'
import { heard } from './support.js'

const close = { tolerance: 1e-9, relativeTo: 'tensor' } as const
const rate = 2000
const sound = tones(120)
const samples = ndarray([120, 1], sound)
// At 2 kHz: frames of 32 samples each 12.
const cut = { rate, frameLength: 16, frameShift: 6 } as const
const turn = (i: number, n: number) => (2 * Math.PI * i) / (n - 1)

const kaldi: FrameRule = {
  frames: framesInside(sound, 32, 12),
  points: 32,
  window: (i, n) => (0.5 - 0.5 * Math.cos(turn(i, n))) ** 0.85,
  ...{ preEmphasis: 0.97, removeMean: true, scale: 32768 },
}
const htk: FrameRule = { ...kaldi, window: (i, n) => 0.54 - 0.46 * Math.cos(turn(i, n)), removeMean: false }

/** Logarithms of what triangles let through, of points 1 to the last but one. */
function logs(rule: FrameRule, filters: number, low: number, floor: number, magnitudes = false): number[][] {
  const all = triangles(filters, low, rate / 2)
  return spectraOf(rule).map(({ powers }) =>
    all.map((weight) => {
      const parts = powers.map((power, k) =>
        k === 0 || 2 * k === rule.points
          ? 0
          : weight((k * rate) / rule.points) * (magnitudes ? Math.sqrt(power) : power),
      )
      return Math.log(
        Math.max(
          floor,
          parts.reduce((a, b) => a + b, 0),
        ),
      )
    }),
  )
}

describe('spectrogram', () => {
  const plain: FrameRule = { ...kaldi, window: () => 1, preEmphasis: 0, removeMean: false, scale: 1 }
  const options = {
    convention: 'kaldi',
    ...cut,
    window: 'rectangular',
    preEmphasis: 0,
    removeMean: false,
    scale: 1,
  } as const

  test('is the squared magnitude of the Fourier transform', () => {
    const { output } = heard(nn.spectrogram(options), samples)
    const want = asFrames(spectraOf(plain).map(({ powers }) => powers))
    expect(difference(output, want, close)).toBeUndefined()
  })

  test('is magnitudes, of any number of points, with what is done to frames', () => {
    const rule = { ...kaldi, points: 45, scale: 1 }
    const { output } = heard(nn.spectrogram({ convention: 'kaldi', ...cut, points: 45, scale: 1, power: 1 }), samples)
    const want = asFrames(spectraOf(rule).map(({ powers }) => powers.map(Math.sqrt)))
    expect(output.shape).toEqual([kaldi.frames.length, 1, 23])
    expect(difference(output, want, close)).toBeUndefined()
  })

  test('of a pure tone has its square at the tone', () => {
    const tone = Array.from({ length: 32 }, (_, i) => Math.cos((2 * Math.PI * 5 * i) / 32))
    const { output } = heard(nn.spectrogram(options), ndarray([32, 1], tone))
    const want = ndarray(
      [1, 1, 17],
      Array.from({ length: 17 }, (_, k) => (k === 5 ? 256 : 0)),
    )
    expect(difference(output, want, close)).toBeUndefined()
  })
})

describe('filterBanks', () => {
  test.each([
    ['kaldi', {}, logs(kaldi, 6, 20, 2 ** -23)],
    ['htk', {}, logs(htk, 6, 0, 1, true)],
    ['htk', { power: 2 }, logs(htk, 6, 0, 1)],
    [
      'kaldi',
      { preEmphasis: 0, removeMean: false },
      logs({ ...kaldi, preEmphasis: 0, removeMean: false }, 6, 20, 2 ** -23),
    ],
  ] as const)('%s, %o', (convention, more, want) => {
    const { output } = heard(nn.filterBanks({ convention, ...cut, filters: 6, ...more }), samples)
    expect(difference(output, asFrames(want), close)).toBeUndefined()
  })

  test('have the energy of a frame first in Kaldi, last in HTK', () => {
    const energies = spectraOf(kaldi)
    const banks = logs(kaldi, 6, 20, 2 ** -23)
    for (const energy of ['raw', 'windowed'] as const) {
      const { output } = heard(nn.filterBanks({ convention: 'kaldi', ...cut, filters: 6, energy }), samples)
      const want = asFrames(banks.map((row, t) => [energies[t]![energy], ...row]))
      expect(difference(output, want, close), energy).toBeUndefined()
    }
    const { output } = heard(
      nn.filterBanks({ convention: 'htk', ...cut, filters: 6, power: 2, energy: 'raw' }),
      samples,
    )
    const own = spectraOf(htk)
    const want = asFrames(logs(htk, 6, 0, 1).map((row, t) => [...row, own[t]!.raw]))
    expect(difference(output, want, close)).toBeUndefined()
  })

  test('of silence are the logarithm of the floor, and of the offset', () => {
    const silence = ndarray([40, 1], new Array<number>(40).fill(0))
    const of = (options: nn.FilterBanksOptions) => new Set(heard(nn.filterBanks(options), silence).output.data)
    expect(of({ convention: 'htk', ...cut, filters: 6 })).toEqual(new Set([0]))
    expect(of({ convention: 'torchaudio', ...cut, filters: 6 })).toEqual(new Set([Math.log(1e-6)]))
    expect(of({ convention: 'kaldi', ...cut, filters: 6, energy: 'raw' })).toEqual(new Set([Math.log(2 ** -23)]))
  })

  test.each(['inside', 'reflect', 'centre'] as const)('%s: a row of a batch is what it is alone', (edges) => {
    const layer = nn.filterBanks({ convention: 'kaldi', ...cut, edges, filters: 6, energy: 'raw' })
    const lengths = [70, 33, 120]
    const rows = lengths.map((length, n) => tones(length, n))
    const { output, lengths: counts } = heard(layer, side(rows, 120, NaN), lengths)
    for (const [n, row] of rows.entries()) {
      const alone = heard(layer, ndarray([row.length, 1], row)).output
      expect(counts!.data[n]).toBe(alone.shape[0])
      expect(layer.frames(row.length)).toBe(alone.shape[0])
      expect(difference(rowOf(output, n, alone.shape[0]!), alone, close), `row ${n}`).toBeUndefined()
      // Behind the end there is nothing.
      const behind = Array.from({ length: output.shape[0]! - alone.shape[0]! }, (_, t) => alone.shape[0]! + t)
      const left = behind.filter((t) => output.data.subarray((t * 3 + n) * 7, (t * 3 + n) * 7 + 7).some((x) => x !== 0))
      expect(left).toEqual([])
    }
  })
})

describe('mfcc', () => {
  /** Cepstrum n of logarithms, liftered. */
  const cepstrum = (row: readonly number[], n: number, first = Math.SQRT2) =>
    (n === 0 ? first : Math.SQRT2 * (1 + 11 * Math.sin((Math.PI * n) / 22))) *
    row.reduce((sum, x, m) => sum + (x * Math.cos((Math.PI * n * (m + 0.5)) / row.length)) / Math.sqrt(row.length), 0)
  const all = [logs(kaldi, 6, 20, 2 ** -23), logs(htk, 6, 0, 1, true)] as const
  const from = (first: number, count: number) => Array.from({ length: count }, (_, i) => first + i)

  test.each([
    ['kaldi', {}, (t: number) => [spectraOf(kaldi)[t]!.raw, ...from(1, 4).map((n) => cepstrum(all[0][t]!, n))]],
    ['kaldi', { zeroth: 'c0' }, (t: number) => from(0, 5).map((n) => cepstrum(all[0][t]!, n, 1))],
    ['kaldi', { zeroth: 'none' }, (t: number) => from(1, 5).map((n) => cepstrum(all[0][t]!, n))],
    ['htk', {}, (t: number) => from(1, 5).map((n) => cepstrum(all[1][t]!, n))],
    ['htk', { zeroth: 'c0' }, (t: number) => [...from(1, 4), 0].map((n) => cepstrum(all[1][t]!, n))],
    [
      'htk',
      { zeroth: 'energy' },
      (t: number) => [...from(1, 4).map((n) => cepstrum(all[1][t]!, n)), spectraOf(htk)[t]!.raw],
    ],
  ] as const)('%s, %o', (convention, more, row) => {
    const layer = nn.mfcc({ convention, ...cut, filters: 6, coefficients: 5, ...more })
    const { output } = heard(layer, samples)
    expect(layer.features).toBe(5)
    expect(difference(output, asFrames(kaldi.frames.map((_, t) => [...row(t)])), close)).toBeUndefined()
  })

  test('has as many numbers as its tool', () => {
    const of = (convention: nn.SpeechConvention, more = {}) => nn.mfcc({ convention, rate: 16_000, ...more }).features
    expect([of('kaldi'), of('htk'), of('htk', { zeroth: 'c0' }), of('torchaudio')]).toEqual([13, 12, 13, 40])
  })
})

test('as a function a layer gives its output alone, at a path of its own', () => {
  const net = nn.sequential(nn.filterBanks({ convention: 'kaldi', ...cut, filters: 6 }), nn.linear(6, 2))
  const graph = trace({ name: 'net', names: new Names() }, () => ({ y: untyped(net)(feed('x', 'f32', [120, 3])) }))
  expect(graph.fetches[0]!.tensor.shape).toEqual([8, 3, 2])
  expect(graph.states.map(({ name, variable }) => `${name} ${variable.role}`)).toEqual([
    'filterBanks1/fourier scratch',
    'filterBanks1/filters scratch',
    'linear1/w parameter',
    'linear1/b parameter',
  ])
})

describe('refusals', () => {
  const banks = (more: object) => () => nn.filterBanks({ convention: 'kaldi', rate: 16_000, ...more })
  test.each([
    [banks({ convention: 'sphinx' }), 'nn.filterBanks[convention]: expected kaldi, htk, torchaudio, got "sphinx"'],
    [
      () => nn.filterBanks({ rate: 8000 } as never),
      'nn.filterBanks[convention]: expected kaldi, htk, torchaudio, got undefined',
    ],
    [banks({ bins: 40 }), 'got bins'],
    [banks({ rate: 0 }), 'nn.filterBanks[rate]: expected a number above 0, got 0'],
    [banks({ high: 9000 }), 'nn.filterBanks[high]: expected at most half the rate, 8000 Hz, got 9000'],
    [banks({ low: 8000 }), 'nn.filterBanks[low]: expected less than 8000 Hz, where filters end, got 8000'],
    [banks({ frameLength: 0.1 }), 'nn.filterBanks[frameLength]: expected 2 samples or more at 16000 Hz, got 0.1 ms'],
    [banks({ frameShift: 0.05 }), 'nn.filterBanks[frameShift]: expected a sample or more at 16000 Hz, got 0.05 ms'],
    [banks({ points: 256 }), 'nn.filterBanks[points]: expected at least the 400 samples of a frame, got 256'],
    [
      banks({ frameLength: 400 }),
      'nn.filterBanks[frameLength]: expected at most 4096 points of a Fourier transform, got 8192',
    ],
    [banks({ floor: 0 }), 'nn.filterBanks[floor]: expected more than 0, or an offset: silence has no logarithm, got 0'],
    [banks({ energy: true }), 'nn.filterBanks[energy]: expected raw, windowed, got true'],
    [banks({ warp: { factor: 1.1 } }), 'nn.filterBanks[warp][low]: expected a number above 0, got undefined'],
    [
      banks({ warp: { factor: 1.1, low: 10, high: 7000 } }),
      'nn.filterBanks[warp]: expected low below high, both between 20 and 8000 Hz, got 10 and 7000',
    ],
    [
      () => nn.mfcc({ convention: 'kaldi', rate: 16_000, filters: 10 }),
      'nn.mfcc[coefficients]: expected at most 10 of 10 filters, got 13',
    ],
  ])('%#', (act, message) => {
    expect(act).toThrow(OstrichError)
    expect(act).toThrow(message)
  })

  test('of samples and calls name the layer', () => {
    const layer = nn.filterBanks({ convention: 'kaldi', ...cut, filters: 6, name: 'banks' })
    expect(() => heard(layer, ndarray([20, 1], new Array<number>(20).fill(0)))).toThrow(
      'filterBanks[banks]: expected at least 32 samples, got f32[20, 1]',
    )
    expect(() =>
      trace({ name: 'net' }, () => ({ y: layer.run(feed('x', 'f32', [40, 1]), { mask: 1 } as never).output })),
    ).toThrow('nn.filterBanks[run]: expected the option lengths, got mask')
  })
})
