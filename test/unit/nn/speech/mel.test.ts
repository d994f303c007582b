// Windows and triangular filters, on the host.
import { describe, expect, test } from 'vitest'
import { type FilterSpec, melFilters } from '../../../../lib/nn/speech/mel.js'
import { windowOf } from '../../../../lib/nn/speech/windows.js'
import { triangles } from '../../../support/sound.js'

const spec: FilterSpec = {
  ...{ rate: 16_000, points: 512, filters: 23, low: 20, high: 8000 },
  ...{ scale: 'htk', slopes: 'mel', sameArea: false, asHtk: false, warp: undefined },
}
const bins = 257

/** Weights of filter i. */
const column = (all: Float64Array, filters: number, i: number): number[] =>
  Array.from({ length: all.length / filters }, (_, k) => all[k * filters + i]!)

/** Where a filter is largest, and its first and last point. */
function extentOf(weights: readonly number[]): { first: number; top: number; last: number } {
  const used = [...weights.keys()].filter((k) => weights[k]! > 0)
  return { first: used[0]!, top: weights.indexOf(Math.max(...weights)), last: used.at(-1)! }
}

describe('melFilters', () => {
  test('are triangles over mel', () => {
    const all = melFilters(spec, 'test')
    const want = triangles(23, 20, 8000)
    let worst = 0
    for (let k = 0; k < bins - 1; k++) {
      for (let i = 0; i < 23; i++) worst = Math.max(worst, Math.abs(all[k * 23 + i]! - want[i]!((k * 16_000) / 512)))
    }
    expect(worst).toBeLessThan(1e-12)
  })

  test('together let everything through once, between the middles of the first and the last', () => {
    const all = melFilters(spec, 'test')
    const sums = Array.from({ length: bins }, (_, k) => all.subarray(k * 23, (k + 1) * 23).reduce((a, b) => a + b, 0))
    const [from, to] = [extentOf(column(all, 23, 0)).top + 1, extentOf(column(all, 23, 22)).top - 1]
    expect(to - from).toBeGreaterThan(150)
    for (let k = from; k <= to; k++) expect(sums[k]).toBeCloseTo(1, 12)
  })

  test('as HTK has them, leave out points next to either end', () => {
    // 31.25 Hz a point: HTK begins at point floor(0.8 + 1.5), and ends at floor(249.6 + 0.5) - 1.
    const asHtk = melFilters({ ...spec, low: 25, high: 7800, asHtk: true }, 'test')
    expect(extentOf(column(asHtk, 23, 0)).first).toBe(2)
    expect(extentOf(column(asHtk, 23, 22)).last).toBe(249)
    const asKaldi = melFilters({ ...spec, low: 25, high: 7800 }, 'test')
    expect(extentOf(column(asKaldi, 23, 0)).first).toBe(1)
  })

  test('over Hz fall off in straight lines there, and may have one area', () => {
    const own: FilterSpec = { ...spec, low: 0, filters: 20, slopes: 'hertz' }
    const width = 16_000 / 512
    for (const i of [5, 12, 19]) {
      const weights = column(melFilters(own, 'test'), 20, i)
      const { first, top, last } = extentOf(weights)
      for (const [from, to] of [
        [first, top - 1],
        [top + 1, last - 1],
      ] as const) {
        const steps = Array.from({ length: to - from }, (_, j) => weights[from + j + 1]! - weights[from + j]!)
        for (const step of steps) expect(step).toBeCloseTo(steps[0]!, 12)
      }
      const area = column(melFilters({ ...own, sameArea: true }, 'test'), 20, i).reduce((sum, w) => sum + w * width, 0)
      expect(Math.abs(area - 1)).toBeLessThan(0.1)
    }
  })

  test("Slaney's scale is even below 1 kHz, and a factor above", () => {
    // 15 mel are 1 kHz and 27 more are 6.4 kHz: 41 filters from 0 to 42 mel have a middle on each.
    const own: FilterSpec = {
      ...spec,
      rate: 12_800,
      points: 4096,
      low: 0,
      high: 6400,
      filters: 41,
      slopes: 'hertz',
      scale: 'slaney',
    }
    const middles = [1, 15, 16, 42 - 1].map((m) => extentOf(column(melFilters(own, 'test'), 41, m - 1)).top * 3.125)
    const want = [1000 / 15, 1000, 1000 * 6.4 ** (1 / 27), 1000 * 6.4 ** (26 / 27)]
    for (const [i, middle] of middles.entries()) expect(Math.abs(middle - want[i]!)).toBeLessThan(3.125 / 2 + 1e-9)
  })

  test('warped by a factor, a filter in the middle moves by it', () => {
    const own: FilterSpec = { ...spec, points: 4096, warp: { factor: 1.1, low: 100, high: 7500 } }
    const middle = extentOf(column(melFilters(own, 'test'), 23, 11)).top
    const plain = extentOf(column(melFilters({ ...own, warp: undefined }, 'test'), 23, 11)).top
    expect(Math.abs(middle - plain / 1.1)).toBeLessThan(1)
    // The ends stay.
    expect(extentOf(column(melFilters(own, 'test'), 23, 22)).last).toBe(2047)
  })

  test('of which one has no point are refused', () => {
    expect(() => melFilters({ ...spec, filters: 140 }, 'nn.filterBanks')).toThrow(
      'nn.filterBanks[filters]: expected filters that have a point of 512 each, from 20 to 8000 Hz, got 140, of which 1 has none',
    )
    expect(() => melFilters({ ...spec, filters: 140, slopes: 'hertz' }, 'test')).not.toThrow()
  })
})

describe('windowOf', () => {
  test.each([
    ['hamming', [0.08, 0.54, 1, 0.54, 0.08]],
    ['hann', [0, 0.5, 1, 0.5, 0]],
    ['povey', [0, 0.5 ** 0.85, 1, 0.5 ** 0.85, 0]],
    ['blackman', [0, 0.34, 1, 0.34, 0]],
    ['sine', [0, Math.SQRT1_2, 1, Math.SQRT1_2, 0]],
    ['rectangular', [1, 1, 1, 1, 1]],
  ] as const)('%s', (name, want) => {
    const got = windowOf(name, 5, false)
    expect(got).toHaveLength(5)
    for (const [i, value] of got.entries()) expect(value).toBeCloseTo(want[i]!, 12)
    // One that is periodic is the same, without its last.
    for (const [i, value] of windowOf(name, 4, true).entries()) expect(value).toBeCloseTo(want[i]!, 12)
  })
})
