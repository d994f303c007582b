// The printed form of a graph, and the checker that runs after every pass.
import { describe, expect, test } from 'vitest'
import { emit, feed, type Graph, GraphError, type Node, printGraph, trace, verify } from '../../../lib/graph/index.js'
import * as ops from '../../../lib/ops/index.js'
import { registry } from '../../../lib/ops/registry.js'

const build = () =>
  trace({ name: 'g' }, () => {
    const x = feed('x', 'f32', [2, 3])
    return { y: ops.sum(ops.mul(ops.relu(x), 2), 1) }
  })

test('print is stable, and names every value, attribute and constant', () => {
  expect(printGraph(build())).toBe(`graph g {
  feed %0: f32[2, 3] x
  %1: f32[2, 3] = relu(%0)
  %2: f32[2, 3] = mul(%1, f32[][2])
  %3: f32[2] = sum(%2) axes=[1] keepDims=false
  fetch y = %3
}
`)
})

describe('verify', () => {
  /** The graph with one node replaced; its readers still read the outputs of the old one. */
  const changed = (name: string, change: (node: Node) => Partial<Node>): Graph => {
    const graph = build()
    return { ...graph, nodes: graph.nodes.map((node) => (node.op.name === name ? { ...node, ...change(node) } : node)) }
  }

  test('accepts what tracing makes', () => {
    expect(() => {
      verify(build())
    }).not.toThrow()
  })

  test.each<[string, Graph, RegExp]>([
    [
      'a missing node',
      { ...build(), nodes: build().nodes.slice(1) },
      /mul\[\]: expected input 0 to be defined before it is used/,
    ],
    ['another order', { ...build(), nodes: [...build().nodes].reverse() }, /to be defined before it is used/],
    [
      'a missing attribute',
      changed('sum', () => ({ attrs: { axes: [1] } })),
      /sum\[\]: expected attribute keepDims, got none/,
    ],
    [
      'a wrong kind',
      changed('sum', () => ({ attrs: { axes: 1, keepDims: true } })),
      /expected attribute axes of kind ints, got 1/,
    ],
    [
      'an attribute too many',
      changed('sum', ({ attrs }) => ({ attrs: { ...attrs, extra: 1 } })),
      /expected attributes axes, keepDims, got extra/,
    ],
    ['outputs of another node', changed('relu', () => ({})), /expected output 0 to be its own/],
    ['a missing output', changed('relu', () => ({ outputs: [] })), /relu\[\]: expected 1 outputs, got 0/],
  ])('refuses %s', (_what, graph, message) => {
    const check = () => {
      verify(graph)
    }
    expect(check).toThrow(GraphError)
    expect(check).toThrow(message)
  })
})

test('a node keeps the line of its caller', () => {
  const graph = trace({ name: 'g' }, () => ({ y: emit(registry.get('neg')!, [feed('x', 'f32', [1])], {})[0]! }))
  expect(graph.nodes[0]?.site?.line).toMatch(/text\.test\.ts:\d+:\d+$/)
})
