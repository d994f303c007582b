// No pass changes what a graph computes: the graph after each one gives the same fetches and states in float64.
import { describe, expect, it } from 'vitest'
import { passesFor } from '../../../lib/compile/compile.js'
import { fuse } from '../../../lib/compile/passes/fuse.js'
import type { Graph } from '../../../lib/graph/index.js'
import { type Arrays, interpret } from '../../support/interpreter.js'
import { ndarray } from '../../support/ndarray.js'
import { generator, integers, uniform } from '../../support/random.js'
import { lenet, randomGraph, tiny } from './networks.js'

/** Inputs of a graph; the copy of a parameter holds what the parameter holds. */
function drawInputs(graph: Graph): { feeds: Arrays; states: Arrays } {
  const random = generator(7)
  const draw = (shape: readonly number[], dtype: string) =>
    ndarray(shape, (dtype === 'f32' ? uniform(-0.5, 0.5) : integers(0, 10))(shape, random))
  const feeds = graph.feeds.map(({ name, tensor }) => [name, draw(tensor.shape, tensor.dtype)] as const)
  const states = graph.states.map(({ name, tensor }) => [name, draw(tensor.shape, tensor.dtype)] as const)
  const copies = states.map(([name, value]) => [`${name}.bf16`, value] as const)
  return { feeds: Object.fromEntries(feeds), states: Object.fromEntries([...states, ...copies]) }
}

/** Largest difference over the fetches and the states that the first graph has; shapes must agree. */
function difference(a: Graph, b: Graph): number {
  const { feeds, states } = drawInputs(a)
  const [x, y] = [interpret(a, feeds, states), interpret(b, feeds, states)]
  let largest = 0
  for (const kind of ['fetches', 'states'] as const) {
    for (const [name, expected] of Object.entries(x[kind])) {
      const got = y[kind][name]
      // A pass may drop a state that is only read: its value is what it was.
      if (got === undefined && kind === 'states') continue
      expect(got?.shape).toEqual(expected.shape)
      expected.data.forEach((value, i) => {
        largest = Math.max(largest, Math.abs(value - (got?.data[i] ?? NaN)))
      })
    }
  }
  return largest
}

// Folded constants are rounded to f32, once: 1 / 8 is exact, the rest is a matter of the order of float64 sums.
const exact = 1e-6

describe.each(['f32', 'bf16'] as const)('LeNet in %s', (precision) => {
  it.each(['train', 'eval'] as const)('%s means the same after every pass', (mode) => {
    const { graph } = lenet(tiny, mode)
    let after = graph
    for (const [name, run] of passesFor(precision)) {
      after = run(after)
      expect(difference(graph, after), name).toBeLessThan(exact)
    }
  })

  it('assigns each copy the new value of its parameter', () => {
    if (precision === 'f32') return
    const { graph } = lenet(tiny)
    const after = passesFor(precision).reduce((step, [, run]) => run(step), graph)
    const { feeds, states } = drawInputs(graph)
    const result = interpret(after, feeds, states).states
    for (const name of ['w1', 'w2', 'w3', 'w4']) expect(result[`${name}.bf16`]).toEqual(result[name])
    expect(result['w1']).not.toEqual(states['w1'])
  })
})

describe('random graphs', () => {
  it('mean the same when they are fused', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const graph = randomGraph(seed)
      expect(difference(graph, fuse(graph)), `seed ${seed}`).toBe(0)
    }
  })
})
