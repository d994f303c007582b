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
export type OpKind = 'source' | 'pointwise' | 'kernel' | 'marker'
