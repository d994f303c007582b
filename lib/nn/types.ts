// What layers say about their input and output to the compiler: which extents must meet, and the words when they do not.
// Contracted extents (features, channels) are literal types; `number` stands for what is known only when traced.
import type { Channels, Clash, IsFixedRank } from '../graph/clash.js'
import type { DType, Shape, Tensor } from '../graph/index.js'

/** Any rank, last axis of `F` features: `[..., F]`. */
export type Features<F extends number = number> = Tensor<'f32', [...number[], F]>

/** A batch of images with `C` channels: `[N, C, H, W]`. */
export type Images<C extends number = number> = Tensor<'f32', [number, C, number, number]>

/** Integer indices of any rank. */
export type Indices = Tensor<'i32'>

/** Output of a layer that keeps its input's extents (relu, dropout). */
export interface SameShape {
  readonly keeps: 'shape'
}

/** Output of a layer that keeps batch and channels and changes H and W (pooling). */
export interface SameChannels {
  readonly keeps: 'channels'
}

/** What a layer may declare as its output. */
export type Output = Tensor | SameShape | SameChannels

/** Nothing where `X` fits `In`; otherwise a sentence that no tensor is assignable to. */
export type Accepts<In extends Tensor, X extends Tensor> = [Clash<In, X>] extends [never]
  ? unknown
  : Clash<In, X> extends [infer Want extends string, infer Got extends string]
    ? `this layer expects ${Want}, but gets ${Got}`
    : unknown

type ReplaceLast<S extends Shape, F extends number> = S extends readonly [...infer Rest extends number[], number]
  ? [...Rest, F]
  : [...number[], F]

/** Type of `layer(x)`: an output of open rank takes its leading extents from `x` (all of them from indices). */
export type Result<X extends Tensor, Out extends Output> = Out extends SameShape
  ? Tensor<'f32', X['shape']>
  : Out extends SameChannels
    ? Images<Channels<X['shape']>>
    : Out extends Tensor<infer D extends DType, infer S extends Shape>
      ? IsFixedRank<S> extends true
        ? Out
        : S extends readonly [...number[], infer F extends number]
          ? Tensor<D, X['dtype'] extends 'i32' ? [...X['shape'], F] : ReplaceLast<X['shape'], F>>
          : Out
      : never

/** Connections into one output unit and out of one input unit. */
export interface Fans {
  readonly in: number
  readonly out: number
}

/** Builds the first value of a parameter of this shape. */
export type Initializer = (shape: Shape, fans: Fans) => Tensor<'f32'>
