// Training on images that one step along the sign of the gradient has changed, made anew at each step from the network as it is.
// Goodfellow, Shlens & Szegedy 2015, "Explaining and harnessing adversarial examples", section 6.
import { expectKind, expectOptions, is } from '../base/index.js'
import { grad } from '../autodiff/index.js'
import { OstrichError, type Tensor, traceMode } from '../graph/index.js'
import * as ops from '../ops/index.js'
import type { Classifier } from './classifier.js'

/** Options of `adversarialLoss`. */
export interface AdversarialLossOptions {
  /** Change of each element of x, in its units. Default: 0.25, for images from 0 to 1. */
  readonly epsilon?: number
  /** Part of the loss on x itself. Default: 0.5. */
  readonly clean?: number
}

/** A loss of a batch, and the output of the network on the batch as it is. */
export interface LossAndOutput {
  /** f32 []. */
  readonly loss: Tensor<'f32'>
  readonly output: Tensor
}

/**
 * clean J(x) + (1 - clean) J(x + epsilon sign(dJ/dx)), the change taken as it is; in evaluation J(x) alone. Dropout draws for each
 * of the two passes.
 * @param loss J, from the network's output and the target
 * @returns what an objective calls with its fields
 * @throws OstrichError `ERR_ARGUMENT` for options out of range
 * @example
 * const adversarial = solvers.adversarialLoss(net, nn.crossEntropy, { epsilon: 0.25 })
 * const session = await train.session(({ x, target }) => {
 *   const { loss, output } = adversarial(x, target)
 *   return { loss, accuracy: train.measures.accuracy(output, target) }
 * }, { data, optimizer, batch: 128 })
 */
export function adversarialLoss(
  net: Classifier,
  loss: { of(output: Tensor, target: Tensor): Tensor<'f32'> }['of'],
  options: AdversarialLossOptions = {},
): (x: Tensor, target: Tensor) => LossAndOutput {
  expectKind('adversarialLoss', 'net', is.callable, net)
  expectKind('adversarialLoss', 'loss', is.callable, loss)
  expectOptions('adversarialLoss', options, { epsilon: is.number, clean: is.number })
  const { epsilon = 0.25, clean = 0.5 } = options
  if (!(epsilon > 0 && epsilon < Infinity)) refuse('epsilon to be a number above 0', epsilon)
  if (!(clean >= 0 && clean < 1)) refuse('clean to be a number from 0 to below 1', clean)
  return (x, target) => {
    const output = net(x)
    const first = loss(output, target)
    if (traceMode() === 'eval') return { loss: first, output }
    const moved = ops.stopGradient(ops.add(x, ops.mul(ops.sign(grad(first, x)), epsilon)))
    const both = ops.add(ops.mul(first, clean), ops.mul(loss(net(moved), target), 1 - clean))
    return { loss: both, output }
  }
}

function refuse(expected: string, got: number): never {
  throw new OstrichError('ERR_ARGUMENT', `adversarialLoss: expected ${expected}, got ${got}`)
}
