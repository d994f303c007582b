// Sums around a network.
import { expect, test } from 'vitest'
import * as nn from '../../../lib/nn/index.js'
import { relu } from '../../../lib/ops/index.js'
import { interpret } from '../../support/interpreter.js'
import { ndarray } from '../../support/ndarray.js'
import { paths, traced } from './support.js'

test('residual adds what the body and the shortcut give', () => {
  const x = ndarray([1, 2], [-1, 3])
  const sum = (net: nn.Step) => [...interpret(traced(net, [1, 2]), { x }).fetches['y']!.data]
  expect(sum(nn.residual(nn.relu()))).toEqual([-1, 6])
  expect(sum(nn.residual(nn.relu(), (x: never) => relu(x)))).toEqual([0, 6])
})

test('residual has the weights of both, and refuses what does not fit', () => {
  const both = nn.residual(nn.linear(2, 3), nn.linear(2, 3, { bias: false }))
  expect(both.parameters.length).toBe(3)
  expect(paths(both, [1, 2]).length).toBe(3)
  expect(() => traced(nn.residual(nn.linear(2, 3)), [1, 2])).toThrow(
    'residual: expected a body that gives f32[1, 2], got f32[1, 3]',
  )
})
