// Batch normalisation by the statistics of the batch, its gradient, and the same map with a scale and a shift that are given.
// Statistics are f32 whatever x is. A fused activation and a residual are put in by a pass, after gradients.
import { expectOptions, is } from '../base/index.js'
import {
  type DType,
  emit,
  emitOne,
  formatShape,
  GraphError,
  type Op,
  type Shape,
  type Tensor,
  type TensorType,
} from '../graph/index.js'
import { exactly, expectShape, expectThat, register } from './define.js'
import { expectNormalised, type Frame, secondGradient, throughStatistics } from './normalise.js'
import { add, cast, mul } from './pointwise.js'
import { sum } from './axes.js'
import { zeros } from './operand.js'

type AffineAttrs = { readonly activation: string }
type BatchAttrs = AffineAttrs & { readonly epsilon: number }

/** Checks x [N,C] or [N,C,H,W] and what comes with it. */
function expectBatch(x: TensorType, channels: Record<string, TensorType>, { activation, epsilon }: BatchAttrs): void {
  expectNormalised(x, channels, epsilon)
  expectThat(x.shape.length === 2 || x.shape.length === 4, 'x of [N, C] or [N, C, H, W]', formatShape(x.shape))
  expectThat(activation === 'none' || activation === 'relu', 'an activation of none, relu', activation)
}

/** Numbers that are normalised together. */
function countOf({ shape }: TensorType): number {
  return shape.reduce((product, extent, axis) => (axis === 1 ? product : product * extent), 1)
}

function expectSeveral(x: TensorType): void {
  expectThat(countOf(x) >= 2, 'at least two numbers for each channel', formatShape(x.shape))
}

function expectLike(x: TensorType, other: TensorType | undefined, what: string): void {
  if (other === undefined) return
  expectThat(other.dtype === x.dtype, `${what} and x of one dtype`, `${other.dtype} and ${x.dtype}`)
  expectShape(other, x.shape, `${what} of shape`)
}

function frameOf({ shape }: TensorType): Frame {
  const [n = 1, c = 1, h = 1, w = 1] = shape
  return { whole: [n, c, 1, h * w], statistic: [1, c, 1, 1], parameter: [1, c, 1, 1], together: [0, 2, 3] }
}

function expectUnfused(name: string, { activation }: AffineAttrs, count: number, inputs: readonly Tensor[]): void {
  if (activation === 'none' && inputs.length === count) return
  throw new GraphError(`${name}: expected a graph before fusion, got an activation or a residual`)
}

/** Two to four inputs: x, scale, shift and perhaps a residual. */
function expectAffine(inputs: readonly TensorType[], attrs: BatchAttrs): TensorType {
  const [x, scale, shift, residual] = inputs
  const good = x !== undefined && scale !== undefined && shift !== undefined && inputs.length <= 4
  expectThat(good, '3 or 4 inputs', inputs.length.toString())
  expectBatch(x, { scale, shift }, attrs)
  expectLike(x, residual, 'a residual')
  return x
}

// y = activation(scale (x - mean) / sqrt(variance + epsilon) + shift + residual); the other outputs are mean and variance.
const batchNormOp = register<BatchAttrs>({
  name: 'batchNorm',
  kind: 'kernel',
  inBf16: { follows: [0, 3] },
  moves: false,
  epilogue: 'none',
  attributes: { epsilon: 'number', activation: 'string' },
  infer: (inputs, attrs) => {
    const x = expectAffine(inputs, attrs)
    expectSeveral(x)
    const statistic = { dtype: 'f32', shape: x.shape.slice(1, 2) } as const
    return [{ dtype: x.dtype, shape: x.shape }, statistic, statistic]
  },
  vjp: ({ inputs, outputs, attrs }, [dy, ...dstatistics]) => {
    expectUnfused('batchNorm', attrs, 3, inputs)
    const [[x, scale, shift], [, mean, variance]] = [exactly(inputs, 3), exactly(outputs, 3)]
    const through = throughStatistics(x, mean, dstatistics, frameOf(x))
    if (dy === undefined) return [through]
    const [dx, ...rest] = exactly(emit(batchNormGradOp, [dy, x, scale, shift, mean, variance], attrs), 3)
    return [through ? add(dx, through) : dx, ...rest]
  },
})

const batchNormGradOp = register<BatchAttrs>({
  name: 'batchNormGrad',
  kind: 'kernel',
  inBf16: { follows: [0, 1] },
  moves: false,
  epilogue: 'none',
  attributes: { epsilon: 'number', activation: 'string' },
  infer: (inputs, attrs) => {
    const [dy, x, scale, shift, mean, variance] = exactly(inputs, 6)
    expectBatch(x, { scale, shift, mean, variance }, attrs)
    expectSeveral(x)
    expectLike(x, dy, 'dy')
    const parameter = { dtype: 'f32', shape: scale.shape } as const
    return [{ dtype: x.dtype, shape: x.shape }, parameter, parameter]
  },
  vjp: ({ inputs, attrs }, seeds) => {
    expectUnfused('batchNormGrad', attrs, 6, inputs)
    const [dy, x, scale, , mean, variance] = exactly(inputs, 6)
    if (seeds.every((seed) => seed === undefined)) return []
    const [ddy, dx, dscale, dmean, dvariance] = secondGradient(
      { dy, x, scale, mean, variance },
      seeds,
      frameOf(x),
      attrs.epsilon,
    )
    return [ddy, dx, dscale, undefined, dmean, dvariance]
  },
})

// y = activation(scale x + shift + residual)
const channelAffineOp: Op<AffineAttrs> = register<AffineAttrs>({
  name: 'channelAffine',
  kind: 'kernel',
  inBf16: { follows: [0, 3] },
  moves: false,
  epilogue: 'none',
  attributes: { activation: 'string' },
  infer: (inputs, attrs) => {
    const x = expectAffine(inputs, { ...attrs, epsilon: 1 })
    return [{ dtype: x.dtype, shape: x.shape }]
  },
  vjp: ({ inputs, attrs }, [dy]) => {
    expectUnfused('channelAffine', attrs, 3, inputs)
    const [x, scale, shift] = exactly(inputs, 3)
    if (dy === undefined) return []
    const others = x.shape.flatMap((_extent, axis) => (axis === 1 ? [] : [axis]))
    const wide = cast(dy, 'f32')
    const dscale = sum(mul(wide, cast(x, 'f32')), others)
    return [emitOne(channelAffineOp, [dy, scale, zeros(shift.shape)], attrs), dscale, sum(wide, others)]
  },
})

/** Options of `batchNorm`. */
export interface BatchNormOptions {
  /** Added to the variance; more than 0. Default: 1e-5. */
  readonly epsilon?: number
}

/** What `batchNorm` gives. */
export interface BatchNormResult<D extends DType, S extends Shape> {
  readonly y: Tensor<D, S>
  /** Of the batch, f32 [C]. */
  readonly mean: Tensor<'f32', [number]>
  /** Of the batch, divided by the count: f32 [C]. */
  readonly variance: Tensor<'f32', [number]>
}

/**
 * y = (x - mean) / sqrt(variance + epsilon) * scale + shift, mean and variance of each channel over batch and places:
 * x float [N, C] or [N, C, H, W], scale and shift f32 [C].
 * @throws ShapeError for other ranks and extents, and for one number in each channel; OstrichError `ERR_OPTION`.
 * @see Ioffe & Szegedy 2015, "Batch normalization: accelerating deep network training by reducing internal covariate shift".
 * @example const { y } = batchNorm(x, scale, shift)
 */
export function batchNorm<D extends DType, S extends Shape>(
  x: Tensor<D, S>,
  scale: Tensor<'f32'>,
  shift: Tensor<'f32'>,
  options: BatchNormOptions = {},
): BatchNormResult<D, S> {
  expectOptions<BatchNormOptions>('ops.batchNorm', options, { epsilon: is.positive })
  const attrs = { epsilon: options.epsilon ?? 1e-5, activation: 'none' }
  const [y, mean, variance] = exactly(emit(batchNormOp, [x, scale, shift], attrs), 3)
  return { y, mean, variance } as BatchNormResult<D, S>
}

/**
 * y = scale x + shift, a scale and a shift for each channel: x float [N, C] or [N, C, H, W], scale and shift f32 [C] -> the type
 * of x. Where convolutions leave x in a layout of their own, it stays there.
 * @throws ShapeError for other ranks and extents.
 * @example channelAffine(x, scale, shift)
 */
export function channelAffine<D extends DType, S extends Shape>(
  x: Tensor<D, S>,
  scale: Tensor<'f32'>,
  shift: Tensor<'f32'>,
): Tensor<D, S> {
  return emitOne(channelAffineOp, [x, scale, shift], { activation: 'none' })
}
