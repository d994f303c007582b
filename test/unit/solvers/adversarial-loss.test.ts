// The loss on images that a step along the gradient's sign has changed, where both are known.
import { expect, test } from 'vitest'
import { grad } from '../../../lib/autodiff/index.js'
import { feed, type Tensor, trace } from '../../../lib/graph/index.js'
import * as ops from '../../../lib/ops/index.js'
import { adversarialLoss } from '../../../lib/solvers/index.js'
import { interpret } from '../../support/interpreter.js'
import { ndarray } from '../../support/ndarray.js'

type F32 = Tensor<'f32'>
/** (w x - target)^2 summed, with w = 2. */
const net = (x: F32): F32 => ops.mul(x, 2)
const loss = (y: F32, target: F32): F32 => ops.sum(ops.square(ops.sub(y, target)))

function measured(mode: 'train' | 'eval', options = {}) {
  const graph = trace({ name: 'loss', mode }, () => {
    const [x, target] = [feed('x', 'f32', [2]), feed('target', 'f32', [2])]
    const { loss: value, output } = adversarialLoss(net, loss, { epsilon: 0.25, ...options })(x, target)
    return { value, slope: grad(value, x), output }
  })
  const { fetches } = interpret(graph, { x: ndarray([2], [1, -1]), target: ndarray([2], [0, 0]) })
  const of = (name: string) => [...fetches[name]!.data]
  return { value: of('value')[0]!, slope: of('slope'), output: of('output') }
}

test('is the mean of the loss and of that one step up its slope', () => {
  // x = (1, -1), y = (2, -2): J = 8, its slope (8, -8); x + 0.25 sign = (1.25, -1.25): J = 12.5. The step itself has no slope.
  expect(measured('train').value).toBeCloseTo(10.25, 12)
  expect(measured('train', { clean: 0.25 }).value).toBeCloseTo(0.25 * 8 + 0.75 * 12.5, 12)
  expect(measured('train').slope).toEqual([4, -4])
  expect(measured('train').output).toEqual([2, -2])
})

test('is the loss alone where a network is measured', () => {
  expect(measured('eval').value).toBe(8)
})

test('refuses what is out of range', () => {
  expect(() => adversarialLoss(net, loss, { epsilon: 0 })).toThrow(
    'adversarialLoss: expected epsilon to be a number above 0, got 0',
  )
  expect(() => adversarialLoss(net, loss, { clean: 1 })).toThrow(
    'adversarialLoss: expected clean to be a number from 0 to below 1, got 1',
  )
})
