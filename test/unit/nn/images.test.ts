// Layers over images and lines: weights, first values, and what they refuse.
import { describe, expect, test } from 'vitest'
import { feed, trace } from '../../../lib/graph/index.js'
import * as nn from '../../../lib/nn/index.js'
import { interpret } from '../../support/interpreter.js'
import { ndarray } from '../../support/ndarray.js'
import { paths, traced, untyped } from './support.js'

describe('conv1d', () => {
  test('slides its weights along lines', () => {
    const net = nn.conv1d(2, 1, { kernel: 2 })
    expect(paths(net, [1, 2, 4])).toEqual(['conv1/w', 'conv1/b'])
    const states = { 'conv1/w': ndarray([1, 2, 2], [1, 2, 3, 4]), 'conv1/b': ndarray([1], [10]) }
    const x = ndarray([1, 2, 3], [1, 2, 3, 4, 5, 6])
    const { y } = interpret(traced(net, [1, 2, 3]), { x }, states).fetches
    expect([...y!.data]).toEqual([1 + 4 + 12 + 20 + 10, 2 + 6 + 15 + 24 + 10])
  })

  test('refuses what does not fit', () => {
    expect(() => nn.conv1d(3, 4, { kernel: 0 })).toThrow(
      'nn.conv1d[kernel]: expected a whole number of at least 1, got 0',
    )
    expect(() => nn.conv1d(3, 4, { kernel: 2, groups: 2 })).toThrow(
      'conv1d: expected groups that divide 3 and 4 channels, got 2',
    )
    expect(() => traced(nn.conv1d(3, 4, { kernel: 2 }), [2, 4, 9])).toThrow(
      'conv1d[conv1]: expected x of f32[N, 3, L], got f32[2, 4, 9]',
    )
  })
})

describe('convTranspose2d', () => {
  test('spreads each pixel over its window, and counts its products', () => {
    const net = nn.convTranspose2d(1, 1, { kernel: 2, stride: 2 })
    const states = { 'convTranspose1/w': ndarray([1, 1, 2, 2], [1, 2, 3, 4]), 'convTranspose1/b': ndarray([1], [1]) }
    const { y } = interpret(traced(net, [1, 1, 1, 2]), { x: ndarray([1, 1, 1, 2], [1, 10]) }, states).fetches
    expect([...y!.data]).toEqual([2, 3, 11, 21, 4, 5, 31, 41])
    expect(nn.summary(net, { x: [1, 1, 3, 5] })).toMatchObject({ parameters: 5, multiplyAdds: 15 * 4 })
  })

  test('the deviation of its first values is of what meets in a pixel', () => {
    const seen: nn.Fans[] = []
    const init: nn.Initializer = (shape, fans) => {
      seen.push(fans)
      return nn.init.zeros(shape, fans)
    }
    const net = nn.convTranspose2d(8, 4, { kernel: 4, stride: 2, bias: false, init })
    trace({ name: 'first' }, () => ({ w: net.parameters[0]!.init() }))
    expect(seen).toEqual([{ in: 8 * 4, out: 4 * 16 }])
  })

  test('refuses what does not fit', () => {
    const net = nn.convTranspose2d(4, 2, { kernel: 2 })
    expect(() => traced(net, [1, 3, 5, 5])).toThrow(
      'convTranspose2d[convTranspose1]: expected x of f32[N, 4, H, W], got f32[1, 3, 5, 5]',
    )
    expect(() => nn.convTranspose2d(4, 2, { kernel: 2, strides: 2 } as never)).toThrow('did you mean stride?')
  })
})

test('upsample2d and globalAvgPool2d refuse what they cannot do', () => {
  expect(() => nn.upsample2d(0)).toThrow('nn.upsample2d[factor]: expected a whole number of at least 1, got 0')
  expect(() => nn.upsample2d(2, { by: 'cubic' as never })).toThrow(
    'nn.upsample2d[by]: expected nearest, bilinear, got "cubic"',
  )
  expect(() => traced(nn.globalAvgPool2d(), [2, 3, 4])).toThrow(
    'globalAvgPool2d: expected x of [N, C, H, W], got f32[2, 3, 4]',
  )
})

describe('standardise', () => {
  test('takes off the mean and divides by the deviation, which it carries', () => {
    const net = nn.standardise({ shape: [2], mean: [1, 10], deviation: new Float32Array([2, 5]) })
    const graph = trace({ name: 'net' }, () => ({ y: untyped(net)(feed('x', 'u8', [2, 2])) }))
    expect(graph.states.map(({ name, variable }) => [name, variable.role])).toEqual([
      ['standardise1/mean', 'statistic'],
      ['standardise1/deviation', 'statistic'],
    ])
    const first = trace({ name: 'first' }, () =>
      Object.fromEntries(graph.states.map(({ name, variable }) => [name, variable.init()])),
    )
    const states = interpret(first, {}).fetches
    const { y } = interpret(graph, { x: ndarray([2, 2], [5, 0, 1, 20]) }, states).fetches
    expect([...y!.data]).toEqual([2, -2, 0, 2])
  })

  test('refuses numbers that are none of a deviation, or another number of them', () => {
    expect(() => nn.standardise({ shape: [2], mean: [1] })).toThrow(
      'standardise[mean]: expected 2 finite numbers for shape [2], got 1',
    )
    expect(() => nn.standardise({ shape: [2], deviation: [1, 0] })).toThrow(
      'standardise[deviation]: expected 2 finite numbers above 0 for shape [2], got 0 among them',
    )
    expect(() => traced(nn.standardise({ shape: [2] }), [3, 4])).toThrow(
      'standardise: expected x of [N, 2], got f32[3, 4]',
    )
  })
})
