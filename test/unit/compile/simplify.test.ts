// markers, dce, fold and cse on graphs of a few nodes.
import { describe, expect, it } from 'vitest'
import { cse } from '../../../lib/compile/passes/cse.js'
import { dce } from '../../../lib/compile/passes/dce.js'
import { fold } from '../../../lib/compile/passes/fold.js'
import { gradientMarkers, markers } from '../../../lib/compile/passes/markers.js'
import {
  assign,
  constant,
  feed,
  type Graph,
  printGraph,
  read,
  type Tensor,
  trace,
  verify,
} from '../../../lib/graph/index.js'
import * as ops from '../../../lib/ops/index.js'
import { variable } from './networks.js'

/** Runs a pass, checks the graph it makes and that a second run changes nothing, and prints it. */
function through(pass: (graph: Graph) => Graph, build: (x: Tensor<'f32', [2, 3]>) => Record<string, Tensor>): string {
  const once = pass(trace({ name: 'g', mode: 'train' }, () => build(feed('x', 'f32', [2, 3]))))
  verify(once)
  expect(printGraph(pass(once))).toBe(printGraph(once))
  return printGraph(once)
}

/** Names of the ops that are left, in order. */
function opsLeft(text: string): string[] {
  return [...text.matchAll(/ = (\w+)\(/g)].map((match) => match[1] ?? '')
}

describe('markers', () => {
  it('drops stopGradient', () => {
    const text = through(markers, (x) => ({
      y: ops.neg(ops.stopGradient(ops.stopGradient(x))),
      x: ops.stopGradient(x),
    }))
    expect(text).toMatchInlineSnapshot(`
      "graph g {
        feed %0: f32[2, 3] x
        %1: f32[2, 3] = neg(%0)
        fetch y = %1
        fetch x = %0
      }
      "
    `)
  })
})

describe('gradientMarkers', () => {
  it('drops the marks of gradients, which markers leaves', () => {
    const w = variable('w', [2, 3])
    const build = (x: Tensor<'f32', [2, 3]>) => ({ y: ops.neg(ops.parameterGradient(w, ops.exp(x))) })
    expect(opsLeft(through(markers, build))).toEqual(['exp', 'parameterGradient', 'neg'])
    expect(opsLeft(through(gradientMarkers, build))).toEqual(['exp', 'neg'])
  })
})

describe('dce', () => {
  it('drops unread nodes and states, keeps feeds and assigned states', () => {
    const [unread, assigned] = [variable('unread', [2, 3]), variable('assigned', [2, 3])]
    const text = through(dce, (x) => {
      ops.add(ops.exp(x), read(unread))
      feed('unused', 'i32', [])
      assign(assigned, ops.neg(x))
      return { y: ops.tanh(x) }
    })
    expect(text).toMatchInlineSnapshot(`
      "graph g {
        feed %0: f32[2, 3] x
        feed %1: i32[] unused
        state %2: f32[2, 3] assigned
        %3: f32[2, 3] = neg(%0)
        %4: f32[2, 3] = tanh(%0)
        assign %2 <- %3
        fetch y = %4
      }
      "
    `)
  })
})

describe('fold', () => {
  it('evaluates constants in float64 and rounds once', () => {
    const text = through(fold, (x) => {
      const third = ops.div(constant('f32', [], 1), 3)
      const table = ops.mul(constant('f32', [2, 1], [1, 2]), constant('f32', [3], [10, 20, 30]))
      return { y: ops.add(ops.mul(x, third), table), z: ops.cast(constant('f32', [2], 1.00390625), 'bf16') }
    })
    expect(text).toMatchInlineSnapshot(`
      "graph g {
        feed %0: f32[2, 3] x
        %1: f32[2, 3] = mul(%0, f32[][0.3333333432674408])
        %2: f32[2, 3] = add(%1, f32[2, 3][10,20,30,20,40,60])
        fetch y = %2
        fetch z = bf16[2][1]
      }
      "
    `)
  })

  it('reads in bf16 what was widened for a norm', () => {
    const text = through(fold, (x) => ({ y: ops.norm(ops.cast(ops.cast(x, 'bf16'), 'f32')) }))
    expect(text).toMatchInlineSnapshot(`
      "graph g {
        feed %0: f32[2, 3] x
        %1: bf16[2, 3] = cast(%0) dtype="bf16"
        %2: f32[] = norm(%1)
        fetch y = %2
      }
      "
    `)
  })

  it('leaves what is not finite, out of range or too large to the kernels', () => {
    const text = through(fold, () => ({
      a: ops.log(constant('f32', [], 0)),
      b: ops.add(constant('i32', [], 2147483647), 1),
      c: ops.exp(constant('f32', [], 100)),
      d: ops.cast(constant('f32', [], 0.5), 'i32'),
      e: ops.add(
        constant(
          'f32',
          [5000],
          new Array<number>(5000).fill(0.5).map((v, i) => v + i),
        ),
        1,
      ),
    }))
    expect(opsLeft(text)).toEqual(['log', 'add', 'exp', 'cast', 'add'])
  })

  it.each<[string, (x: Tensor<'f32', [2, 3]>) => Tensor]>([
    ['x + 0', (x) => ops.add(x, 0)],
    ['0 + x', (x) => ops.add(0, x)],
    ['x - 0', (x) => ops.sub(x, 0)],
    ['x * 1', (x) => ops.mul(x, 1)],
    ['1 * x', (x) => ops.mul(1, x)],
    ['x / 1', (x) => ops.div(x, 1)],
    ['x ** 1', (x) => ops.pow(x, 1)],
    ['-(-x)', (x) => ops.neg(ops.neg(x))],
    ['bf16 -> f32 -> bf16', (x) => ops.cast(ops.cast(ops.cast(ops.cast(x, 'bf16'), 'f32'), 'bf16'), 'f32')],
    ['reshape there and back', (x) => ops.reshape(ops.reshape(x, [6]), [2, 3])],
    ['transpose twice', (x) => ops.transpose(ops.transpose(x, [1, 0]), [1, 0])],
    ['where(1, x, 2x)', (x) => ops.where(constant('u8', [], 1), x, ops.mul(x, 2))],
  ])('%s is x', (name, build) => {
    const left = name.startsWith('bf16') ? ['cast', 'cast'] : []
    expect(opsLeft(through(fold, (x) => ({ y: build(x) })))).toEqual(left)
  })

  it.each<[string, (x: Tensor<'f32', [2, 3]>) => Tensor]>([
    ['x * 0: NaN where x is infinite', (x) => ops.mul(x, 0)],
    ['0 - x', (x) => ops.sub(0, x)],
    ['1 / x', (x) => ops.div(1, x)],
    ['x + 0 of a larger shape', (x) => ops.add(x, constant('f32', [4, 2, 3], 0))],
    ['i32 -> f32 -> i32 loses digits', (x) => ops.cast(ops.cast(ops.cast(ops.cast(x, 'i32'), 'f32'), 'i32'), 'f32')],
    ['f32 -> bf16 -> f32 rounds', (x) => ops.cast(ops.cast(x, 'bf16'), 'f32')],
  ])('%s stays', (_name, build) => {
    const kept = trace({ name: 'g' }, () => ({ y: build(feed('x', 'f32', [2, 3])) })).nodes.map((node) => node.op.name)
    expect(opsLeft(through(fold, (x) => ({ y: build(x) })))).toEqual(kept)
  })

  it('joins reshapes and transposes, and reads through broadcasts', () => {
    const text = through(fold, (x) => {
      const turned = ops.transpose(ops.transpose(ops.reshape(ops.reshape(x, [3, 2]), [1, 2, 3]), [2, 0, 1]), [1, 0, 2])
      const row = ops.reshape(ops.sum(x, 1), [2, 1])
      return { turned, scaled: ops.mul(x, ops.broadcastTo(row, [2, 3])), wide: ops.exp(ops.broadcastTo(row, [2, 3])) }
    })
    expect(text).toMatchInlineSnapshot(`
      "graph g {
        feed %0: f32[2, 3] x
        %1: f32[1, 2, 3] = reshape(%0) shape=[1,2,3]
        %2: f32[1, 3, 2] = transpose(%1) perm=[0,2,1]
        %3: f32[2] = sum(%0) axes=[1] keepDims=false
        %4: f32[2, 1] = reshape(%3) shape=[2,1]
        %5: f32[2, 3] = mul(%0, %4)
        %6: f32[2, 3] = broadcastTo(%4) shape=[2,3]
        %7: f32[2, 3] = exp(%6)
        fetch turned = %2
        fetch scaled = %5
        fetch wide = %7
      }
      "
    `)
  })
})

describe('cse', () => {
  it('computes equal expressions once, draws with one stream included', () => {
    const text = through(cse, (x) => {
      const y = ops.add(ops.exp(x), constant('f32', [], 2))
      const same = ops.add(ops.exp(x), constant('f32', [], 2))
      const other = ops.add(ops.exp(x), constant('f32', [1], 2))
      return { y: ops.mul(y, same), other, drop: ops.mul(ops.dropout(x, 0.5), ops.dropout(x, 0.5)) }
    })
    expect(opsLeft(text)).toEqual(['exp', 'add', 'add', 'mul', 'dropout', 'dropout', 'mul'])
  })

  it('keeps both outputs of a shared node', () => {
    const text = through(cse, (x) => {
      const image = ops.reshape(x, [1, 1, 2, 3])
      return { a: ops.maxPool2d(image, [1, 3]), b: ops.maxPool2d(image, [1, 3]) }
    })
    expect(opsLeft(text)).toEqual(['reshape', 'maxPool2d'])
  })
})
