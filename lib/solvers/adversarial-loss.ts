// Training on images that one step along the sign of the gradient has changed, made anew at each step from the network as it is.
// Goodfellow, Shlens & Szegedy 2015, "Explaining and harnessing adversarial examples", section 6.
import { expectKind, expectOptions, is } from '../base/index.js'
import { grad } from '../autodiff/index.js'
import { OstrichError, ShapeError, type Tensor, traceMode } from '../graph/index.js'
import * as ops from '../ops/index.js'

/** Options of `adversarialLoss`. */
export interface AdversarialLossOptions {
  /** Change of each element of x, in its units. Default: 0.25, for images from 0 to 1. */
  readonly epsilon?: number
  /** Part of the loss on x itself. Default: 0.5. */
  readonly clean?: number
}

/** A network and the loss that trains it; they belong together. */
export interface AdversarialLoss<N> {
  /** The network, which remembers what it was given. */
  readonly net: N
  /** Takes outputs of `net` alone. */
  readonly loss: (output: never, target: never) => Tensor<'f32'>
}

/**
 * clean J(x) + (1 - clean) J(x + epsilon sign(dJ/dx)), the change taken as it is; in evaluation J(x) alone. Dropout draws for each
 * of the two passes.
 * @typeParam N the type of the network
 * @throws OstrichError `ERR_ARGUMENT` for options out of range; ShapeError in the loss, for an output that `net` did not give
 * @example const { net, loss } = solvers.adversarialLoss(maxoutNetwork(), nn.crossEntropy, { epsilon: 0.25 })
 */
export function adversarialLoss<N extends (x: never) => Tensor>(
  net: N,
  loss: (output: never, target: never) => Tensor<'f32'>,
  options: AdversarialLossOptions = {},
): AdversarialLoss<N> {
  expectKind('adversarialLoss', 'net', is.callable, net)
  expectKind('adversarialLoss', 'loss', is.callable, loss)
  expectOptions('adversarialLoss', options, { epsilon: is.number, clean: is.number })
  const { epsilon = 0.25, clean = 0.5 } = options
  if (!(epsilon > 0 && epsilon < Infinity)) refuse('epsilon to be a number above 0', epsilon)
  if (!(clean >= 0 && clean < 1)) refuse('clean to be a number from 0 to below 1', clean)
  const apply = (x: Tensor): Tensor => net(x as never)
  const measure = (output: Tensor, target: Tensor): Tensor<'f32'> => loss(output as never, target as never)
  /** What each output was given for. */
  const inputs = new WeakMap<Tensor, Tensor>()
  const remembering = (x: Tensor): Tensor => {
    const output = apply(x)
    inputs.set(output, x)
    return output
  }
  const mixed = (output: Tensor, target: Tensor): Tensor<'f32'> => {
    const x = inputs.get(output)
    if (x === undefined) throw new ShapeError('adversarialLoss: expected an output of its network, got another')
    const first = measure(output, target)
    if (traceMode() === 'eval') return first
    const moved = ops.stopGradient(ops.add(x, ops.mul(ops.sign(grad(first, x)), epsilon)))
    return ops.add(ops.mul(first, clean), ops.mul(measure(apply(moved), target), 1 - clean))
  }
  // A layer's parameters and children stay visible.
  const named = Object.defineProperties(remembering, Object.getOwnPropertyDescriptors(net))
  return { net: named as unknown as N, loss: mixed }
}

function refuse(expected: string, got: number): never {
  throw new OstrichError('ERR_ARGUMENT', `adversarialLoss: expected ${expected}, got ${got}`)
}
