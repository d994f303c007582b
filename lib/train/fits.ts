// Whether a network and a loss fit the fields `x` and `target` of their data, as far as types say, and the words where they do not.
// What takes any tensor, and a field of which nothing is known, are checked when traced.
import type { Fields, FieldSpec } from '../data/index.js'
import type { Fits } from '../graph/clash.js'
import type { Tensor } from '../graph/index.js'
import type { Applied, InputOf } from '../graph/steps.js'
import type { FieldTensor, Inputs, RawTensor } from './types.js'

declare const none: unique symbol

/** The type of the option `inputs` where it is not given: as `Inputs`, so that functions are typed by it, but of no field. */
export interface NoInputs extends Inputs {
  readonly [none]?: never
}

/** The fields that `inputs` prepares. */
type Own<I> = typeof none extends keyof I ? never : keyof I

/** A field after what prepares it. */
type Given<S extends FieldSpec, Name, I> = Name extends Own<I> ? Applied<I[Name], RawTensor<S>> : FieldTensor<S>

/** What became of the field, where that may be news. */
type Remark<Want extends Tensor, S extends FieldSpec, Name, I> =
  Name extends Own<I>
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
