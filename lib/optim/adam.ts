// Adam, and its form with decoupled weight decay (AdamW).
import { expectOptions, is, type Schema } from '../base/index.js'
import { add, cast, div, expm1, mul, neg, rsqrt, sqrt, square, sub } from '../ops/index.js'
import { decayed, optimizer, type Optimizer, type OptimizerOptions, optimizerOptions } from './optimizer.js'
import { expectRange } from './ranges.js'
import type { Tensor } from '../graph/index.js'

/** Options of `adam`. */
export interface AdamOptions extends OptimizerOptions {
  /** Share of the old mean that is kept at each step. Default: 0.9. */
  readonly beta1?: number
  /** Share of the old mean square that is kept at each step. Default: 0.999. */
  readonly beta2?: number
  /** Added to the root. Default: 1e-8. */
  readonly epsilon?: number
  /** Weight decay shrinks w by rate * weightDecay beside the step, in place of adding to its gradient. Default: false. */
  readonly decoupled?: boolean
}

const schema: Schema<AdamOptions> = {
  ...optimizerOptions,
  beta1: is.number,
  beta2: is.number,
  epsilon: is.number,
  decoupled: is.flag,
}

/** 1 - beta^(step + 1), which 1 - exp() would leave few digits of in the first steps. */
function correction(beta: number, count: Tensor<'f32', []>): Tensor<'f32', []> {
  return neg(expm1(mul(count, Math.log(beta))))
}

/**
 * m = b1 m + (1 - b1) g, s = b2 s + (1 - b2) g^2, w = w - rate m^ / (sqrt(s^) + epsilon), with ^ dividing by 1 - b^t.
 * Kingma & Ba 2015, "Adam: a method for stochastic optimization", algorithm 1; `decoupled` is Loshchilov & Hutter 2019,
 * "Decoupled weight decay regularization", algorithm 2, with PyTorch's rate * weightDecay.
 * @throws OstrichError `ERR_OPTION`; ShapeError for those out of range.
 * @example optim.adam({ rate: 0.001, weightDecay: 0.01, decoupled: true })
 */
export function adam(options: AdamOptions): Optimizer {
  expectOptions('optim.adam', options, schema)
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, decoupled = false } = options
  expectRange('adam', 'beta1', beta1, 'a number between 0 and 1')
  expectRange('adam', 'beta2', beta2, 'a number between 0 and 1')
  expectRange('adam', 'epsilon', epsilon, 'a number of at least 0')
  return optimizer('adam', options, (step) => {
    const count = add(cast(step, 'f32'), 1)
    const first = correction(beta1, count)
    const second = rsqrt(correction(beta2, count))
    return (slot) => {
      const g = decoupled ? slot.gradient : decayed(slot)
      const m = slot.moment('mean', (before) => add(mul(before, beta1), mul(g, 1 - beta1)))
      const s = slot.moment('square', (before) => add(mul(before, beta2), mul(square(g), 1 - beta2)))
      const direction = div(m, add(mul(sqrt(s), second), epsilon))
      return sub(shrunk(slot.value, slot.rate, decoupled ? slot.decay : 0), mul(direction, div(slot.rate, first)))
    }
  })
}

/** w (1 - rate * decay) */
function shrunk(value: Tensor, rate: Tensor, decay: number): Tensor {
  return decay === 0 ? value : mul(value, sub(1, mul(rate, decay)))
}
