// Recurrent layers with first states and lengths on a device, in f32 and bf16: outputs and gradients beside double precision; a network
// over padded rows trains.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { grad } from '../../lib/autodiff/index.js'
import { arrays } from '../../lib/data/index.js'
import { feed, type Tensor, trace } from '../../lib/graph/index.js'
import * as nn from '../../lib/nn/index.js'
import * as ops from '../../lib/ops/index.js'
import * as optim from '../../lib/optim/index.js'
import { measures, type Session, session } from '../../lib/train/index.js'
import { difference } from '../support/compare.js'
import { interpret } from '../support/interpreter.js'
import { fill, ndarray } from '../support/ndarray.js'

const [steps, rows, features, units] = [6, 8, 5, 9]
const both = nn.bidirectional(nn.lstm({ units, inputs: features }), nn.gru({ units, inputs: features, reverse: true }))
const deep = nn.residual(nn.sequential(nn.dropout(0.1), nn.rnn({ units: 2 * units, inputs: 2 * units })))
const peephole = nn.peepholeLstm({ units, inputs: 2 * units })
const out = nn.linear(units, 2)

type X = Tensor<'f32', [number, number, number]>
/** x [T, N, D] -> logits of each step [T, N, 2], of each row's end [N, 2], and the cells there. */
const net = (x: X, lengths: Tensor<'i32'>, start?: { h: Tensor<'f32'>; c: Tensor<'f32'>; back: Tensor<'f32'> }) => {
  const first = start && { forward: { h: start.h, c: start.c }, backward: { h: start.back } }
  const { output } = both.run(x, { lengths, ...(first && { start: first }) })
  const run = peephole.run(deep(output as nn.Features<18>) as nn.Features<18>, { lengths })
  return { y: out(run.output), end: out(run.last.h as nn.Features), cell: run.last.c }
}

/** Whether the rows sum to more than 0, by their own steps alone: what lies behind them is large. */
const examples = 400
const lengths = Int32Array.from({ length: examples }, (_, n) => 1 + ((7 * n) % steps))
const x = new Float32Array(examples * steps * features)
const target = Int32Array.from({ length: examples }, (_, n) => {
  let sum = 0
  for (let t = 0; t < steps; t++) {
    const value = t < lengths[n]! ? Math.sin(3 * n + 5 * t) : 9
    x[(n * steps + t) * features + (t % features)] = value
    if (t < lengths[n]!) sum += value
  }
  return Number(sum > 0)
})
const set = arrays({ x: { data: x, shape: [steps, features] }, lengths, target })

let trained: Session<'accuracy'>
beforeAll(async () => {
  trained = await session(
    ({ x, lengths, target }) => {
      const { end } = net(ops.transpose(x, [1, 0, 2]), lengths)
      return { loss: nn.crossEntropy(end, target), accuracy: measures.accuracy(end, target) }
    },
    {
      data: { train: set, validation: set },
      optimizer: optim.adam({ rate: 0.01 }),
      ...{ batch: 40, epochs: 12, device: 'cpu', precision: 'bf16' },
    },
  )
})
afterAll(() => trained.dispose())

/** What the network gives, and gradients of it by x and by the first states. */
function all(x: X, lengths: Tensor<'i32'>, h: Tensor<'f32'>, c: Tensor<'f32'>, back: Tensor<'f32'>) {
  const { y, end, cell } = net(x, lengths, { h, c, back })
  const squares = [y, end, cell].map((one) => ops.sum(ops.square(one)))
  const loss = squares.reduce((a, b) => ops.add(a, b))
  return { y, end, cell, ...grad(loss, { dx: x, dh: h, dc: c, dback: back }) }
}

const given = {
  x: fill([steps, rows, features], ([t, n, d]) => Math.fround(Math.sin(3 * t! + 5 * n! + 7 * d!))),
  lengths: ndarray([rows], [6, 1, 3, 0, 6, 2, 5, 4]),
  h: fill([rows, units], ([n, j]) => Math.fround(Math.cos(2 * n! + j!))),
  c: fill([rows, units], ([n, j]) => Math.fround(Math.sin(n! - 3 * j!))),
  back: fill([rows, units], ([n, j]) => Math.fround(Math.cos(5 * n! - j!))),
}

describe('first states and lengths', () => {
  it.each([
    ['f32', 2 ** -16],
    ['bf16', 2 ** -4],
  ] as const)('in %s give what double precision gives, forward and backward', async (precision, tolerance) => {
    const extents = Object.fromEntries(Object.entries(given).map(([name, { shape }]) => [name, shape]))
    const typed = { ...extents, lengths: { dtype: 'i32', shape: [rows] } } as const
    using compiled = await trained.compile(all, typed, { precision })
    const arrays = Object.fromEntries(Object.entries(given).map(([name, { data }]) => [name, Float32Array.from(data)]))
    const got = await compiled.run({ ...arrays, lengths: Int32Array.from(given.lengths.data) })
    const graph = trace({ name: 'all' }, () => {
      const [x, h, c, back] = (['x', 'h', 'c', 'back'] as const).map((name) => feed(name, 'f32', given[name].shape))
      return all(x as X, feed('lengths', 'i32', [rows]), h!, c!, back!)
    })
    const values = await trained.parameters()
    const weights = Object.fromEntries(
      graph.states.map(({ name, tensor }) => [name, ndarray(tensor.shape, values[name]!)]),
    )
    const want = interpret(graph, given, weights).fetches
    expect(Object.keys(got).sort()).toEqual(Object.keys(want).sort())
    for (const [name, value] of Object.entries(want)) {
      const found = ndarray(value.shape, (got as Record<string, Float32Array>)[name]!)
      expect(difference(found, value, { tolerance, relativeTo: 'tensor' }), name).toBeUndefined()
    }
  })

  it('train a network that looks at the steps of each row alone', async () => {
    const { validation } = await trained.run()
    expect(validation.accuracy).toBeGreaterThan(0.9)
  })
})
