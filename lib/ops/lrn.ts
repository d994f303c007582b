// Local response normalisation across channels: each element over a power of the energy of its neighbours in C.
import { expectOptions, is } from '../base/index.js'
import { type DType, emitOne, type Tensor, type TensorType } from '../graph/index.js'
import { reshape } from './axes.js'
import { exactly, expectFloat, expectRank, expectShape, expectThat, register } from './define.js'
import { add, cast, mul, pow, square, sub } from './pointwise.js'
import { avgPool2d } from './pool2d.js'

/** Attributes of `lrn`: every convention of the literature is a choice of these. */
export type LrnOptions = {
  /** Channels in a window, itself in the middle: odd, at most 63. */
  readonly size: number
  /** Factor of the sum as it stands, not divided by the size; at least 0. */
  readonly alpha: number
  readonly beta: number
  /** Added to the scaled sum; more than 0. */
  readonly k: number
}

const attributes = { size: 'int', alpha: 'number', beta: 'number', k: 'number' } as const

/** Checks x [N,C,H,W] and the attributes. */
function expectLrn(x: TensorType, what: string, { size, alpha, beta, k }: LrnOptions): void {
  expectFloat(x, what)
  expectRank(x, 4, what)
  const odd = Number.isSafeInteger(size) && size % 2 === 1 && size >= 1 && size <= 63
  expectThat(odd, 'an odd size from 1 to 63', size.toString())
  expectThat(Number.isFinite(alpha) && alpha >= 0, 'alpha of at least 0', alpha.toString())
  expectThat(Number.isFinite(beta) && beta >= 0, 'beta of at least 0', beta.toString())
  expectThat(Number.isFinite(k) && k > 0, 'k of more than 0', k.toString())
}

const lrnOp = register<LrnOptions>({
  name: 'lrn',
  kind: 'kernel',
  inBf16: 'follows',
  moves: false,
  epilogue: 'none',
  attributes,
  infer: (inputs, attrs) => {
    const [x] = exactly(inputs, 1)
    expectLrn(x, 'x', attrs)
    return [{ dtype: x.dtype, shape: x.shape }]
  },
  vjp: ({ inputs, attrs }, [dy]) => [dy && emitOne(lrnGradOp, [dy, exactly(inputs, 1)[0]], attrs)],
})

const lrnGradOp = register<LrnOptions>({
  name: 'lrnGrad',
  kind: 'kernel',
  inBf16: 'follows',
  moves: false,
  epilogue: 'none',
  attributes,
  infer: (inputs, attrs) => {
    const [dy, x] = exactly(inputs, 2)
    expectLrn(x, 'x', attrs)
    expectThat(dy.dtype === x.dtype, 'dy and x of one dtype', `${dy.dtype} and ${x.dtype}`)
    expectShape(dy, x.shape, 'dy of shape')
    return [{ dtype: x.dtype, shape: x.shape }]
  },
  vjp: ({ inputs, attrs }, [dx]) => (dx ? secondGradient(...exactly(inputs, 2), dx, attrs) : []),
})

/** Sums over the windows of `size` channels of x [N,C,H,W]. */
function windowSum(x: Tensor<'f32'>, size: number): Tensor<'f32'> {
  const [n = 1, c = 1, h = 1, w = 1] = x.shape
  const planes = reshape(x, [n, 1, c, h * w])
  const means = avgPool2d(planes, [size, 1], { stride: 1, padding: [(size - 1) / 2, 0] })
  return mul(reshape(means, x.shape), size)
}

/**
 * Gradients of the gradient, with u = dL/d(dx). With s = k + alpha W(x^2), W the sum over windows, p = s^-beta and
 * q = p / s: dx = dy p - 2 alpha beta x W(dy x q), and W is its own transpose.
 */
function secondGradient(dy: Tensor, x: Tensor, u: Tensor, { size, alpha, beta, k }: LrnOptions): [Tensor, Tensor] {
  const [dyWide, wide, uWide] = [cast(dy, 'f32'), cast(x, 'f32'), cast(u, 'f32')] as const
  const sums = (value: Tensor<'f32'>) => windowSum(value, size)
  const s = add(mul(sums(square(wide)), alpha), k)
  const [p, q] = [pow(s, -beta), pow(s, -beta - 1)]
  const twice = 2 * alpha * beta
  const product = sums(mul(uWide, wide))
  const ddy = sub(mul(uWide, p), mul(mul(mul(wide, q), product), twice))
  // Of x where it stands, then of x in s: ds = -beta q u dy + 2 alpha beta (beta + 1) dy x q / s W(u x).
  const direct = add(mul(uWide, sums(mul(dyWide, mul(wide, q)))), mul(mul(dyWide, q), product))
  const curved = mul(mul(mul(dyWide, wide), pow(s, -beta - 2)), mul(product, twice * (beta + 1)))
  const ds = sub(curved, mul(mul(mul(uWide, dyWide), q), beta))
  const ddx = sub(mul(mul(wide, sums(ds)), 2 * alpha), mul(direct, twice))
  return [cast(ddy, dy.dtype), cast(ddx, x.dtype)]
}

type Image<D extends DType, C extends number> = Tensor<D, [number, C, number, number]>

/**
 * y_c = x_c / (k + alpha * sum of x_j^2 over |j - c| <= (size - 1) / 2)^beta at each place: float [N,C,H,W] -> the same.
 * alpha multiplies the sum as it stands; where a source divides it by the size, so must the caller (`nn.lrn` does).
 * @throws ShapeError for another rank; OstrichError `ERR_OPTION`.
 * @see Krizhevsky, Sutskever & Hinton 2012, "ImageNet classification with deep convolutional neural networks", 3.3.
 * @example lrn(x, { size: 5, alpha: 1e-4, beta: 0.75, k: 2 })
 */
export function lrn<D extends DType, C extends number>(
  x: Tensor<D, readonly [number, C, number, number]>,
  options: LrnOptions,
): Image<D, C> {
  const factor = is.needed(is.notNegative)
  const own = { size: is.needed(is.odd(63)), alpha: factor, beta: factor, k: is.needed(is.positive) }
  expectOptions('ops.lrn', options, own)
  const { size, alpha, beta, k } = options
  return emitOne(lrnOp, [x], { size, alpha, beta, k })
}
