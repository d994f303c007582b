// What a function of one tensor takes and gives, as far as its type says. A layer carries both in `types`, as its call is generic.
import type { Channels, IsFixedRank } from './clash.js'
import type { DType } from './dtype.js'
import type { Shape } from './shape.js'
import type { Tensor } from './tensor.js'

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

type ReplaceLast<S extends Shape, F extends number> = S extends readonly [...infer Rest extends number[], number]
  ? [...Rest, F]
  : [...number[], F]

/** Type of `layer(x)`: an output of open rank takes its leading extents from `x` (all of them from indices). */
export type Result<X extends Tensor, Out extends Output> = Out extends SameShape
  ? Tensor<'f32', X['shape']>
  : Out extends SameChannels
    ? Tensor<'f32', [number, Channels<X['shape']>, number, number]>
    : Out extends Tensor<infer D extends DType, infer S extends Shape>
      ? IsFixedRank<S> extends true
        ? Out
        : S extends readonly [...number[], infer F extends number]
          ? Tensor<D, X['dtype'] extends 'i32' ? [...X['shape'], F] : ReplaceLast<X['shape'], F>>
          : Out
      : never

/** The input of a layer, or of any other function. */
export type InputOf<F> = F extends { readonly types: { readonly in: infer I extends Tensor } }
  ? I
  : F extends (x: infer X extends Tensor) => Tensor
    ? X
    : Tensor

/** What a layer, or any other function, gives of `X`. */
export type Applied<F, X extends Tensor> = F extends { readonly types: { readonly out: infer O extends Output } }
  ? Result<X, O>
  : F extends (x: never) => Tensor
    ? ReturnType<F>
    : Tensor
