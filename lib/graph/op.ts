// What an op is: a value that carries its own rules. The registry and every op live in lib/ops.
import type { DType } from './dtype.js'
import type { Shape } from './shape.js'
import type { Tensor } from './tensor.js'

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

/** What `vjp` sees of the node that it differentiates. */
export interface VjpNode<A extends Attrs = Attrs> {
  readonly inputs: readonly Tensor[]
  readonly outputs: readonly Tensor[]
  readonly attrs: A
}

/**
 * Vector-Jacobian product: given dL/d(output) for each output (undefined = zero), emits nodes for dL/d(input), one per
 * input; undefined where the input gets no gradient.
 */
export type Vjp<A extends Attrs = Attrs> = (
  node: VjpNode<A>,
  cotangents: readonly (Tensor | undefined)[],
) => readonly (Tensor | undefined)[]

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
export type OpKind = 'source' | 'pointwise' | 'kernel' | 'marker'

export interface Op<A extends Attrs = Attrs> {
  readonly name: string
  readonly kind: OpKind
  readonly attributes: AttrSchema<A>
  /** Shape and dtype rule; throws ShapeError with a message of the form `expected ..., got ...` (no op name: the tracer adds it). */
  infer(inputs: readonly TensorType[], attrs: A): readonly TensorType[]
  readonly vjp: Vjp<A> | NotDifferentiable
}

/** Declares an op with its attribute type checked; the registry stores ops with erased attribute types. */
export function defineOp<A extends Attrs = Attrs>(op: Op<A>): Op<A> {
  return op
}
