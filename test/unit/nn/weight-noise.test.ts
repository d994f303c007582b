// Noise on weights: where it comes, that gradients are those at the noisy weights, and that nothing but training has it.
import { describe, expect, test } from 'vitest'
import { grad } from '../../../lib/autodiff/index.js'
import { assign, feed, Names, read, type Tensor, trace, type TraceMode } from '../../../lib/graph/index.js'
import * as nn from '../../../lib/nn/index.js'
import { add, mul, square, sub, sum } from '../../../lib/ops/index.js'
import { difference } from '../../support/compare.js'
import { interpret } from '../../support/interpreter.js'
import { elementwise, ndarray } from '../../support/ndarray.js'
import { uneven, untyped } from './support.js'

const draws = (step: number) => ({ seed: ndarray([2], [3, 4]), step: ndarray([], [step]) })
const close = { tolerance: 1e-12, relativeTo: 'tensor' } as const

/** What a variable is read as under noise, at a step. */
function noisy(deviation: number, step: number, mode: TraceMode = 'train') {
  const w = nn.parameter('w', [40, 50], nn.init.zeros)
  const graph = trace({ name: 'net', mode, names: new Names() }, () =>
    nn.withWeightNoise(deviation, () => ({ first: read(w), again: read(w) })),
  )
  return interpret(graph, {}, { w: uneven([40, 50]), ...draws(step) }).fetches
}

describe('withWeightNoise', () => {
  test('adds normal noise of its deviation, the same wherever a weight is read', () => {
    const { first, again } = noisy(0.075, 1)
    const noise = elementwise((a, b) => a - b, first!, uneven([40, 50])).data
    const mean = noise.reduce((total, v) => total + v, 0) / noise.length
    const spread = Math.sqrt(noise.reduce((total, v) => total + (v - mean) ** 2, 0) / noise.length)
    expect(Math.abs(mean)).toBeLessThan(0.005)
    expect(spread).toBeCloseTo(0.075, 2)
    expect(difference(again!, first!, close)).toBeUndefined()
    expect(difference(noisy(0.075, 2)['first']!, first!, close)).toBeDefined()
  })

  test('adds none in evaluation, and none of deviation 0', () => {
    for (const found of [noisy(0.075, 1, 'eval'), noisy(0, 1)]) {
      expect(difference(found['first']!, uneven([40, 50]), close)).toBeUndefined()
    }
  })

  test('draws for each weight by its own path, whatever else is read', () => {
    const alone = (net: nn.Step) => {
      const graph = trace({ name: 'net', mode: 'train', names: new Names() }, () => ({
        y: nn.withWeightNoise(0.1, () => untyped(net)(feed('x', 'f32', [2, 3]))),
      }))
      return new Map(
        graph.nodes.filter(({ op }) => op.name === 'randomNormal').map(({ path, attrs }) => [path, attrs['stream']]),
      )
    }
    const small = alone(nn.linear(3, 4))
    const large = alone(nn.sequential(nn.linear(3, 4), nn.linear(4, 4)))
    expect([...large.keys()]).toEqual(['linear1/w', 'linear1/b', 'linear2/w', 'linear2/b'])
    expect(new Set(large.values()).size).toBe(4)
    for (const [path, stream] of small) expect(large.get(path)).toBe(stream)
  })

  test('reaches a weight by the gradient at where the noise put it, and updates the weight itself', () => {
    const w = nn.parameter('w', [3], nn.init.zeros)
    const graph = trace({ name: 'net', mode: 'train', names: new Names() }, () => {
      const { loss, seen } = nn.withWeightNoise(0.5, () => {
        const seen = read(w)
        return { loss: sum(square(mul(seen, feed('x', 'f32', [3])))), seen }
      })
      const slope = grad(loss, read(w))
      assign(w, sub(read(w), mul(slope, 0.1)))
      return { slope, seen }
    })
    const [x, before] = [uneven([3], 2), uneven([3])]
    const { fetches, states } = interpret(graph, { x }, { w: before, ...draws(1) })
    const slope = elementwise((seen, given) => 2 * seen * given * given, fetches['seen']!, x)
    expect(difference(fetches['slope']!, slope, close)).toBeUndefined()
    const after = elementwise((value, s) => value - 0.1 * s, before, slope)
    expect(difference(states['w']!, after, close)).toBeUndefined()
    expect(difference(fetches['seen']!, before, close)).toBeDefined()
  })

  test('assigns within it go to the variable, and statistics have no noise', () => {
    const net = nn.batchNorm(2)
    const graph = trace({ name: 'net', mode: 'train', names: new Names() }, () => ({
      y: nn.withWeightNoise(1, () => net(feed('x', 'f32', [4, 2]))),
    }))
    const noise = graph.nodes.filter(({ op }) => op.name === 'randomNormal').map(({ path }) => path)
    expect(noise).toEqual(['batchNorm1/scale', 'batchNorm1/shift'])
    expect(graph.assigns.map(({ state }) => state.node.path)).toEqual(['batchNorm1/mean', 'batchNorm1/variance'])
    const w = nn.parameter('w', [2], nn.init.zeros)
    const own = trace({ name: 'net', mode: 'train' }, () =>
      nn.withWeightNoise(1, () => {
        assign(w, mul(read(w), 2))
        return { y: read(w) }
      }),
    )
    expect(own.assigns[0]!.state.node.op.name).toBe('state')
  })

  test('an inner one takes the place of an outer one', () => {
    const w = nn.parameter('w', [4], nn.init.zeros)
    const graph = trace({ name: 'net', mode: 'train', names: new Names() }, () =>
      nn.withWeightNoise(1, () => {
        const inner: Tensor<'f32'> = nn.withWeightNoise(0, () => nn.withWeightNoise(2, () => read(w)))
        return { inner, outer: add(read(w), 0) }
      }),
    )
    const stds = graph.nodes.filter(({ op }) => op.name === 'randomNormal').map(({ attrs }) => attrs['std'])
    expect(stds).toEqual([2, 1])
  })

  test('refuses deviations below 0, and sparse tables by name', () => {
    expect(() => nn.withWeightNoise(-1, () => 0)).toThrow(
      'nn.withWeightNoise[deviation]: expected a number of at least 0, got -1',
    )
    const table = nn.embedding(5, 2, { sparse: true })
    expect(() =>
      trace({ name: 'net', mode: 'train' }, () => ({
        y: nn.withWeightNoise(0.1, () => table(feed('x', 'i32', [3]))),
      })),
    ).toThrow('withWeightNoise[embedding1/w]: expected parameters that are read whole, got a sparse table')
  })

  test('refusals of layers name the same weights', () => {
    const net = nn.linear(3, 4)
    const shape = [2, 4] as const
    expect(() =>
      trace({ name: 'net', mode: 'train' }, () => ({
        y: nn.withWeightNoise(0.1, () => untyped(net)(feed('x', 'f32', shape))),
      })),
    ).toThrow('linear[linear1]: expected x of f32[..., 3], got f32[2, 4]')
  })
})
