// Losses of numbers and of embeddings: scalars in the graph, means over all that counts. Refuse operands that would only fit by
// broadcasting.
import { expectOptions, is } from '../base/index.js'
import { formatShape, type Shape, ShapeError, Tensor } from '../graph/index.js'
import * as ops from '../ops/index.js'
import { averaged, type MeanOptions } from './averaged.js'
import { typeText } from './check.js'
import { expectAlike } from './losses.js'

type F = Tensor<'f32'>
type Scalar = Tensor<'f32', []>

const mask = is.instance('a tensor', Tensor)

/**
 * Mean of (prediction - target)^2 over all elements that count; both f32 of one shape.
 * @throws ShapeError where the shapes differ; OstrichError `ERR_OPTION`.
 */
export function meanSquaredError(prediction: F, target: F, options: MeanOptions = {}): Scalar {
  expectOptions<MeanOptions>('nn.meanSquaredError', options, { mask })
  expectAlike('meanSquaredError', prediction, target)
  return averaged('meanSquaredError', ops.square(ops.sub(prediction, target)), options)
}

/**
 * Mean of |prediction - target| over all elements that count (L1); both f32 of one shape. The gradient where both are equal is 0.
 * @throws ShapeError where the shapes differ; OstrichError `ERR_OPTION`.
 */
export function meanAbsoluteError(prediction: F, target: F, options: MeanOptions = {}): Scalar {
  expectOptions<MeanOptions>('nn.meanAbsoluteError', options, { mask })
  expectAlike('meanAbsoluteError', prediction, target)
  return averaged('meanAbsoluteError', ops.abs(ops.sub(prediction, target)), options)
}

/** Options of `huber`. */
export interface HuberOptions extends MeanOptions {
  /** Where the parabola becomes a line; more than 0. Default: 1. */
  readonly delta?: number
}

/**
 * Mean over all elements that count of d^2 / 2 where d = |prediction - target| is below delta, else delta (d - delta / 2); both f32 of
 * one shape.
 * @throws ShapeError where the shapes differ; OstrichError `ERR_OPTION`.
 * @see Huber 1964, "Robust estimation of a location parameter".
 */
export function huber(prediction: F, target: F, options: HuberOptions = {}): Scalar {
  expectOptions<HuberOptions>('nn.huber', options, { delta: is.positive, mask })
  const { delta = 1 } = options
  expectAlike('huber', prediction, target)
  const distance = ops.abs(ops.sub(prediction, target))
  // With c = min(d, delta): c (d - c / 2) is both.
  const near = ops.where(ops.less(distance, delta), distance, delta)
  return averaged('huber', ops.mul(near, ops.sub(distance, ops.mul(near, 0.5))), options)
}

function expectRows(name: string, rows: readonly Tensor[]): void {
  const [first, ...others] = rows
  for (const other of others) if (first) expectAlike(name, first, other)
  if (first && first.rank < 2)
    throw new ShapeError(`${name}: expected embeddings of f32[..., D], got ${typeText(first)}`)
}

/** Sum over features of a b. */
const dot = (a: F, b: F): F => ops.sum(ops.mul(a, b), -1)

/** Cosine of the angle between rows; that with a row of zeros is 0. */
function cosine(a: F, b: F): F {
  const inverse = (x: F) => ops.rsqrt(ops.maximum(dot(x, x), 1e-16))
  return ops.mul(dot(a, b), ops.mul(inverse(a), inverse(b)))
}

/** Options of `cosineEmbedding` and `tripletMargin`. */
export interface MarginOptions extends MeanOptions {
  /** Default: 0 for cosines, 1 for triplets. */
  readonly margin?: number
}

/**
 * Mean over rows of 1 - cos(a, b) where `alike` is not 0, else of max(cos(a, b) - margin, 0): a, b f32 [..., D], alike u8 [...] -> [].
 * @throws ShapeError where extents do not fit; OstrichError `ERR_OPTION`.
 * @example nn.cosineEmbedding(left, right, alike, { margin: 0.2 })
 */
export function cosineEmbedding(a: F, b: F, alike: Tensor<'u8'>, options: MarginOptions = {}): Scalar {
  expectOptions<MarginOptions>('nn.cosineEmbedding', options, { margin: is.finite, mask })
  expectRows('cosineEmbedding', [a, b])
  const angle = cosine(a, b)
  if (typeText(alike) !== `u8${formatShape(angle.shape)}`) {
    throw new ShapeError(`cosineEmbedding: expected alike of u8${formatShape(angle.shape)}, got ${typeText(alike)}`)
  }
  const apart = ops.relu(ops.sub(angle, options.margin ?? 0))
  return averaged('cosineEmbedding', ops.where<'f32', Shape>(alike, ops.sub(1, angle), apart), options)
}

/**
 * Mean over rows of max(|anchor - positive| - |anchor - negative| + margin, 0), Euclidean: each f32 [..., D] -> []. 1e-6 is added to each
 * difference, as PyTorch does, so that the distance of equal rows has a gradient.
 * @throws ShapeError where extents do not fit; OstrichError `ERR_OPTION`.
 * @see Schroff, Kalenichenko & Philbin 2015, "FaceNet: a unified embedding for face recognition and clustering".
 */
export function tripletMargin(anchor: F, positive: F, negative: F, options: MarginOptions = {}): Scalar {
  expectOptions<MarginOptions>('nn.tripletMargin', options, { margin: is.finite, mask })
  expectRows('tripletMargin', [anchor, positive, negative])
  const distance = (other: F) => {
    const difference = ops.add(ops.sub(anchor, other), 1e-6)
    return ops.sqrt(dot(difference, difference))
  }
  const values = ops.relu(ops.add(ops.sub(distance(positive), distance(negative)), options.margin ?? 1))
  return averaged('tripletMargin', values, options)
}
