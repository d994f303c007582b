// The adding problem over growing lengths: how far back a plain recurrent network and an LSTM can learn to look.
// Hochreiter & Schmidhuber 1997, "Long short-term memory", experiment 4, in the form of Le, Jaitly & Hinton 2015, "A simple way to
// initialize recurrent networks of rectified linear units": two numbers of a sequence are marked, their sum is asked for at its end.
import { arrays, type Dataset, type Fields, PhiloxStream } from '../data/index.js'
import type { Tensor } from '../graph/index.js'
import * as nn from '../nn/index.js'
import * as ops from '../ops/index.js'
import * as optim from '../optim/index.js'
import { type Network, session } from '../train/index.js'
import type { Report } from './network.js'

/** The two kinds of cells. */
export const cells = ['rnn', 'lstm'] as const
/** A kind of cell. */
export type CellKind = (typeof cells)[number]

/** Mean squared error of who always answers 1, the mean of a sum: twice the variance of a number drawn from [0, 1). */
export const blind = 1 / 6
/** Mean squared error below which a length counts as learned. */
export const learned = 0.01

/** What is trained, and for how long. */
export interface LagOptions {
  readonly cell: CellKind
  /** Steps of a sequence, at least 2: one number is marked in its first half, one in its second. */
  readonly length: number
  readonly seed: number
  /** Sequences after which it is given up. */
  readonly budget: number
  readonly threads?: number | undefined
  readonly report?: Report
}

/** What came of it. */
export interface LagResult {
  readonly cell: CellKind
  readonly length: number
  readonly seed: number
  /** Trained values. */
  readonly weights: number
  /** Training sequences until the error was below `learned`; undefined where that was not reached. */
  readonly sequences: number | undefined
  /** Least mean squared error on held-back sequences. */
  readonly error: number
  readonly seconds: number
}

const batch = 32
/** Steps between two measurements. */
const every = 250
/** Held-back sequences. */
const held = 1024
/** As many weights between states in both, 4 * 64^2 = 128^2; in all 16,897 (RNN) and 17,217. */
const units: Readonly<Record<CellKind, number>> = { rnn: 128, lstm: 64 }

/**
 * x f32 [N, T, 2], a number from [0, 1) and its mark at each step, and target f32 [N, 1], the sum of the two marked numbers.
 * @example addingProblem(32, 100, new PhiloxStream(1, 0, 0))
 */
export function addingProblem(count: number, length: number, draw: PhiloxStream): Record<'x' | 'target', Float32Array> {
  const [x, target] = [new Float32Array(count * length * 2), new Float32Array(count)]
  const half = Math.floor(length / 2)
  for (let row = 0; row < count; row++) {
    const at = row * length
    for (let step = 0; step < length; step++) x[2 * (at + step)] = draw.below(1 << 24) / (1 << 24)
    for (const step of [draw.below(half), half + draw.below(length - half)]) {
      x[2 * (at + step) + 1] = 1
      target[row]! += x[2 * (at + step)]!
    }
  }
  return { x, target }
}

/** x f32 [N, T, 2] -> f32 [N, 1], from the last state. */
export function addingNetwork(cell: CellKind): Network & nn.LayerInfo {
  const size = units[cell]
  const recurrent = cell === 'rnn' ? nn.rnn({ units: size }) : nn.lstm({ units: size, forgetBias: 1 })
  const answer = nn.linear(size, 1)
  return nn.layer<Tensor, Tensor>({
    kind: '',
    name: 'adding',
    parameters: [],
    children: [recurrent, answer],
    apply: (x) => {
      const [n = 1, length = 1] = x.shape
      const states = (recurrent as unknown as (x: Tensor) => Tensor)(ops.transpose(x, [1, 0, 2]))
      const last = ops.reshape(ops.slice(states, [length - 1, 0, 0], [1, n, size]), [n, size])
      return (answer as unknown as (x: Tensor) => Tensor)(last)
    },
  })
}

/**
 * Trains on sequences that are drawn anew for each step until the length is learned or the budget is spent.
 * @throws OstrichError for options that a session refuses
 */
export async function measureLag(options: LagOptions): Promise<LagResult> {
  const { cell, length, seed, budget, threads, report } = options
  const steps = Math.ceil(budget / batch)
  const run = await session(addingNetwork(cell), {
    data: {
      train: (epoch) =>
        sequences(Math.min(every, steps - epoch * every), length, new PhiloxStream(seed, epoch, length)),
      validation: heldBack(length, seed),
      fields: { x: { dtype: 'f32', shape: [length, 2] }, target: { dtype: 'f32', shape: [1] } },
    },
    loss: nn.meanSquaredError,
    optimizer: optim.adam({ rate: 2e-3, clipNorm: 1 }),
    batch,
    epochs: Math.ceil(steps / every),
    seed,
    precision: 'f32',
    device: 'auto',
    ...(threads !== undefined && { threads }),
  })
  const result = { cell, length, seed, weights: 0, sequences: undefined, error: Infinity, seconds: 0 }
  try {
    for await (const event of run.events()) {
      if (event.type === 'start') result.weights = event.parameters
      if (event.type !== 'epoch') continue
      const done = event.step * batch
      Object.assign(result, { error: Math.min(result.error, event.validation.loss), seconds: event.elapsed })
      report?.({ what: `${cell}, ${length} steps`, done, total: budget, unit: 'sequences' })
      if (event.validation.loss < learned) return { ...result, sequences: done }
    }
    return result
  } finally {
    await run.dispose()
  }
}

function* sequences(
  steps: number,
  length: number,
  draw: PhiloxStream,
): Generator<Record<'x' | 'target', Float32Array>> {
  for (let step = 0; step < steps; step++) yield addingProblem(batch, length, draw)
}

function heldBack(length: number, seed: number): Dataset<Fields<'x' | 'target'>> {
  // Epochs count from 0, so no training sequence comes of this stream.
  const { x, target } = addingProblem(held, length, new PhiloxStream(seed, -1, length))
  return arrays({ x: { data: x, shape: [length, 2] }, target: { data: target, shape: [1] } })
}

/** The middle of a list in order; of two middles their mean. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const [low, high] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[Math.floor(sorted.length / 2)]]
  return low === undefined || high === undefined ? NaN : low === high ? low : (low + high) / 2
}
