// Ops that only steer differentiation; a pass removes them before a program is made.
import { defineOp, type DType, emitOne, type Shape, type Tensor } from '../graph/index.js'
import { exactly } from './define.js'

/** Op of `stopGradient`. */
export const stopGradientOp = defineOp({
  name: 'stopGradient',
  kind: 'marker',
  attributes: {},
  infer: (inputs) => {
    const [x] = exactly(inputs, 1)
    return [{ dtype: x.dtype, shape: x.shape }]
  },
  vjp: () => [undefined],
})

/**
 * x itself, but `grad` treats it as a constant.
 * @example sub(x, stopGradient(max(x, -1, { keepDims: true })))
 */
export function stopGradient<D extends DType, S extends Shape>(x: Tensor<D, S>): Tensor<D, S> {
  return emitOne(stopGradientOp, [x], {}) as Tensor<D, S>
}
