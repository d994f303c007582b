// Adagrad: each weight's step divided by the size of all its gradients so far.
import { expectOptions, is, type Schema } from '../base/index.js'
import { add, div, mul, sqrt, square, sub } from '../ops/index.js'
import { optimizer, type Optimizer, type OptimizerOptions, optimizerOptions } from './optimizer.js'
import { expectRange } from './ranges.js'

/** Options of `adagrad`. */
export interface AdagradOptions extends OptimizerOptions {
  /** Added to the root. Default: 1e-10. */
  readonly epsilon?: number
}

const schema: Schema<AdagradOptions> = { ...optimizerOptions, epsilon: is.number }

/**
 * s = s + g^2, w = w - rate g / (sqrt(s) + epsilon).
 * Duchi, Hazan & Singer 2011, "Adaptive subgradient methods for online learning and stochastic optimization", in the form of PyTorch.
 * @throws OstrichError `ERR_OPTION`.
 * @example optim.adagrad({ rate: 0.01 })
 */
export function adagrad(options: AdagradOptions): Optimizer {
  expectOptions('optim.adagrad', options, schema)
  const { epsilon = 1e-10 } = options
  expectRange('adagrad', 'epsilon', epsilon, 'a number of at least 0')
  return optimizer('adagrad', options, () => (slot) => {
    const s = slot.moment('squares', (before) => add(before, square(slot.gradient)))
    return sub(slot.value, mul(div(slot.gradient, add(sqrt(s), epsilon)), slot.rate))
  })
}
