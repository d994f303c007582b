// Parts of data sets.
import { expect, test } from 'vitest'
import { arrays, DataError, subset } from '../../../lib/data/index.js'

const whole = arrays({ x: { data: Float32Array.of(0, 1, 10, 11, 20, 21), shape: [2] }, target: Int32Array.of(5, 6, 7) })

test('gives the chosen examples in their order', async () => {
  const part = subset(whole, [2, 0])
  expect(part.length).toBe(2)
  expect(part.fields).toBe(whole.fields)
  const out = { x: new Float32Array(4), target: new Int32Array(2) }
  await part.gather([1, 0], out)
  expect([...out.x, ...out.target]).toEqual([0, 1, 20, 21, 5, 7])
})

test('refuses places that are not there', () => {
  expect(() => subset(whole, [])).toThrow('subset: expected indices in [0, 3), got none')
  expect(() => subset(whole, [0, 3])).toThrow('subset: expected indices in [0, 3), got 3')
  expect(() => subset(whole, [0.5])).toThrow(DataError)
  const out = { x: new Float32Array(2), target: new Int32Array(1) }
  expect(() => subset(whole, [1]).gather([1], out)).toThrow('gather: expected indices in [0, 1), got 1')
})
