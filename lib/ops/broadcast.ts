// Broadcasting (NumPy's rule) in types, and who wants a gradient.
import { isFloat, type Shape, type Tensor } from '../graph/index.js'

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

/** True where a gradient can be wanted: a float tensor that is not fixed. */
export function wantsGradient(tensor: Tensor): boolean {
  return isFloat(tensor.dtype) && tensor.node.op.name !== 'constant'
}
