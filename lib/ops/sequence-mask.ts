// Lengths of sequences as a mask of their steps.
import { constant, type Shape, ShapeError, type Tensor } from '../graph/index.js'
import { reshape } from './axes.js'
import { typeText } from './define.js'
import { gather } from './gather.js'
import { zeros } from './operand.js'
import { add, cast, less } from './pointwise.js'

/** These lengths i32 [N], where they are 0 to `most`: another is the run-time error ERR_DATA. */
export function knownLengths(lengths: Tensor<'i32'>, most: number): Tensor<'i32'> {
  const [rows = 1] = lengths.shape
  // A table of so many zeros and one more: a length outside of it is refused as every wrong index is.
  const zero = cast(reshape(gather(zeros([most + 1, 1]), lengths), [rows]), 'i32')
  return add<'i32', Shape, Shape>(lengths, zero)
}

/**
 * Which steps sequences of these lengths have: lengths i32 [N] -> u8 [T, N], 1 where t < lengths[n]. A length outside 0 to T is the
 * run-time error ERR_DATA.
 * @throws ShapeError for lengths of another dtype or rank, and steps that are no integer of at least 1.
 * @example nn.crossEntropy(logits, tags, { mask: ops.sequenceMask(lengths, 20) })
 */
export function sequenceMask(lengths: Tensor<'i32'>, steps: number): Tensor<'u8', [number, number]> {
  const given: Tensor = lengths
  if (given.dtype !== 'i32' || given.rank !== 1) {
    throw new ShapeError(`sequenceMask: expected lengths of i32[N], got ${typeText(given)}`)
  }
  if (!Number.isSafeInteger(steps) || steps < 1) {
    throw new ShapeError(`sequenceMask: expected steps to be an integer of at least 1, got ${steps}`)
  }
  const known = reshape(knownLengths(lengths, steps), [1, lengths.shape[0] ?? 1])
  const t = constant(
    'i32',
    [steps, 1],
    Array.from({ length: steps }, (_, i) => i),
  )
  return less(t, known)
}
