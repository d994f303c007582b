// What layers say about their input and output to the compiler: which extents must meet, and the words when they do not.
// Contracted extents (features, channels) are literal types; `number` stands for what is known only when traced.
import type { Fits } from '../graph/clash.js'
import type { Shape, Tensor } from '../graph/index.js'

export type { Output, Result, SameChannels, SameShape } from '../graph/steps.js'

/** Any rank, last axis of `F` features: `[..., F]`. */
export type Features<F extends number = number> = Tensor<'f32', [...number[], F]>

/** A batch of images with `C` channels: `[N, C, H, W]`. */
export type Images<C extends number = number> = Tensor<'f32', [number, C, number, number]>

/** Integer indices of any rank. */
export type Indices = Tensor<'i32'>

/** Nothing where `X` fits `In`; otherwise a sentence that no tensor is assignable to. */
export type Accepts<In extends Tensor, X extends Tensor> = Fits<In, X, 'this layer', 'gets'>

/** Connections into one output unit and out of one input unit. */
export interface Fans {
  readonly in: number
  readonly out: number
}

/** Builds the first value of a parameter of this shape. */
export type Initializer = (shape: Shape, fans: Fans) => Tensor<'f32'>
