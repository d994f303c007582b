// The six choices by which a network reads a number: how long it is, and each of five digits. What a reading costs, and the likeliest one, as
// graph. Goodfellow et al. 2014, arXiv:1312.6082, sections 3 and 4.
import { formatShape, type Shape, ShapeError, type Tensor } from '../graph/index.js'
import {
  add,
  argmax,
  cast,
  crossEntropy,
  cumsum,
  equal,
  exp,
  logSoftmax,
  max,
  mul,
  pad,
  reshape,
  slice,
  sub,
  sum,
} from '../ops/index.js'

/** Lengths: none to five digits, and more than five. Digits that are read, and values of each. */
const [LENGTHS, DIGITS, VALUES] = [7, 5, 10]
/** Logits of an image: 7 of its length, then 10 of each digit from the left. */
export const NUMBER_LOGITS = LENGTHS + DIGITS * VALUES

/** Logits of each choice. */
export interface NumberHeads {
  /** f32 [N, 7]: of 0 to 5 digits, and of more. */
  readonly length: Tensor<'f32', [number, number]>
  /** f32 [N, 5, 10]: of the values of each digit, from the left. */
  readonly digits: Tensor<'f32', [number, number, number]>
}

/** What numbers are, as data sets of them say it. */
export interface NumberLabels {
  /** i32 [N]: 0 to 5, and 6 for more. */
  readonly length: Tensor<'i32'>
  /** i32 [N, 5], any value where there is none. */
  readonly digits: Tensor<'i32'>
  /** f32 [N, 5]: 1 where there is a digit, 0 elsewhere. */
  readonly mask: Tensor<'f32'>
}

/** The likeliest numbers. */
export interface LikeliestNumbers {
  /** i32 [N]: 0 to 5, and 6 for more. */
  readonly length: Tensor<'i32'>
  /** i32 [N, 5]: the likeliest value of each digit; those behind the length do not count. */
  readonly digits: Tensor<'i32'>
  /** f32 [N], 0 to 1: the probability of the whole number. */
  readonly confidence: Tensor<'f32'>
}

/**
 * The choices of a network's logits f32 [N, 57].
 * @throws ShapeError for logits of other extents
 * @example const { length, digits } = numberHeads(net(x))
 */
export function numberHeads(logits: Tensor<'f32'>): NumberHeads {
  const [rows = 1, all] = logits.shape
  if (logits.rank !== 2 || all !== NUMBER_LOGITS) {
    throw new ShapeError(`numberHeads: expected logits f32[N, ${NUMBER_LOGITS}], got f32${formatShape(logits.shape)}`)
  }
  return {
    length: slice(logits, [0, 0], [rows, LENGTHS]),
    digits: reshape(slice(logits, [0, LENGTHS], [rows, DIGITS * VALUES]), [rows, DIGITS, VALUES]),
  }
}

/**
 * -log p(length) - sum of log p(digit) over the digits that are there, of each image: logits f32 [N, 57] -> [N], nats. A digit that is absent
 * costs nothing, and its logits have a gradient of 0.
 * @throws ShapeError for extents that do not agree
 * @see Goodfellow et al. 2014, arXiv:1312.6082, section 4
 * @example const loss = ops.mean(numberCosts(net(x), { length, digits, mask }))
 */
export function numberCosts(logits: Tensor<'f32'>, { length, digits, mask }: NumberLabels): Tensor<'f32'> {
  const heads = numberHeads(logits)
  const each: Tensor<'f32'> = crossEntropy(reshape(heads.digits, [-1, VALUES]), reshape(digits, [-1]))
  const there = mul<'f32', Shape, Shape>(reshape(each, digits.shape), mask)
  return add<'f32', Shape, Shape>(crossEntropy(heads.length, reshape(length, [-1])), sum(there, -1))
}

/**
 * The likeliest number of each image, by the best of its lengths: of each length the likeliest digits are the likeliest of each, so that the sum of
 * their logarithms, carried from length to length, is all that is needed.
 * @throws ShapeError for logits of other extents
 * @see Goodfellow et al. 2014, arXiv:1312.6082, section 4
 * @example const { length, digits, confidence } = likeliestNumbers(net(x))
 */
export function likeliestNumbers(logits: Tensor<'f32'>): LikeliestNumbers {
  const heads = numberHeads(cast(logits, 'f32'))
  const best: Tensor<'f32'> = max(logSoftmax(heads.digits), -1)
  // No digit adds to a number that has none, and none of one that is longer is read.
  const sums: Tensor<'f32'> = pad(cumsum(best), [0, 1], [0, 1])
  const scores = add<'f32', Shape, Shape>(logSoftmax(heads.length), sums)
  return { length: argmax(scores), digits: argmax(heads.digits), confidence: exp(max(scores, -1)) }
}

/**
 * Which numbers are right as a whole, length and every digit: f32 [N] of 0 and 1.
 * @example measures.mean({ sum: ops.sum(rightNumbers(likeliest, labels)), count: rows, better: 'more', format: 'percent' })
 */
export function rightNumbers(found: LikeliestNumbers, { length, digits, mask }: NumberLabels): Tensor<'f32'> {
  const wrong = mul<'f32', Shape, Shape>(sub(1, cast(equal(found.digits, digits), 'f32')), mask)
  const same: Tensor<'f32'> = cast(equal(found.length, length), 'f32')
  return mul<'f32', Shape, Shape>(same, cast(equal(sum(wrong, -1), 0), 'f32'))
}
