// Ops that only steer differentiation and passes; passes remove them before a program is made.
import {
  defineOp,
  type DType,
  emitOne,
  formatShape,
  read,
  sameShape,
  type Shape,
  ShapeError,
  type Tensor,
  type Variable,
} from '../graph/index.js'
import { exactly, expectDType } from './define.js'

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
  return emitOne(stopGradientOp, [x], {})
}

/** Op of `keepF32`. */
export const keepF32Op = defineOp({
  name: 'keepF32',
  kind: 'marker',
  attributes: {},
  infer: (inputs) => {
    const [x] = exactly(inputs, 1)
    expectDType(x, ['f32'], 'x')
    return [{ dtype: x.dtype, shape: x.shape }]
  },
  vjp: (_node, [dy]) => [dy],
})

/**
 * x f32 itself; a product that reads it stays f32 in a program of bf16. For what a product only measures, before anything is learned:
 * a spectrum, whose quiet parts would drown in the rounding of its loud ones.
 * @throws ShapeError for another dtype.
 */
export function keepF32<S extends Shape>(x: Tensor<'f32', S>): Tensor<'f32', S> {
  return emitOne(keepF32Op, [x], {})
}

/** Op of `parameterGradient`; `parameter` is the path of the variable. */
export const parameterGradientOp = defineOp<{ readonly parameter: string }>({
  name: 'parameterGradient',
  kind: 'marker',
  attributes: { parameter: 'string' },
  infer: (inputs) => {
    const [x] = exactly(inputs, 1)
    return [{ dtype: x.dtype, shape: x.shape }]
  },
  vjp: (_node, [dy]) => [dy],
})

/**
 * The gradient itself, marked as that of a variable: passes know by it where a backward pass ends and an update begins.
 * A session and every optimiser mark what they are given; who writes an update of his own may.
 * @throws ShapeError where it is not of the variable's dtype and shape; of a sparse table it may be of rows, [N, D].
 * @example assign(w, sub(read(w), mul(parameterGradient(w, grad(loss, read(w))), 0.1)))
 */
export function parameterGradient<D extends DType, S extends Shape>(
  variable: Variable<D, S>,
  gradient: Tensor<D, S>,
): Tensor<D, S> {
  const { path } = read(variable).node
  const { op, attrs } = gradient.node
  if (op.name === parameterGradientOp.name && attrs['parameter'] === path) return gradient
  const isOfRows = variable.sparse && gradient.rank === 2 && gradient.shape[1] === variable.shape[1]
  if (gradient.dtype !== variable.dtype || !(isOfRows || sameShape(gradient.shape, variable.shape))) {
    const [expected, got] = [variable, gradient].map(({ dtype, shape }) => `${dtype}${formatShape(shape)}`)
    throw new ShapeError(`parameterGradient[${path}]: expected ${expected}, got ${got}`)
  }
  return emitOne(parameterGradientOp, [gradient], { parameter: path })
}
