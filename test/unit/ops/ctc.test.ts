// Connectionist temporal classification: the reference of its case against every alignment, the sums that probabilities and gradients must
// have, and the loss of rows.
import { describe, expect, it } from 'vitest'
import { grad } from '../../../lib/autodiff/index.js'
import { constant, feed, type Tensor, trace } from '../../../lib/graph/index.js'
import * as nn from '../../../lib/nn/index.js'
import * as ops from '../../../lib/ops/index.js'
import { byAlignments, byRecursion, collapsed, type CtcRow, ctcOutputs } from '../../support/ctc-loss.js'
import { interpret } from '../../support/interpreter.js'
import { indices, ndarray, type NDArray } from '../../support/ndarray.js'
import { generator } from '../../support/random.js'

/** Log-probabilities of so many frames. */
function drawn(frames: number, classes: number, random: () => number): number[][] {
  return Array.from({ length: frames }, () => {
    const weights = Array.from({ length: classes }, () => Math.exp(4 * random()))
    const total = weights.reduce((sum, w) => sum + w)
    return weights.map((w) => Math.log(w / total))
  })
}

/** All rows of up to so many labels of `classes` classes, of which the blank is none. */
const labellings = (most: number, classes: number, blank: number): number[][] =>
  Array.from({ length: most + 1 }, (_, length) => indices(Array.from({ length }, () => classes)))
    .flat()
    .filter((labels) => !labels.includes(blank))

describe('the reference', () => {
  it('reads labellings of frames as the paper does', () => {
    expect(collapsed([0, 1, 1, 0, 1, 2, 2, 0], 0)).toEqual([1, 1, 2])
    expect(collapsed([2, 2], 2)).toEqual([])
    expect(collapsed([], 0)).toEqual([])
  })

  it('is the sum over all alignments', () => {
    const random = generator(3)
    let compared = 0
    for (const [frames, classes, blank] of [
      [1, 3, 0],
      [2, 3, 2],
      [4, 3, 1],
      [5, 2, 0],
      [4, 4, 3],
    ] as const) {
      const own = drawn(frames, classes, random)
      for (const labels of labellings(frames, classes, blank)) {
        const row: CtcRow = { frames: own, labels, blank }
        const [all, quick] = [byAlignments(row), byRecursion(row)]
        if (all.logLikelihood === -Infinity) {
          expect(quick.logLikelihood).toBe(-Infinity)
          continue
        }
        compared++
        expect(quick.logLikelihood).toBeCloseTo(all.logLikelihood, 12)
        const shares = quick.shares.flat()
        expect(all.shares.flat().filter((share, i) => Math.abs(share - shares[i]!) > 1e-12)).toEqual([])
      }
    }
    expect(compared).toBe(88)
  })

  it('gives all rows of labels together the probability 1', () => {
    const frames = drawn(4, 3, generator(9))
    const all = labellings(4, 3, 0).map((labels) => Math.exp(byRecursion({ frames, labels, blank: 0 }).logLikelihood))
    expect(all.reduce((sum, p) => sum + p)).toBeCloseTo(1, 12)
  })
})

const [T, N, K, L] = [5, 3, 4, 2]
const logits = ndarray(
  [T, N, K],
  Array.from({ length: T * N * K }, (_, i) => 2 * Math.sin(1.7 * i)),
)
const rows = { labels: [1, 2, 3, 3, 2, 9], labelLengths: [2, 2, 1], frameLengths: [5, 4, 2] }
const given = (x = logits, { labels, labelLengths, frameLengths } = rows): NDArray[] => [
  x,
  ndarray([N, L], labels),
  ndarray([N], labelLengths),
  ndarray([N], frameLengths),
]

type Build = (x: Tensor<'f32'>, labels: Tensor<'i32'>, counts: Tensor<'i32'>, frames: Tensor<'i32'>) => Tensor

/** A loss of the rows, and its gradient by the logits. */
function evaluated(build: Build, arrays = given()): { loss: number; slope: NDArray } {
  const graph = trace({ name: 'ctc' }, () => {
    const x = feed('x', 'f32', [T, N, K])
    const loss = build(x, feed('labels', 'i32', [N, L]), feed('counts', 'i32', [N]), feed('frames', 'i32', [N]))
    return { loss, slope: grad(loss, x) }
  })
  const feeds = Object.fromEntries(['x', 'labels', 'counts', 'frames'].map((name, i) => [name, arrays[i]!]))
  const { fetches } = interpret(graph, feeds)
  return { loss: fetches['loss']!.data[0]!, slope: fetches['slope']! }
}

describe('ops.ctc', () => {
  it('has gradients that add up to 0 in each frame, and are 0 behind the last one', () => {
    const { slope } = evaluated((...inputs) => ops.sum(ops.ctc(...inputs)))
    for (const [t = 0, n = 0] of indices([T, N])) {
      const own = slope.data.slice((t * N + n) * K).subarray(0, K)
      expect(own.reduce((sum, x) => sum + x, 0)).toBeCloseTo(0, 12)
      expect(own.some((x) => x !== 0)).toBe(t < rows.frameLengths[n]!)
    }
  })

  it('weighs the gradient of each row by that of its loss', () => {
    const plain = evaluated((...inputs) => ops.sum(ops.ctc(...inputs))).slope
    const weights = [2, -1, 0]
    const weighed = evaluated((...inputs) => ops.sum(ops.mul(ops.ctc(...inputs), constant('f32', [N], weights)))).slope
    const wrong = weighed.data.filter((x, i) => Math.abs(x - plain.data[i]! * weights[Math.floor(i / K) % N]!) > 1e-12)
    expect(wrong).toHaveLength(0)
  })

  it('has a gradient for logits of bf16', () => {
    const graph = trace({ name: 'ctc' }, () => {
      const x = feed('x', 'bf16', [T, N, K])
      const counts = feed('counts', 'i32', [N])
      return { slope: grad(ops.sum(ops.ctc(x, feed('labels', 'i32', [N, L]), counts, counts)), x) }
    })
    expect(graph.fetches[0]!.tensor.dtype).toBe('bf16')
  })

  it('refuses a gradient of its gradient', () => {
    const build = () => evaluated((x, ...others) => ops.sum(ops.square(grad(ops.sum(ops.ctc(x, ...others)), x))))
    expect(build).toThrow('ctc: expected no gradient of its gradient, got one')
  })
})

describe('nn.ctcLoss', () => {
  const [losses] = ctcOutputs(given(), 0)

  it('is the mean over rows', () => {
    const { loss, slope } = evaluated((...inputs) => nn.ctcLoss(...inputs))
    expect(loss).toBeCloseTo(losses.data.reduce((sum, x) => sum + x) / N, 12)
    const summed = evaluated((...inputs) => ops.sum(ops.ctc(...inputs))).slope
    expect(slope.data.filter((x, i) => Math.abs(x - summed.data[i]! / N) > 1e-12)).toHaveLength(0)
  })

  it('leaves out rows, whatever they hold', () => {
    const spoilt = { labels: [1, 2, -7, 0, 2, 9], labelLengths: [2, 99, 1], frameLengths: [5, -4, 2] }
    const mask = () => constant('u8', [N], [1, 0, 1])
    const { loss, slope } = evaluated((...inputs) => nn.ctcLoss(...inputs, { mask: mask() }), given(logits, spoilt))
    expect(loss).toBeCloseTo((losses.data[0]! + losses.data[2]!) / 2, 12)
    const [left, kept] = [1, 0].map((row) => slope.data.filter((_, i) => Math.floor(i / K) % N === row))
    expect(left!.every((x) => x === 0)).toBe(true)
    expect(kept!.some((x) => x !== 0)).toBe(true)
  })

  it('takes the blank, and what impossible rows are', () => {
    const arrays = given(logits, { ...rows, labels: [1, 0, 2, 2, 0, 9], frameLengths: [5, 2, 2] })
    const options = { blank: 3, impossible: 'infinity' } as const
    const { loss, slope } = evaluated((...inputs) => nn.ctcLoss(...inputs, options), arrays)
    expect(loss).toBe(Infinity)
    expect(slope.data.every(Number.isFinite)).toBe(true)
  })

  it('refuses a mask of other extents, and options that it does not know', () => {
    const mask = () => constant('u8', [T], 1)
    expect(() => evaluated((...inputs) => nn.ctcLoss(...inputs, { mask: mask() }))).toThrow(
      'ctcLoss: expected a mask of u8[3], got u8[5]',
    )
    expect(() => evaluated((...inputs) => nn.ctcLoss(...inputs, { blanc: 1 } as never))).toThrow(/did you mean blank/)
  })
})
