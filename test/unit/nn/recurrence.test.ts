// Recurrent layers from given states, over sequences of several lengths, with all that they give: held to each row alone.
import { describe, expect, test } from 'vitest'
import { feed, Names, type Tensor, trace } from '../../../lib/graph/index.js'
import * as nn from '../../../lib/nn/index.js'
import { sequenceMask } from '../../../lib/ops/index.js'
import { difference } from '../../support/compare.js'
import { interpret } from '../../support/interpreter.js'
import { at, fill, type NDArray, ndarray } from '../../support/ndarray.js'
import { expectGradients, uneven, untyped } from './support.js'

const [steps, rows, inputs, units] = [5, 4, 2, 3]
const x = uneven([steps, rows, inputs])
const lengths = ndarray([rows], [3, 5, 1, 0])
const mask = fill([steps, rows], ([t, n]) => Number(t! < lengths.data[n!]!))
const close = { tolerance: 1e-12, relativeTo: 'tensor' } as const

type Any = nn.Recurrent<Tensor<'f32'>, Tensor<'f32'>, string>

/** Layers of every kind, with their states. */
const kinds: readonly (readonly [string, readonly string[], (reverse: boolean) => Any])[] = [
  ['lstm', ['h', 'c'], (reverse) => nn.lstm({ units, inputs, reverse, recurrentBias: true })],
  ['rnn', ['h'], (reverse) => nn.rnn({ units, inputs, reverse })],
  ['gru', ['h'], (reverse) => nn.gru({ units, inputs, reverse })],
  ['mrnn', ['h'], (reverse) => nn.mrnn({ units, inputs, reverse })],
]
const both = kinds.flatMap(([kind, states, make]) =>
  [false, true].map((reverse) => [kind, states, reverse, make] as const),
)

const startOf = (states: readonly string[], streams: number) =>
  Object.fromEntries(states.map((name, i) => [name, uneven([streams, units], 3 + i)]))

interface Given {
  readonly x: NDArray
  readonly start?: Readonly<Record<string, NDArray>>
  readonly lengths?: NDArray
  readonly mask?: NDArray
}

/** Everything that a layer gives, in float64, with uneven weights. */
function run(net: Any, { x, start, lengths, mask }: Given): Record<string, NDArray> {
  const names = new Names()
  const graph = trace({ name: 'net', names }, () => {
    const first = start && Object.fromEntries(Object.entries(start).map(([k, v]) => [k, feed(k, 'f32', v.shape)]))
    const { output, states, last } = net.run(feed('x', 'f32', x.shape), {
      ...(first && { start: first }),
      ...(lengths && { lengths: feed('lengths', 'i32', lengths.shape) }),
      ...(mask && { mask: feed('mask', 'u8', mask.shape) }),
    })
    const named = (what: string, all: nn.States) => Object.entries(all).map(([k, v]) => [`${what}.${k}`, v])
    return { output, ...(Object.fromEntries([...named('states', states), ...named('last', last)]) as nn.States) }
  })
  const weights = Object.fromEntries(graph.states.map(({ name, tensor }, i) => [name, uneven(tensor.shape, i)]))
  return interpret(graph, { x, ...start, ...(lengths && { lengths }), ...(mask && { mask }) }, weights).fetches
}

/** Row n of the first `length` steps of [T, N, ...]. */
const rowOf = (all: NDArray, n: number, length: number) =>
  fill([length, 1, ...all.shape.slice(2)], ([t, , ...rest]) => at(all, t!, n, ...rest))
const stateOf = (all: NDArray, n: number) => fill([1, ...all.shape.slice(1)], ([, ...rest]) => at(all, n, ...rest))

describe('a row of a batch is what it is alone, from the state that it starts from', () => {
  test.each(both)('%s with %j, reverse %s', (_kind, states, reverse, make) => {
    const net = make(reverse)
    const start = startOf(states, rows)
    const all = run(net, { x, start, lengths })
    for (let n = 0; n < rows; n++) {
      const length = lengths.data[n]!
      const own = Object.fromEntries(states.map((name) => [name, stateOf(start[name]!, n)]))
      if (length > 0) {
        const alone = run(net, { x: rowOf(x, n, length), start: own })
        expect(difference(rowOf(all['output']!, n, length), alone['output']!, close)).toBeUndefined()
        for (const name of states) {
          const [got, want] = [rowOf(all[`states.${name}`]!, n, length), alone[`states.${name}`]!]
          expect(difference(got, want, close)).toBeUndefined()
          expect(difference(stateOf(all[`last.${name}`]!, n), alone[`last.${name}`]!, close)).toBeUndefined()
        }
      }
      // Past its end a row stays where it ended; in reverse, where it is going to start.
      for (const name of states) {
        const held = reverse || length === 0 ? own[name]! : stateOf(all[`last.${name}`]!, n)
        for (let t = length; t < steps; t++) {
          const got = fill([1, units], ([, j]) => at(all[`states.${name}`]!, t, n, j!))
          expect(difference(got, held, close)).toBeUndefined()
        }
      }
    }
    expect(difference(all['output']!, all[`states.${states[0]!}`]!, close)).toBeUndefined()
  })
})

test.each(both)(
  '%s with %j, reverse %s: a mask is lengths in other words, no start is zeros',
  (_kind, states, reverse, make) => {
    const net = make(reverse)
    const zeros = Object.fromEntries(states.map((name) => [name, fill([rows, units], () => 0)]))
    const [byLengths, byMask] = [run(net, { x, lengths }), run(net, { x, mask, start: zeros })]
    for (const [name, value] of Object.entries(byLengths)) {
      expect(difference(byMask[name]!, value, close)).toBeUndefined()
    }
  },
)

test('sequenceMask marks the steps that are there', () => {
  const graph = trace({ name: 'mask' }, () => ({ mask: sequenceMask(feed('lengths', 'i32', [rows]), steps) }))
  expect(graph.fetches[0]!.tensor).toMatchObject({ dtype: 'u8', shape: [steps, rows] })
  expect([...interpret(graph, { lengths }).fetches['mask']!.data]).toEqual([...mask.data])
})

describe('gradients through first states, lengths and all that comes out', () => {
  test.each(both)('%s with %j, reverse %s', (_kind, states, reverse, make) => {
    const net = make(reverse)
    const fixed = { lengths: { dtype: 'i32', value: lengths } } as const
    expectGradients({ x, ...startOf(states, rows) }, fixed, ({ x, lengths, ...start }) => {
      const given = { start: start as nn.States, lengths: lengths as Tensor<'i32'> }
      const { output, last, states: all } = net.run(x as Tensor<'f32'>, given)
      return [output, ...Object.values(last), ...Object.values(all)]
    })
  })
})

test('a call with lengths leaves later ones, the weights and the path as they are', () => {
  const net = nn.lstm({ units })
  const names = new Names()
  const graph = trace({ name: 'net', names }, () => {
    const given = feed('x', 'f32', x.shape) as nn.Features
    expect(() => net.run(given, { lengths: feed('wrong', 'f32', [rows]) as never })).toThrow('expected lengths')
    return { all: net.run(given, { lengths: feed('lengths', 'i32', [rows]) }).output, plain: untyped(net)(given) }
  })
  expect(graph.states.map(({ name }) => name)).toEqual(['lstm1/w', 'lstm1/u', 'lstm1/b'])
  const masks = graph.nodes.filter(({ op }) => op.name === 'lstm').map(({ inputs: given }) => given.length)
  expect(masks).toEqual([5, 4])
  expect(new Set(graph.nodes.map(({ path }) => path))).toEqual(new Set(['lstm1']))
})

describe('refusals', () => {
  const attempt = (call: () => nn.RecurrentCall, options: { carry?: boolean } = {}) => {
    const net = nn.lstm({ units, ...options }) as unknown as Any
    return () => trace({ name: 'net' }, () => ({ y: net.run(feed('x', 'f32', x.shape), call()).output }))
  }
  const state = (name: string, ...shape: number[]) => feed(name, 'f32', shape)
  const cases: readonly [string, () => unknown, string | RegExp][] = [
    [
      'lengths of floats',
      attempt(() => ({ lengths: state('l', rows) as never })),
      /^lstm\[lstm1\]: expected lengths of i32\[4\], got f32\[4\]/,
    ],
    [
      'lengths of other rows',
      attempt(() => ({ lengths: feed('l', 'i32', [3]) })),
      'expected lengths of i32[4], got i32[3]',
    ],
    [
      'lengths on the host',
      attempt(() => ({ lengths: [3, 5, 1, 0] as never })),
      'nn.lstm[run][lengths]: expected a tensor, got [3, 5, 1, 0]',
    ],
    [
      'a mask of other extents',
      attempt(() => ({ mask: feed('m', 'u8', [rows, steps]) })),
      'expected a mask of u8[5, 4], got u8[4, 5]',
    ],
    [
      'a mask of floats',
      attempt(() => ({ mask: state('m', steps, rows) as never })),
      'expected a mask of u8[5, 4], got f32[5, 4]',
    ],
    [
      'both',
      attempt(() => ({ lengths: feed('l', 'i32', [rows]), mask: feed('m', 'u8', [steps, rows]) })),
      'expected lengths or a mask, got both',
    ],
    [
      'a start without c',
      attempt(() => ({ start: { h: state('h', rows, units) } })),
      'expected the start to have the states h, c, got h',
    ],
    [
      'a start of other rows',
      attempt(() => ({ start: { h: state('h', 3, units), c: state('c', rows, units) } })),
      "lstm[lstm1]: expected the start's h to be f32[4, 3], got f32[3, 3]",
    ],
    [
      'a start of numbers',
      attempt(() => ({ start: { h: state('h', rows, units), c: 0 as never } })),
      "expected the start's c to be f32[4, 3], got 0",
    ],
    [
      'a start with carry',
      attempt(() => ({ start: { h: state('h', rows, units), c: state('c', rows, units) } }), { carry: true }),
      'expected no start with carry, which starts where the last run ended, got one',
    ],
    [
      'another option',
      attempt(() => ({ length: 1 }) as never),
      'nn.lstm[run]: expected the options start, lengths, mask, got length (did you mean lengths?)',
    ],
    [
      'a mask of floats as lengths',
      () => trace({ name: 'm' }, () => ({ m: sequenceMask(state('l', 3) as never, 2) })),
      'sequenceMask: expected lengths of i32[N], got f32[3]',
    ],
    [
      'no steps',
      () => trace({ name: 'm' }, () => ({ m: sequenceMask(feed('l', 'i32', [3]), 0) })),
      'sequenceMask: expected steps to be an integer of at least 1, got 0',
    ],
  ]
  test.each(cases)('%s', (_name, attempt, message) => {
    expect(attempt).toThrow(message)
  })
})
