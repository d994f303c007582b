// What the ops of one operand are declared with: a row each, the public function and its derivative.
import { type DType, emitOne, type Shape, type Tensor } from '../graph/index.js'
import { wantsGradient } from './broadcast.js'
import { exactly, expectDType, register } from './define.js'

export const floats: readonly DType[] = ['f32', 'bf16']
export const numbers: readonly DType[] = ['f32', 'bf16', 'i32']

export interface Unary {
  <D extends DType, S extends Shape>(x: Tensor<D, S>): Tensor<D, S>
}

/** dL/dx from dL/dy, the input and the output. */
type UnaryGradient = (dy: Tensor, x: Tensor, y: Tensor) => Tensor
/** For steps: the derivative is zero wherever it exists. */
export const flat = undefined

/** Registers an op of one operand and gives its function. */
export function unary(name: string, accepts: readonly DType[], gradient: UnaryGradient | typeof flat): Unary {
  const op = register({
    name,
    kind: 'pointwise',
    attributes: {},
    infer: (inputs) => {
      const [x] = exactly(inputs, 1)
      expectDType(x, accepts, 'x')
      return [{ dtype: x.dtype, shape: x.shape }]
    },
    vjp: ({ inputs, outputs }, [dy]) => {
      const [x, [y]] = [exactly(inputs, 1)[0], exactly(outputs, 1)]
      return [dy && gradient && wantsGradient(x) ? gradient(dy, x, y) : undefined]
    },
  })
  return <D extends DType, S extends Shape>(x: Tensor<D, S>) => emitOne(op, [x], {}) as Tensor<D, S>
}
