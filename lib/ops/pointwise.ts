// Ops over single elements, with NumPy broadcasting: one row per op. Each row is the public function, and registers the op
// with its traits and derivative. Refuses operands of different dtypes (cast first) and arithmetic on u8.
import { type DType, dtypes, emitOne, emitUnless, isFloat, type Shape, type Tensor } from '../graph/index.js'
import { unbroadcast } from './axes.js'
import { wantsGradient } from './broadcast.js'
import { exactly, expectDType, expectThat, register } from './define.js'
import {
  binary,
  broadcast,
  type Comparison,
  comparison,
  flat,
  floats,
  numbers,
  sameDTypes,
  unary,
} from './elementwise.js'
import { asOperands } from './operand.js'

/** -x. */
export const neg = unary('neg', numbers, { inBf16: 'follows', formula: (x) => -x, gradient: (dy) => neg(dy) })
/** |x|; the gradient at 0 is 0. */
export const abs = unary('abs', numbers, {
  inBf16: 'follows',
  formula: Math.abs,
  gradient: (dy, x) => mul(dy, sign(x)),
})
/** -1, 0 or 1; its gradient is 0. */
export const sign = unary('sign', numbers, { inBf16: 'f32', formula: Math.sign, gradient: flat })
/** e to the power x. */
export const exp = unary('exp', floats, { inBf16: 'f32', formula: Math.exp, gradient: (dy, _x, y) => mul(dy, y) })
/** e to the power x, less 1: exact where x is small. */
export const expm1 = unary('expm1', floats, {
  inBf16: 'f32',
  formula: Math.expm1,
  gradient: (dy, _x, y) => mul(dy, add(y, 1)),
})
/** Natural logarithm. */
export const log = unary('log', floats, { inBf16: 'f32', formula: Math.log, gradient: (dy, x) => div(dy, x) })
/** Square root. */
export const sqrt = unary('sqrt', floats, {
  inBf16: 'f32',
  formula: Math.sqrt,
  gradient: (dy, _x, y) => div(mul(dy, 0.5), y),
})
/** 1 / sqrt(x). */
export const rsqrt = unary('rsqrt', floats, {
  inBf16: 'f32',
  formula: (x) => 1 / Math.sqrt(x),
  gradient: (dy, _x, y) => mul(mul(dy, -0.5), mul(y, mul(y, y))),
})
/** Hyperbolic tangent. */
export const tanh = unary('tanh', floats, {
  inBf16: 'follows',
  formula: Math.tanh,
  gradient: (dy, _x, y) => mul(dy, sub(1, mul(y, y))),
})
/** Logistic function 1 / (1 + exp(-x)). */
export const sigmoid = unary('sigmoid', floats, {
  inBf16: 'follows',
  formula: (x) => 1 / (1 + Math.exp(-x)),
  gradient: (dy, _x, y) => mul(dy, mul(y, sub(1, y))),
})
/** max(x, 0); the gradient at 0 is 0. */
export const relu = unary('relu', floats, {
  inBf16: 'follows',
  formula: (x) => Math.max(x, 0),
  gradient: (dy, _x, y) => reluGrad(dy, y),
})
/** Largest integer not above x; its gradient is 0. */
export const floor = unary('floor', floats, { inBf16: 'f32', formula: Math.floor, gradient: flat })
/** Cosine of x in radians. */
export const cos = unary('cos', floats, { inBf16: 'f32', formula: Math.cos, gradient: (dy, x) => neg(mul(dy, sin(x))) })
/** Sine of x in radians. */
export const sin = unary('sin', floats, { inBf16: 'f32', formula: Math.sin, gradient: (dy, x) => mul(dy, cos(x)) })

/** a + b. */
export const add = binary('add', numbers, {
  inBf16: 'f32',
  formula: (a, b) => a + b,
  gradients: [(dy) => dy, (dy) => dy],
})
/** a - b. */
export const sub = binary('sub', numbers, {
  inBf16: 'f32',
  formula: (a, b) => a - b,
  gradients: [(dy) => dy, (dy) => neg(dy)],
})
/** a * b. */
export const mul = binary('mul', numbers, {
  inBf16: 'f32',
  formula: (a, b) => a * b,
  gradients: [(dy, _a, b) => mul(dy, b), (dy, a) => mul(dy, a)],
})
/** a / b, float only. */
export const div = binary('div', floats, {
  inBf16: 'f32',
  formula: (a, b) => a / b,
  gradients: [(dy, _a, b) => div(dy, b), (dy, _a, b, y) => neg(mul(dy, div(y, b)))],
})
/** a to the power b, float only. Where a = 0 the gradient of b is 0, where b = 0 that of a. */
export const pow = binary('pow', floats, {
  inBf16: 'f32',
  formula: Math.pow,
  gradients: [
    (dy, a, b) => where(equal(b, 0), 0, mul(dy, mul(b, pow(a, sub(b, 1))))),
    (dy, a, _b, y) => mul(dy, mul(y, log(where(equal(a, 0), 1, a)))),
  ],
})
/** The larger one; where both are equal each gets half of the gradient. */
export const maximum = binary('maximum', dtypes, {
  inBf16: 'follows',
  formula: (a, b) => Math.max(a, b),
  gradients: [(dy, a, b) => win(b, a, dy), (dy, a, b) => win(a, b, dy)],
})
/** The smaller one; where both are equal each gets half of the gradient. */
export const minimum = binary('minimum', dtypes, {
  inBf16: 'follows',
  formula: (a, b) => Math.min(a, b),
  gradients: [(dy, a, b) => win(a, b, dy), (dy, a, b) => win(b, a, dy)],
})
/** dy where y > 0, else 0: the gradient of relu from its output. */
export const reluGrad = binary('reluGrad', floats, {
  inBf16: 'follows',
  formula: (dy, y) => (y > 0 ? dy : 0),
  gradients: [(dy, _a, y) => reluGrad(dy, y), flat],
})

/** a = b, as 0 or 1. */
export const equal = comparison('equal', (a, b) => a === b)
/** a < b, as 0 or 1. */
export const less = comparison('less', (a, b) => a < b)
/** a <= b, as 0 or 1. */
export const lessEqual = comparison('lessEqual', (a, b) => a <= b)

/** dy where low < high, half of it where they tie, else 0. */
function win(low: Tensor, high: Tensor, dy: Tensor): Tensor {
  return where(less(low, high), dy, where(equal(low, high), mul(dy, 0.5), 0))
}

const castOp = register<{ readonly dtype: string }>({
  name: 'cast',
  kind: 'pointwise',
  inBf16: 'f32',
  // Integers that need no rounding: other constants are left as they are.
  formula: (x = 0) => x,
  attributes: { dtype: 'dtype' },
  infer: (inputs, attrs) => {
    const [x] = exactly(inputs, 1)
    const dtype = dtypes.find((known) => known === attrs.dtype)
    expectThat(dtype !== undefined, `a dtype of ${dtypes.join(', ')}`, attrs.dtype)
    return [{ dtype, shape: x.shape }]
  },
  vjp: ({ inputs }, [dy]) => {
    const [x] = exactly(inputs, 1)
    return [dy && isFloat(x.dtype) ? cast(dy, x.dtype) : undefined]
  },
})

/**
 * Converts the element type: to bf16 with round to nearest even, to integers towards zero. The same type is returned as is.
 * @example cast(images, 'f32') // u8 [128, 784] -> f32 [128, 784]
 */
export function cast<D extends DType, S extends Shape>(x: Tensor<DType, S>, dtype: D): Tensor<D, S> {
  return emitUnless(x.dtype === dtype, castOp, x, { dtype })
}

const whereOp = register({
  name: 'where',
  kind: 'pointwise',
  inBf16: 'f32',
  formula: (condition = 0, a = 0, b = 0) => (condition === 0 ? b : a),
  attributes: {},
  infer: (inputs) => {
    const [condition, a, b] = exactly(inputs, 3)
    expectDType(condition, ['u8'], 'a condition')
    sameDTypes(a, b)
    return [{ dtype: a.dtype, shape: broadcast(inputs) }]
  },
  vjp: ({ inputs }, [dy]) => {
    const [condition, a, b] = exactly(inputs, 3)
    if (dy === undefined) return []
    return [
      undefined,
      wantsGradient(a) ? unbroadcast(where(condition, dy, 0), a.shape) : undefined,
      wantsGradient(b) ? unbroadcast(where(condition, 0, dy), b.shape) : undefined,
    ]
  },
})

interface Where {
  <D extends DType, S extends Shape>(
    condition: Tensor<'u8', S>,
    a: Tensor<D, S> | number,
    b: Tensor<D, S> | number,
  ): Tensor<D, S>
  <D extends DType>(condition: Tensor, a: Tensor<D> | number, b: Tensor<D> | number): Tensor<D>
}

/**
 * a where the condition (u8) is not 0, else b; all three broadcast. Two numbers give f32.
 * @example where(less(x, 0), mul(x, 0.01), x)
 */
export const where: Where = (condition: Tensor, a: Tensor | number, b: Tensor | number) =>
  emitOne(whereOp, [condition, ...asOperands(a, b)], {})

/** a > b, as 0 or 1. */
export const greater: Comparison = ((a: Tensor, b: Tensor) => less(b, a)) as Comparison
/** a >= b, as 0 or 1. */
export const greaterEqual: Comparison = ((a: Tensor, b: Tensor) => lessEqual(b, a)) as Comparison
/** a != b, as 0 or 1. */
export const notEqual: Comparison = ((a: Tensor, b: Tensor) => equal(equal(a, b), 0)) as Comparison

/** x * x. */
export function square<D extends DType, S extends Shape>(x: Tensor<D, S>): Tensor<D, S> {
  return mul(x, x)
}

/** 1 / x. */
export function reciprocal<D extends DType, S extends Shape>(x: Tensor<D, S>): Tensor<D, S> {
  return div(1, x)
}
