// Ops over single elements, with NumPy broadcasting: one row per op. Each row is the public function, and registers the op
// with its derivative. Refuses operands of different dtypes (cast first) and arithmetic on u8.
import { broadcastShapes, dtypes, type DType, formatShape, isFloat, type Shape, type Tensor } from '../graph/index.js'
import { notDifferentiable, type TensorType } from '../graph/index.js'
import { emitOne } from '../graph/index.js'
import { unbroadcast } from './axes.js'
import { type Broadcast, wantsGradient } from './broadcast.js'
import { exactly, expectDType, expectThat, register } from './define.js'
import { flat, floats, numbers, unary } from './elementwise.js'
import { asOperands } from './operand.js'

interface Binary {
  <D extends DType, S extends Shape>(a: Tensor<D, S>, b: Tensor<NoInfer<D>, S> | number): Tensor<D, S>
  <D extends DType, S extends Shape>(a: number, b: Tensor<D, S>): Tensor<D, S>
  <D extends DType, A extends Shape, B extends Shape>(
    a: Tensor<D, A>,
    b: Tensor<NoInfer<D>, B>,
  ): Tensor<D, Broadcast<A, B>>
}

interface Comparison {
  <S extends Shape>(a: Tensor<DType, S>, b: Tensor<DType, S> | number): Tensor<'u8', S>
  <S extends Shape>(a: number, b: Tensor<DType, S>): Tensor<'u8', S>
  <A extends Shape, B extends Shape>(a: Tensor<DType, A>, b: Tensor<DType, B>): Tensor<'u8', Broadcast<A, B>>
}

/** dL/d(one operand) before the sum over its broadcast axes. */
type BinaryGradient = (dy: Tensor, a: Tensor, b: Tensor, y: Tensor) => Tensor
/** Common shape of broadcast operands. */
function broadcast(inputs: readonly TensorType[]): Shape {
  const shape = broadcastShapes(...inputs.map((input) => input.shape))
  expectThat(
    shape !== undefined,
    'extents that broadcast',
    inputs.map((input) => formatShape(input.shape)).join(' and '),
  )
  return shape
}

function sameDTypes(a: TensorType, b: TensorType): void {
  expectThat(a.dtype === b.dtype, 'operands of one dtype (cast one of them)', `${a.dtype} and ${b.dtype}`)
}

function binary(
  name: string,
  accepts: readonly DType[],
  gradientA: BinaryGradient | typeof flat,
  gradientB: BinaryGradient | typeof flat,
): Binary {
  const op = register({
    name,
    kind: 'pointwise',
    attributes: {},
    infer: (inputs) => {
      const [a, b] = exactly(inputs, 2)
      sameDTypes(a, b)
      expectDType(a, accepts, 'a')
      return [{ dtype: a.dtype, shape: broadcast(inputs) }]
    },
    vjp: ({ inputs, outputs }, [dy]) => {
      const [[a, b], [y]] = [exactly(inputs, 2), exactly(outputs, 1)]
      const part = (x: Tensor, gradient: BinaryGradient | typeof flat) =>
        dy && gradient && wantsGradient(x) ? unbroadcast(gradient(dy, a, b, y), x.shape) : undefined
      return [part(a, gradientA), part(b, gradientB)]
    },
  })
  return (a: Tensor | number, b: Tensor | number) => emitOne(op, asOperands(a, b), {})
}

function comparison(name: string): Comparison {
  const op = register({
    name,
    kind: 'pointwise',
    attributes: {},
    infer: (inputs) => {
      sameDTypes(...exactly(inputs, 2))
      return [{ dtype: 'u8', shape: broadcast(inputs) }]
    },
    vjp: notDifferentiable('a comparison has no derivative'),
  })
  return ((a: Tensor | number, b: Tensor | number) => emitOne(op, asOperands(a, b), {})) as Comparison
}

/** -x. */
export const neg = unary('neg', numbers, (dy) => neg(dy))
/** |x|; the gradient at 0 is 0. */
export const abs = unary('abs', numbers, (dy, x) => mul(dy, sign(x)))
/** -1, 0 or 1; its gradient is 0. */
export const sign = unary('sign', numbers, flat)
/** e to the power x. */
export const exp = unary('exp', floats, (dy, _x, y) => mul(dy, y))
/** e to the power x, less 1: exact where x is small. */
export const expm1 = unary('expm1', floats, (dy, _x, y) => mul(dy, add(y, 1)))
/** Natural logarithm. */
export const log = unary('log', floats, (dy, x) => div(dy, x))
/** Square root. */
export const sqrt = unary('sqrt', floats, (dy, _x, y) => div(mul(dy, 0.5), y))
/** 1 / sqrt(x). */
export const rsqrt = unary('rsqrt', floats, (dy, _x, y) => mul(mul(dy, -0.5), mul(y, mul(y, y))))
/** Hyperbolic tangent. */
export const tanh = unary('tanh', floats, (dy, _x, y) => mul(dy, sub(1, mul(y, y))))
/** Logistic function 1 / (1 + exp(-x)). */
export const sigmoid = unary('sigmoid', floats, (dy, _x, y) => mul(dy, mul(y, sub(1, y))))
/** max(x, 0); the gradient at 0 is 0. */
export const relu = unary('relu', floats, (dy, _x, y) => reluGrad(dy, y))
/** Largest integer not above x; its gradient is 0. */
export const floor = unary('floor', floats, flat)
/** Cosine of x in radians. */
export const cos = unary('cos', floats, (dy, x) => neg(mul(dy, sin(x))))
/** Sine of x in radians. */
export const sin = unary('sin', floats, (dy, x) => mul(dy, cos(x)))

/** a + b. */
export const add = binary(
  'add',
  numbers,
  (dy) => dy,
  (dy) => dy,
)
/** a - b. */
export const sub = binary(
  'sub',
  numbers,
  (dy) => dy,
  (dy) => neg(dy),
)
/** a * b. */
export const mul = binary(
  'mul',
  numbers,
  (dy, _a, b) => mul(dy, b),
  (dy, a) => mul(dy, a),
)
/** a / b, float only. */
export const div = binary(
  'div',
  floats,
  (dy, _a, b) => div(dy, b),
  (dy, _a, b, y) => neg(mul(dy, div(y, b))),
)
/** a to the power b, float only. Where a = 0 the gradient of b is 0, where b = 0 that of a. */
export const pow = binary(
  'pow',
  floats,
  (dy, a, b) => where(equal(b, 0), 0, mul(dy, mul(b, pow(a, sub(b, 1))))),
  (dy, a, _b, y) => mul(dy, mul(y, log(where(equal(a, 0), 1, a)))),
)
/** The larger one; where both are equal each gets half of the gradient. */
export const maximum = binary(
  'maximum',
  dtypes,
  (dy, a, b) => win(b, a, dy),
  (dy, a, b) => win(a, b, dy),
)
/** The smaller one; where both are equal each gets half of the gradient. */
export const minimum = binary(
  'minimum',
  dtypes,
  (dy, a, b) => win(a, b, dy),
  (dy, a, b) => win(b, a, dy),
)
/** dy where y > 0, else 0: the gradient of relu from its output. */
export const reluGrad = binary('reluGrad', floats, (dy, _a, y) => reluGrad(dy, y), flat)

/** a = b, as 0 or 1. */
export const equal = comparison('equal')
/** a < b, as 0 or 1. */
export const less = comparison('less')
/** a <= b, as 0 or 1. */
export const lessEqual = comparison('lessEqual')

/** dy where low < high, half of it where they tie, else 0. */
function win(low: Tensor, high: Tensor, dy: Tensor): Tensor {
  return where(less(low, high), dy, where(equal(low, high), mul(dy, 0.5), 0))
}

const castOp = register<{ readonly dtype: string }>({
  name: 'cast',
  kind: 'pointwise',
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
  return (x.dtype === dtype ? x : emitOne(castOp, [x], { dtype })) as Tensor<D, S>
}

const whereOp = register({
  name: 'where',
  kind: 'pointwise',
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
