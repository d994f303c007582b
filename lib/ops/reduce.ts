// Reductions over any axes. `norm`, `max` and `argmax` are kernels, as is `sum` (axes.ts); the rest is composed of them.
import { emitOne, isFloat, notDifferentiable, type Tensor } from '../graph/index.js'
import {
  type Axes,
  inferReduce,
  normalAxes,
  reduce,
  type ReduceAttrs,
  reducedShape,
  type ReduceOptions,
  type Reduction,
  sum,
  reshape,
  unreduced,
} from './axes.js'
import { exactly, expectFloat, expectThat, normalAxis, register } from './define.js'
import { stopGradient } from './marker.js'
import { add, cast, div, equal, exp, log, maximum, mul, neg, square, sub } from './pointwise.js'

const maxOp = register<ReduceAttrs>({
  name: 'max',
  kind: 'kernel',
  inBf16: 'f32',
  moves: false,
  epilogue: 'none',
  attributes: { axes: 'ints', keepDims: 'boolean' },
  infer: (inputs, attrs) => inferReduce(inputs, attrs, ['f32', 'bf16', 'i32']),
  // Elements that tie for the maximum share the gradient equally.
  vjp: ({ inputs, outputs, attrs }, [dy]) => {
    const [x, y] = [exactly(inputs, 1)[0], exactly(outputs, 1)[0]]
    if (dy === undefined || !isFloat(x.dtype)) return [undefined]
    const winners: Tensor = cast(equal(x, unreduced(y, x, attrs)), x.dtype)
    const shared = div(unreduced(dy, x, attrs), sum(winners, attrs.axes, { keepDims: true }))
    return [mul(winners, shared)]
  },
})

/** f32 holds the squares of larger numbers only, so a norm below it may come out as 0. */
const leastNorm = 2 ** -63

const normOp = register({
  name: 'norm',
  kind: 'kernel',
  inBf16: 'widens',
  moves: false,
  epilogue: 'none',
  attributes: {},
  infer: (inputs) => {
    const [x] = exactly(inputs, 1)
    expectFloat(x, 'x')
    return [{ dtype: 'f32', shape: [] }]
  },
  // dy * x / y, and 0 at x = 0.
  vjp: ({ inputs, outputs }, [dy]) => {
    const [x, y] = [exactly(inputs, 1)[0], exactly(outputs, 1)[0]]
    return [dy && mul(x, cast(div(dy, maximum(y, leastNorm)), x.dtype))]
  },
})

const argmaxOp = register<{ readonly axis: number }>({
  name: 'argmax',
  kind: 'kernel',
  inBf16: 'f32',
  moves: false,
  epilogue: 'none',
  attributes: { axis: 'int' },
  infer: (inputs, { axis }) => {
    const [x] = exactly(inputs, 1)
    expectFloat(x, 'x')
    expectThat(axis >= 0 && axis < x.shape.length, `an axis of ${x.shape.length}`, axis.toString())
    return [{ dtype: 'i32', shape: x.shape.filter((_extent, other) => other !== axis) }]
  },
  vjp: notDifferentiable('its output is an index'),
})

/**
 * Square root of the sum of the squares of all elements, in one pass and f32 whatever x is: float [...] -> f32 [].
 * f32 need not hold the sum, only its root; elements below 1e-19 may count as 0. The gradient at x = 0 is 0.
 * @throws ShapeError for an integer x.
 * @example norm(gradient)
 */
export function norm(x: Tensor): Tensor<'f32', []> {
  return emitOne(normOp, [x], {})
}

/** Maximum over axes (all when not given); elements that tie share the gradient equally. x float or i32. */
export const max: Reduction = ((x: Tensor, axes?: Axes, options?: ReduceOptions) =>
  reduce(maxOp, x, axes, options)) as Reduction

/** Minimum over axes (all when not given); elements that tie share the gradient equally. x float or i32. */
export const min: Reduction = ((x: Tensor, axes?: Axes, options?: ReduceOptions) =>
  neg(reduce(maxOp, neg(x), axes, options))) as Reduction

/** Arithmetic mean over axes (all when not given). x float. */
export const mean: Reduction = ((x: Tensor, axes?: Axes, options?: ReduceOptions) => {
  const n = normalAxes('mean', axes, x.rank).reduce((product, axis) => product * (x.shape[axis] ?? 1), 1)
  return div(sum(x, axes, options), n)
}) as Reduction

/** Mean squared distance from the mean over axes (all when not given), divided by the count. x float. */
export const variance: Reduction = ((x: Tensor, axes?: Axes, options?: ReduceOptions) =>
  mean(square(sub(x, mean(x, axes, { keepDims: true }))), axes, options)) as Reduction

/** log(sum(exp(x))) over axes (all when not given), computed around the maximum so that it does not overflow. x float. */
export const logSumExp: Reduction = ((x: Tensor, axes?: Axes, options?: ReduceOptions) => {
  const normal = normalAxes('logSumExp', axes, x.rank)
  const top = stopGradient(reduce(maxOp, x, normal, { keepDims: true }))
  const total = add(log(sum(exp(sub(x, top)), normal, { keepDims: true })), top)
  return reshape(total, reducedShape(x.shape, { axes: normal, keepDims: options?.keepDims ?? false }))
}) as Reduction

/**
 * Position of the first maximum along an axis (the last when not given), i32, without that axis. x float.
 * @example argmax(logits) // f32 [128, 10] -> i32 [128]
 */
export function argmax(x: Tensor, axis = -1): Tensor<'i32'> {
  return emitOne(argmaxOp, [x], { axis: normalAxis(axis, x.rank, 'argmax') })
}
