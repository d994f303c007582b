// The nonlinear functions between layers, beyond those of pointwise.ts. The smooth ones are ops of their own: their gradients
// read nothing but the input, so that no part of the formula is kept in memory for them.
import { expectKind, expectOptions, is } from '../base/index.js'
import { type DType, type Shape, type Tensor } from '../graph/index.js'
import { floats, unary } from './elementwise.js'
import { add, exp, expm1, less, mul, sigmoid, square, sub, where } from './pointwise.js'

/** Error function, 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x. */
export const erf = unary('erf', floats, {
  inBf16: 'f32',
  formula: undefined,
  gradient: (dy, x) => mul(dy, mul(exp(mul(square(x), -1)), 2 / Math.sqrt(Math.PI))),
})

/** x * sigmoid(x). Elfwing, Uchibe & Doya 2018, "Sigmoid-weighted linear units for neural network function approximation". */
export const silu = unary('silu', floats, {
  inBf16: 'f32',
  formula: (x) => x / (1 + Math.exp(-x)),
  gradient: (dy, x) => {
    const s = sigmoid(x)
    return mul(dy, mul(s, add(mul(x, sub(1, s)), 1)))
  },
})

/** log(1 + exp(x)), in a form that does not overflow. */
export const softplus = unary('softplus', floats, {
  inBf16: 'f32',
  formula: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  gradient: (dy, x) => mul(dy, sigmoid(x)),
})

/** d/dx of x P(x) with P the normal distribution and p its density: P(x) + x p(x). */
const exactGelu = unary('gelu', floats, {
  inBf16: 'f32',
  formula: undefined,
  gradient: (dy, x) => {
    const below = mul(add(erf(mul(x, Math.SQRT1_2)), 1), 0.5)
    return mul(dy, add(below, mul(x, mul(exp(mul(square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI)))))
  },
})

/** x sigmoid(u), u = 2 sqrt(2 / pi) (x + 0.044715 x^3). */
const tanhGelu = unary('geluTanh', floats, {
  inBf16: 'f32',
  formula: undefined,
  gradient: (dy, x) => {
    const slope = 2 * Math.sqrt(2 / Math.PI)
    const squares = square(x)
    const s = sigmoid(mul(x, add(mul(squares, slope * 0.044715), slope)))
    const bend = mul(mul(x, sub(1, s)), add(mul(squares, 3 * slope * 0.044715), slope))
    return mul(dy, mul(s, add(bend, 1)))
  },
})

/** Options of `gelu`. */
export interface GeluOptions {
  /** `none`: x times the normal distribution below x, by `erf`; `tanh`: 1/2 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))). Default: none. */
  readonly approximate?: 'none' | 'tanh'
}

/**
 * Gaussian error linear unit: float [...] -> the same.
 * @throws OstrichError `ERR_OPTION`; ShapeError for integers.
 * @see Hendrycks & Gimpel 2016, "Gaussian error linear units (GELUs)".
 * @example gelu(x, { approximate: 'tanh' }) // as GPT-2 has it
 */
export function gelu<D extends DType, S extends Shape>(x: Tensor<D, S>, options: GeluOptions = {}): Tensor<D, S> {
  expectOptions<GeluOptions>('ops.gelu', options, { approximate: is.oneOf('none', 'tanh') })
  return options.approximate === 'tanh' ? tanhGelu(x) : exactGelu(x)
}

/**
 * x where it is positive, else alpha * (exp(x) - 1): float [...] -> the same. The gradient at 0 is alpha.
 * @see Clevert, Unterthiner & Hochreiter 2016, "Fast and accurate deep network learning by exponential linear units (ELUs)".
 */
export function elu<D extends DType, S extends Shape>(x: Tensor<D, S>, alpha = 1): Tensor<D, S> {
  expectKind('ops.elu', 'alpha', is.finite, alpha)
  const positive = less(0, x)
  // Positive numbers stay out of `expm1`: where it overflows, its gradient is not finite, and 0 times that is none.
  return where(positive, x, mul(expm1(where(positive, 0, x)), alpha))
}

/** x where it is positive, else slope * x (Maas et al. 2013, "Rectifier nonlinearities improve neural network acoustic models"). */
export function leakyRelu<D extends DType, S extends Shape>(x: Tensor<D, S>, slope = 0.01): Tensor<D, S> {
  return where(less(0, x), x, mul(x, slope))
}
