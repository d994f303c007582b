// Symbolic tensors and the nodes that produce them. Both are immutable; a pass builds new ones.
import type { DType } from './dtype.js'
import type { Attrs, Op } from './op.js'
import type { Shape } from './shape.js'

/**
 * One output of one node: element type and extents, no data.
 * Extents that get contracted are literal types (`Tensor<'f32', [number, 784]>`); batch and spatial extents are `number`.
 */
export class Tensor<D extends DType = DType, S extends Shape = Shape> {
  constructor(
    readonly node: Node,
    readonly index: number,
    readonly dtype: D,
    readonly shape: S,
  ) {}

  get rank(): S['length'] {
    return this.shape.length
  }
}

/** One application of an op. `site` is the caller's `file:line:column`, kept for messages. */
export interface Node {
  readonly op: Op
  readonly inputs: readonly Tensor[]
  readonly attrs: Attrs
  readonly outputs: readonly Tensor[]
  readonly path: string
  readonly site: string | undefined
}
