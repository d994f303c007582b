// Subtractive normalisation and maxout over images: what they compute, and what they refuse.
import { describe, expect, test } from 'vitest'
import { feed, type Shape, type Tensor, trace } from '../../../lib/graph/index.js'
import * as nn from '../../../lib/nn/index.js'
import { interpret } from '../../support/interpreter.js'
import { ndarray } from '../../support/ndarray.js'

function valuesOf(layer: nn.Step, shape: Shape, data: readonly number[]): number[] {
  const graph = trace({ name: 'layer', mode: 'eval' }, () => ({
    y: (layer as (x: Tensor) => Tensor)(feed('x', 'f32', shape)),
  }))
  const states = Object.fromEntries(
    graph.states.map(({ name, variable }) => {
      return [name, ndarray(variable.shape, name.endsWith('/b') ? [10, 0, 0, 0] : [1, 2, -1, 3])]
    }),
  )
  return [...interpret(graph, { x: ndarray(shape, data) }, states).fetches['y']!.data]
}

describe('subtractiveNorm', () => {
  test('takes off the mean of what lies around a place, inside of the image', () => {
    const layer = nn.subtractiveNorm()
    // Windows of 2 x 2 and 2 x 3 at the edges.
    const y = valuesOf(layer, [1, 1, 2, 3], [6, 0, 0, 0, 0, 12])
    const wanted = [6 - 6 / 4, -18 / 6, -12 / 4, -6 / 4, -18 / 6, 12 - 12 / 4]
    for (const [i, value] of wanted.entries()) expect(y[i]).toBeCloseTo(value, 12)
  })

  test('leaves nothing of what is the same everywhere, in each channel', () => {
    const flat = [...new Array<number>(9).fill(3), ...new Array<number>(9).fill(-5)]
    for (const value of valuesOf(nn.subtractiveNorm({ size: 5 }), [1, 2, 3, 3], flat)) expect(value).toBeCloseTo(0, 12)
  })

  test('refuses an even window', () => {
    expect(() => nn.subtractiveNorm({ size: 2 })).toThrow('nn.subtractiveNorm[size]: expected an odd number')
  })
})

describe('maxout2d', () => {
  test('is the largest of a unit’s filters at each place', () => {
    const layer = nn.maxout2d(1, 2, { kernel: 1, pieces: 2 })
    // Filters 1 and 2 are of the first unit (x + 10, 2 x), 3 and 4 of the second (-x, 3 x).
    expect(valuesOf(layer, [1, 1, 1, 3], [-1, 4, 20])).toEqual([9, 14, 40, 1, 12, 60])
  })

  test('refuses groups, and no filter', () => {
    expect(() => nn.maxout2d(2, 4, { kernel: 1, groups: 2 } as never)).toThrow('groups')
    expect(() => nn.maxout2d(2, 4, { kernel: 1, pieces: 0 })).toThrow('nn.maxout2d[pieces]')
  })
})
