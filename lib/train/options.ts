// Options of a session: what they are, their defaults, and the refusal of what they cannot be.
import { expectKind, expectOptions, is, OstrichError, type Schema } from '../base/index.js'
import type { CompilePrecision } from '../compile/index.js'
import type { Dataset, Fields, Text } from '../data/index.js'
import type { Optimizer } from '../optim/index.js'
import { deviceOptions, type DeviceOptions } from '../runtime/index.js'
import { isMeasure } from './measure.js'
import type { Explain } from './programs.js'
import type { CheckpointEvery } from './loop.js'
import { type Measured, supervised, type Task } from './objective.js'
import type { TrainingData } from './source.js'
import type { Inputs, Loss, Network, Objective, OverTime } from './types.js'

/** `auto`: bf16 where the device computes faster in it, else f32. `tf32` is of CUDA devices; the CPU computes it in f32. */
export type SessionPrecision = 'auto' | CompilePrecision

/** Where programs run, and what in. */
export interface PlaceOptions extends DeviceOptions {
  /** Default: `auto`. */
  readonly precision?: SessionPrecision
}

/** Programs of a session whose data is of variable length: there is one for each kind of batch. */
export interface ProgramOptions {
  /** How many are kept for training, and as many for measuring; beyond it that which was used longest ago is made anew. Default: 64. */
  readonly most?: number
  /** Makes those of training before the first step. Default: false, each when it is needed. */
  readonly ahead?: boolean
}

/** Options of a session whose objective is a function of fields. */
export interface ObjectiveOptions<F extends Fields = Fields> extends PlaceOptions {
  /** A data set, a text, or a training and a validation set. The objective must read each of their fields. */
  readonly data: Dataset<F> | Text | TrainingData<F>
  readonly optimizer: Optimizer
  /** Examples per step, of variable length at most; of texts, streams that are read in parallel. */
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
  /** Where checkpoints go (`last.safetensors`, and `best.safetensors` where a measure is monitored); nothing is written without it. */
  readonly folder?: string
  /** Besides the end of each epoch. Default: every 60 seconds. */
  readonly checkpointEvery?: CheckpointEvery
  /** How fields become what the objective takes; default: `u8` is scaled to 0..1. */
  readonly inputs?: Inputs
  /** The network that `predict` asks, of the field `x` alone. Default: none. */
  readonly net?: Network
  /** Visit the training examples in a new seeded order each epoch. Default: true. */
  readonly shuffle?: boolean
  /** The measure of the validation set, or `loss`, whose best epoch is kept and told. Default: none. */
  readonly monitor?: string
  /** Ends after so many epochs in which what is monitored has not become better. Default: never. */
  readonly patience?: number
  /** Of data of variable length: how many programs are kept, and when they are made. */
  readonly programs?: ProgramOptions
  /** Kept in every checkpoint, as JSON. */
  readonly config?: unknown
  /** Takes each program's graph after each pass, and the backend's plan. */
  readonly explain?: Explain
}

/** Options of a session that trains a network on the fields `x` and `target`. */
export interface SessionOptions<
  F extends Fields = Fields,
  M extends Readonly<Record<string, Measured>> = Readonly<Record<string, Measured>>,
> extends Omit<ObjectiveOptions<F>, 'net'> {
  /** Mean loss of a batch, of the network's output and the field `target`. */
  readonly loss: Loss
  /** What is measured besides the loss, by name. Default: `{ accuracy: measures.accuracy }`. */
  readonly measures?: M
}

/** Options with every default in its place. */
export interface Resolved extends Omit<ObjectiveOptions, 'overTime'>, Task {
  readonly epochs: number
  readonly seed: number
  readonly inputs: Inputs
  readonly shuffle: boolean
  readonly checkpointEvery: CheckpointEvery
  readonly programs: Required<ProgramOptions>
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
/** What the option `measures` may be. */
export const someMeasures = is.kind('measures by name, such as { accuracy: measures.accuracy }', (value) => {
  return is.object.accepts(value) && Object.values(value as object).every((one: unknown) => isMeasure(one))
})
/** A function for each of several fields. */
export const someInputs = is.kind('a function for each field', (value) => {
  return is.object.accepts(value) && Object.values(value as object).every(is.callable.accepts)
})

const schema: Schema<ObjectiveOptions> = {
  ...placeOptions,
  data: is.needed(is.kind('a data set, a text or { train, validation }', (value) => value !== undefined)),
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
  net: aFunction,
  shuffle: is.flag,
  monitor: is.text,
  patience: is.whole(1),
  programs: is.object,
  config: is.anything,
  explain: is.callable,
}

const { net: _, ...common } = schema
const supervisedSchema: Schema<SessionOptions> = { ...common, loss: is.needed(aFunction), measures: someMeasures }

const keeping: Schema<ProgramOptions> = { most: is.whole(1), ahead: is.flag }
const saving: Schema<CheckpointEvery> = { steps: is.whole(1), seconds: is.number }

/**
 * Puts defaults in and refuses what makes no sense. With a loss, or measures, what is given first is a network.
 * @throws OstrichError `ERR_OPTION` naming the option
 */
export function resolve(given: Network | Objective, options: ObjectiveOptions | SessionOptions): Resolved {
  const short = is.object.accepts(options) && ('loss' in options || 'measures' in options)
  expectKind('session', short ? 'net' : 'objective', aFunction, given)
  if (short) expectOptions<SessionOptions>('session', options, supervisedSchema)
  else expectOptions<ObjectiveOptions>('session', options, schema)
  const { epochs = 1, seed = 1, inputs = {}, shuffle = true, checkpointEvery = { seconds: 60 } } = options
  expectOptions('session[checkpointEvery]', checkpointEvery, saving)
  expectOptions('session[programs]', options.programs ?? {}, keeping)
  const programs = { most: 64, ahead: false, ...options.programs }
  if (options.patience !== undefined && options.monitor === undefined) {
    throw new OstrichError('ERR_OPTION', 'session[patience]: expected a measure to monitor beside it, got none')
  }
  if (options.optimizer.plateau !== undefined && options.monitor === undefined) {
    const expected = 'expected a measure, on whose plateaus the rate falls'
    throw new OstrichError('ERR_OPTION', `session[monitor]: ${expected}, got none`)
  }
  const own = { ...options, epochs, seed, inputs, shuffle, checkpointEvery, programs }
  if (!short) return { ...own, objective: given as Objective }
  const { loss, measures } = options
  const net = given as Network
  return { ...own, net, objective: supervised(net, loss, measures) }
}
