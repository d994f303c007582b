// Losses and metrics: scalars in the graph, means over all examples. Refuse operands that would only fit by broadcasting.
import { formatShape, sameShape, ShapeError, type Tensor } from '../graph/index.js'
import * as ops from '../ops/index.js'
import { typeText } from './check.js'

type Scalar = Tensor<'f32', []>

function expectLabels(name: string, logits: Tensor, labels: Tensor): void {
  const wanted = logits.shape.slice(0, -1)
  if (labels.dtype === 'i32' && logits.rank >= 2 && sameShape(labels.shape, wanted)) return
  const expected = logits.rank < 2 ? 'logits of [..., K]' : `labels of i32${formatShape(wanted)}`
  throw new ShapeError(`${name}: expected ${expected}, got ${typeText(logits.rank < 2 ? logits : labels)}`)
}

function expectAlike(name: string, a: Tensor, b: Tensor): void {
  if (a.dtype === b.dtype && sameShape(a.shape, b.shape)) return
  throw new ShapeError(`${name}: expected two tensors alike, got ${typeText(a)} and ${typeText(b)}`)
}

/**
 * Mean of -log softmax(logits)[label]: logits f32 [..., K], labels i32 [...] -> [].
 * @throws ShapeError where the extents of labels are not those of logits less the last. A label outside 0..K-1 is ERR_DATA.
 * @example nn.crossEntropy(net(x), labels)
 */
export function crossEntropy(logits: Tensor<'f32'>, labels: Tensor<'i32'>): Scalar {
  expectLabels('crossEntropy', logits, labels)
  const rows = ops.reshape(logits, [-1, logits.shape.at(-1) ?? 1])
  return ops.mean(ops.crossEntropy(rows, ops.reshape(labels, [-1])))
}

/**
 * Mean of (prediction - target)^2 over all elements; both f32 of one shape.
 * @throws ShapeError where the shapes differ.
 */
export function meanSquaredError(prediction: Tensor<'f32'>, target: Tensor<'f32'>): Scalar {
  expectAlike('meanSquaredError', prediction, target)
  return ops.mean(ops.square(ops.sub(prediction, target)))
}

/**
 * Mean of -t log p - (1 - t) log(1 - p) with p = sigmoid(logits), in the form max(x, 0) - x t + log(1 + exp(-|x|)) that
 * does not overflow; both f32 of one shape, targets from 0 to 1.
 * @throws ShapeError where the shapes differ.
 */
export function binaryCrossEntropy(logits: Tensor<'f32'>, targets: Tensor<'f32'>): Scalar {
  expectAlike('binaryCrossEntropy', logits, targets)
  const tail = ops.log(ops.add(ops.exp(ops.neg(ops.abs(logits))), 1))
  // `maximum`, not `relu`: at 0 its gradient is 1/2, which is that of the whole.
  return ops.mean(ops.add(ops.sub(ops.maximum(logits, 0), ops.mul(logits, targets)), tail))
}

/**
 * Share of examples whose largest logit is that of the label: logits f32 [..., K], labels i32 [...] -> [] from 0 to 1.
 * @throws ShapeError where the extents of labels are not those of logits less the last.
 */
export function accuracy(logits: Tensor<'f32'>, labels: Tensor<'i32'>): Scalar {
  expectLabels('accuracy', logits, labels)
  return ops.mean(ops.cast(ops.equal(ops.argmax(logits), labels), 'f32'))
}
