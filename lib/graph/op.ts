// What rules of ops are written in: types without a place in a graph, attributes, kinds.
import type { DType } from './dtype.js'
import type { Shape } from './shape.js'

/** Element type and extents, without a place in a graph. */
export interface TensorType {
  readonly dtype: DType
  readonly shape: Shape
}

/** Attribute values are JSON, so that the printer and the encoder need no case per op. */
export type AttrValue = string | number | boolean | readonly AttrValue[] | { readonly [key: string]: AttrValue }
export type Attrs = Readonly<Record<string, AttrValue>>

/** The kind of each attribute; `verify` holds every node to it. `int` and `ints` demand safe integers. */
export type AttrKind = 'int' | 'ints' | 'number' | 'boolean' | 'string' | 'dtype' | 'json'
export type AttrSchema<A extends Attrs> = { readonly [K in keyof A]-?: AttrKind }

/** Marks an op that has no derivative; `grad` throws with the reason when a path needs it. */
export interface NotDifferentiable {
  readonly reason: string
}

export function notDifferentiable(reason: string): NotDifferentiable {
  return { reason }
}

/**
 * - `source`: feed, state or constant. Lives in lib/graph, never reaches a kernel.
 * - `pointwise`: one output element per input element, broadcasting; runs inside the `pointwise` kernel's chain.
 * - `kernel`: one line of native/program/ops.def.
 * - `marker`: only steers tracing or differentiation; removed by a pass before encoding.
 */
export type OpKind = Traits['kind']

/** A source or a marker: no pass asks more of it than its kind. */
interface PlainTraits {
  readonly kind: 'source' | 'marker'
}

export interface PointwiseTraits {
  readonly kind: 'pointwise'
  /**
   * In a program of bf16: `follows` where it hands activations on, selecting them or rounding them once, and so is in bf16
   * between ops that are; else `f32`.
   */
  readonly inBf16: 'f32' | 'follows'
  /**
   * Its value in float64, which constants are folded with: every kernel means the same, rounded once to the result's dtype. Undefined
   * where constants are not worth a formula.
   */
  readonly formula: ((...x: number[]) => number) | undefined
}

export interface KernelTraits {
  readonly kind: 'kernel'
  /**
   * In a program of bf16:
   * - `f32`: it is computed in f32 (statistics, losses, reductions);
   * - `widens`: the same, but it reads bf16 by itself: what was widened for it is read as it was;
   * - `follows`: it hands activations on, and is in bf16 between ops that are; with a list, only these of its inputs are
   *   activations, and the others (factors, statistics) stay f32;
   * - a number: so many of its inputs, from the first, are read in bf16, and its first result is in bf16, or as its attribute
   *   `dtype` says, where it has one.
   */
  readonly inBf16: 'f32' | 'widens' | 'follows' | { readonly follows: readonly number[] } | number
  /** Whether it only moves elements of its one input, so that of equal ones it gives equal ones. */
  readonly moves: boolean
  /**
   * The axis of its result along which it can add a third input, f32, before it applies its attribute `activation`; `none`
   * where it does neither.
   */
  readonly epilogue: 'none' | 'lastAxis' | 'channels'
}

/** What passes ask of any op, by its kind. */
export type Traits = PlainTraits | PointwiseTraits | KernelTraits
