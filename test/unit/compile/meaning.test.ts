// No pass changes what a graph computes: the graph after each one gives the same fetches and states in float64, and rounded to
// what it holds its values in, the same training step.
import { describe, expect, it } from 'vitest'
import { passesFor } from '../../../lib/compile/compile.js'
import { fuse } from '../../../lib/compile/passes/fuse.js'
import type { Graph, Tensor } from '../../../lib/graph/index.js'
import { type Arrays, interpret } from '../../support/interpreter.js'
import { ndarray } from '../../support/ndarray.js'
import { generator, integers, uniform } from '../../support/random.js'
import { kinds, learner } from './learners.js'
import { lenet, randomGraph, tiny } from './networks.js'

/** Inputs of a graph; the copy of a parameter holds what the parameter holds. */
function drawInputs(graph: Graph): { feeds: Arrays; states: Arrays } {
  const random = generator(7)
  const draw = ({ shape, dtype }: Tensor, least = -0.5) =>
    ndarray(shape, (dtype === 'f32' ? uniform(least, 0.5) : integers(0, 10))(shape, random))
  const feeds = graph.feeds.map(({ name, tensor }) => [name, draw(tensor)] as const)
  // A mean of squares is above zero.
  const states = graph.states.map(
    ({ name, tensor, variable }) => [name, draw(tensor, /\.squares?$/.test(variable.label) ? 0.1 : -0.5)] as const,
  )
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

// Eight bits of mantissa, over a dozen roundings between a weight and its gradient, of which the clipped norm is of all.
const inBf16 = 0.1

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

describe.each(kinds)('training of a network, %s, with drawn optimisers', (kind) => {
  it('means the same after every pass, in f32 and bf16', async () => {
    for (let seed = 1; seed <= 6; seed++) {
      const graph = await learner(kind, seed)
      for (const precision of ['f32', 'bf16'] as const) {
        let after = graph
        for (const [, run] of passesFor(precision)) after = run(after)
        expect(difference(graph, after), `seed ${seed}, ${precision}`).toBeLessThan(exact)
      }
    }
  })

  it('takes the same step in bf16, but for its rounding', async () => {
    for (let seed = 1; seed <= 6; seed++) {
      const graph = await learner(kind, seed)
      const after = passesFor('bf16').reduce((step, [, run]) => run(step), graph)
      const { feeds, states } = drawInputs(graph)
      const expected = interpret(graph, feeds, states).states
      const got = interpret(after, feeds, states, true).states
      for (const { name, tensor } of graph.states) {
        // How the state changes: an update that was made in bf16 would lose most of it.
        const change = (to: Arrays) => to[name]!.data.map((value, i) => value - (states[name]?.data[i] ?? 0))
        if (tensor.dtype !== 'f32' || got[name] === undefined) continue
        const [right, rounded] = [change(expected), change(got)]
        const largest = Math.max(...right.map(Math.abs))
        const error = Math.max(...right.map((value, i) => Math.abs(value - rounded[i]!)))
        expect(error, `seed ${seed}, ${name}`).toBeLessThanOrEqual(inBf16 * largest)
      }
    }
  })
})
