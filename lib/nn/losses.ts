// Losses and metrics of classes: scalars in the graph, means over all examples that count. Refuse operands that would only fit by
// broadcasting.
import { expectOptions, is } from '../base/index.js'
import { formatShape, sameShape, type Shape, ShapeError, Tensor } from '../graph/index.js'
import * as ops from '../ops/index.js'
import { averaged, expectMask, type MeanOptions, weightedMean } from './averaged.js'
import { typeText } from './check.js'

type Scalar = Tensor<'f32', []>

const aTensor = is.instance('a tensor', Tensor)

function expectLabels(name: string, logits: Tensor, labels: Tensor): void {
  const wanted = logits.shape.slice(0, -1)
  if (labels.dtype === 'i32' && logits.rank >= 2 && sameShape(labels.shape, wanted)) return
  const expected = logits.rank < 2 ? 'logits of [..., K]' : `labels of i32${formatShape(wanted)}`
  throw new ShapeError(`${name}: expected ${expected}, got ${typeText(logits.rank < 2 ? logits : labels)}`)
}

/** Options of `crossEntropy`. */
export interface CrossEntropyOptions extends MeanOptions {
  /**
   * Share of the target that is spread over all classes alike, from 0 to below 1. Szegedy et al. 2016, "Rethinking the Inception
   * architecture for computer vision", 7. Default: 0.
   */
  readonly smoothing?: number
  /** Of each class, f32 [K]; the mean is divided by the weights of the labels. Default: 1 each. */
  readonly weights?: Tensor<'f32'>
}

/**
 * Mean of -log softmax(logits)[label]: logits f32 [..., K], labels i32 [...] -> []. Labels that do not count may be any number.
 * @throws ShapeError where the extents of labels, mask or weights do not fit; OstrichError `ERR_OPTION`. A label outside 0..K-1 is ERR_DATA.
 * @example nn.crossEntropy(net(x), labels, { smoothing: 0.1 })
 */
export function crossEntropy(logits: Tensor<'f32'>, labels: Tensor<'i32'>, options: CrossEntropyOptions = {}): Scalar {
  expectOptions<CrossEntropyOptions>('nn.crossEntropy', options, {
    smoothing: is.fraction,
    weights: aTensor,
    mask: aTensor,
  })
  const { smoothing = 0, weights, mask } = options
  expectLabels('crossEntropy', logits, labels)
  expectMask('crossEntropy', mask, labels.shape)
  const classes = logits.shape.at(-1) ?? 1
  if (weights !== undefined && typeText(weights) !== `f32[${classes}]`) {
    throw new ShapeError(`crossEntropy: expected weights of f32[${classes}], got ${typeText(weights)}`)
  }
  const counts = mask && ops.reshape(ops.notEqual(mask, 0), [-1])
  const flat = ops.reshape(labels, [-1])
  const rows = ops.reshape(logits, [-1, classes])
  const own = counts ? ops.where(counts, flat, 0) : flat
  const masked = counts ? { mask: counts } : {}
  if (weights === undefined) return averaged('crossEntropy', ops.crossEntropy(rows, own, { smoothing }), masked)
  const ofLabel = ops.reshape(ops.gather(ops.reshape(weights, [classes, 1]), own), [-1])
  const plain: Tensor<'f32'> = ops.mul(ops.crossEntropy(rows, own), ofLabel)
  const values = ops.add(ops.mul(plain, 1 - smoothing), ops.mul(spread(rows, weights), smoothing / classes))
  const counted = (x: Tensor<'f32'>) => (counts ? ops.where(counts, x, 0) : x)
  return weightedMean(counted(values), counted(ofLabel))
}

/** Sum over classes of -log softmax(logits), each times its weight: f32 [N, K] -> [N]. */
function spread(rows: Tensor<'f32'>, weights: Tensor<'f32'>): Tensor<'f32'> {
  return ops.sum(ops.mul<'f32', Shape, Shape>(ops.neg(ops.logSoftmax(rows)), weights), -1)
}

/** Options of `binaryCrossEntropy`. */
export interface BinaryCrossEntropyOptions extends MeanOptions {
  /** Factor of the part of targets of 1, so that rare ones weigh more; more than 0. Default: 1. */
  readonly positiveWeight?: number
}

/**
 * Mean of -w t log p - (1 - t) log(1 - p) with p = sigmoid(logits) and w the positive weight, in a form that does not overflow; both
 * f32 of one shape, targets from 0 to 1.
 * @throws ShapeError where the shapes differ; OstrichError `ERR_OPTION`.
 * @example nn.binaryCrossEntropy(logits, targets, { positiveWeight: 3 })
 */
export function binaryCrossEntropy(
  logits: Tensor<'f32'>,
  targets: Tensor<'f32'>,
  options: BinaryCrossEntropyOptions = {},
): Scalar {
  const kinds = { positiveWeight: is.positive, mask: aTensor }
  expectOptions<BinaryCrossEntropyOptions>('nn.binaryCrossEntropy', options, kinds)
  const { positiveWeight = 1 } = options
  expectAlike('binaryCrossEntropy', logits, targets)
  // -log p = softplus(-x), -log(1 - p) = x + softplus(-x).
  const tail = ops.softplus(ops.neg(logits))
  const weight = positiveWeight === 1 ? tail : ops.mul(tail, ops.add(ops.mul(targets, positiveWeight - 1), 1))
  return averaged('binaryCrossEntropy', ops.add(ops.mul(logits, ops.sub(1, targets)), weight), options)
}

/**
 * Share of examples whose largest logit is that of the label: logits f32 [..., K], labels i32 [...] -> [] from 0 to 1.
 * @throws ShapeError where the extents of labels are not those of logits less the last.
 */
export function accuracy(logits: Tensor<'f32'>, labels: Tensor<'i32'>): Scalar {
  expectLabels('accuracy', logits, labels)
  return ops.mean(ops.cast(ops.equal(ops.argmax(logits), labels), 'f32'))
}

/** @throws ShapeError where the two differ in dtype or shape */
export function expectAlike(name: string, a: Tensor, b: Tensor): void {
  if (a.dtype === b.dtype && sameShape(a.shape, b.shape)) return
  throw new ShapeError(`${name}: expected two tensors alike, got ${typeText(a)} and ${typeText(b)}`)
}
