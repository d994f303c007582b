// Recurrent layers: extents, weights, values, states that are carried from run to run, and what they refuse.
import { describe, expect, test } from 'vitest'
import { feed, Names, OstrichError, type Tensor, trace, type TraceMode } from '../../../lib/graph/index.js'
import * as nn from '../../../lib/nn/index.js'
import { difference } from '../../support/compare.js'
import { interpret } from '../../support/interpreter.js'
import { at, fill, type NDArray, ndarray } from '../../support/ndarray.js'
import { gruReference, lstmReference, rnnReference } from '../../support/recurrent.js'
import { evaluate, outputShape, paths, traced, uneven, untyped } from './support.js'

const [steps, streams, inputs, units] = [4, 3, 2, 5]
const x = uneven([steps, streams, inputs])
const close = { tolerance: 1e-12, relativeTo: 'tensor' } as const

/** x W^T + b (+ br), [T, N, K]. */
function projected(w: NDArray, ...biases: readonly NDArray[]): NDArray {
  return fill([steps, streams, w.shape[0]!], ([t, n, k]) => {
    const products = Array.from({ length: inputs }, (_, d) => at(x, t!, n!, d) * at(w, k!, d))
    return [...products, ...biases.map((b) => at(b, k!))].reduce((sum, value) => sum + value, 0)
  })
}

function weights(path: string, parts: number, biases: readonly string[]) {
  const names = { w: [parts * units, inputs], u: [units, parts * units] }
  const all = { ...names, ...Object.fromEntries(biases.map((name) => [name, [parts * units]])) }
  return Object.fromEntries(Object.entries(all).map(([name, shape], i) => [`${path}/${name}`, uneven(shape, i)]))
}

const zero = ndarray([streams, units], new Array<number>(streams * units).fill(0))

describe('values equal those of a loop over units', () => {
  const of = (net: nn.Step, states: Record<string, NDArray>) =>
    evaluate({ x }, ({ x }) => ({ y: untyped(net)(x!) }), states)['y']!

  test.each([false, true])('lstm, reverse %s', (reverse) => {
    const own = weights('lstm1', 4, ['b', 'br'])
    const gates = projected(own['lstm1/w']!, own['lstm1/b']!, own['lstm1/br']!)
    const [h] = lstmReference([gates, own['lstm1/u']!, zero, zero], { reverse })
    expect(difference(of(nn.lstm({ units, reverse, recurrentBias: true }), own), h, close)).toBeUndefined()
  })

  test.each(['tanh', 'relu'] as const)('rnn of %s', (activation) => {
    const own = weights('rnn1', 1, ['b'])
    const gates = projected(own['rnn1/w']!, own['rnn1/b']!)
    const [h] = rnnReference([gates, own['rnn1/u']!, zero], { reverse: false, activation })
    expect(difference(of(nn.rnn({ units, activation }), own), h, close)).toBeUndefined()
  })

  test.each([true, false])('gru, recurrent bias %s', (recurrentBias) => {
    const own = weights('gru1', 3, recurrentBias ? ['b', 'br'] : ['b'])
    const inner = own['gru1/br'] ?? ndarray([3 * units], new Array<number>(3 * units).fill(0))
    const gates = projected(own['gru1/w']!, own['gru1/b']!)
    const [h] = gruReference([gates, own['gru1/u']!, zero, inner], { reverse: false })
    expect(difference(of(nn.gru({ units, recurrentBias }), own), h, close)).toBeUndefined()
  })
})

describe('mrnn', () => {
  test('equals a loop over units, and goes on from the state that it left', () => {
    const factors = 4
    const shapes = { v: [factors, inputs], u: [units, factors], p: [factors, units], w: [units, inputs], b: [units] }
    const own = Object.fromEntries(
      Object.entries(shapes).map(([name, shape], i) => [`mrnn1/${name}`, uneven(shape, i)]),
    )
    const of = (name: keyof typeof shapes, ...place: number[]) => at(own[`mrnn1/${name}`]!, ...place)
    const sum = (length: number, term: (i: number) => number) =>
      Array.from({ length }, (_, i) => term(i)).reduce((total, value) => total + value, 0)
    const h = Array.from({ length: steps + 1 }, () =>
      Array.from({ length: streams }, () => new Array<number>(units).fill(0)),
    )
    for (let t = 0; t < steps; t++) {
      for (let n = 0; n < streams; n++) {
        const f = Array.from(
          { length: factors },
          (_, k) =>
            sum(inputs, (d) => at(x, t, n, d) * of('v', k, d)) * sum(units, (j) => h[t]![n]![j]! * of('u', j, k)),
        )
        h[t + 1]![n] = Array.from({ length: units }, (_, i) =>
          Math.tanh(
            sum(factors, (k) => f[k]! * of('p', k, i)) +
              sum(inputs, (d) => at(x, t, n, d) * of('w', i, d)) +
              of('b', i),
          ),
        )
      }
    }
    const expected = fill([steps, streams, units], ([t, n, i]) => h[t! + 1]![n!]![i!]!)
    const net = nn.mrnn({ inputs, units, factors })
    const got = evaluate({ x }, ({ x }) => ({ y: untyped(net)(x!) }), own)['y']!
    expect(difference(got, expected, close)).toBeUndefined()
  })

  test('refuses extents that do not fit', () => {
    expect(() => nn.mrnn({ inputs: 0, units: 2 })).toThrow(
      'mrnn: expected inputs to be an integer of at least 1, got 0',
    )
    expect(() => outputShape(nn.mrnn({ inputs: 3, units: 2 }), [4, 3, 2])).toThrow(
      'mrnn[mrnn1]: expected x of f32[T, N, 3]',
    )
  })
})

describe('weights', () => {
  test('extents, paths and parameters', () => {
    const net = nn.sequential(nn.embedding(10, 2), nn.lstm({ units: 5 }), nn.dropout(0.5), nn.lstm({ units: 3 }))
    expect(outputShape(net, [4, 3], 'i32')).toEqual([4, 3, 3])
    const own = (path: string) => ['w', 'u', 'b'].map((name) => `${path}/${name}`)
    expect(paths(net, [4, 3], 'i32')).toEqual(['embedding1/w', ...own('lstm1'), ...own('lstm2')])
    expect(net.parameters).toHaveLength(7)
  })

  test('of the input are known from the start, or from the first input', () => {
    const [early, late] = [nn.lstm({ units, inputs }), nn.lstm({ units })]
    expect(early.parameters.map(({ shape }) => shape)).toEqual([[20, 2], [5, 20], [20]])
    expect(late.parameters).toHaveLength(2)
    traced(late, [steps, streams, inputs])
    expect(late.parameters.map(({ shape }) => shape)).toEqual([[20, 2], [5, 20], [20]])
  })

  test('a forget bias is added to the initial bias of that gate alone, and to the first of two', () => {
    const biases = (net: { readonly parameters: readonly { readonly init: () => Tensor }[] }, which = 1) => {
      const graph = trace({ name: 'init' }, () => ({ b: net.parameters[which]!.init() }))
      return [...interpret(graph, {}).fetches['b']!.data]
    }
    const options = { units: 2, biasInit: nn.init.fill(0.5) }
    expect(biases(nn.lstm(options))).toEqual(new Array(8).fill(0.5))
    expect(biases(nn.lstm({ ...options, forgetBias: 1 }))).toEqual([0.5, 0.5, 1.5, 1.5, 0.5, 0.5, 0.5, 0.5])
    const both = nn.lstm({ ...options, forgetBias: 1, recurrentBias: true })
    expect(biases(both)).toEqual([0.5, 0.5, 1.5, 1.5, 0.5, 0.5, 0.5, 0.5])
    expect(biases(both, 2)).toEqual(new Array(8).fill(0.5))
  })
})

describe('carry', () => {
  const layers: readonly [string, (carry: boolean) => nn.Step][] = [
    ['lstm', (carry) => nn.lstm({ units, inputs, carry })],
    ['rnn', (carry) => nn.rnn({ units, inputs, carry })],
    ['gru', (carry) => nn.gru({ units, inputs, carry })],
  ]
  const run = (net: nn.Step, mode: TraceMode, feeds: Record<string, NDArray>, states: Record<string, NDArray>) => {
    const names = new Names()
    const graph = trace({ name: 'net', mode, names }, () => {
      const given = feed('x', 'f32', feeds['x']!.shape)
      const apply = () => ({ y: untyped(net)(given) })
      const fresh = feeds['fresh']
      return fresh === undefined ? apply() : nn.withFreshStreams(feed('fresh', 'f32', fresh.shape), apply)
    })
    const own = Object.fromEntries(
      graph.states.map(({ name, tensor }, i) => [name, states[name] ?? uneven(tensor.shape, i)]),
    )
    const carried = graph.states.filter(({ variable }) => variable.role !== 'parameter')
    for (const { name, tensor } of carried) own[name] = states[name] ?? fill(tensor.shape, () => 0)
    const result = interpret(graph, feeds, own)
    return { y: result.fetches['y']!, states: result.states, roles: carried.map(({ variable }) => variable.role) }
  }
  const part = (all: NDArray, from: number, count: number) =>
    fill([count, ...all.shape.slice(1)], ([t, n, d]) => at(all, from + t!, n!, d!))

  test.each(layers)('%s: two runs of half a sequence equal one of the whole', (_kind, make) => {
    const net = make(true)
    const whole = run(make(false), 'train', { x }, {})
    const first = run(net, 'train', { x: part(x, 0, 2) }, {})
    const second = run(net, 'train', { x: part(x, 2, 2) }, first.states)
    expect(difference(first.y, part(whole.y, 0, 2), close)).toBeUndefined()
    expect(difference(second.y, part(whole.y, 2, 2), close)).toBeUndefined()
    expect(new Set(first.roles)).toEqual(new Set(['statistic']))
  })

  test.each(layers)('%s: a fresh stream starts from zeros, the others go on', (_kind, make) => {
    const net = make(true)
    const first = run(net, 'train', { x }, {})
    const fresh = ndarray([streams], [0, 1, 0])
    const [again, went] = [run(make(false), 'train', { x }, {}), run(net, 'train', { x }, first.states)]
    const { y } = run(net, 'train', { x, fresh }, first.states)
    const stream = (all: NDArray, n: number) => fill([steps, units], ([t, j]) => at(all, t!, n, j!))
    expect(difference(stream(y, 1), stream(again.y, 1), close)).toBeUndefined()
    expect(difference(stream(y, 0), stream(went.y, 0), close)).toBeUndefined()
    expect(difference(stream(y, 0), stream(again.y, 0), close)).toBeDefined()
  })

  test('evaluation has states of its own, each number of streams too', () => {
    const net = nn.lstm({ units, inputs, carry: true })
    const names = new Names()
    const states = (mode: TraceMode, n: number) =>
      trace({ name: 'net', mode, names }, () => ({ y: untyped(net)(feed('x', 'f32', [2, n, inputs])) }))
        .states.filter(({ variable }) => variable.role !== 'parameter')
        .map(({ name, variable }) => `${name} ${variable.role}`)
    expect(states('train', 3)).toEqual(['lstm1/h3 statistic', 'lstm1/c3 statistic'])
    expect(states('eval', 3)).toEqual(['lstm1/h3_eval scratch', 'lstm1/c3_eval scratch'])
    expect(states('train', 1)).toEqual(['lstm1/h1 statistic', 'lstm1/c1 statistic'])
    expect(states('train', 3)).toEqual(['lstm1/h3 statistic', 'lstm1/c3 statistic'])
  })
})

describe('refusals', () => {
  const cases: readonly [string, () => unknown, RegExp][] = [
    ['units', () => nn.lstm({ units: 0 }), /lstm: expected units to be an integer of at least 1, got 0/],
    ['inputs', () => nn.gru({ units, inputs: 1.5 }), /gru: expected inputs to be an integer of at least 1, got 1.5/],
    ['forget bias', () => nn.lstm({ units, forgetBias: NaN }), /lstm: expected the forget bias to be a finite number/],
    ['carry with reverse', () => nn.rnn({ units, carry: true, reverse: true }), /rnn: expected no carry with reverse/],
    [
      'two axes',
      () => traced(nn.lstm({ units }), [4, 2]),
      /lstm\[lstm1\]: expected x of f32\[T, N, D\], got f32\[4, 2\]/,
    ],
    ['other features', () => traced(nn.gru({ units, inputs }), [4, 3, 3]), /gru\[gru1\]: expected x of f32\[T, N, 2\]/],
    [
      'fresh streams of another number',
      () => {
        const net = untyped(nn.lstm({ units, carry: true }))
        return trace({ name: 'net' }, () =>
          nn.withFreshStreams(feed('fresh', 'f32', [2]), () => ({ y: net(feed('x', 'f32', [4, 3, 2])) })),
        )
      },
      /lstm\[lstm1\]: expected fresh streams of f32\[3\], got f32\[2\]/,
    ],
    [
      'fresh streams of integers',
      () =>
        trace({ name: 'net' }, () =>
          nn.withFreshStreams(feed('fresh', 'i32', [2]) as never, () => ({ y: feed('x', 'f32', [1]) })),
        ),
      /withFreshStreams: expected f32\[N\], got i32\[2\]/,
    ],
  ]
  test.each(cases)('%s', (_name, attempt, message) => {
    expect(attempt).toThrow(OstrichError)
    expect(attempt).toThrow(message)
  })
})

describe('dropout', () => {
  const masks = (net: nn.Step, mode: TraceMode) =>
    trace({ name: 'net', mode }, () => ({ y: untyped(net)(feed('x', 'f32', [steps, streams, inputs])) }))
      .nodes.filter(({ op }) => op.name === 'dropout')
      .map(({ outputs }) => outputs[0]!.shape)

  test('of weights between states has one mask for a run, and none in evaluation', () => {
    const net = nn.lstm({ units, weightDrop: 0.5 })
    expect(masks(net, 'train')).toEqual([[units, 4 * units]])
    expect(masks(net, 'eval')).toEqual([])
    expect(masks(nn.lstm({ units }), 'train')).toEqual([])
  })

  test('that is locked has one mask for all steps of time', () => {
    expect(masks(nn.lockedDropout(0.5), 'train')).toEqual([[1, streams, inputs]])
    expect(masks(nn.lockedDropout(0.5), 'eval')).toEqual([])
    expect(() => masks(nn.lockedDropout(1), 'train')).toThrow(
      'nn.lockedDropout[rate]: expected a number from 0 to below 1, got 1',
    )
    expect(() => outputShape(nn.lockedDropout(0.5), [3, 2])).toThrow('lockedDropout: expected x of f32[T, N, D]')
  })
})
