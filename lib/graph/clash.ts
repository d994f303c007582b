// Whether two types of tensors can meet, and the words where they cannot. Contracted extents (features, channels) are literal types;
// `number` stands for what is known only when traced.
import type { Shape } from './shape.js'
import type { Tensor } from './tensor.js'

type IsLiteral<N> = [N] extends [number] ? (number extends N ? false : true) : false
/** Whether the number of axes is known. */
export type IsFixedRank<S extends Shape> = number extends S['length'] ? false : true
type Last<S extends Shape> = S extends readonly [...Shape, infer L extends number] ? L : number
/** Extent of the second of four axes. */
export type Channels<S extends Shape> = S extends readonly [number, infer C extends number, number, number] ? C : number

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

/** Nothing where `Who` can take what `Source` is said to give; otherwise a sentence that no tensor and no function is assignable to. */
export type Fits<Want extends Tensor, Got extends Tensor, Who extends string, Source extends string> = [
  Clash<Want, Got>,
] extends [never]
  ? unknown
  : Clash<Want, Got> extends [infer W extends string, infer G extends string]
    ? `${Who} expects ${W}, but ${Source} ${G}`
    : unknown
