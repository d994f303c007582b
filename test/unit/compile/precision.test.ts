// mixedPrecision and shadow: which tensors become bf16, and how copies of parameters follow them.
import { describe, expect, it } from 'vitest'
import { grad } from '../../../lib/autodiff/index.js'
import { compileGraph } from '../../../lib/compile/index.js'
import { cse } from '../../../lib/compile/passes/cse.js'
import { mixedPrecision } from '../../../lib/compile/passes/mixed-precision.js'
import { shadow } from '../../../lib/compile/passes/shadow.js'
import {
  assign,
  feed,
  type Graph,
  printGraph,
  read,
  type Tensor,
  trace,
  Variable,
  verify,
} from '../../../lib/graph/index.js'
import { sgd } from '../../../lib/optim/index.js'
import * as ops from '../../../lib/ops/index.js'
import { keepF32 } from '../../../lib/ops/marker.js'
import { full, lenet, variable } from './networks.js'

/** Each node as `op: dtypes in -> dtypes out`. */
function dtypes(pass: (graph: Graph) => Graph, build: () => Record<string, Tensor>): string[] {
  const graph = cse(pass(trace({ name: 'g', mode: 'train' }, build)))
  verify(graph)
  expect(printGraph(cse(pass(graph)))).toBe(printGraph(graph))
  const list = (tensors: readonly Tensor[]) => tensors.map((tensor) => tensor.dtype).join(' ')
  return graph.nodes.map((node) => `${node.op.name}: ${list(node.inputs)} -> ${list(node.outputs)}`)
}

const matrix = (name: string) => feed(name, 'f32', [4, 4])

describe('mixedPrecision', () => {
  it('gives products bf16 operands and an f32 bias; a result that only f32 ops read is f32', () => {
    const build = () => ({ y: ops.exp(ops.matmul(matrix('x'), matrix('w'), { bias: feed('b', 'f32', [4]) })) })
    expect(dtypes(mixedPrecision, build)).toEqual([
      'cast: f32 -> bf16',
      'cast: f32 -> bf16',
      'matmul: bf16 bf16 f32 -> f32',
      'exp: f32 -> f32',
    ])
  })

  it('carries bf16 through activations, pooling and dropout to the next product', () => {
    const images = () => ops.reshape(ops.matmul(matrix('x'), matrix('w')), [1, 1, 4, 4])
    const build = () => {
      const pooled = ops.maxPool2d(ops.relu(images()), 2)
      return { y: ops.matmul(ops.dropout(ops.flatten(pooled), 0.5), feed('v', 'f32', [4, 3])) }
    }
    expect(dtypes(mixedPrecision, build).filter((line) => !line.startsWith('cast: f32'))).toEqual([
      'matmul: bf16 bf16 -> bf16',
      'reshape: bf16 -> bf16',
      'relu: bf16 -> bf16',
      'maxPool2d: bf16 -> bf16 u8',
      'reshape: bf16 -> bf16',
      'dropout: bf16 i32 i32 -> bf16',
      'matmul: bf16 bf16 -> f32',
    ])
  })

  it('runs recurrent ops in bf16, their c in f32', () => {
    const state = (name: string) => feed(name, 'f32', [3, 4])
    const build = () => {
      const [gates, w] = [feed('gates', 'f32', [2, 3, 16]), feed('w', 'f32', [4, 16])]
      const { h } = ops.lstm<'f32'>(gates, w, { h: state('h'), c: state('c') }, { mask: feed('mask', 'u8', [2, 3]) })
      const b = feed('b', 'f32', [12])
      const last = ops.gru<'f32'>(
        ops.slice(h, [0, 0, 0], [2, 3, 3]),
        feed('v', 'f32', [1, 3]),
        ops.slice(b, [0], [3]),
        feed('s', 'f32', [3, 1]),
      )
      const loss = ops.sum(ops.square(last))
      return { loss, ...grad(loss, { gates, w }) }
    }
    expect(dtypes(mixedPrecision, build).filter((line) => /^(lstm|gru)/.test(line))).toEqual([
      'lstm: bf16 bf16 bf16 f32 u8 -> bf16 f32 bf16',
      'gru: bf16 bf16 bf16 f32 -> bf16 bf16',
      'gruGrad: bf16 bf16 bf16 bf16 bf16 -> bf16 bf16 bf16',
      'lstmGrad: bf16 bf16 bf16 f32 f32 u8 -> bf16 bf16 f32',
    ])
  })

  it('leaves products that read what is marked in f32, with all that they read', () => {
    const build = () => {
      const filters = ops.reshape(feed('filters', 'f32', [16]), [4, 4])
      return { y: ops.matmul(ops.matmul(keepF32(matrix('x')), filters), matrix('w')) }
    }
    expect(dtypes(mixedPrecision, build)).toEqual([
      'reshape: f32 -> f32',
      'keepF32: f32 -> f32',
      'matmul: f32 f32 -> f32',
      'cast: f32 -> bf16',
      'cast: f32 -> bf16',
      'matmul: bf16 bf16 -> f32',
    ])
    const { graph } = compileGraph(trace({ name: 'g' }, build), { precision: 'bf16' })
    expect(graph.nodes.map(({ op }) => op.name)).not.toContain('keepF32')
    expect(() => trace({ name: 'g' }, () => ({ y: keepF32(feed('x', 'i32', [2]) as never) }))).toThrow(
      'keepF32[]: expected x of f32, got i32[2]',
    )
  })

  it('keeps statistics, losses and reductions in f32', () => {
    const build = () => {
      const y = ops.relu(ops.matmul(matrix('x'), matrix('w')))
      const loss = ops.crossEntropy(ops.matmul(y, matrix('v')), feed('label', 'i32', [4]))
      return { loss, mean: ops.sum(y), top: ops.softmax(y), more: ops.add(y, 1) }
    }
    for (const line of dtypes(mixedPrecision, build)) {
      if (/^(sum|softmax|crossEntropy|add):/.test(line)) expect(line).not.toContain('bf16')
    }
  })

  it('casts before it moves: a reshaped operand is narrowed first', () => {
    const build = () => ({ y: ops.matmul(ops.reshape(feed('x', 'f32', [2, 8]), [4, 4]), matrix('w')) })
    expect(dtypes(mixedPrecision, build)).toContain('reshape: bf16 -> bf16')
  })

  it('leaves weight gradients bf16 for the update, and updates in f32', () => {
    const w = variable('w', [4, 4])
    const lines = dtypes(mixedPrecision, () => {
      const y = ops.matmul(matrix('x'), read(w))
      const loss = ops.sum(ops.exp(y))
      const dw = ops.parameterGradient(w, grad(loss, read(w)))
      // Clipping by value is part of the update: f32, although `maximum` hands activations on in bf16.
      assign(w, ops.sub(read(w), ops.mul(0.1, ops.maximum(ops.minimum(dw, 0.3), -0.3))))
      return { loss }
    })
    const at = lines.lastIndexOf('matmul: bf16 bf16 -> bf16')
    expect(lines.slice(at)).toEqual([
      'matmul: bf16 bf16 -> bf16',
      'cast: bf16 -> f32',
      'parameterGradient: f32 -> f32',
      'minimum: f32 f32 -> f32',
      'maximum: f32 f32 -> f32',
      'mul: f32 f32 -> f32',
      'sub: f32 f32 -> f32',
    ])
  })

  it('keeps an op in f32 when one of its operands is', () => {
    const build = () => ({ y: ops.maximum(ops.relu(ops.matmul(matrix('x'), matrix('w'))), matrix('z')) })
    expect(dtypes(mixedPrecision, build).at(-1)).toBe('maximum: f32 f32 -> f32')
  })

  it('touches no graph without products', () => {
    const before = trace({ name: 'g' }, () => ({ y: ops.relu(ops.sum(matrix('x'), 1)) }))
    expect(printGraph(mixedPrecision(before))).toBe(printGraph(before))
  })
})

describe('shadow', () => {
  const trained = (w: ReturnType<typeof variable>) => () => {
    const y = ops.cast(ops.exp(ops.cast(read(w), 'bf16')), 'f32')
    assign(w, ops.sub(read(w), y))
    return { y }
  }

  it('reads the copy and assigns it with the parameter', () => {
    const graph = shadow(trace({ name: 'g' }, trained(variable('w', [4, 4]))))
    verify(graph)
    expect(printGraph(graph)).toMatchInlineSnapshot(`
      "graph g {
        state %0: f32[4, 4] w
        state %1: bf16[4, 4] w.bf16
        %2: bf16[4, 4] = exp(%1)
        %3: f32[4, 4] = cast(%2) dtype="f32"
        %4: f32[4, 4] = sub(%0, %3)
        %5: bf16[4, 4] = cast(%4) dtype="bf16"  # w
        assign %0 <- %4
        assign %1 <- %5
        fetch y = %3
      }
      "
    `)
  })

  it('shares one copy among programs, and says whose it is', () => {
    const w = variable('w', [4, 4])
    const reading = () => ({ y: ops.exp(ops.matmul(matrix('x'), read(w))) })
    const [a, b] = [1, 2].map(() => compileGraph(trace({ name: 'g' }, reading), { precision: 'bf16' }))
    expect(a?.states.map(({ name, dtype, shadowOf }) => ({ name, dtype, own: shadowOf === w }))).toEqual([
      { name: 'w.bf16', dtype: 'bf16', own: true },
    ])
    expect(a?.states[0]?.variable).toBe(b?.states[0]?.variable)
    expect(a?.states[0]?.variable).toMatchObject({ role: 'shadow', label: 'w.bf16', shape: [4, 4] })
  })

  it('initialises the copy from the parameter', () => {
    const w = variable('w', [4, 4])
    const { states } = compileGraph(trace({ name: 'g' }, trained(w)), { precision: 'bf16' })
    const copy = states.find((state) => state.shadowOf === w)?.variable
    const init = trace({ name: 'init' }, () => ({ value: copy?.init() ?? ops.zeros([]) }))
    expect(init.states.map((state) => state.variable)).toEqual([w])
    expect(init.fetches[0]?.tensor.dtype).toBe('bf16')
  })

  it('leaves casts of statistics and feeds', () => {
    const m = variable('m', [4], 'statistic')
    const graph = trace({ name: 'g' }, () => ({
      y: ops.cast(read(m), 'bf16'),
      z: ops.cast(matrix('x'), 'bf16'),
    }))
    expect(printGraph(shadow(graph))).toBe(printGraph(graph))
  })
})

describe('LeNet in bf16', () => {
  const program = compileGraph(lenet().graph, { precision: 'bf16' })

  it('has no f32 activation but the logits', () => {
    const large = program.graph.nodes
      .flatMap((node) => node.outputs)
      .filter((tensor) => tensor.shape[0] === 8 && tensor.dtype === 'f32')
    expect([...new Set(large.map((tensor) => tensor.shape.join('x')))]).toEqual(['8x10', '8', '8x2'])
  })

  it('has weight gradients in bf16', () => {
    const gradients = program.graph.nodes.filter(
      (node) => node.op.name === 'conv2dGradWeight' || node.attrs['transposeA'] === true,
    )
    expect(gradients.map((node) => node.outputs[0]?.dtype)).toEqual(['bf16', 'bf16', 'bf16', 'bf16'])
  })

  it('evaluates with copies alone: no master weight is bound', () => {
    const { states } = compileGraph(lenet(full, 'eval').graph, { precision: 'bf16' })
    expect(states.map((state) => state.name)).toEqual([
      'b1',
      'b2',
      'b3',
      'b4',
      'w1.bf16',
      'w2.bf16',
      'w3.bf16',
      'w4.bf16',
    ])
  })
})

it('a sparse table has no copy in bf16: its rows are narrowed', () => {
  const table = new Variable<'f32', [number, number]>({
    label: 'table',
    dtype: 'f32',
    shape: [9, 4],
    role: 'parameter',
    sparse: true,
    init: () => ops.zeros([9, 4]),
  })
  const graph = trace({ name: 'g', mode: 'train' }, () => {
    const loss = ops.sum(ops.matmul(ops.gather(read(table), feed('index', 'i32', [3])), matrix('x')))
    const gradient = grad(loss, read(table))
    sgd({ rate: 0.1 }).update([{ variable: table, gradient }], read(ops.step))
    return { loss }
  })
  const program = compileGraph(graph, { precision: 'bf16' })
  expect(program.states.map(({ name }) => name)).toEqual(['table'])
  const gathers = program.graph.nodes.filter(({ op }) => op.name === 'gather')
  expect(gathers.map(({ inputs, outputs }) => [inputs[0]!.dtype, outputs[0]!.dtype])).toEqual([['f32', 'f32']])
  const products = program.graph.nodes.filter(({ op }) => op.name === 'matmul')
  expect(products.length).toBeGreaterThan(1)
  expect(products.flatMap(({ inputs }) => inputs.map(({ dtype }) => dtype))).not.toContain('f32')
  expect(program.graph.nodes.filter(({ outputs }) => outputs[0]!.shape[0] === 9).map(({ op }) => op.name)).toEqual([
    'setRows',
  ])
})
