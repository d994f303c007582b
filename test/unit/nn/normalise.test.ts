// Normalisation layers: running statistics in training and in evaluation, and what they refuse.
import { describe, expect, test } from 'vitest'
import { feed, Names, trace } from '../../../lib/graph/index.js'
import * as nn from '../../../lib/nn/index.js'
import { interpret } from '../../support/interpreter.js'
import { at, fill, ndarray } from '../../support/ndarray.js'
import { outputShape, paths, traced, uneven, untyped } from './support.js'

const x = uneven([4, 3, 2, 2])
const before = {
  'batchNorm1/scale': uneven([3], 1),
  'batchNorm1/shift': uneven([3], 2),
  'batchNorm1/mean': ndarray([3], [0.5, -0.25, 2]),
  'batchNorm1/variance': ndarray([3], [0.5, 1, 2]),
}

function run(layer: nn.Step, mode: 'train' | 'eval') {
  const graph = trace({ name: 'net', mode, names: new Names() }, () => ({
    y: untyped(layer)(feed('x', 'f32', x.shape)),
  }))
  return { graph, ...interpret(graph, { x }, before) }
}

/** Mean and unbiased variance of a channel. */
function moments(c: number): [number, number] {
  const values = [0, 1, 2, 3].flatMap((n) => [0, 1].flatMap((h) => [0, 1].map((w) => at(x, n, c, h, w))))
  const mean = values.reduce((a, b) => a + b) / 16
  return [mean, values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 15]
}

describe('batchNorm', () => {
  test('training normalises by the batch, and carries the running statistics', () => {
    const { states, fetches } = run(nn.batchNorm(3, { momentum: 0.25 }), 'train')
    for (const c of [0, 1, 2]) {
      const [mean, variance] = moments(c)
      expect(at(states['batchNorm1/mean']!, c)).toBeCloseTo(0.75 * at(before['batchNorm1/mean'], c) + 0.25 * mean, 12)
      const carried = 0.75 * at(before['batchNorm1/variance'], c) + 0.25 * variance
      expect(at(states['batchNorm1/variance']!, c)).toBeCloseTo(carried, 12)
      const hat = (at(x, 1, c, 0, 1) - mean) / Math.sqrt((variance * 15) / 16 + 1e-5)
      const y = hat * at(before['batchNorm1/scale'], c) + at(before['batchNorm1/shift'], c)
      expect(at(fetches['y']!, 1, c, 0, 1)).toBeCloseTo(y, 10)
    }
  })

  const byRunning = fill(x.shape, ([n, c, h, w]) => {
    const of = (name: 'scale' | 'shift' | 'mean' | 'variance') => at(before[`batchNorm1/${name}`], c!)
    return ((at(x, n!, c!, h!, w!) - of('mean')) / Math.sqrt(of('variance') + 1e-5)) * of('scale') + of('shift')
  })

  test.each<[string, nn.Step, 'train' | 'eval']>([
    ['evaluation', nn.batchNorm(3), 'eval'],
    ['frozen training', nn.batchNorm(3, { frozen: true }), 'train'],
  ])('%s normalises by the running statistics, and leaves them', (_name, layer, mode) => {
    const { fetches, graph } = run(layer, mode)
    fetches['y']!.data.forEach((value, i) => {
      expect(value).toBeCloseTo(byRunning.data[i]!, 10)
    })
    expect(graph.assigns).toEqual([])
  })

  test('statistics are carried, not trained', () => {
    const { graph } = run(nn.batchNorm(3), 'train')
    const roles = Object.fromEntries(graph.states.map(({ name, variable }) => [name.slice(11), variable.role]))
    expect(roles).toEqual({ scale: 'parameter', shift: 'parameter', mean: 'statistic', variance: 'statistic' })
    expect(nn.batchNorm(3).parameters.map(({ label }) => label)).toEqual(['scale', 'shift'])
  })

  test('refuses other channels, and in training one number in each channel', () => {
    const layer = nn.batchNorm(3)
    expect(() => traced(layer, [2, 4])).toThrow(
      'batchNorm[batchNorm1]: expected x of f32[N, 3] or f32[N, 3, H, W], got f32[2, 4]',
    )
    expect(outputShape(layer, [1, 3])).toEqual([1, 3])
    expect(() => trace({ name: 'net', mode: 'train' }, () => ({ y: layer(feed('x', 'f32', [1, 3])) }))).toThrow(
      /batchNorm\[batchNorm1\]: expected at least two numbers for each channel, got \[1, 3\]/,
    )
    const twice = nn.sequential(layer, layer)
    expect(() => trace({ name: 'net', mode: 'train' }, () => ({ y: twice(feed('x', 'f32', [2, 3])) }))).toThrow(
      /expected one assignment per run, got a second/,
    )
  })

  test('refuses factors out of range', () => {
    expect(() => nn.batchNorm(0)).toThrow('batchNorm: expected channels to be an integer of at least 1, got 0')
    expect(() => nn.batchNorm(3, { momentum: 1.5 })).toThrow(
      'nn.batchNorm[momentum]: expected a number from 0 to 1, got 1.5',
    )
    expect(() => nn.batchNorm(3, { epsilon: 0 })).toThrow('nn.batchNorm[epsilon]: expected a number above 0, got 0')
  })
})

test('layerNorm and groupNorm keep extents, and refuse others', () => {
  expect(outputShape(nn.layerNorm(5), [2, 3, 5])).toEqual([2, 3, 5])
  expect(outputShape(nn.groupNorm(2, 6), [2, 6, 4, 3])).toEqual([2, 6, 4, 3])
  expect(paths(nn.groupNorm(2, 6, { name: 'n' }), [2, 6])).toEqual(['n/scale', 'n/shift'])
  expect(() => traced(nn.layerNorm(5), [2, 4])).toThrow(
    'layerNorm[layerNorm1]: expected x of f32[..., 5], got f32[2, 4]',
  )
  expect(() => traced(nn.groupNorm(2, 6), [2, 4, 3])).toThrow(
    'groupNorm[groupNorm1]: expected x of f32[N, 6, ...], got f32[2, 4, 3]',
  )
  expect(() => nn.groupNorm(4, 6)).toThrow('groupNorm: expected groups that divide 6 channels, got 4')
})
