import { expect, it } from 'vitest'
import { distance, nearest, suggestion } from '../../../lib/base/nearest.js'

it.for([
  ['', '', 0],
  ['', 'abc', 3],
  ['kitten', 'sitting', 3],
  ['mnist', 'mnsit', 2],
  ['train', 'train', 0],
] as const)('the distance from %s to %s is %d', ([a, b, edits]) => {
  expect(distance(a, b)).toBe(edits)
  expect(distance(b, a)).toBe(edits)
})

it('suggests the nearest word, and nothing where none is near', () => {
  expect(nearest('trian', ['eval', 'train', 'data'])).toBe('train')
  expect(nearest('MNIST', ['mnist', 'mnist-mlp'])).toBe('mnist')
  expect(nearest('xyzzyxyzzy', ['eval', 'train'])).toBeUndefined()
  expect(suggestion('--epoch', ['--epochs', '--batch'])).toBe(' Did you mean --epochs?')
  expect(suggestion('qqqqqq', ['a'])).toBe('')
})
