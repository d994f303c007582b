// Symbolic tensors, the nodes that produce them, and ops, which carry their own rules: three that name each other. Tensors and nodes are
// immutable; a pass builds new ones. A tensor has no value while it is traced: JavaScript's operators on it are refused (but a plain
// condition, `if (x)`, which a program cannot see). The registry and every op live in lib/ops.
import type { DType } from './dtype.js'
import { GraphError } from './errors.js'
import type { Attrs, AttrSchema, NotDifferentiable, Traits, TensorType } from './op.js'
import { formatShape, type Shape } from './shape.js'
import { callSite, type Site } from './site.js'

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

  /**
   * Called where JavaScript would make a number or a text of it.
   * @throws GraphError with the ops to use in the place of an operator
   */
  [Symbol.toPrimitive](hint: 'number' | 'string' | 'default'): never {
    const site = callSite()
    const own = `${this.node.op.name}[${this.node.path}]: ${this.dtype}${formatShape(this.shape)}`
    const at = site === undefined ? '' : ` (at ${site})`
    throw new GraphError(`${own} has no value while it is traced: expected ${instead[hint]}${at}`)
  }
}

/** What to write, by what JavaScript asked for. */
const instead = {
  number:
    'ops such as ops.sub(a, b), ops.mul(a, b), ops.less(a, b) and ops.where(condition, a, b), got an operator such as a - b, a * b or a < b',
  default: 'ops such as ops.add(a, b) and ops.equal(a, b), got an operator such as a + b or a == b',
  string: 'its .dtype and .shape for a message, got a conversion to text',
} as const

/** One application of an op. `site` is where it was called, for messages. */
export interface Node {
  readonly op: Op
  readonly inputs: readonly Tensor[]
  readonly attrs: Attrs
  readonly outputs: readonly Tensor[]
  readonly path: string
  readonly site: Site | undefined
}

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

interface Rules<A extends Attrs> {
  readonly name: string
  readonly attributes: AttrSchema<A>
  /** Shape and dtype rule; throws ShapeError with a message of the form `expected ..., got ...` (no op name: the tracer adds it). */
  infer(inputs: readonly TensorType[], attrs: A): readonly TensorType[]
  readonly vjp: Vjp<A> | NotDifferentiable
}

/** An op. What passes ask of it stands in it, so that no pass knows it by name. */
export type Op<A extends Attrs = Attrs> = Rules<A> & Traits

/** Declares an op with its attribute type checked; the registry stores ops with erased attribute types. */
export function defineOp<A extends Attrs = Attrs>(op: Op<A>): Op<A> {
  return op
}
