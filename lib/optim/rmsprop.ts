// RMSProp: each weight's step divided by the running size of its gradient.
import { expectOptions, is, type Schema } from '../base/index.js'
import { add, div, mul, sqrt, square, sub } from '../ops/index.js'
import { optimizer, type Optimizer, type OptimizerOptions, optimizerOptions } from './optimizer.js'
import { expectRange } from './ranges.js'

/** Options of `rmsprop`. */
export interface RmspropOptions extends OptimizerOptions {
  /** Share of the old mean square that is kept at each step. Default: 0.99. */
  readonly smoothing?: number
  /** Default: 0. */
  readonly momentum?: number
  /** Added to the root. Default: 1e-8. */
  readonly epsilon?: number
}

const schema: Schema<RmspropOptions> = {
  ...optimizerOptions,
  smoothing: is.number,
  momentum: is.number,
  epsilon: is.number,
}

/**
 * s = a s + (1 - a) g^2, u = g / (sqrt(s) + epsilon), v = momentum v + u, w = w - rate v.
 * Tieleman & Hinton 2012, "Lecture 6.5: rmsprop", in the form of PyTorch.
 * @throws OstrichError `ERR_OPTION`.
 * @example optim.rmsprop({ rate: 0.001, smoothing: 0.9 })
 */
export function rmsprop(options: RmspropOptions): Optimizer {
  expectOptions('optim.rmsprop', options, schema)
  const { smoothing = 0.99, momentum = 0, epsilon = 1e-8 } = options
  expectRange('rmsprop', 'smoothing', smoothing, 'a number from 0 to below 1')
  expectRange('rmsprop', 'momentum', momentum, 'a number from 0 to below 1')
  expectRange('rmsprop', 'epsilon', epsilon, 'a number of at least 0')
  return optimizer('rmsprop', options, () => (slot) => {
    const g = slot.gradient
    const s = slot.moment('square', (before) => add(mul(before, smoothing), mul(square(g), 1 - smoothing)))
    const u = div(g, add(sqrt(s), epsilon))
    const v = momentum === 0 ? u : slot.moment('momentum', (before) => add(mul(before, momentum), u))
    return sub(slot.value, mul(v, slot.rate))
  })
}
