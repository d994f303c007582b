// Activations that a matrix product or a convolution can apply to its result. The public functions compose them, so that
// they differentiate; the fusion pass moves them into the attribute.
import { is } from '../base/index.js'
import type { DType, Shape, Tensor } from '../graph/index.js'
import { expectThat } from './define.js'
import { relu, sigmoid, tanh } from './pointwise.js'

export const activations = ['none', 'relu', 'tanh', 'sigmoid'] as const
/** Activation that a product or convolution applies to its result. */
export type Activation = (typeof activations)[number]

/** What an option may be. */
export const anActivation = is.oneOf(...activations)

const functions = { relu, tanh, sigmoid }

/** Checks an `activation` attribute. */
export function expectActivation(name: string): void {
  const known = activations.some((activation) => activation === name)
  expectThat(known, `an activation of ${activations.join(', ')}`, name)
}

export function activate<D extends DType, S extends Shape>(x: Tensor<D, S>, name: Activation = 'none'): Tensor<D, S> {
  return name === 'none' ? x : functions[name](x)
}
