// What layers say about their input and output to the compiler: which extents must meet, and the words when they do not.
// Contracted extents (features, channels) are literal types; `number` stands for what is known only when traced.
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

type IsLiteral<N> = [N] extends [number] ? (number extends N ? false : true) : false
type IsFixedRank<S extends Shape> = number extends S['length'] ? false : true
type Last<S extends Shape> = S extends readonly [...Shape, infer L extends number] ? L : number
type Channels<S extends Shape> = S extends readonly [number, infer C extends number, number, number] ? C : number

/** `never` where two extents can meet; the words of the disagreement where both are known and differ. */
type ExtentClash<Want extends number, Got extends number, Word extends string> =
  IsLiteral<Want> extends true
    ? IsLiteral<Got> extends true
      ? Want extends Got
        ? never
        : [`${Word} ${Want}`, `${Got}`]
      : never
    : never

type RankClash<Want extends Shape, Got extends Shape> =
  IsFixedRank<Want> extends true
    ? IsFixedRank<Got> extends true
      ? Want['length'] extends Got['length']
        ? never
        : [`rank ${Want['length']}`, `rank ${Got['length']}`]
      : never
    : never

type ShapeClash<Want extends Shape, Got extends Shape> = [RankClash<Want, Got>] extends [never]
  ? [ExtentClash<Channels<Want>, Channels<Got>, 'channels'>] extends [never]
    ? ExtentClash<Last<Want>, Last<Got>, 'features'>
    : ExtentClash<Channels<Want>, Channels<Got>, 'channels'>
  : RankClash<Want, Got>

/** `[expected, got]` in words where a tensor cannot be the input of a layer, `never` where it may be. */
export type Clash<Want extends Tensor, Got extends Tensor> = Got extends Want
  ? never
  : [Got['dtype'] & Want['dtype']] extends [never]
    ? [Want['dtype'], Got['dtype']]
    : ShapeClash<Want['shape'], Got['shape']>

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
