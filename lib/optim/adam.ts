// Adam, and its form with decoupled weight decay, AdamW.
import { expectOptions, is, type Schema } from '../base/index.js'
import { add, cast, div, expm1, mul, neg, rsqrt, sqrt, square, sub } from '../ops/index.js'
import { optimizer, type Optimizer, type OptimizerOptions, optimizerOptions } from './optimizer.js'
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
}

const schema: Schema<AdamOptions> = {
  ...optimizerOptions,
  beta1: is.number,
  beta2: is.number,
  epsilon: is.number,
}

/** 1 - beta^(step + 1), which 1 - exp() would leave few digits of in the first steps. */
function correction(beta: number, count: Tensor<'f32', []>): Tensor<'f32', []> {
  return neg(expm1(mul(count, Math.log(beta))))
}

/**
 * m = b1 m + (1 - b1) g, s = b2 s + (1 - b2) g^2, w = w - rate m^ / (sqrt(s^) + epsilon), with ^ dividing by 1 - b^t.
 * Kingma & Ba 2015, "Adam: a method for stochastic optimization", algorithm 1. Weight decay is L2, in the
 * gradient, as in PyTorch; `adamW` has the decoupled one.
 * @throws OstrichError `ERR_OPTION`.
 * @example optim.adam({ rate: 0.001 })
 */
export function adam(options: AdamOptions): Optimizer {
  expectOptions('optim.adam', options, schema)
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = options
  expectRange('adam', 'beta1', beta1, 'a number between 0 and 1')
  expectRange('adam', 'beta2', beta2, 'a number between 0 and 1')
  expectRange('adam', 'epsilon', epsilon, 'a number of at least 0')
  return optimizer('adam', options, (step) => {
    const count = add(cast(step, 'f32'), 1)
    const first = correction(beta1, count)
    const second = rsqrt(correction(beta2, count))
    return (slot) => {
      const g = slot.gradient
      const m = slot.moment('mean', (before) => add(mul(before, beta1), mul(g, 1 - beta1)))
      const s = slot.moment('square', (before) => add(mul(before, beta2), mul(square(g), 1 - beta2)))
      const direction = div(m, add(mul(sqrt(s), second), epsilon))
      return sub(slot.value, mul(direction, div(slot.rate, first)))
    }
  })
}

/** Options of `adamW`. */
export type AdamWOptions = Omit<AdamOptions, 'decay'>

/**
 * Adam with decoupled weight decay: w shrinks by rate * weightDecay w beside the step. weightDecay is 0.01 where it is not given.
 * Loshchilov & Hutter 2019, "Decoupled weight decay regularization", algorithm 2, with PyTorch's rate * weightDecay.
 * @throws OstrichError `ERR_OPTION`.
 * @example optim.adamW({ rate: 0.001, groups: [{ match: ({ variable }) => variable.shape.length < 2, weightDecay: 0 }] })
 */
export function adamW(options: AdamWOptions): Optimizer {
  const { decay: _, ...own } = schema
  expectOptions<AdamWOptions>('optim.adamW', options, own)
  return adam({ weightDecay: 0.01, ...options, decay: 'decoupled' })
}
