// The whole pipeline on LeNet's training step, the order of execution, and the program text.
import { describe, expect, it } from 'vitest'
import { compileGraph } from '../../../lib/compile/index.js'
import { dce } from '../../../lib/compile/passes/dce.js'
import { fuse } from '../../../lib/compile/passes/fuse.js'
import { schedule } from '../../../lib/compile/passes/schedule.js'
import { encode } from '../../../lib/compile/encode.js'
import {
  assign,
  constant,
  feed,
  type Graph,
  GraphError,
  read,
  type Tensor,
  trace,
  verify,
} from '../../../lib/graph/index.js'
import * as ops from '../../../lib/ops/index.js'
import { lenet, variable } from './networks.js'

const precisions = ['f32', 'bf16'] as const

/** How often each op occurs. */
function counts(graph: Graph): Record<string, number> {
  const result: Record<string, number> = {}
  for (const node of graph.nodes) result[node.op.name] = (result[node.op.name] ?? 0) + 1
  return result
}

describe.each(precisions)('LeNet in %s', (precision) => {
  const { graph, parameters } = lenet()
  const program = compileGraph(graph, { precision, explain: true })

  it('needs no more nodes than its drawing', () => {
    const { pointwise, ...kernels } = counts(program.graph)
    expect(kernels).toEqual({
      conv2d: 2,
      conv2dGradInput: 1,
      conv2dGradWeight: 2,
      matmul: 6,
      maxPool2d: 2,
      maxPool2dGrad: 2,
      reshape: 2,
      dropout: 2,
      crossEntropy: 1,
      crossEntropyGrad: 1,
      // The loss; in bf16 also the last bias, whose gradient is summed before it is rounded.
      sum: precision === 'f32' ? 1 : 2,
    })
    // 8 updates; image, loss, step, rate, 3 masks; in bf16 the rounding of dlogits.
    expect(pointwise).toBe(precision === 'f32' ? 15 : 16)
  })

  it('updates each parameter, its moment and its copy in one chain', () => {
    const final = program.graph
    for (const parameter of parameters) {
      const own = final.assigns.filter(({ state }) => {
        const name = final.states.find((known) => known.tensor === state)?.name ?? ''
        return name === parameter.label || name.startsWith(`${parameter.label}.`)
      })
      expect(own.length).toBe(precision === 'bf16' && parameter.shape.length > 1 ? 3 : 2)
      expect(new Set(own.map(({ value }) => value.node)).size).toBe(1)
    }
  })

  it('gives equal text for equal graphs, and changes nothing when it runs again', () => {
    expect(compileGraph(lenet().graph, { precision }).text).toBe(program.text)
    expect(compileGraph(program.graph, { precision }).text).toBe(program.text)
  })

  it('explains every stage', () => {
    expect(program.stages.map((stage) => stage.name)).toEqual([
      ...['trace', 'markers', 'dce', 'fold', 'cse', 'joinPads', 'joinProducts', 'epilogue', 'reluPool', 'normalise'],
      ...(precision === 'bf16' ? ['mixedPrecision', 'shadow'] : []),
      ...['gradientMarkers', 'fold', 'cse', 'sums', 'fuse', 'schedule'],
    ])
    expect(compileGraph(graph, { precision }).stages).toEqual([])
  })

  it('updates a weight after its last reader, and before the next weight gradient', () => {
    const { nodes, assigns, states } = program.graph
    const at = (name: string) => {
      const state = states.find((known) => known.name === name)?.tensor
      const update = assigns.find((known) => known.state === state)?.value.node
      const readers = nodes.filter((node) => node !== update && state !== undefined && node.inputs.includes(state))
      return {
        update: nodes.findIndex((node) => node === update),
        last: Math.max(-1, ...readers.map((node) => nodes.indexOf(node))),
      }
    }
    const [late, early] = [at('w4'), at('w1')]
    expect(late.update).toBeGreaterThan(late.last)
    expect(late.update).toBeLessThan(nodes.findIndex((node) => node.op.name === 'maxPool2dGrad'))
    expect(early.update).toBeGreaterThan(early.last)
  })
})

describe('schedule', () => {
  const order = (build: () => Record<string, Tensor>) => {
    const graph = schedule(fuse(dce(trace({ name: 'g' }, build))))
    verify(graph)
    return graph.nodes.map((node) =>
      node.op.name === 'pointwise'
        ? JSON.stringify(node.attrs['chain']).replace(/[^a-zA-Z]*"([a-zA-Z]+)".*/, '$1')
        : node.op.name,
    )
  }

  it('runs an update at once, but behind other readers of a large state', () => {
    const build = (n: number) => {
      const w = variable('w', [n])
      return () => {
        const g = ops.sum(feed('x', 'f32', [3, n]), 0)
        const later = ops.max(read(w), 0)
        assign(w, ops.sub(read(w), g))
        return { later, end: ops.sum(later, []) }
      }
    }
    expect(order(build(1024))).toEqual(['sum', 'max', 'sub'])
    expect(order(build(8))).toEqual(['sum', 'sub', 'max'])
  })

  it('swaps two states: neither waits for the other for ever', () => {
    const [a, b] = [variable('a', [2000]), variable('b', [2000])]
    const names = order(() => {
      assign(a, ops.exp(read(b)))
      assign(b, ops.neg(read(a)))
      return {}
    })
    expect(names.sort()).toEqual(['exp', 'neg'])
  })
})

describe('encode', () => {
  const w = variable('w', [2, 3])
  const small = () =>
    trace({ name: 'small' }, () => {
      const x = feed('x', 'f32', [4, 3])
      const y = ops.matmul(x, read(w), { transposeB: true, bias: constant('f32', [2], [1, 2]) })
      assign(w, ops.mul(read(w), 0.5))
      return { y: ops.relu(y), one: constant('f32', [2], [1, 2]), two: constant('f32', [2], [1, 2]) }
    })

  it('writes the program text', () => {
    const { text, feeds, states, fetches } = compileGraph(small(), { precision: 'f32' })
    expect(text).toMatchInlineSnapshot(`
      "{"format": "ostrich-program", "version": 1, "name": "small",
      "feeds": [
        {"value": 0, "name": "x", "dtype": "f32", "shape": [4, 3]}
      ],
      "states": [
        {"value": 1, "name": "w", "dtype": "f32", "shape": [2, 3]}
      ],
      "constants": [
        {"value": 2, "dtype": "f32", "shape": [2], "data": [1, 2]}
      ],
      "nodes": [
        {"op": "pointwise", "in": [1], "out": [{"value": 3, "dtype": "f32", "shape": [2, 3]}], "attrs": {"chain": [["mul","f32",0,{"c":0.5}]], "outputs": [1]}, "path": ""},
        {"op": "matmul", "in": [0, 1, 2], "out": [{"value": 4, "dtype": "f32", "shape": [4, 2]}], "attrs": {"activation": "relu", "dtype": "f32", "sumA": false, "transposeA": false, "transposeB": true}, "path": ""}
      ],
      "assigns": [
        {"state": 1, "value": 3}
      ],
      "fetches": [
        {"name": "y", "value": 4},
        {"name": "one", "value": 2},
        {"name": "two", "value": 2}
      ]}
      "
    `)
    expect(feeds).toEqual([{ name: 'x', dtype: 'f32', shape: [4, 3] }])
    expect(states.map(({ name, dtype, shape }) => ({ name, dtype, shape }))).toEqual([
      { name: 'w', dtype: 'f32', shape: [2, 3] },
    ])
    expect(fetches.map((fetch) => fetch.name)).toEqual(['y', 'one', 'two'])
  })

  it.each(precisions)(
    'numbers the values of LeNet in %s densely, in order, each defined before its use',
    (precision) => {
      const program = JSON.parse(compileGraph(lenet().graph, { precision }).text) as {
        feeds: { value: number }[]
        states: { value: number }[]
        constants: { value: number }[]
        nodes: { in: number[]; out: { value: number }[] }[]
        assigns: { state: number; value: number }[]
        fetches: { value: number }[]
      }
      let next = 0
      for (const { value } of [...program.feeds, ...program.states, ...program.constants]) expect(value).toBe(next++)
      for (const node of program.nodes) {
        for (const value of node.in) expect(value).toBeLessThan(next)
        for (const { value } of node.out) expect(value).toBe(next++)
      }
      for (const { value } of [...program.assigns, ...program.fetches]) expect(value).toBeLessThan(next)
    },
  )

  it.each<[string, () => Tensor, string]>([
    [
      'a constant that is not finite',
      () => constant('f32', [2], Infinity),
      'expected finite numbers of f32, got Infinity',
    ],
    ['a constant above f32', () => constant('f32', [2], 1e39), 'expected finite numbers of f32, got 1e+39'],
    ['a fraction as an integer', () => constant('i32', [2], 0.5), 'expected integers in range of i32, got 0.5'],
    ['a literal that is not finite', () => ops.add(feed('x', 'f32', []), constant('f32', [], NaN)), 'got NaN'],
  ])('refuses %s', (_name, build, message) => {
    const graph = trace({ name: 'g' }, () => ({ y: build() }))
    expect(() => compileGraph(graph, { precision: 'f32' })).toThrow(message)
    expect(() => compileGraph(graph, { precision: 'f32' })).toThrow(GraphError)
  })

  it('refuses nodes that no backend runs', () => {
    const graph = trace({ name: 'g' }, () => ({ y: ops.exp(feed('x', 'f32', [2])) }))
    expect(() => encode(graph)).toThrow('exp[]: expected a kernel, got an op of kind pointwise')
  })

  it('names the pass after which a graph is wrong', () => {
    const graph = trace({ name: 'g' }, () => ({ y: ops.exp(ops.neg(feed('x', 'f32', [2]))) }))
    const broken = { ...graph, nodes: graph.nodes.slice(1) }
    expect(() => compileGraph(broken, { precision: 'f32' })).toThrow(
      'after pass trace: exp[]: expected input 0 to be defined',
    )
  })
})
