// Options of a session: what they are, their defaults, and the refusal of what they cannot be.
import { expectKind, expectOptions, is, type Schema } from '../base/index.js'
import type { CompilePrecision } from '../compile/index.js'
import type { Dataset, Text } from '../data/index.js'
import { type MetricName, metricNames } from './events.js'
import type { Optimizer } from '../optim/index.js'
import { deviceOptions, type DeviceOptions } from '../runtime/index.js'
import type { Explain } from './programs.js'
import type { CheckpointEvery } from './loop.js'
import type { TrainingData } from './source.js'
import type { Inputs, Loss, Network, OverTime } from './task.js'

/** `auto`: bf16 where the device computes in it natively, else f32. `tf32` is of CUDA devices; the CPU computes it in f32. */
export type SessionPrecision = 'auto' | CompilePrecision

/** Where programs run, and what in. */
export interface PlaceOptions extends DeviceOptions {
  /** Default: `auto`. */
  readonly precision?: SessionPrecision
}

export interface SessionOptions extends PlaceOptions {
  /** A data set with the fields `x` and `target`, a text, or a training and a validation set. */
  readonly data: Dataset | Text | TrainingData
  /** Mean loss of a batch. */
  readonly loss: Loss
  readonly optimizer: Optimizer
  /** Examples per step; of texts, streams that are read in parallel. */
  readonly batch: number
  /** Of texts: steps of time through which a gradient reaches back. */
  readonly window?: number
  /** Of texts: what the gradient is of, over the steps of a window. Default: `mean`. */
  readonly overTime?: OverTime
  /** Default: 1. */
  readonly epochs?: number
  /** Of initial values, dropout and the order of examples; a whole number, default 1. */
  readonly seed?: number
  /** Stops after the step in flight, and saves where `folder` is set. */
  readonly signal?: AbortSignal
  /** Where checkpoints go (`last.safetensors`); nothing is written without it. */
  readonly folder?: string
  /** Besides the end of each epoch. Default: every 60 seconds. */
  readonly checkpointEvery?: CheckpointEvery
  /** How fields become what the network takes; default: `u8` is scaled to 0..1. */
  readonly inputs?: Inputs
  /** Visit the training examples in a new seeded order each epoch. Default: true. */
  readonly shuffle?: boolean
  /** What is measured besides loss and accuracy. Default: nothing. */
  readonly metrics?: readonly MetricName[]
  /** Kept in every checkpoint, as JSON. */
  readonly config?: unknown
  /** Takes each program's graph after each pass, and the backend's plan. */
  readonly explain?: Explain
}

/** Options with every default in its place. */
export interface Resolved extends SessionOptions {
  readonly net: Network
  readonly epochs: number
  readonly seed: number
  readonly inputs: Inputs
  readonly shuffle: boolean
  readonly checkpointEvery: CheckpointEvery
}

/** The kinds of the options of whatever opens a device and runs on it. */
export const placeOptions: Schema<PlaceOptions> = {
  ...deviceOptions,
  precision: is.oneOf('auto', 'f32', 'tf32', 'bf16'),
}

/** What a network and a loss are. */
export const aFunction = is.kind('a function of tensors', is.callable.accepts)
/** What updates parameters. */
export const anOptimizer = is.kind(
  'an optimizer, such as optim.sgd({ rate: 0.1 })',
  is.withMethods('', 'update', 'rate').accepts,
)
/** What the option `metrics` may be. */
export const someMetrics = is.listOf(is.oneOf(...metricNames), metricNames.join(', '))
/** A function for each of several fields. */
export const someInputs = is.kind('a function for each field', (value) => {
  return is.object.accepts(value) && Object.values(value as object).every(is.callable.accepts)
})

const schema: Schema<SessionOptions> = {
  ...placeOptions,
  data: is.needed(is.kind('a data set, a text or { train, validation }', (value) => value !== undefined)),
  loss: is.needed(aFunction),
  optimizer: is.needed(anOptimizer),
  batch: is.needed(is.whole(1)),
  window: is.whole(1),
  overTime: is.oneOf('mean', 'sum'),
  epochs: is.whole(0),
  seed: is.whole(0),
  signal: is.signal,
  folder: is.text,
  checkpointEvery: is.object,
  inputs: someInputs,
  shuffle: is.flag,
  metrics: someMetrics,
  config: is.anything,
  explain: is.callable,
}

const saving: Schema<CheckpointEvery> = { steps: is.whole(1), seconds: is.number }

/**
 * Puts defaults in and refuses what makes no sense.
 * @throws OstrichError `ERR_OPTION` naming the option
 */
export function resolve(net: Network, options: SessionOptions): Resolved {
  expectKind('session', 'net', aFunction, net)
  expectOptions('session', options, schema)
  const { epochs = 1, seed = 1, inputs = {}, shuffle = true, checkpointEvery = { seconds: 60 } } = options
  expectOptions('session[checkpointEvery]', checkpointEvery, saving)
  return { ...options, net, epochs, seed, inputs, shuffle, checkpointEvery }
}
