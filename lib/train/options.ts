// Options of a session: what they are, their defaults, and the refusal of what they cannot be.
import type { CompilePrecision } from '../compile/index.js'
import type { Dataset, Text } from '../data/index.js'
import { OstrichError } from '../graph/index.js'
import { type MetricName, metricNames } from './events.js'
import type { Optimizer } from '../optim/index.js'
import { deviceNames, type DeviceOptions, isDeviceName } from '../runtime/index.js'
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

function whole(name: string, value: unknown, least: number, most = Number.MAX_SAFE_INTEGER): void {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most) return
  refuse(name, `a whole number of at least ${least}`, value)
}

function refuse(name: string, expected: string, value: unknown): never {
  throw new OstrichError('ERR_OPTION', `session[${name}]: expected ${expected}, got ${JSON.stringify(value)}`)
}

function oneOf(name: string, value: unknown, allowed: readonly (string | boolean)[]): void {
  if (value !== undefined && !allowed.some((one) => one === value)) refuse(name, allowed.join(', '), value)
}

/** Refuses what no device can be opened with. */
export function checkDevice({ device, precision, threads = 0, deterministic, memoryLimit = 0 }: PlaceOptions): void {
  if (device !== undefined && !isDeviceName(device)) refuse('device', deviceNames, device)
  oneOf('precision', precision, ['auto', 'f32', 'tf32', 'bf16'])
  oneOf('deterministic', deterministic, [true, false])
  whole('memoryLimit', memoryLimit, 0)
  whole('threads', threads, 0, 4096)
}

/**
 * Puts defaults in and refuses what makes no sense.
 * @throws OstrichError `ERR_OPTION` naming the option
 */
export function resolve(net: Network, options: SessionOptions): Resolved {
  const { epochs = 1, seed = 1, inputs = {}, shuffle = true, checkpointEvery = { seconds: 60 } } = options
  checkDevice(options)
  whole('batch', options.batch, 1)
  if (options.window !== undefined) whole('window', options.window, 1)
  oneOf('overTime', options.overTime, ['mean', 'sum'])
  whole('epochs', epochs, 0)
  whole('seed', seed, 0)
  if (checkpointEvery.steps !== undefined) whole('checkpointEvery.steps', checkpointEvery.steps, 1)
  for (const metric of options.metrics ?? []) oneOf('metrics', metric, metricNames)
  const functions = { net, loss: options.loss }
  for (const [name, value] of Object.entries(functions)) {
    const given: unknown = value
    if (typeof given === 'function') continue
    throw new OstrichError('ERR_OPTION', `session[${name}]: expected a function of tensors, got ${typeof given}`)
  }
  return { ...options, net, epochs, seed, inputs, shuffle, checkpointEvery }
}
