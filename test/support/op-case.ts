// What a case of test/ops declares. cases.test.ts derives the checks: shape rule, gradient, golden vectors, parity.
import { type Attrs, type DType, emit, type Tensor, type TensorType } from '../../lib/graph/index.js'
import { registry } from '../../lib/ops/registry.js'
import type { NDArray } from './ndarray.js'
import type { Draw } from './random.js'

/** A naive float64 evaluation of one op. `outputs` are the types that the shape rule gave. */
export type Reference<A extends Attrs = Attrs> = (
  inputs: readonly NDArray[],
  attrs: A,
  outputs: readonly TensorType[],
) => readonly NDArray[]

/** `float` follows the precision that is tested; the others are fixed (a bias, a loss). */
export type SampleDType = 'float' | DType

export interface SampleInput {
  readonly dtype: SampleDType
  readonly shape: readonly number[]
  readonly draw: Draw
}

export type Build = (...inputs: readonly Tensor[]) => Tensor | readonly Tensor[]

export interface Sample {
  /** What is special about it. */
  readonly name: string
  readonly inputs: readonly SampleInput[]
  readonly build: Build
  /** Types that the shape rule must give, as `float[2, 3]`. */
  readonly outputs: readonly string[]
  /** Why there is no gradient to check; checked where it is not given. */
  readonly noGradient?: string
  /** Why the gradient has no gradient; checked where it is not given. */
  readonly noSecondGradient?: string
  /** Of a composed function: its value, independently of the ops that it is made of. */
  readonly value?: (...inputs: readonly NDArray[]) => NDArray
  /** Outputs that no backend gives out. */
  readonly opaque?: readonly number[]
  /** In place of the case's own. */
  readonly tolerance?: Tolerance
}

/** Something that the shape rule must refuse, and words of the message. */
export interface Refusal {
  readonly inputs: readonly { readonly dtype: DType; readonly shape: readonly number[] }[]
  readonly build: Build
  readonly message: RegExp
  /** Default: `ERR_SHAPE`. */
  readonly code?: 'ERR_SHAPE' | 'ERR_OPTION'
}

/**
 * Largest error of a backend in an output of f32 and of bf16: relative to each element, or to the largest element of the
 * tensor (sums that cancel). Inputs are exact in both, so the precision of the output decides.
 */
export interface Tolerance {
  readonly f32: number
  readonly bf16: number
  readonly relativeTo: 'element' | 'tensor'
  /** In a graph of bf16, outputs of f32 have its error too: they depend on what is rounded on the way. Default: false. */
  readonly spreads?: boolean
  readonly reason: string
}

export interface OpCase<A extends Attrs = Attrs> {
  /** Name in the registry, or of a composed function. */
  readonly name: string
  /** Present for ops of the registry, absent for composed functions. */
  readonly reference?: Reference<A>
  readonly samples: readonly Sample[]
  readonly refusals: readonly Refusal[]
  readonly tolerance: Tolerance
  /** Why PyTorch has no vectors for it; for others test/golden must hold some. */
  readonly noGolden?: string
}

/** Declares a case; its attribute type is erased, as in the registry. */
export function opCase<A extends Attrs>(declared: OpCase<A>): OpCase {
  return declared as unknown as OpCase
}

export function input(dtype: SampleDType, shape: readonly number[], draw: Draw): SampleInput {
  return { dtype, shape, draw }
}

/** Applies an op of the registry by name; attributes may depend on the operands (a dtype that follows theirs). */
export function apply(name: string, attrs: Attrs | ((...inputs: readonly Tensor[]) => Attrs) = {}): Build {
  const op = registry.get(name)
  if (op === undefined) throw new Error(`${name}: expected an op of the registry`)
  return (...inputs) => emit(op, inputs, typeof attrs === 'function' ? attrs(...inputs) : attrs)
}

/** An op that moves elements, compares or counts: every precision is exact. */
export const exact: Tolerance = { f32: 0, bf16: 0, relativeTo: 'element', reason: 'elements are moved, not computed' }

/** One rounding of a result in each precision, and a transcendental function that is good to a few units in the last place. */
export const rounding: Tolerance = {
  f32: 2 ** -21,
  bf16: 2 ** -8,
  relativeTo: 'element',
  reason: 'one rounding of the result; functions are good to a few units in the last place of f32',
}

/** Sums of products in f32 over at most a few hundred terms, whose order is the backend's. */
export const accumulation: Tolerance = {
  f32: 2 ** -19,
  bf16: 2 ** -8,
  relativeTo: 'tensor',
  reason: 'f32 accumulation in an order of the backend; one rounding of the result',
}
