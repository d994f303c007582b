// Two directions over one sequence, and stacks of recurrent layers: dropout between them, sums around them, summaries.
import { describe, expect, test } from 'vitest'
import { feed, Names, type Tensor, trace } from '../../../lib/graph/index.js'
import * as nn from '../../../lib/nn/index.js'
import { difference } from '../../support/compare.js'
import { interpret } from '../../support/interpreter.js'
import { at, fill, ndarray } from '../../support/ndarray.js'
import { evaluate, expectGradients, outputShape, paths, uneven, untyped } from './support.js'

const [steps, rows, inputs] = [4, 3, 2]
const x = uneven([steps, rows, inputs])
const lengths = ndarray([rows], [2, 4, 1])
const close = { tolerance: 1e-12, relativeTo: 'tensor' } as const

const make = (options?: nn.BidirectionalOptions, units = 5) =>
  nn.bidirectional(nn.lstm({ units: 3, inputs }), nn.gru({ units, inputs, reverse: true }), options)

/** Weights by path. */
const weightsOf = (net: nn.Step) =>
  Object.fromEntries(
    trace({ name: 'net', names: new Names() }, () => ({ y: untyped(net)(feed('x', 'f32', x.shape)) })).states.map(
      ({ name, tensor }, i) => [name, uneven(tensor.shape, i)],
    ),
  )

describe('bidirectional', () => {
  test('joins what each direction gives by itself', () => {
    const [ahead, back] = [nn.lstm({ units: 3, inputs }), nn.gru({ units: 5, inputs, reverse: true })]
    const net = nn.bidirectional(ahead, back)
    const weights = weightsOf(net)
    expect(Object.keys(weights).map((name) => name.split('/').slice(0, 2).join('/'))).toEqual([
      ...new Array<string>(3).fill('bidirectional1/lstm1'),
      ...new Array<string>(4).fill('bidirectional1/gru1'),
    ])
    const inner = Object.fromEntries(
      Object.entries(weights).map(([name, value]) => [name.split('/').slice(1).join('/'), value]),
    )
    const whole = evaluate({ x }, ({ x }) => ({ y: untyped(net)(x!) }), weights)['y']!
    const parts = evaluate({ x }, ({ x }) => ({ a: untyped(ahead)(x!), b: untyped(back)(x!) }), inner)
    const want = fill([steps, rows, 8], ([t, n, j]) =>
      j! < 3 ? at(parts['a']!, t!, n!, j!) : at(parts['b']!, t!, n!, j! - 3),
    )
    expect(difference(whole, want, close)).toBeUndefined()
  })

  test('adds them', () => {
    const net = nn.bidirectional(nn.rnn({ units: 3 }), nn.rnn({ units: 3, reverse: true }), {
      join: 'add',
      name: 'both',
    })
    expect(outputShape(net, x.shape)).toEqual([steps, rows, 3])
    expect(paths(net, x.shape)[0]).toBe('both/rnn1/w')
    expect(() => outputShape(make({ join: 'add' }), x.shape)).toThrow(
      'bidirectional[bidirectional1]: expected two outputs of the same extents to add, got f32[4, 3, 3] and f32[4, 3, 5]',
    )
  })

  test('passes lengths on: a row is what it is alone, and each direction ends where it must', () => {
    const net = make()
    const weights = weightsOf(net)
    const all = (given: typeof x, lengths?: ReturnType<typeof ndarray>) => {
      const graph = trace({ name: 'net' }, () => {
        const sizes = lengths && { lengths: feed('lengths', 'i32', lengths.shape) }
        const { output, forward, backward } = net.run(feed('x', 'f32', given.shape) as nn.Features, sizes)
        return { output, forward: forward.last.c, backward: backward.last.h }
      })
      return interpret(graph, { x: given, ...(lengths && { lengths }) }, weights).fetches
    }
    const batch = all(x, lengths)
    for (let n = 0; n < rows; n++) {
      const length = lengths.data[n]!
      const alone = all(fill([length, 1, inputs], ([t, , d]) => at(x, t!, n, d!)))
      const own = fill([length, 1, 8], ([t, , j]) => at(batch['output']!, t!, n, j!))
      expect(difference(own, alone['output']!, close)).toBeUndefined()
      for (const name of ['forward', 'backward']) {
        const last = fill([1, batch[name]!.shape[1]!], ([, j]) => at(batch[name]!, n, j!))
        expect(difference(last, alone[name]!, close)).toBeUndefined()
      }
    }
  })

  test('has gradients through both directions and their first states', () => {
    const net = make()
    const states = { h: uneven([rows, 3], 1), c: uneven([rows, 3], 2), back: uneven([rows, 5], 3) }
    expectGradients({ x, ...states }, { lengths: { dtype: 'i32', value: lengths } }, ({ x, lengths, h, c, back }) => {
      const start = {
        forward: { h: h as Tensor<'f32'>, c: c as Tensor<'f32'> },
        backward: { h: back as Tensor<'f32'> },
      }
      const run = net.run(x as nn.Features, { start, lengths: lengths as Tensor<'i32'> })
      return [run.output, run.forward.last.c, run.backward.last.h]
    })
  })

  test('refuses layers of another direction, and what is no recurrent layer', () => {
    const [ahead, back] = [nn.lstm({ units: 2 }), nn.lstm({ units: 2, reverse: true })]
    expect(() => nn.bidirectional(back, back)).toThrow(
      'nn.bidirectional[forward]: expected a layer with no reverse, got one with it',
    )
    expect(() => nn.bidirectional(ahead, ahead)).toThrow(
      'nn.bidirectional[backward]: expected a layer with reverse: true, got one without',
    )
    expect(() => nn.bidirectional(nn.linear(2, 2) as never, back)).toThrow(
      'nn.bidirectional[forward]: expected a recurrent layer, got a function',
    )
    expect(() => nn.bidirectional(ahead, back, { join: 'sum' as never })).toThrow(
      'nn.bidirectional[join]: expected concat, add, got "sum"',
    )
    const start = (given: object) =>
      trace({ name: 'net' }, () => ({
        y: nn.bidirectional(ahead, back).run(feed('x', 'f32', x.shape), { start: given as never }).output,
      }))
    expect(() => start({ forward: {} })).toThrow(
      'nn.bidirectional[run.start][backward]: expected an object, got undefined',
    )
    expect(() => start({ forward: {}, backward: {} })).toThrow('expected the start to have the states h, c, got none')
  })

  test('has its rows in a summary', () => {
    const net = nn.sequential(nn.embedding(10, 2), make(), nn.linear(8, 4))
    const { rows: found, parameters } = nn.summary(net, { x: [steps, rows], dtype: 'i32' })
    expect(found.map(({ path, kind, output }) => [path, kind, output])).toEqual([
      ['embedding1', 'embedding', [4, 3, 2]],
      ['bidirectional1/lstm1', 'lstm', [4, 3, 3]],
      ['bidirectional1/gru1', 'gru', [4, 3, 5]],
      ['bidirectional1', 'bidirectional', [4, 3, 8]],
      ['linear1', 'linear', [4, 3, 4]],
    ])
    expect(parameters).toBe(20 + 12 * (2 + 3 + 1) + 15 * (2 + 5 + 2) + 36)
  })
})

describe('stacks', () => {
  test('dropout between layers drops in training alone, with masks of its own', () => {
    const net = nn.sequential(
      nn.lstm({ units: 6, inputs }),
      nn.dropout(0.5),
      nn.lstm({ units: 6 }),
      nn.lockedDropout(0.5),
    )
    const dropped = (mode: 'train' | 'eval') =>
      trace({ name: 'net', mode }, () => ({ y: untyped(net)(feed('x', 'f32', x.shape)) }))
        .nodes.filter(({ op }) => op.name === 'dropout')
        .map(({ outputs, attrs }) => ({ shape: outputs[0]!.shape, stream: attrs['stream'] }))
    const masks = dropped('train')
    expect(masks.map(({ shape }) => shape)).toEqual([
      [steps, rows, 6],
      [1, rows, 6],
    ])
    expect(new Set(masks.map(({ stream }) => stream)).size).toBe(2)
    expect(dropped('eval')).toEqual([])
  })

  test('residual adds what a recurrent layer read to what it gives, in both directions', () => {
    const inner = nn.lstm({ units: inputs, inputs })
    const net = nn.residual(inner)
    const weights = weightsOf(net)
    const found = evaluate({ x }, ({ x }) => ({ y: untyped(net)(x!), h: untyped(inner)(x!) }), weights)
    const want = fill(x.shape, (place) => at(found['h']!, ...place) + at(x, ...place))
    expect(difference(found['y']!, want, close)).toBeUndefined()
    const deep = nn.sequential(
      nn.residual(nn.bidirectional(nn.rnn({ units: 1 }), nn.rnn({ units: 1, reverse: true }))),
      nn.residual(nn.sequential(nn.dropout(0.2), nn.gru({ units: 2 }))),
    )
    expectGradients({ x }, {}, ({ x }) => [untyped(deep)(x!) as Tensor<'f32'>])
  })
})
