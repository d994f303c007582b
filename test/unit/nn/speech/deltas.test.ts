// Slopes over time, and normalisation of each row by itself.
import { describe, expect, test } from 'vitest'
import type { Tensor } from '../../../../lib/graph/index.js'
import * as nn from '../../../../lib/nn/index.js'
import { difference } from '../../../support/compare.js'
import { at, fill, type NDArray, ndarray } from '../../../support/ndarray.js'
import { rowOf } from '../../../support/sound.js'
import { expectGradients, uneven } from '../support.js'
import { followed } from './support.js'

const close = { tolerance: 1e-12, relativeTo: 'tensor' } as const
const [steps, rows, features] = [9, 3, 2]
const x = uneven([steps, rows, features])
const lengths = [9, 4, 1]

/** Slopes of one row [T, 1, D] by the formula, its ends held; of Kaldi's, the weights of slopes of slopes. */
function slopes(row: NDArray, window: number, times: number, held: boolean): NDArray {
  const [T = 1] = row.shape
  const clamped = (t: number) => Math.min(T - 1, Math.max(0, t))
  let norm = 0
  for (let j = -window; j <= window; j++) norm += j * j
  /** The slope of slopes `left` times at any place, beyond the ends too. */
  const free = (t: number, d: number, left: number): number => {
    if (left === 0) return at(row, clamped(t), 0, d)
    let sum = 0
    for (let j = -window; j <= window; j++) sum += (j * free(t + j, d, left - 1)) / norm
    return sum
  }
  const within = (t: number, d: number, left: number): number => {
    if (left === 0) return at(row, t, 0, d)
    let sum = 0
    for (let j = -window; j <= window; j++) sum += (j * within(clamped(t + j), d, left - 1)) / norm
    return sum
  }
  const [, , D = 1] = row.shape
  const parts = Array.from({ length: times + 1 }, (_, i) => i)
  return fill([T, 1, D * (times + 1)], ([t, , k]) =>
    held ? within(t!, k! % D, parts[Math.floor(k! / D)]!) : free(t!, k! % D, parts[Math.floor(k! / D)]!),
  )
}

describe('deltas', () => {
  const cases: readonly [nn.DeltasOptions, (row: NDArray) => NDArray][] = [
    [{}, (row) => slopes(row, 2, 2, true)],
    [{ order: 1, window: 1 }, (row) => slopes(row, 1, 1, true)],
    [{ convention: 'kaldi' }, (row) => slopes(row, 2, 2, false)],
    [{ convention: 'kaldi', window: 3, order: 3 }, (row) => slopes(row, 3, 3, false)],
  ]
  test.each(cases)('%o, of rows of lengths of their own', (options, want) => {
    const got = followed(nn.deltas(options), x, lengths)
    for (const [n, length] of lengths.entries()) {
      const row = want(rowOf(x, n, length))
      expect(difference(rowOf(got, n, length), row, close), `row ${n}`).toBeUndefined()
    }
    const whole = followed(nn.deltas(options), rowOf(x, 0, steps))
    expect(difference(whole, want(rowOf(x, 0, steps)), close)).toBeUndefined()
  })

  test('of a straight line are its slope, and 0', () => {
    const line = ndarray(
      [12, 1, 1],
      Array.from({ length: 12 }, (_, t) => 3 * t + 1),
    )
    const got = followed(nn.deltas(), line)
    const middle = Array.from({ length: 4 }, (_, t) => [at(got, t + 4, 0, 1), at(got, t + 4, 0, 2)]).flat()
    for (const [i, value] of middle.entries()) expect(value).toBeCloseTo(i % 2 === 0 ? 3 : 0, 12)
  })

  test('the two conventions differ at the ends alone', () => {
    const long = uneven([20, 1, 1])
    const [htk, kaldi] = [followed(nn.deltas(), long), followed(nn.deltas({ convention: 'kaldi' }), long)]
    const apart = Array.from({ length: 20 }, (_, t) => Math.abs(at(htk, t, 0, 2) - at(kaldi, t, 0, 2)) > 1e-9)
    expect(apart.flatMap((differs, t) => (differs ? [t] : []))).toEqual([0, 1, 18, 19])
  })
})

describe('cmvn', () => {
  test('brings each row to mean 0 and deviation 1 over its own frames', () => {
    for (const variance of [true, false]) {
      const got = followed(nn.cmvn({ variance, epsilon: 1e-12 }), x, lengths)
      for (const [n, length] of lengths.entries()) {
        const row = rowOf(x, n, length)
        const want = fill(row.shape, ([t, , d]) => {
          const own = Array.from({ length }, (_, i) => at(row, i, 0, d!))
          const mean = own.reduce((a, b) => a + b, 0) / length
          const spread = Math.sqrt(own.reduce((sum, v) => sum + (v - mean) ** 2, 0) / length + 1e-12)
          return (own[t!]! - mean) / (variance ? spread : 1)
        })
        expect(difference(rowOf(got, n, length), want, close), `row ${n}`).toBeUndefined()
      }
    }
  })

  test('without lengths takes all frames', () => {
    const [alone, told] = [followed(nn.cmvn(), x), followed(nn.cmvn(), x, [steps, steps, steps])]
    expect(difference(alone, told, close)).toBeUndefined()
  })
})

test('behind the end of a row are zeros, whatever stood there', () => {
  const noisy = fill(x.shape, ([t, n, d]) => (t! < lengths[n!]! ? at(x, t!, n!, d!) : NaN))
  for (const layer of [nn.deltas(), nn.cmvn()]) {
    const got = followed(layer, noisy, lengths)
    const [, , D = 1] = got.shape
    const behind = Array.from(got.data, (value, i) => ({
      value,
      t: Math.floor(i / D / rows),
      n: Math.floor(i / D) % rows,
    }))
    expect(behind.filter(({ value, t, n }) => (t < lengths[n]! ? Number.isNaN(value) : value !== 0))).toEqual([])
  }
})

test('both have gradients', () => {
  const fixed = { lengths: { dtype: 'i32', value: ndarray([rows], lengths) } } as const
  const layers = [nn.deltas(), nn.deltas({ convention: 'kaldi' }), nn.cmvn({ epsilon: 0.1 })]
  for (const layer of layers) {
    expectGradients({ x }, fixed, ({ x, lengths }) => [
      layer.run(x as nn.Features, { lengths: lengths as Tensor<'i32'> }).output,
    ])
  }
})

test('refusals name the layer', () => {
  expect(() => nn.deltas({ order: 0 })).toThrow('nn.deltas[order]: expected a whole number from 1 to 4, got 0')
  expect(() => nn.deltas({ convention: 'sphinx' as never })).toThrow('nn.deltas[convention]: expected htk, kaldi')
  expect(() => nn.cmvn({ epsilon: 0 })).toThrow('nn.cmvn[epsilon]: expected a number above 0, got 0')
  expect(() => followed(nn.deltas({ name: 'slopes' }), uneven([4, 3]))).toThrow(
    'deltas[slopes]: expected x of f32[T, N, D], got f32[4, 3]',
  )
  expect(() => followed(nn.cmvn(), x, [2])).toThrow('cmvn[cmvn1]: expected lengths of i32[3], got i32[1]')
})
