// joinProducts: the gradient of weights that a loop reads at each step is one product of all rows.
import { describe, expect, it } from 'vitest'
import { grad } from '../../../lib/autodiff/index.js'
import { cse } from '../../../lib/compile/passes/cse.js'
import { dce } from '../../../lib/compile/passes/dce.js'
import { fold } from '../../../lib/compile/passes/fold.js'
import { joinProducts } from '../../../lib/compile/passes/join-products.js'
import { feed, type Graph, printGraph, sameShape, type Tensor, trace, verify } from '../../../lib/graph/index.js'
import * as ops from '../../../lib/ops/index.js'
import { interpret } from '../../support/interpreter.js'
import { ndarray } from '../../support/ndarray.js'
import { generator, uniform } from '../../support/random.js'

type Matrix = Tensor<'f32', [number, number]>
interface Weights {
  readonly w: Matrix
  readonly b: Tensor<'f32', [number]>
}
const [steps, rows, units] = [5, 2, 3]
const shapes = { x: [rows, units], w: [units, units], b: [units] } as const

/** What `build` gives before and after the pass: the same but for the order of additions. */
function joined(build: (x: Matrix, weights: Weights) => Record<string, Tensor>) {
  const before = cse(
    dce(
      fold(
        trace({ name: 'g' }, () =>
          build(feed('x', 'f32', shapes.x), { w: feed('w', 'f32', shapes.w), b: feed('b', 'f32', shapes.b) }),
        ),
      ),
    ),
  )
  const after = joinProducts(before)
  verify(after)
  expect(printGraph(joinProducts(after))).toBe(printGraph(after))
  const random = generator(5)
  const fed = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, ndarray(shape, uniform(-1, 1)(shape, random))]),
  )
  const run = (graph: Graph) => Object.values(interpret(graph, fed, {}).fetches).flatMap(({ data }) => Array.from(data))
  const [own, wanted] = [run(after), run(before)]
  expect(Math.max(...own.map((value, i) => Math.abs(value - wanted[i]!)))).toBeLessThan(1e-12)
  expect(Math.max(...wanted.map(Math.abs))).toBeGreaterThan(1e-3)
  return { before, after }
}

/** Products that are gradients of weights, and sums over rows. */
const counts = ({ nodes }: Graph): [number, number] => [
  nodes.filter(({ op, attrs }) => op.name === 'matmul' && attrs['transposeA'] === true).length,
  nodes.filter(({ op, attrs }) => op.name === 'sum' && sameShape(attrs['axes'] as readonly number[], [0])).length,
]

/** A recurrent network over the same x at each step. */
function unrolled(x: Matrix, { w, b }: Weights, times = steps): Tensor<'f32', []> {
  let h: Matrix = x
  for (let t = 0; t < times; t++) h = ops.tanh(ops.add(ops.matmul(h, w, { transposeB: true, bias: b }), x))
  return ops.sum(ops.square(h))
}

describe('joinProducts', () => {
  it('makes one product, and one sum, of those of all steps', () => {
    const { before, after } = joined((x, { w, b }) => {
      const [dw, db] = grad(unrolled(x, { w, b }), [w, b])
      return { dw, db }
    })
    expect(counts(before)).toEqual([steps, steps])
    expect(counts(after)).toEqual([1, 1])
  })

  it('adds what is no product', () => {
    const { after } = joined((x, { w, b }) => ({
      dw: grad(ops.add(unrolled(x, { w, b }), ops.sum(ops.exp(w))), w),
    }))
    expect(counts(after)).toEqual([1, 0])
  })

  it.each<[string, (x: Matrix, weights: Weights) => Record<string, Tensor>]>([
    ['two products', (x, { w, b }) => ({ dw: grad(unrolled(x, { w, b }, 2), w) })],
    [
      'products that somebody else reads',
      (x) => {
        const each = [x, ops.tanh(x), ops.exp(x)].map((one) => ops.matmul(one, x, { transposeA: true }))
        return { all: ops.add(ops.add(each[0]!, each[1]!), each[2]!), a: each[0]!, b: each[1]!, c: each[2]! }
      },
    ],
    [
      'products of other operands',
      (x, { w }) => {
        const each = [w, ops.tanh(w), ops.exp(w)].map((one) => ops.matmul(one, w))
        return { all: ops.add(ops.add(each[0]!, each[1]!), each[2]!), x }
      },
    ],
  ])('leaves %s', (_, build) => {
    const { before, after } = joined(build)
    expect(printGraph(after)).toBe(printGraph(before))
  })

  /** A loop over images of these extents, and what it reads at each step. */
  function convolved([rows, height, width]: readonly [number, number, number], channels = 8): Graph {
    return trace({ name: 'g' }, () => {
      const x = feed('x', 'f32', [rows, channels, height, width])
      const w = feed('w', 'f32', [channels, channels, 3, 3])
      let h = x
      for (let t = 0; t < steps; t++) h = ops.add(ops.tanh(ops.conv2d(h, w, { padding: 1 })), x)
      return { dw: grad(ops.sum(ops.square(h)), w) }
    })
  }
  const gradients = ({ nodes }: Graph) => nodes.filter(({ op }) => op.name === 'conv2dGradWeight').length

  it('makes one gradient of all convolutions of the same weights, where those are more than the values of images', () => {
    const before = cse(dce(fold(convolved([2, 3, 4]))))
    const after = joinProducts(before)
    verify(after)
    expect([gradients(before), gradients(after)]).toEqual([steps, 1])
    const random = generator(5)
    const fed = Object.fromEntries(
      before.feeds.map(({ name, tensor: { shape } }) => [name, ndarray(shape, uniform(-0.2, 0.2)(shape, random))]),
    )
    const [own, wanted] = [after, before].map((graph) => Array.from(interpret(graph, fed, {}).fetches['dw']!.data))
    expect(Math.max(...wanted!.map((value, i) => Math.abs(value - own![i]!)))).toBeLessThan(1e-12)
    expect(Math.max(...wanted!.map(Math.abs))).toBeGreaterThan(1e-2)
  })

  it('leaves gradients of fewer weights than there are values of images, and those of images of other extents', () => {
    const large = cse(dce(fold(convolved([2, 8, 8]))))
    expect(joinProducts(large)).toBe(large)
    const mixed = trace({ name: 'g' }, () => {
      const w = feed('w', 'f32', [8, 8, 3, 3])
      const losses = [3, 4, 5].map((side) => ops.conv2d(feed(`x${side}`, 'f32', [1, 8, side, side]), w))
      return {
        dw: grad(
          losses.map((y) => ops.sum(ops.square(y))).reduce((a, b) => ops.add(a, b)),
          w,
        ),
      }
    })
    expect(gradients(mixed)).toBe(3)
    expect(joinProducts(mixed)).toBe(mixed)
  })

  it('leaves products of many rows', () => {
    const graph = trace({ name: 'g' }, () => {
      const x = feed('x', 'f32', [2000, 2])
      const each = [x, ops.tanh(x), ops.exp(x)].map((one) => ops.matmul(one, x, { transposeA: true }))
      return { all: ops.add(ops.add(each[0]!, each[1]!), each[2]!) }
    })
    expect(joinProducts(graph)).toBe(graph)
  })
})
