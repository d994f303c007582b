// What decoders are told in types: extents become tensors in the functions that they compile, and arrays where these are run.
import type { DType, HostArrays, Tensor } from '../graph/index.js'
import type { Compiled, CompileOptions, Extent, Results, Traceable } from '../train/compiled.js'

/** What compiles functions over trained weights: a session or a loaded model. */
export interface Compiler {
  /** As `compile` of a session. */
  compile<R extends Readonly<Record<string, Tensor>>>(
    fn: Traceable<R>,
    extents: Readonly<Record<string, Extent>>,
    options?: CompileOptions,
  ): Promise<Compiled<R>>
}

/** Extents of inputs, by name. */
export type Extents = Readonly<Record<string, Extent>>
/** Extents [N, ...] of states, by name; N is the same in all of them. */
export type StateExtents = Readonly<Record<string, readonly number[]>>

type DTypeOf<E> = E extends { readonly dtype: infer D extends DType } ? D : 'f32'
/** Inputs as a function that is compiled sees them: f32 unless their extents say otherwise. */
export type InputTensors<I> = { readonly [Name in keyof I]: Tensor<DTypeOf<I[Name]>> }
/** Inputs of a run. */
export type InputArrays<I> = { readonly [Name in keyof I]: HostArrays[DTypeOf<I[Name]>] }
/** States as a function that is compiled sees them. */
export type StateTensors<S> = { readonly [Name in keyof S]: Tensor<'f32'> }

/** What a function over states gives. */
export interface Stepped<S, O> {
  /** Comes back to the host at each run. */
  readonly outputs: O
  /** What becomes of the states; one that is not among them stays as it is. */
  readonly states: Partial<StateTensors<S>>
}

/** A compiled function over a decoder's states. */
export interface DecoderProgram<I, O> {
  /**
   * Runs it, behind all that was asked of the decoder before; inputs are copied before it returns.
   * @throws DataError for an input that is missing, unknown or of another type or length; `ERR_DATA` for an index out of range
   */
  run(inputs: InputArrays<I>): Promise<Results<O>>
}

/** Options of `decoder`. */
export interface DecoderOptions<S extends StateExtents> {
  /** Extents [N, ...] of each state, f32; N rows are decoded at once. Default: none but what recurrent layers carry. */
  readonly states?: S
  /** Of the compiled functions, as in `session.compile`. Default: `f32`. */
  readonly precision?: NonNullable<CompileOptions['precision']>
}
