// Broadcasting (NumPy's rule) in types, and its adjoint.
import { isFloat, sameShape, type Shape, type Tensor } from '../graph/index.js'
import { sum } from './reduce.js'
import { reshape } from './reshape.js'

/** Extent of two broadcast axes: 1 gives way, a known extent beats an unknown one. */
type Extent<A extends number, B extends number> = A extends 1 ? B : B extends 1 ? A : number extends A ? B : A

/** Shape of an op over two broadcast operands, aligned at their last axes. */
export type Broadcast<A extends Shape, B extends Shape> = number extends A['length'] | B['length']
  ? Shape
  : A extends readonly [...infer A1 extends Shape, infer AE extends number]
    ? B extends readonly [...infer B1 extends Shape, infer BE extends number]
      ? [...Broadcast<A1, B1>, Extent<AE, BE>]
      : A
    : B

/** Adjoint of broadcasting: sums `dy` over the axes along which a tensor of `shape` was repeated. */
export function unbroadcast(dy: Tensor, shape: Shape): Tensor {
  if (sameShape(dy.shape, shape)) return dy
  const lead = dy.rank - shape.length
  const axes = dy.shape.flatMap((extent, axis) => (axis < lead || shape[axis - lead] !== extent ? [axis] : []))
  return reshape(sum(dy, axes), shape)
}

/** True where a gradient can be wanted: a float tensor that is not fixed. */
export function wantsGradient(tensor: Tensor): boolean {
  return isFloat(tensor.dtype) && tensor.node.op.name !== 'constant'
}
