// Whether a network and a loss fit the fields `x` and `target` of their data, as far as types say, and the words where they do not; and
// what is known of the parameters of functions that are written in place. What takes any tensor, and a field of which nothing is known,
// are checked when traced.
import type { FieldDtype, Fields, FieldSpec } from '../data/index.js'
import type { Fits } from '../graph/clash.js'
import type { Tensor } from '../graph/index.js'
import type { Applied, InputOf } from '../graph/steps.js'
import type { FieldTensor, RawTensor } from './types.js'

declare const untold: unique symbol

/** The type of an option of which nothing is known yet: it is written in place, or not looked at so far. */
export interface Untold {
  readonly [untold]?: never
}

type IsTold<T> = typeof untold extends keyof T ? false : true

/** A field after what prepares it; `I` is the option `inputs`, undefined where it is not given. */
type Given<S extends FieldSpec, Name, I> =
  IsTold<I> extends false ? Tensor : Name extends keyof I ? Applied<I[Name], RawTensor<S>> : FieldTensor<S>

/** What became of the field, where that may be news. */
type Remark<Want extends Tensor, S extends FieldSpec, Name, I> = Name extends keyof I
  ? ', prepared by inputs,'
  : 'f32' extends Want['dtype']
    ? ''
    : S['dtype'] extends 'u8'
      ? ', bytes scaled to 0..1,'
      : ''

type Fitting<Who extends string, Want extends Tensor, Name extends string, F extends Fields, I> = [Want] extends [never]
  ? unknown
  : Tensor extends Want
    ? unknown
    : Name extends keyof F
      ? Fits<Want, Given<F[Name], Name, I>, Who, `the field ${Name}${Remark<Want, F[Name], Name, I>} gives`>
      : `${Who} reads the field ${Name}, which the data does not have`

type TargetOf<L> = L extends (output: never, target: infer T extends Tensor) => unknown ? T : Tensor

/** Refuses, when compiled, data whose field `x` does not fit the network. */
export type NetworkFits<N, F extends Fields, I> = Fitting<'the network', InputOf<N>, 'x', F, I>

/** Refuses, when compiled, a loss that does not fit the field `target`. */
export type LossFits<L, F extends Fields, I> = Fitting<'the loss', TargetOf<L>, 'target', F, I>

type FieldOf<F extends Fields, Name, I> = Name extends keyof F ? Given<F[Name], Name, I> : Tensor

/** A loss; one that is written in place is given the network's output and the field `target`. */
export type LossOf<L, N, F extends Fields, I> = {
  of(
    output: IsTold<L> extends true ? Tensor : Applied<N, FieldOf<F, 'x', I>>,
    target: IsTold<L> extends true ? Tensor : FieldOf<F, 'target', I>,
  ): Tensor<'f32'>
}['of']

/** A field as the data has it, where its dtype and its rank are known. */
type Known<S extends FieldSpec> = FieldDtype extends S['dtype']
  ? Tensor
  : number extends S['shape']['length']
    ? Tensor
    : RawTensor<S>

/** What prepares fields; one that is written in place is given the field as the data has it. */
export type InputsOf<F extends Fields> = {
  readonly [Name in keyof F]?: { prepare(field: Known<F[Name]>): Tensor }['prepare']
}
