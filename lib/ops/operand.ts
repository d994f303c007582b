// Numbers as operands: a number takes the dtype of the tensor beside it.
import { is } from '../base/index.js'
import { constant, type DType, isFloat, type Shape, ShapeError, Tensor } from '../graph/index.js'

/** What options of ops may be, besides numbers. */
export const aTensor = is.instance('a tensor', Tensor)
export const aDType = is.oneOf('f32', 'bf16', 'i32', 'u8')

/** A scalar constant; integers only for integer dtypes. */
export function scalar<D extends DType>(dtype: D, value: number): Tensor<D, []> {
  const good = isFloat(dtype) ? Number.isFinite(value) : Number.isSafeInteger(value)
  if (!good) throw new ShapeError(`operand: expected a finite ${dtype} number, got ${value}`)
  return constant(dtype, [], value)
}

/** Both operands as tensors; two numbers are f32. */
export function asOperands(a: Tensor | number, b: Tensor | number): [Tensor, Tensor] {
  const dtype = a instanceof Tensor ? a.dtype : b instanceof Tensor ? b.dtype : 'f32'
  return [a instanceof Tensor ? a : scalar(dtype, a), b instanceof Tensor ? b : scalar(dtype, b)]
}

/** A tensor of zeros. */
export function zeros<S extends Shape>(shape: readonly [...S]): Tensor<'f32', S>
export function zeros<S extends Shape, D extends DType>(shape: readonly [...S], dtype: D): Tensor<D, S>
export function zeros(shape: Shape, dtype: DType = 'f32'): Tensor {
  return constant(dtype, shape, 0)
}

/** A tensor of ones. */
export function ones<S extends Shape>(shape: readonly [...S]): Tensor<'f32', S>
export function ones<S extends Shape, D extends DType>(shape: readonly [...S], dtype: D): Tensor<D, S>
export function ones(shape: Shape, dtype: DType = 'f32'): Tensor {
  return constant(dtype, shape, 1)
}
