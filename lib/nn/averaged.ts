// Means of losses over what counts.
import { sameShape, formatShape, ShapeError, type Tensor } from '../graph/index.js'
import * as ops from '../ops/index.js'
import { typeText } from './check.js'

/** Options of losses that are means over elements or examples. */
export interface MeanOptions {
  /** What counts (not 0): u8 of the extents that the mean is over. A mean of nothing is 0. Default: all. */
  readonly mask?: Tensor<'u8'>
}

type Scalar = Tensor<'f32', []>

/** @throws ShapeError where the mask has other extents, or is not u8 */
export function expectMask(name: string, mask: Tensor | undefined, shape: readonly number[]): void {
  if (mask === undefined || (mask.dtype === 'u8' && sameShape(mask.shape, shape))) return
  throw new ShapeError(`${name}: expected a mask of u8${formatShape(shape)}, got ${typeText(mask)}`)
}

/** The sum of `values` over that of `weights`, 0 where the weights have none. */
export function weightedMean(values: Tensor<'f32'>, weights: Tensor<'f32'>): Scalar {
  const total = ops.sum(weights)
  return ops.div(ops.sum(values), ops.where(ops.less(0, total), total, 1))
}

/** The mean of the values that count. */
export function averaged(name: string, values: Tensor<'f32'>, { mask }: MeanOptions): Scalar {
  expectMask(name, mask, values.shape)
  if (mask === undefined) return ops.mean(values)
  const counts = ops.notEqual(mask, 0)
  return weightedMean(ops.where(counts, values, 0), ops.cast(counts, 'f32'))
}
