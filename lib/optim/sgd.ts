// Stochastic gradient descent, with momentum and Nesterov's form of it.
import { expectOptions, is, OstrichError, type Schema } from '../base/index.js'
import type { Tensor } from '../graph/index.js'
import { add, maximum, minimum, mul, sub } from '../ops/index.js'
import { optimizer, type Optimizer, type OptimizerOptions, optimizerOptions } from './optimizer.js'
import { expectRange } from './ranges.js'

/** Options of `sgd`. */
export interface SgdOptions extends OptimizerOptions {
  /** From 0 to below 1. Default: 0. */
  readonly momentum?: number
  /** Looks ahead along the momentum. Default: false. */
  readonly nesterov?: boolean
  /**
   * Keeps the rate within the velocity, v = momentum v + rate g and w = w - v, as Caffe and cuda-convnet do: what was gathered at
   * a high rate then outlives the rate's fall. Default: false.
   */
  readonly rateInVelocity?: boolean
  /**
   * With `rateInVelocity`: every number of the velocity, and so of a step, stays within +-mostStep, as in the code of Srivastava et al. 2015,
   * "Unsupervised learning of video representations using LSTMs". Default: no bound.
   */
  readonly mostStep?: number
}

const schema: Schema<SgdOptions> = {
  ...optimizerOptions,
  momentum: is.number,
  nesterov: is.flag,
  rateInVelocity: is.flag,
  mostStep: is.positive,
}

/**
 * v = momentum v + g, w = w - rate v; Nesterov's form steps along g + momentum v.
 * Sutskever, Martens, Dahl & Hinton 2013, "On the importance of initialization and momentum in deep learning", in the
 * form of PyTorch (the rate outside v).
 * @throws OstrichError `ERR_OPTION`.
 * @example optim.sgd({ rate: 0.05, momentum: 0.9 })
 */
export function sgd(options: SgdOptions): Optimizer {
  expectOptions('optim.sgd', options, schema)
  const { momentum = 0, nesterov = false, rateInVelocity = false, mostStep } = options
  expectRange('sgd', 'momentum', momentum, 'a number from 0 to below 1')
  if (nesterov && momentum === 0) throw new OstrichError('ERR_OPTION', 'sgd: expected a momentum with nesterov, got 0')
  if (mostStep !== undefined && !(rateInVelocity && momentum > 0)) {
    throw new OstrichError(
      'ERR_OPTION',
      'sgd: expected a momentum and rateInVelocity with mostStep, got mostStep alone',
    )
  }
  const bounded = (v: Tensor): Tensor => (mostStep === undefined ? v : maximum(minimum(v, mostStep), -mostStep))
  return optimizer('sgd', options, () => (slot) => {
    const g = slot.gradient
    if (momentum === 0) return sub(slot.value, mul(g, slot.rate))
    const gain = rateInVelocity ? mul(g, slot.rate) : g
    const v = slot.moment('momentum', (before) => bounded(add(mul(before, momentum), gain)))
    const direction = nesterov ? add(gain, mul(v, momentum)) : v
    return sub(slot.value, rateInVelocity ? direction : mul(direction, slot.rate))
  })
}
