// What the gradient is where there is no derivative: a choice of each op, held here.
import { expect, test } from 'vitest'
import { feed, type Tensor, trace } from '../../../lib/graph/index.js'
import { grad } from '../../../lib/autodiff/index.js'
import * as ops from '../../../lib/ops/index.js'
import { interpret } from '../../support/interpreter.js'
import { ndarray } from '../../support/ndarray.js'

/** d sum(f(x)) / dx at `x`. */
function gradientAt(x: readonly number[], f: (x: Tensor<'f32', [number]>) => Tensor): number[] {
  const graph = trace({ name: 'point' }, () => {
    const input: Tensor<'f32', [number]> = feed('x', 'f32', [x.length])
    return { dx: grad(ops.sum(f(input)), input) }
  })
  return [...interpret(graph, { x: ndarray([x.length], x) }).fetches['dx']!.data]
}

test.each<[string, number[], (x: Tensor<'f32', [number]>) => Tensor, number[]]>([
  ['relu at 0 has 0', [-1, 0, 2], (x) => ops.relu(x), [0, 0, 1]],
  ['leakyRelu at 0 has the slope', [0, 1], (x) => ops.leakyRelu(x, 0.25), [0.25, 1]],
  ['abs at 0 has 0', [-2, 0, 2], (x) => ops.abs(x), [-1, 0, 1]],
  ['sign and floor have 0', [-1.5, 0.5], (x) => ops.add(ops.sign(x), ops.floor(x)), [0, 0]],
  ['max shares among ties', [3, 1, 3, 3], (x) => ops.max(x), [1 / 3, 0, 1 / 3, 1 / 3]],
  ['min shares among ties', [1, 1, 3], (x) => ops.min(x), [1 / 2, 1 / 2, 0]],
  ['maximum gives half at a tie', [1, 2, 3], (x) => ops.maximum(x, 2), [0, 1 / 2, 1]],
  ['minimum gives half at a tie', [1, 2, 3], (x) => ops.minimum(x, 2), [1, 1 / 2, 0]],
  ['both sides of a tie together have 1', [2], (x) => ops.maximum(x, x), [1]],
  ['norm at 0 has 0', [0, 0], (x) => ops.norm(x), [0, 0]],
  ['pow at a base of 0', [0, 2], (x) => ops.pow(x, 2), [0, 4]],
  ['pow with an exponent of 0', [0, 2], (x) => ops.pow(x, 0), [0, 0]],
  ['pow by its exponent at a base of 0', [1, 2], (x) => ops.pow(0, x), [0, 0]],
  ['a comparison lets nothing through', [1, 2], (x) => ops.cast(ops.less(x, 2), 'f32'), [0, 0]],
  ['stopGradient lets nothing through', [1, 2], (x) => ops.mul(x, ops.stopGradient(x)), [1, 2]],
  ['bernoulli lets nothing through', [0.25, 0.5], (x) => ops.add(x, ops.bernoulli(x)), [1, 1]],
])('%s', (_what, x, f, expected) => {
  expect(gradientAt(x, f)).toEqual(expected.map((value) => expect.closeTo(value, 14) as number))
})
