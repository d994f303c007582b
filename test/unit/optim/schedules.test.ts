// Schedules and clipping, evaluated in float64 from the graphs that they build.
import { describe, expect, test } from 'vitest'
import { constant, feed, type Tensor, trace } from '../../../lib/graph/index.js'
import * as optim from '../../../lib/optim/index.js'
import { rateAt } from '../../../lib/optim/schedules.js'
import { interpret } from '../../support/interpreter.js'
import { ndarray } from '../../support/ndarray.js'

function ratesAt(rate: number | optim.Schedule, steps: readonly number[]): number[] {
  const graph = trace({ name: 'rate' }, () => ({ rate: rateAt(rate, feed('step', 'i32', [])) }))
  return steps.map((step) => interpret(graph, { step: ndarray([], [step]) }).fetches['rate']!.data[0]!)
}

function expectRates(rate: number | optim.Schedule, wanted: Readonly<Record<number, number>>): void {
  const got = ratesAt(rate, Object.keys(wanted).map(Number))
  Object.entries(wanted).forEach(([step, value], i) => {
    expect(Math.abs(got[i]! - value), `step ${step}: ${got[i]!}`).toBeLessThan(1e-12)
  })
}

describe('schedules', () => {
  test('one number', () => {
    expectRates(0.25, { 0: 0.25, 1000: 0.25 })
  })

  test('step decay', () => {
    expectRates(optim.stepDecay(0.1, { every: 10, factor: 0.5 }), { 0: 0.1, 9: 0.1, 10: 0.05, 19: 0.05, 35: 0.0125 })
    expectRates(optim.stepDecay(1, { every: 10, factor: 0.5, hold: 4 }), { 0: 1, 39: 1, 40: 0.5, 49: 0.5, 50: 0.25 })
  })

  test('exponential', () => {
    expectRates(optim.exponential(0.2, { every: 10, factor: 0.25 }), { 0: 0.2, 5: 0.1, 10: 0.05, 20: 0.0125 })
  })

  test('cosine', () => {
    const quarter = 0.1 + 0.9 * ((1 + Math.SQRT1_2) / 2)
    expectRates(optim.cosine(1, { total: 8, floor: 0.1 }), { 0: 1, 2: quarter, 4: 0.55, 8: 0.1, 100: 0.1 })
  })

  test('one cycle, with the extents of PyTorch', () => {
    // OneCycleLR(max_lr=1, total_steps=101, pct_start=0.3): it rises over 29.3 steps from 1/25 and falls over 70.7 to 1/250000.
    const rising = 0.04 + (0.96 * (1 - Math.cos((Math.PI * 10) / 29.3))) / 2
    const falling = 4e-6 + ((1 - 4e-6) * (1 + Math.cos((Math.PI * (60 - 29.3)) / 70.7))) / 2
    expectRates(optim.oneCycle(1, { total: 101 }), { 0: 0.04, 10: rising, 60: falling, 100: 4e-6 })
  })

  test('warm-up over a number and over a schedule', () => {
    expectRates(optim.warmup(0.5, 5), { 0: 0.1, 3: 0.4, 4: 0.5, 50: 0.5 })
    expectRates(optim.warmup(optim.stepDecay(1, { every: 2, factor: 0.5 }), 4), { 0: 0.25, 2: 0.375, 4: 0.25 })
  })

  test('numbers that make no sense are refused by name', () => {
    expect(() => optim.cosine(1, { total: 0 })).toThrow('cosine: expected total to be a number above 0, got 0')
    expect(() => optim.stepDecay(0.1, { every: NaN, factor: 1 })).toThrow('every')
    expect(() => optim.warmup(0.1, -1)).toThrow('steps')
    expect(() => optim.oneCycle(1, { total: 100, rise: 1 })).toThrow('oneCycle: expected a rise')
  })
})

describe('clipping', () => {
  const clip = (limit: number, values: readonly number[][]) => {
    const graph = trace({ name: 'clip' }, () => {
      const tensors = values.map((data): Tensor => constant('f32', [data.length], data))
      const clipped = optim.clipByGlobalNorm(tensors, limit)
      return {
        norm: optim.globalNorm(tensors),
        ...Object.fromEntries(clipped.map((tensor, i) => [i.toString(), tensor])),
      }
    })
    const { norm, ...rest } = interpret(graph, {}).fetches
    return { norm: norm!.data[0]!, clipped: Object.values(rest).map(({ data }) => [...data]) }
  }

  test('a norm above the limit is brought to it', () => {
    const { norm, clipped } = clip(1.5, [[2, -1], [2]])
    expect(norm).toBeCloseTo(3, 12)
    const factor = 1.5 / (3 + 1e-6)
    clipped.flat().forEach((value, i) => {
      expect(value).toBeCloseTo([2, -1, 2][i]! * factor, 12)
    })
  })

  test('infinity and NaN are in the norm', () => {
    expect(clip(5, [[1, Infinity], [2]]).norm).toBe(Infinity)
    expect(clip(5, [[1, 2], [NaN]]).norm).toBeNaN()
  })

  test('a norm below it, and zeros, stay', () => {
    expect(clip(5, [[2, -1], [2]]).clipped).toEqual([[2, -1], [2]])
    expect(clip(5, [[0, 0]]).clipped).toEqual([[0, 0]])
  })
})
