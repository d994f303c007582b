// Fusion into chains: what joins, what must not, and convexity on random graphs.
import { describe, expect, it } from 'vitest'
import { dce } from '../../../lib/compile/passes/dce.js'
import { fuse } from '../../../lib/compile/passes/fuse.js'
import { type AttrValue, feed, type Graph, type Node, type Tensor, trace, verify } from '../../../lib/graph/index.js'
import * as ops from '../../../lib/ops/index.js'
import { randomGraph } from './networks.js'

function fused(build: () => Record<string, Tensor>): Graph {
  const graph = fuse(trace({ name: 'g', mode: 'train' }, build))
  verify(graph)
  return graph
}

/** One short line per node: the ops of a chain, and its outputs. */
const outline = (graph: Graph): string[] =>
  graph.nodes.map((node) =>
    node.op.name === 'pointwise' ? `${namesOf(node).join(' ')} -> ${node.outputs.length}` : node.op.name,
  )

function namesOf(node: Node): string[] {
  return (node.attrs['chain'] as readonly (readonly AttrValue[])[]).map(([name]) => name as string)
}

const square = (name: string) => feed(name, 'f32', [4, 4])

describe('fuse', () => {
  it('folds producers into their only reader, constants into literals', () => {
    const graph = fused(() => ({ y: ops.tanh(ops.add(ops.mul(square('x'), 0.5), ops.exp(square('z')))) }))
    expect(graph.nodes[0]?.attrs).toEqual({
      chain: [
        ['mul', 'f32', 0, { c: 0.5 }],
        ['exp', 'f32', 1],
        ['add', 'f32', 2, 3],
        ['tanh', 'f32', 4],
      ],
      outputs: [5],
    })
    expect(graph.nodes.length).toBe(1)
  })

  it('gives a chain several outputs', () => {
    const graph = fused(() => {
      const v = ops.add(square('v'), square('g'))
      return { v, w: ops.cast(ops.sub(square('w'), v), 'bf16') }
    })
    expect(outline(graph)).toEqual(['add sub cast -> 2'])
  })

  it('keeps shapes apart: a small tensor is an input of the large chain', () => {
    const graph = fused(() => ({ y: ops.mul(square('x'), ops.exp(feed('row', 'f32', [1, 4]))) }))
    expect(outline(graph)).toEqual(['exp -> 1', 'mul -> 1'])
  })

  it('keeps a constant as input where it alone gives the shape', () => {
    const graph = fused(() => ({ y: ops.add(feed('x', 'f32', []), ops.ones([4])) }))
    expect(graph.nodes[0]?.inputs.map((input) => input.node.op.name)).toEqual(['feed', 'constant'])
  })

  it('repeats a widening cast in every chain and stores none', () => {
    const graph = fused(() => {
      const x = ops.cast(feed('x', 'bf16', [4, 4]), 'f32')
      return { a: ops.softmax(ops.exp(x)), b: ops.softmax(ops.neg(x)) }
    })
    expect(outline(graph)).toEqual(['cast exp -> 1', 'softmax', 'cast neg -> 1', 'softmax'])
  })

  it('stores one widened copy for kernels', () => {
    const graph = fused(() => {
      const x = ops.cast(feed('x', 'bf16', [4, 4]), 'f32')
      return { a: ops.softmax(x), b: ops.sum(x), c: ops.exp(x) }
    })
    expect(outline(graph).sort()).toEqual(['cast -> 1', 'cast exp -> 1', 'softmax', 'sum'])
  })

  it('computes nothing of the backward pass in the forward pass', () => {
    // 1 - y * y hangs on y alone, but only the product with dy is ever stored.
    const graph = fused(() => {
      const y = ops.tanh(square('x'))
      const dy = ops.softmax(ops.softmax(y))
      return { dx: ops.mul(dy, ops.sub(1, ops.mul(y, y))) }
    })
    expect(outline(graph)).toEqual(['tanh -> 1', 'softmax', 'softmax', 'mul sub mul -> 1'])
  })

  it('does not join across kernels outside the updates', () => {
    const graph = fused(() => {
      const y = ops.exp(square('x'))
      const s = ops.softmax(y)
      return { s, late: ops.neg(y) }
    })
    expect(outline(graph)).toEqual(['exp -> 1', 'softmax', 'neg -> 1'])
  })

  it('joins across kernels that only move values', () => {
    const graph = fused(() => {
      const z = square('z')
      const half = (row: number) => ops.slice(z, [row, 0], [2, 4])
      const gate = ops.sigmoid(half(0))
      return { gate, h: ops.mul(gate, ops.tanh(half(2))) }
    })
    expect(outline(graph)).toEqual(['slice', 'slice', 'sigmoid tanh mul -> 2'])
  })

  it('joins neighbours although one took in what was computed far up', () => {
    const graph = fused(() => {
      const [x, w] = [square('x'), square('w')]
      const early = ops.mul(x, 2)
      const late = ops.add(ops.matmul(x, w), early)
      return { late, y: ops.tanh(late) }
    })
    expect(outline(graph)).toEqual(['matmul', 'mul add tanh -> 2'])
  })

  it('stays inside the limits of a chain', () => {
    const long = fused(() => {
      let x: Tensor<'f32', [4, 4]> = square('x')
      for (let i = 0; i < 150; i++) x = ops.tanh(x)
      return { x }
    })
    expect(long.nodes.map((node) => namesOf(node).length).reduce((a, b) => a + b)).toBe(150)
    expect(long.nodes.length).toBe(3)
    const wide = fused(() => {
      let x: Tensor = square('x')
      for (let i = 0; i < 40; i++) x = ops.add(x, square(`x${i}`))
      return { x }
    })
    expect(Math.max(...wide.nodes.map((node) => node.inputs.length))).toBe(24)
    const many = fused(() => {
      const steps = [square('x')]
      for (let i = 0; i < 20; i++) steps.push(ops.tanh(steps[i] ?? square('none')))
      return Object.fromEntries(steps.map((step, i) => [`y${i}`, step]))
    })
    expect(many.nodes.map((node) => node.outputs.length)).toEqual([8, 8, 4])
  })
})

describe('random graphs', () => {
  it('fuse without a cycle, into fewer nodes, with no op lost or repeated', () => {
    for (let seed = 1; seed <= 60; seed++) {
      const before = dce(randomGraph(seed))
      const after = fuse(before)
      verify(after)
      const kernels = (graph: Graph) => graph.nodes.filter((node) => node.op.name === 'softmax').length
      const chains = after.nodes.filter((node) => node.op.name === 'pointwise')
      const instructions = chains.reduce((n, node) => n + namesOf(node).length, 0)
      const stored = before.nodes.length - kernels(before)
      expect(kernels(after)).toBe(kernels(before))
      expect(instructions).toBe(stored)
      expect(chains.length).toBeLessThan(Math.max(stored, 2))
    }
  })
})
