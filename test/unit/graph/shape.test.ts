// Shapes and dtypes: counting, strides, NumPy's broadcasting.
import { expect, test } from 'vitest'
import {
  broadcastShapes,
  count,
  formatShape,
  hostArray,
  isFloat,
  isHostArray,
  sameShape,
  strides,
} from '../../../lib/graph/index.js'

test.each<[number[][], number[] | undefined]>([
  [
    [
      [2, 3],
      [2, 3],
    ],
    [2, 3],
  ],
  [
    [
      [2, 1, 3],
      [4, 1],
    ],
    [2, 4, 3],
  ],
  [[[], [5]], [5]],
  [
    [[1], [7], [3, 1]],
    [3, 7],
  ],
  [[], []],
  [[[2], [3]], undefined],
  [[[2, 3], [2]], undefined],
])('broadcast %j is %j', (shapes, expected) => {
  expect(broadcastShapes(...shapes)).toEqual(expected)
})

test('a scalar has one element', () => {
  expect([count([]), count([2, 3, 4]), strides([2, 3, 4]), strides([])]).toEqual([1, 24, [12, 4, 1], []])
})

test('shapes are compared and written', () => {
  expect([sameShape([2, 3], [2, 3]), sameShape([2], [2, 1]), formatShape([128, 784])]).toEqual([
    true,
    false,
    '[128, 784]',
  ])
})

test('each dtype has its host array', () => {
  expect(hostArray('bf16', 3)).toEqual(new Uint16Array(3))
  expect([
    isHostArray('f32', new Float32Array(1)),
    isHostArray('f32', new Float64Array(1)),
    isHostArray('i32', [1]),
  ]).toEqual([true, false, false])
  expect([isFloat('bf16'), isFloat('i32')]).toEqual([true, false])
})
