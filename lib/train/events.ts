// What a session tells while it trains. Every event is plain data: it can be logged as a line of JSON as it is.
import type { CompilePrecision } from '../compile/index.js'

/** Mean loss and share of right answers over a whole data set; NaN where there is nothing to measure (no set, no labels). */
export interface Metrics {
  /** For each example; of texts for each token, in nats. */
  readonly loss: number
  /** exp(loss): of so many equally likely words the next one would be as hard to guess; where it was asked for. */
  readonly perplexity?: number
  /** loss / ln 2, bits for each token (character); where it was asked for. */
  readonly bits?: number
  /** 0 to 1: how often the largest output is the label. */
  readonly accuracy: number
  /** 0 to 1: how often the label is among the five largest outputs; where it was asked for. */
  readonly top5?: number
}

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
  /** Number of trained values. */
  readonly parameters: number
  readonly device: string
  readonly precision: CompilePrecision
  readonly threads: number
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
export interface EpochEvent extends Position {
  readonly type: 'epoch'
  /** Mean of the losses of the epoch's steps. */
  readonly loss: number
  readonly validation: Metrics
  /** Whether the weights are averaged from here on; where the optimiser may average them. */
  readonly averaged?: boolean
  readonly rate: number
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
export interface StoppedEvent extends Position {
  readonly type: 'stopped'
  readonly checkpoint: string | undefined
  /** Of the last epoch that was finished. */
  readonly validation: Metrics
}

/** All epochs are done. */
export interface EndEvent extends Position {
  readonly type: 'end'
  /** Of the last epoch. */
  readonly validation: Metrics
}

/** Whatever a session tells; `type` says which. */
export type TrainEvent = StartEvent | StepEvent | EpochEvent | CheckpointEvent | WarningEvent | StoppedEvent | EndEvent

/** Metrics where there is nothing to measure. */
export const unmeasured: Metrics = { loss: NaN, accuracy: NaN }

/** Metrics that are measured when they are asked for. */
export const metricNames = ['top5', 'perplexity', 'bits'] as const
/** A metric that is measured when it is asked for. */
export type MetricName = (typeof metricNames)[number]
