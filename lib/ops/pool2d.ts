// Max and average pooling over NCHW: windows may overlap and reach into the padding, but never lie in it entirely.
import { expectKind, expectOptions, is, OstrichError, type Schema } from '../base/index.js'
import { type DType, emit, emitOne, GraphError, notDifferentiable } from '../graph/index.js'
import type { Op, Tensor, TensorType } from '../graph/index.js'
import {
  exactly,
  expectDType,
  expectFloat,
  expectInts,
  expectRank,
  expectShape,
  expectThat,
  register,
} from './define.js'
import { ceilPadding, paddingOf, type Padding, pairOf, type Pair, windowCount } from './window.js'

type PoolAttrs = {
  readonly kernel: readonly number[]
  readonly stride: readonly number[]
  readonly padding: readonly number[]
}
type AverageAttrs = PoolAttrs & { readonly countPadding: boolean }
type Sized = { readonly size: readonly number[] }

const geometry = { kernel: 'ints', stride: 'ints', padding: 'ints' } as const

/** Checks x [N,C,H,W] and the windows; gives [N,C,OH,OW]. */
function outputShape(x: TensorType, { kernel, stride, padding }: PoolAttrs): number[] {
  expectFloat(x, 'x')
  expectRank(x, 4, 'x')
  expectInts(kernel, 2, 1, 'kernel')
  expectInts(stride, 2, 1, 'stride')
  expectInts(padding, 4, 0, 'padding')
  const [n = 1, c = 1, h = 1, w = 1] = x.shape
  const [kh = 1, kw = 1] = kernel
  const [top = 0, left = 0, bottom = 0, right = 0] = padding
  const inside = Math.max(top, bottom) < kh && Math.max(left, right) < kw
  expectThat(inside, `padding below the kernel [${kh}, ${kw}]`, `[${padding.join(', ')}]`)
  const [strideH = 1, strideW = 1] = stride
  return [n, c, windowCount(h + top + bottom, kh, strideH), windowCount(w + left + right, kw, strideW)]
}

/** Shape of the gradient of an input of `size`; checks that dy is that of its output. */
function inputShape(dy: TensorType, attrs: PoolAttrs & Sized): number[] {
  expectRank(dy, 4, 'dy')
  expectInts(attrs.size, 2, 1, 'size')
  const shape = [...dy.shape.slice(0, 2), ...attrs.size]
  expectShape(dy, outputShape({ dtype: dy.dtype, shape }, attrs), 'dy of shape')
  return shape
}

const maxPool2dOp = register<PoolAttrs>({
  name: 'maxPool2d',
  kind: 'kernel',
  inBf16: 'follows',
  moves: false,
  epilogue: 'none',
  attributes: geometry,
  infer: (inputs, attrs) => {
    const [x] = exactly(inputs, 1)
    const shape = outputShape(x, attrs)
    const taps = (attrs.kernel[0] ?? 1) * (attrs.kernel[1] ?? 1)
    expectThat(taps <= 256, 'a kernel of at most 256 elements', taps.toString())
    return [
      { dtype: x.dtype, shape },
      { dtype: 'u8', shape },
    ]
  },
  vjp: ({ inputs, outputs, attrs }, [dy]) => {
    const [x, [, index]] = [exactly(inputs, 1)[0], exactly(outputs, 2)]
    return [dy && emitOne(maxPool2dGradOp, [dy, index], { ...attrs, size: x.shape.slice(2) })]
  },
})

const maxPool2dGradOp = register<PoolAttrs & Sized>({
  name: 'maxPool2dGrad',
  kind: 'kernel',
  inBf16: 'follows',
  moves: false,
  epilogue: 'none',
  attributes: { ...geometry, size: 'ints' },
  infer: (inputs, attrs) => {
    const [dy, index] = exactly(inputs, 2)
    expectDType(index, ['u8'], 'index')
    expectShape(index, dy.shape, 'index of shape')
    return [{ dtype: dy.dtype, shape: inputShape(dy, attrs) }]
  },
  vjp: notDifferentiable('no kernel gathers by the index of a max pool, so its gradient has no gradient'),
})

const avgPool2dOp: Op<AverageAttrs> = register<AverageAttrs>({
  name: 'avgPool2d',
  kind: 'kernel',
  inBf16: 'follows',
  moves: false,
  epilogue: 'none',
  attributes: { ...geometry, countPadding: 'boolean' },
  infer: (inputs, attrs) => {
    const [x] = exactly(inputs, 1)
    return [{ dtype: x.dtype, shape: outputShape(x, attrs) }]
  },
  vjp: ({ inputs, attrs }, [dy]) => {
    const size = exactly(inputs, 1)[0].shape.slice(2)
    return [dy && emitOne(avgPool2dGradOp, [dy], { ...attrs, size })]
  },
})

const avgPool2dGradOp: Op<AverageAttrs & Sized> = register<AverageAttrs & Sized>({
  name: 'avgPool2dGrad',
  kind: 'kernel',
  inBf16: 'follows',
  moves: false,
  epilogue: 'none',
  attributes: { ...geometry, countPadding: 'boolean', size: 'ints' },
  infer: (inputs, attrs) => {
    const [dy] = exactly(inputs, 1)
    return [{ dtype: dy.dtype, shape: inputShape(dy, attrs) }]
  },
  vjp: ({ attrs: { kernel, stride, padding, countPadding } }, [dx]) => [
    dx && emitOne(avgPool2dOp, [dx], { kernel, stride, padding, countPadding }),
  ],
})

/** Options of `maxPool2d`. */
export interface PoolOptions {
  /** Default: the kernel, so that windows do not overlap. */
  readonly stride?: Pair
  /** One number for all sides, [height, width], or [top, left, bottom, right]; less than the kernel. Default: 0. */
  readonly padding?: Padding
  /**
   * Windows may reach beyond the padding at the bottom and at the right, so that no row or column is left over; each still
   * starts inside x or the padding before it (the rule of Caffe, and of PyTorch's `ceil_mode`). Default: false.
   */
  readonly ceil?: boolean
}

/** Options of `avgPool2d`. */
export interface AvgPoolOptions extends PoolOptions {
  /**
   * Divide by the whole window (true) or by what of it lies inside x. Default: true; with `ceil` only false, as what lies
   * beyond the padding counts for nothing.
   */
  readonly countPadding?: boolean
}

const schema: Schema<PoolOptions> = { stride: is.pair(1), padding: is.padding, ceil: is.flag }

type Image<D extends DType, C extends number> = Tensor<D, [number, C, number, number]>
type ImageLike<D extends DType, C extends number> = Tensor<D, readonly [number, C, number, number]>

function poolAttrs(x: Tensor, kernel: Pair, options: PoolOptions): PoolAttrs {
  const { stride = kernel, padding = 0, ceil = false } = options
  const [window, steps, [top, left, bottom, right]] = [pairOf(kernel), pairOf(stride), paddingOf(padding)]
  const [, , height = 1, width = 1] = x.shape
  const after = ceil
    ? [ceilPadding(height, window[0], steps[0], top, bottom), ceilPadding(width, window[1], steps[1], left, right)]
    : [bottom, right]
  return { kernel: window, stride: steps, padding: [top, left, ...after] }
}

/**
 * Largest element of each window: [N,C,H,W] -> [N,C,OH,OW]; the gradient goes to the first maximum of a window.
 * @throws ShapeError where no window fits, the padding reaches the kernel, or the kernel has more than 256 elements; OstrichError `ERR_OPTION`.
 * @example maxPool2d(x, 3, { stride: 2 }) // [64, 96, 55, 55] -> [64, 96, 27, 27]
 */
export function maxPool2d<D extends DType, C extends number>(
  x: ImageLike<D, C>,
  kernel: Pair,
  options: PoolOptions = {},
): Image<D, C> {
  expectKind('ops.maxPool2d', 'kernel', is.pair(1), kernel)
  expectOptions('ops.maxPool2d', options, schema)
  const [y] = emit(maxPool2dOp, [x], poolAttrs(x, kernel, options))
  if (y === undefined) throw new GraphError('maxPool2d: expected two outputs, got none')
  return y as Image<D, C>
}

/**
 * Mean of each window: [N,C,H,W] -> [N,C,OH,OW].
 * @throws ShapeError where no window fits or the padding reaches the kernel; OstrichError `ERR_OPTION`, where `ceil` is to count padding too.
 * @example avgPool2d(x, 2) // [128, 64, 14, 14] -> [128, 64, 7, 7]
 */
export function avgPool2d<D extends DType, C extends number>(
  x: ImageLike<D, C>,
  kernel: Pair,
  options: AvgPoolOptions = {},
): Image<D, C> {
  expectKind('ops.avgPool2d', 'kernel', is.pair(1), kernel)
  expectOptions<AvgPoolOptions>('ops.avgPool2d', options, { ...schema, countPadding: is.flag })
  const { ceil = false, countPadding = !ceil } = options
  if (ceil && countPadding) {
    throw new OstrichError('ERR_OPTION', 'ops.avgPool2d[countPadding]: expected false with ceil, got true')
  }
  const attrs = { ...poolAttrs(x, kernel, options), countPadding }
  return emitOne(avgPool2dOp, [x], attrs)
}
