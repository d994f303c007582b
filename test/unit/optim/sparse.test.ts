// Updates of sparse tables by rows, in float64: the same numbers as the dense ones where these leave untouched rows alone, and those of
// the rules where they would not.
import { describe, expect, test } from 'vitest'
import { grad } from '../../../lib/autodiff/index.js'
import { assign, constant, feed, type Graph, read, type Tensor, trace, Variable } from '../../../lib/graph/index.js'
import * as nn from '../../../lib/nn/index.js'
import * as ops from '../../../lib/ops/index.js'
import * as optim from '../../../lib/optim/index.js'
import type { Optimizer } from '../../../lib/optim/index.js'
import { interpret } from '../../support/interpreter.js'
import { type NDArray, ndarray } from '../../support/ndarray.js'
import { generator } from '../../support/random.js'

const [rows, width] = [6, 3]
const first = Array.from({ length: rows * width }, (_, i) => Math.sin(i * 1.7))

/** Trains a table, read twice, and a matrix behind it. */
function learner(optimizer: Optimizer, sparse: boolean, use: (loss: Tensor<'f32'>, w: Tensor) => Tensor = (x) => x) {
  const table = new Variable<'f32', [number, number]>({
    label: 'table',
    dtype: 'f32',
    shape: [rows, width],
    role: 'parameter',
    sparse,
    init: () => constant('f32', [rows, width], 0),
  })
  const matrix = nn.parameter('matrix', [width, 2], nn.init.fill(0.3))
  return trace({ name: 'train', mode: 'train' }, () => {
    const [a, b] = [feed('a', 'i32', [2, 2]), feed('b', 'i32', [3])]
    const [x, y] = [ops.gather(read(table), a), ops.gather(read(table), b)]
    const product = ops.matmul(ops.reshape(x, [4, width]), read(matrix))
    const away = ops.add(ops.sum(ops.tanh(product)), ops.sum(ops.mul(ops.sin(y), 0.7)))
    const loss = use(ops.square(away), read(table)) as Tensor<'f32', []>
    const gradients = grad(loss, [read(table), read(matrix)])
    const count = read(ops.step)
    optimizer.update(
      [table, matrix].map((variable: Variable, i) => ({ variable, gradient: gradients[i]! })),
      count,
    )
    assign(ops.step, ops.add(count, 1))
    return { loss }
  })
}

type States = Record<string, NDArray>

/** The states after each of several steps; each reads rows below `limit`, or all of them. */
function trained(graph: Graph, steps: number, choose: (step: number) => number[] = () => []): States[] {
  const random = generator(7)
  let states: States = {
    table: ndarray([rows, width], first),
    matrix: ndarray([width, 2], [0.3, -0.2, 0.5, 0.1, 0.9, -1]),
  }
  return Array.from({ length: steps }, (_, step) => {
    const given = choose(step)
    const index = given.length === 7 ? given : Array.from({ length: 7 }, () => Math.floor(random() * 4))
    const feeds = { a: ndarray([2, 2], index.slice(0, 4)), b: ndarray([3], index.slice(4)) }
    states = interpret(graph, feeds, states).states
    return states
  })
}

function expectSame(got: readonly States[], wanted: readonly States[], names = ['table', 'matrix']): void {
  for (const [step, states] of got.entries()) {
    for (const name of names) {
      const want = wanted[step]![name]!.data
      states[name]!.data.forEach((value, i) => {
        expect(Math.abs(value - want[i]!), `step ${step}, ${name}, element ${i}`).toBeLessThan(1e-12)
      })
    }
  }
}

describe('the same as dense', () => {
  test.each<[string, () => Optimizer]>([
    ['sgd', () => optim.sgd({ rate: 0.1 })],
    ['adagrad', () => optim.adagrad({ rate: 0.1 })],
    ['sgd, clipped by the norm of all gradients', () => optim.sgd({ rate: 0.5, clipNorm: 0.3 })],
    ['sgd with rates of its own', () => optim.sgd({ rate: 0.1, groups: [{ match: 'table', rateFactor: 3 }] })],
    ['sgd with rows held to a norm', () => optim.sgd({ rate: 0.3, groups: [{ match: 'table', maxNorm: 1.7 }] })],
  ])('%s, where a batch reads some rows, and some twice', (_, make) => {
    const [sparse, dense] = [true, false].map((sparse) => trained(learner(make(), sparse), 9))
    expectSame(sparse!, dense!)
    // Rows 4 and 5 are read by nobody, the others change.
    expect(sparse!.at(-1)!['table']!.data.slice(12)).toEqual(Float64Array.from(first.slice(12)))
    expect(Math.abs(sparse!.at(-1)!['table']!.data[0]! - first[0]!)).toBeGreaterThan(0.01)
  })

  test('adagrad has the same sums of squares', () => {
    const [sparse, dense] = [true, false].map((sparse) => trained(learner(optim.adagrad({ rate: 0.1 }), sparse), 9))
    expectSame(sparse!, dense!, ['table.squares'])
  })

  test.each<[string, () => Optimizer, readonly string[]]>([
    ['adam', () => optim.adam({ rate: 0.05 }), ['mean', 'square']],
    ['momentum', () => optim.sgd({ rate: 0.05, momentum: 0.9, nesterov: true }), ['momentum']],
    ['rmsprop', () => optim.rmsprop({ rate: 0.02, momentum: 0.5 }), ['square', 'momentum']],
  ])('%s, where every batch reads all rows', (_, make, moments) => {
    const all = (step: number) => [0, 1, 2, 3, 4, 5].map((row) => (row + step) % rows).concat(step % rows)
    const [sparse, dense] = [true, false].map((sparse) => trained(learner(make(), sparse), 9, all))
    expectSame(sparse!, dense!, ['table', 'matrix', ...moments.map((moment) => `table.${moment}`)])
  })
})

test('adam is lazy: moments of a row move when it is read, and its corrections count all updates', () => {
  const [rate, beta1, beta2] = [0.05, 0.9, 0.999]
  const turns = [1, 2, 1, 1]
  const states = trained(learner(optim.adam({ rate }), true), turns.length, (step) =>
    Array<number>(7).fill(turns[step]!),
  )
  let [m, s, w] = [0, 0, first[width]!]
  for (const [step, row] of turns.entries()) {
    const before = step === 0 ? undefined : states[step - 1]
    const now = states[step]!
    const [mean, square] = [now['table.mean']!.data[width]!, now['table.square']!.data[width]!]
    if (row === 1) {
      // What the gradient was, by the mean that it made.
      const g = (mean - beta1 * m) / (1 - beta1)
      ;[m, s] = [beta1 * m + (1 - beta1) * g, beta2 * s + (1 - beta2) * g * g]
      w -= (rate * (m / (1 - beta1 ** (step + 1)))) / (Math.sqrt(s / (1 - beta2 ** (step + 1))) + 1e-8)
      expect(Math.abs(g)).toBeGreaterThan(1e-3)
    } else {
      expect(mean).toBe(before!['table.mean']!.data[width])
    }
    expect(square).toBeCloseTo(s, 12)
    expect(now['table']!.data[width]).toBeCloseTo(w, 12)
  }
})

test('what is built costs by the rows that are read', () => {
  const graph = learner(optim.adam({ rate: 0.1, clipNorm: 1 }), true)
  const needed = new Set<Tensor>(graph.assigns.map(({ value }) => value))
  for (const node of graph.nodes.toReversed()) {
    if (node.outputs.some((output) => needed.has(output))) for (const input of node.inputs) needed.add(input)
  }
  const tables = graph.nodes.filter(({ outputs }) =>
    outputs.some((output) => needed.has(output) && output.shape.join() === [rows, width].join()),
  )
  expect(tables.map(({ op }) => op.name)).toEqual(['setRows', 'setRows', 'setRows'])
})

describe('refused', () => {
  const attempt = (optimizer: Optimizer, use?: (loss: Tensor<'f32'>, w: Tensor) => Tensor) => () =>
    learner(optimizer, true, use)
  const refusal = (message: RegExp | string) =>
    expect.objectContaining({ code: 'ERR_OPTION', message: expect.stringMatching(message) as string }) as Error

  test('decay, which moves every weight, with the group that takes it away', () => {
    const own =
      "expected a weightDecay of 0 for a sparse table, .*, got 0.01: give groups: \\[\\{ match: 'table', weightDecay: 0 \\}\\]"
    expect(attempt(optim.adamW({ rate: 0.1 }))).toThrow(refusal(`optim.adam\\[table\\]: ${own}`))
    const group = { match: 'table', weightDecay: 0 }
    expect(attempt(optim.adamW({ rate: 0.1, groups: [group] }))).not.toThrow()
  })

  test('sums over batches and averages', () => {
    expect(attempt(optim.sgd({ rate: 0.1, accumulate: 3 }))).toThrow(
      refusal(/optim.sgd\[table\]: expected accumulate of 1 for a sparse table.*, got 3/),
    )
    expect(attempt(optim.sgd({ rate: 0.1, average: { decay: 0.9 } }))).toThrow(
      refusal(/optim.sgd\[table\]: expected no average for a sparse table.*, got one/),
    )
    const group = { match: 'table', frozen: true }
    expect(attempt(optim.sgd({ rate: 0.1, accumulate: 3, groups: [group] }))).not.toThrow()
  })

  test('a table that is used as a whole too', () => {
    const tied = (loss: Tensor<'f32'>, w: Tensor) => ops.add(loss, ops.sum(ops.square(w as Tensor<'f32'>)))
    expect(attempt(optim.sgd({ rate: 0.1 }), tied)).toThrow(
      refusal(
        /optim.sgd\[table\]: expected the gradient of a sparse table to be of rows that gather reads, got one of .*without sparse/,
      ),
    )
  })

  test('a sparse variable that is no table', () => {
    const make = () => nn.parameter('b', [3], nn.init.zeros, undefined, true)
    expect(make).toThrow('variable[b]: expected a sparse table with 2 axes, got [3]')
  })
})

test('a table that the loss does not depend on keeps its rows, and has no moments', () => {
  const w = new Variable({
    label: 'w',
    dtype: 'f32',
    shape: [4, 2],
    role: 'parameter',
    sparse: true,
    init: () => constant('f32', [4, 2], 0),
  })
  const graph = trace({ name: 'train' }, () => {
    const gradient = grad(constant('f32', [], 1), read(w))
    optim.adam({ rate: 0.1 }).update([{ variable: w, gradient }], constant('i32', [], 0))
    return {}
  })
  expect(graph.assigns).toEqual([])
  expect(graph.states.map(({ name }) => name)).toEqual(['w'])
})
