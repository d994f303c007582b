// Tracing: what is recorded, under which names, and what is refused.
import { format, inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import {
  assign,
  constant,
  feed,
  GraphError,
  Names,
  randomStream,
  read,
  scope,
  ShapeError,
  type Tensor,
  trace,
  traceMode,
  Variable,
} from '../../../lib/graph/index.js'
import * as ops from '../../../lib/ops/index.js'

const variable = (label: string) =>
  new Variable<'f32', [2]>({ label, dtype: 'f32', shape: [2], role: 'parameter', init: () => ops.zeros([2]) })
const known = variable('w')

describe('trace', () => {
  test('records feeds, states, nodes in order, and fetches', () => {
    const w = variable('w')
    const graph = trace({ name: 'g' }, () => {
      const y = ops.mul(feed('x', 'f32', [2]), read(w))
      assign(w, ops.add(read(w), y))
      return { y }
    })
    expect(graph.feeds.map(({ name }) => name)).toEqual(['x'])
    expect(graph.states.map(({ name }) => name)).toEqual(['w'])
    expect(graph.nodes.map(({ op }) => op.name)).toEqual(['mul', 'add'])
    expect(graph.fetches.map(({ name, tensor }) => [name, tensor.node.op.name])).toEqual([['y', 'mul']])
    expect(graph.assigns[0]?.state).toBe(graph.states[0]?.tensor)
  })

  test('evaluates in evaluation mode unless told', () => {
    const modes: string[] = []
    const note = () => {
      modes.push(traceMode())
      return {}
    }
    trace({ name: 'g' }, note)
    trace({ name: 'g', mode: 'train' }, note)
    expect(modes).toEqual(['eval', 'train'])
  })

  test('inside another trace has tensors of its own, and ends where it began', () => {
    trace({ name: 'outer' }, () => {
      const x = feed('x', 'f32', [2])
      const inner = () => trace({ name: 'inner' }, () => ({ y: ops.neg(x) }))
      expect(inner).toThrow(/expected a tensor of this trace \(inner\), got one that was made in another/)
      return { y: ops.neg(x) }
    })
  })

  test.each<[string, () => Readonly<Record<string, Tensor>>, new (message: string) => Error, RegExp]>([
    [
      'a feed of a known name',
      () => ({ a: feed('x', 'f32', [1]), b: feed('x', 'f32', [1]) }),
      GraphError,
      /feed: expected a new name, got x a second time/,
    ],
    [
      'an extent of zero',
      () => ({ a: feed('x', 'f32', [0, 2]) }),
      ShapeError,
      /feed\[x\]: expected positive integer extents/,
    ],
    [
      'a constant of another count',
      () => ({ a: constant('f32', [3], [1, 2]) }),
      ShapeError,
      /expected 1 or 3 numbers .* got 2/,
    ],
    [
      'a second assignment',
      () => {
        assign(known, read(known))
        assign(known, read(known))
        return {}
      },
      GraphError,
      /assign\[w\]: expected one assignment per run, got a second/,
    ],
    [
      'an assignment of another type',
      () => {
        assign(known, ops.zeros([3]))
        return {}
      },
      ShapeError,
      /assign\[w\]: expected f32 \[2\], got f32 \[3\]/,
    ],
  ])('refuses %s', (_what, build, error, message) => {
    expect(() => trace({ name: 'g' }, build)).toThrow(error)
    expect(() => trace({ name: 'g' }, build)).toThrow(message)
  })

  test('refuses ops outside', () => {
    expect(() => feed('x', 'f32', [1])).toThrow(/expected to be inside a traced function/)
  })
})

describe('names', () => {
  test('of layers are their kind and ordinal, or their own; variables stand below them', () => {
    const [first, second, third] = [{}, {}, {}]
    const [w1, w2, w3] = [variable('w'), variable('w'), variable('w')]
    const graph = trace({ name: 'g' }, () => {
      scope(first, 'linear', undefined, () => read(w1))
      scope(second, 'linear', undefined, () => read(w2))
      scope(third, 'linear', 'head', () => read(w3))
      scope(first, 'linear', undefined, () => read(w1))
      return {}
    })
    expect(graph.states.map(({ name }) => name)).toEqual(['linear1/w', 'linear2/w', 'head/w'])
  })

  test('stay over all traces that share them', () => {
    const names = new Names()
    const [first, second] = [variable('w'), variable('w')]
    const read2 = (...order: Variable[]) =>
      trace({ name: 'g', names }, () => {
        for (const item of order) read(item)
        return {}
      }).states.map(({ name }) => name)
    expect(read2(first, second)).toEqual(['w', 'w_2'])
    expect(read2(second, first)).toEqual(['w_2', 'w'])
  })
})

test('a random stream depends on name, path and ordinal, not on other layers', () => {
  const streams = (...layers: string[]) => {
    const result: Record<string, number> = {}
    trace({ name: 'g' }, () => {
      for (const layer of layers)
        scope({}, 'dropout', layer, () => {
          result[layer] = randomStream()
        })
      return {}
    })
    return result
  }
  expect(streams('a', 'b')['b']).toBe(streams('b')['b'])
  expect(streams('a', 'b')['a']).not.toBe(streams('a', 'b')['b'])
})

describe('a tensor in an expression of JavaScript', () => {
  const told = (use: (x: Tensor) => unknown): string => {
    try {
      trace({ name: 'g' }, () => {
        const x = feed('x', 'f32', [2])
        use(x)
        return { x }
      })
    } catch (error) {
      expect(error).toBeInstanceOf(GraphError)
      return (error as Error).message
    }
    return 'nothing'
  }
  const number = (x: Tensor) => x as unknown as number

  test.each([
    ['x > 0', (x: Tensor) => number(x) > 0, /ops\.less\(a, b\) and ops\.where/],
    ['x * 2', (x: Tensor) => number(x) * 2, /ops\.mul\(a, b\)/],
    ['-x', (x: Tensor) => -number(x), /ops\.sub\(a, b\)/],
    ['x + 1', (x: Tensor) => number(x) + 1, /ops\.add\(a, b\)/],
    // eslint-disable-next-line eqeqeq -- what is refused
    ['x == 1', (x: Tensor) => number(x) == 1, /ops\.equal\(a, b\)/],
    ['`${x}`', (x: Tensor) => `${number(x)}`, /its \.dtype and \.shape/],
    ['Math.max(x, 0)', (x: Tensor) => Math.max(number(x), 0), /ops\.less\(a, b\)/],
  ])('%s is refused with the op to use, and the line', (_what, use, op) => {
    const message = told(use)
    expect(message).toMatch(/^feed\[x\]: f32\[2\] has no value while it is traced: expected /)
    expect(message).toMatch(op)
    expect(message).toMatch(/\(at .*trace\.test\.ts:\d+:\d+\)$/)
  })

  test('may be printed, compared with nothing and kept in collections', () => {
    const used = told((x) => {
      expect(inspect(x)).toContain('f32')
      expect(format(x, { x }, [x])).toContain('f32')
      expect([x].includes(x) && new Set([x]).has(x)).toBe(true)
      expect((x as unknown) === null).toBe(false)
    })
    expect(used).toBe('nothing')
  })
})

describe('what a traced function may not return', () => {
  const lost = Promise.resolve({})
  const returning = (value: unknown) => () => trace({ name: 'g' }, () => value as Record<string, Tensor>)

  test.each([
    ['nothing', undefined, 'g: expected a function that returns tensors by name, got undefined'],
    ['a promise', lost, 'got a promise'],
    ['a number by name', { loss: 1 }, 'fetch loss: expected a tensor, got 1'],
    [
      'a promise by name',
      { loss: Promise.resolve() },
      'fetch loss: expected a tensor, got a promise: what is traced must not be async',
    ],
  ])('%s', (_what, value, message) => {
    expect(returning(value)).toThrow(message)
  })

  test('a tensor without a name', () => {
    expect(() => trace({ name: 'g' }, () => feed('x', 'f32', [1]) as never)).toThrow('got an object of Tensor')
  })

  test('nor may an op take it', () => {
    expect(() => trace({ name: 'g' }, () => ({ y: ops.relu(Promise.resolve() as never) }))).toThrow(
      'relu[]: input 0: expected a tensor, got a promise',
    )
  })
})
