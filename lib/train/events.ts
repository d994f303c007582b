// What a session tells while it trains. Every event is plain data: it can be logged as a line of JSON as it is.
import type { CompilePrecision } from '../compile/index.js'
import type { MeasureInfo } from './measure.js'

/**
 * Loss and measures over a whole data set; NaN where there is nothing to measure (no set, no labels). The loss is for each example,
 * of texts for each token, in nats.
 */
export type Metrics<M extends string = string> = { readonly loss: number } & { readonly [Name in M]: number }

interface Position {
  /** The epoch, from 1. */
  readonly epoch: number
  /** Training steps since the very beginning, those before a resume included. */
  readonly step: number
  /** Seconds since `events()` was called. */
  readonly elapsed: number
}

/** The first event: everything is compiled and the first step is about to run. */
export interface StartEvent extends Position {
  readonly type: 'start'
  readonly epochs: number
  /** Steps of one epoch; undefined where the data is an iterable of unknown length. */
  readonly stepsPerEpoch: number | undefined
  /** Examples of a step (of texts: tokens), on average. */
  readonly perStep: number
  /** Share of the steps of an epoch's batches that are padding; undefined where examples are all of one size. */
  readonly padding: number | undefined
  /** Number of trained values. */
  readonly parameters: number
  readonly device: string
  readonly precision: CompilePrecision
  readonly threads: number
  /** What is measured besides the loss, by name. */
  readonly measures: Readonly<Record<string, MeasureInfo>>
}

/** One step is done. */
export interface StepEvent extends Position {
  readonly type: 'step'
  readonly stepInEpoch: number
  /** Mean loss of the batch, before the update. */
  readonly loss: number
  /** Examples (of texts: tokens) per second since training began, evaluation and saving left out. */
  readonly rate: number
}

/** One epoch is done and the validation set was measured. */
export interface EpochEvent<M extends string = string> extends Position {
  readonly type: 'epoch'
  /** Mean of the losses of the epoch's steps. */
  readonly loss: number
  readonly validation: Metrics<M>
  /** Whether the weights are averaged from here on; where the optimiser may average them. */
  readonly averaged?: boolean
  /** What the rate is multiplied by from here on; where the optimiser's falls on plateaus. */
  readonly rateFactor?: number
  /** Where the session monitors a measure: the best value so far. */
  readonly best?: Best
  readonly rate: number
}

/** The best value of the measure that is monitored. */
export interface Best {
  readonly measure: string
  readonly value: number
  /** The epoch that gave it, from 1. */
  readonly epoch: number
}

/** The run can be resumed from `path`. */
export interface CheckpointEvent extends Position {
  readonly type: 'checkpoint'
  readonly path: string
}

/** Something that a person should know, and that does not stop the run. */
export interface WarningEvent extends Position {
  readonly type: 'warning'
  readonly message: string
}

/** The signal asked to stop; everything up to `step` is done, and saved where `checkpoint` says. */
export interface StoppedEvent<M extends string = string> extends Position {
  readonly type: 'stopped'
  readonly checkpoint: string | undefined
  /** Of the last epoch that was finished. */
  readonly validation: Metrics<M>
}

/** All epochs are done, or the measure that is monitored has not become better for `patience` of them. */
export interface EndEvent<M extends string = string> extends Position {
  readonly type: 'end'
  /** Of the last epoch. */
  readonly validation: Metrics<M>
  /** Where the session monitors a measure. */
  readonly best?: Best
}

/** Whatever a session tells; `type` says which. */
export type TrainEvent<M extends string = string> =
  StartEvent | StepEvent | EpochEvent<M> | CheckpointEvent | WarningEvent | StoppedEvent<M> | EndEvent<M>

/** Metrics where there is nothing to measure. */
export function unmeasured(measures: Readonly<Record<string, MeasureInfo>>): Metrics {
  return { loss: NaN, ...Object.fromEntries(Object.keys(measures).map((name) => [name, NaN])) }
}
