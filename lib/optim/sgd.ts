// Stochastic gradient descent, with momentum and Nesterov's form of it.
import { expectOptions, is, OstrichError, type Schema } from '../base/index.js'
import { add, mul, sub } from '../ops/index.js'
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
}

const schema: Schema<SgdOptions> = {
  ...optimizerOptions,
  momentum: is.number,
  nesterov: is.flag,
  rateInVelocity: is.flag,
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
  const { momentum = 0, nesterov = false, rateInVelocity = false } = options
  expectRange('sgd', 'momentum', momentum, 'a number from 0 to below 1')
  if (nesterov && momentum === 0) throw new OstrichError('ERR_OPTION', 'sgd: expected a momentum with nesterov, got 0')
  return optimizer('sgd', options, () => (slot) => {
    const g = slot.gradient
    if (momentum === 0) return sub(slot.value, mul(g, slot.rate))
    const gain = rateInVelocity ? mul(g, slot.rate) : g
    const v = slot.moment('momentum', (before) => add(mul(before, momentum), gain))
    const direction = nesterov ? add(gain, mul(v, momentum)) : v
    return sub(slot.value, rateInVelocity ? direction : mul(direction, slot.rate))
  })
}
