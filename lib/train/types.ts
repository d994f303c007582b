// What a person gives a session to learn from and by, as types: fields as tensors, objectives, networks and losses.
import type { FieldDtype, Fields, FieldSpec } from '../data/index.js'
import type { DType, Tensor } from '../graph/index.js'
import type { Measure, Pair } from './measure.js'

/** A network: any function from one tensor to one tensor that reads Variables. */
export type Network = {
  /** Of one batch. */ apply(x: Tensor): Tensor
}['apply']

/** Mean loss of a batch, from the network's output and the field `target`. */
export type Loss = {
  /** f32 []. */ of(output: Tensor, target: Tensor): Tensor<'f32'>
}['of']

/**
 * How a field becomes what an objective takes, field by field. Default: `u8` is cast to f32 and scaled by 1/255, all else is taken
 * as it comes.
 */
export type Inputs = Readonly<
  Record<
    string,
    {
      /** Of one field. */ prepare(field: Tensor): Tensor
    }['prepare']
  >
>

/**
 * What the gradient is of, where the data is sequences in windows of T steps: the mean loss over time and streams, or T times
 * that, the sum over time. Losses are told as means either way.
 */
export type OverTime = 'mean' | 'sum'

/** What an objective gives: a loss (the batch's mean, or a sum and what it is over), and measures by name. */
export interface Outcome {
  readonly loss: Tensor<'f32'> | Pair
  readonly [measure: string]: Measure | Pair | Tensor<'f32'>
}

/** What is learned: the fields of a batch to a loss, and measures beside it. `views` are those of each example in `x`. */
export type Objective = {
  /** Of one batch. */ of(fields: Readonly<Record<string, Tensor>>, views: number): Outcome
}['of']

type Batched<S extends FieldSpec> = S extends { readonly batchAxis: 1 }
  ? number[]
  : number extends S['shape']['length']
    ? number[]
    : [number, ...S['shape']]

type Prepared<D extends FieldDtype> = FieldDtype extends D ? DType : D extends 'u8' ? 'f32' : D

/** A field of a batch as the data has it. */
export type RawTensor<S extends FieldSpec> = Tensor<S['dtype'], Batched<S>>

/** A field of a batch as an objective takes it: bytes scaled to f32, all else as it comes, unless `inputs` says otherwise. */
export type FieldTensor<S extends FieldSpec> = Tensor<Prepared<S['dtype']>, Batched<S>>

/** The fields of a batch as an objective takes them. */
export type FieldTensors<F extends Fields> = { readonly [K in keyof F]: FieldTensor<F[K]> }
