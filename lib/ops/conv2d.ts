// Two-dimensional convolution (cross-correlation) over NCHW and its two gradients. The three are closed under
// differentiation: each is bilinear, and each one's gradients are the other two.
import { expectOptions, is, type Schema } from '../base/index.js'
import {
  type DType,
  emitOne,
  formatShape,
  GraphError,
  type Shape,
  type Tensor,
  type TensorType,
} from '../graph/index.js'
import { sum } from './axes.js'
import { activate, type Activation, anActivation, expectActivation } from './activation.js'
import { exactly, expectDType, expectFloat, expectInts, expectRank, expectShape } from './define.js'
import { expectThat, floatAttr, register } from './define.js'
import { aDType, aTensor } from './operand.js'
import { channelAffine } from './batch-norm.js'
import { ones } from './operand.js'
import { cast } from './pointwise.js'
import { paddingOf, type Padding, pairOf, type Pair, windowCount } from './window.js'

type Geometry = {
  readonly stride: readonly number[]
  readonly padding: readonly number[]
  readonly dilation: readonly number[]
  readonly groups: number
  readonly dtype: string
}
type ConvAttrs = Geometry & { readonly activation: string }
type GradInputAttrs = Geometry & { readonly size: readonly number[] }
type GradWeightAttrs = Geometry & { readonly kernel: readonly number[]; readonly sumDy: boolean }

const geometry = { stride: 'ints', padding: 'ints', dilation: 'ints', groups: 'int', dtype: 'dtype' } as const

function geometryOf({ stride, padding, dilation, groups, dtype }: Geometry): Geometry {
  return { stride, padding, dilation, groups, dtype }
}

/** Checks x [N,C,H,W] against w [O,C/groups,KH,KW] and gives the shape of y. */
function outputShape(x: Shape, w: Shape, { stride, padding, dilation, groups }: Geometry): number[] {
  expectInts(stride, 2, 1, 'stride')
  expectInts(padding, 4, 0, 'padding')
  expectInts(dilation, 2, 1, 'dilation')
  const [n = 1, c = 1, h = 1, width = 1] = x
  const [o = 1, inner = 1, kh = 1, kw = 1] = w
  expectThat(Number.isSafeInteger(groups) && groups >= 1, 'groups of at least 1', groups.toString())
  const split = c % groups === 0 && o % groups === 0
  expectThat(split, `groups that divide ${c} channels in and ${o} out`, groups.toString())
  expectThat(inner === c / groups, `w with ${c / groups} input channels, as x ${formatShape(x)}`, formatShape(w))
  const [top = 0, left = 0, bottom = 0, right = 0] = padding
  const [strideH = 1, strideW = 1] = stride
  const [dilationH = 1, dilationW = 1] = dilation
  const oh = windowCount(h + top + bottom, dilationH * (kh - 1) + 1, strideH)
  const ow = windowCount(width + left + right, dilationW * (kw - 1) + 1, strideW)
  return [n, o, oh, ow]
}

function expectPair(a: TensorType, b: TensorType, nameA: string, nameB: string): void {
  expectFloat(a, nameA)
  expectThat(a.dtype === b.dtype, `${nameA} and ${nameB} of one dtype`, `${a.dtype} and ${b.dtype}`)
  expectRank(a, 4, nameA)
  expectRank(b, 4, nameB)
}

const conv2dOp = register<ConvAttrs>({
  name: 'conv2d',
  kind: 'kernel',
  inBf16: 2,
  moves: false,
  epilogue: 'channels',
  attributes: { ...geometry, activation: 'string' },
  infer: (inputs, attrs) => {
    const [x, w, bias] = inputs
    expectThat(x !== undefined && w !== undefined && inputs.length <= 3, '2 or 3 inputs', inputs.length.toString())
    expectPair(x, w, 'x', 'w')
    expectActivation(attrs.activation)
    const shape = outputShape(x.shape, w.shape, attrs)
    if (bias !== undefined) {
      expectDType(bias, ['f32'], 'a bias')
      expectShape(bias, [shape[1] ?? 1], 'a bias of shape')
    }
    return [{ dtype: floatAttr(attrs.dtype), shape }]
  },
  vjp: ({ inputs, attrs }, [dy]) => {
    if (attrs.activation !== 'none') throw new GraphError('conv2d: expected a graph before fusion, got an activation')
    const [x, w, bias] = inputs
    if (dy === undefined || x === undefined || w === undefined) return []
    const seed = cast(dy, x.dtype)
    return [gradInput(seed, w, x, attrs), gradWeight(x, seed, w, attrs), bias && sum(cast(dy, 'f32'), [0, 2, 3])]
  },
})

const gradInputOp = register<GradInputAttrs>({
  name: 'conv2dGradInput',
  kind: 'kernel',
  inBf16: 2,
  moves: false,
  epilogue: 'none',
  attributes: { ...geometry, size: 'ints' },
  infer: (inputs, attrs) => {
    const [dy, w] = exactly(inputs, 2)
    expectPair(dy, w, 'dy', 'w')
    expectInts(attrs.size, 2, 1, 'size')
    const shape = [dy.shape[0] ?? 1, (w.shape[1] ?? 1) * attrs.groups, ...attrs.size]
    expectShape(dy, outputShape(shape, w.shape, attrs), 'dy of shape')
    return [{ dtype: floatAttr(attrs.dtype), shape }]
  },
  vjp: ({ inputs, attrs }, [dx]) => {
    const [dy, w] = exactly(inputs, 2)
    if (dx === undefined) return []
    const seed = cast(dx, dy.dtype)
    return [forward(seed, w, attrs), gradWeight(seed, dy, w, attrs)]
  },
})

const gradWeightOp = register<GradWeightAttrs>({
  name: 'conv2dGradWeight',
  kind: 'kernel',
  inBf16: 2,
  moves: false,
  epilogue: 'none',
  attributes: { ...geometry, kernel: 'ints', sumDy: 'boolean' },
  infer: (inputs, attrs) => {
    const [x, dy] = exactly(inputs, 2)
    expectPair(x, dy, 'x', 'dy')
    expectInts(attrs.kernel, 2, 1, 'kernel')
    const channels = dy.shape[1] ?? 1
    const shape = [channels, (x.shape[1] ?? 1) / attrs.groups, ...attrs.kernel]
    expectShape(dy, outputShape(x.shape, shape, attrs), 'dy of shape')
    const dw = { dtype: floatAttr(attrs.dtype), shape }
    return attrs.sumDy ? [dw, { dtype: 'f32', shape: [channels] }] : [dw]
  },
  vjp: ({ inputs, attrs }, [dw]) => {
    if (attrs.sumDy) throw new GraphError('conv2dGradWeight: expected a graph before fusion, got sumDy')
    const [x, dy] = exactly(inputs, 2)
    if (dw === undefined) return []
    const seed = cast(dw, x.dtype)
    return [gradInput(dy, seed, x, attrs), forward(x, seed, attrs)]
  },
})

function forward<D extends DType, S extends Shape>(
  x: Tensor,
  w: Tensor,
  attrs: Geometry,
  bias?: Tensor,
  dtype: string = x.dtype,
): Tensor<D, S> {
  return emitOne(conv2dOp, bias ? [x, w, bias] : [x, w], { ...geometryOf(attrs), activation: 'none', dtype })
}

function gradInput(dy: Tensor, w: Tensor, x: Tensor, attrs: Geometry): Tensor {
  return emitOne(gradInputOp, [dy, w], { ...geometryOf(attrs), dtype: x.dtype, size: x.shape.slice(2) })
}

function gradWeight(x: Tensor, dy: Tensor, w: Tensor, attrs: Geometry): Tensor {
  const kernel = w.shape.slice(2)
  return emitOne(gradWeightOp, [x, dy], { ...geometryOf(attrs), dtype: w.dtype, kernel, sumDy: false })
}

/** Options of `conv2d`. */
export interface Conv2dOptions<G extends number = number, O extends DType = DType> {
  /** Default: 1. */
  readonly stride?: Pair
  /** One number for all sides, [height, width], or [top, left, bottom, right]. Default: 0. */
  readonly padding?: Padding
  /** Distance between taps; 1 is dense. Default: 1. */
  readonly dilation?: Pair
  /** Channels fall into this many groups that do not see each other. Default: 1. */
  readonly groups?: G
  /** f32 [O]. */
  readonly bias?: Tensor<'f32'>
  /** Applied to the biased result. Default: none. */
  readonly activation?: Activation
  /** Of the result; sums are f32 in any case. Default: that of x. */
  readonly dtype?: O
}

const common = { stride: is.pair(1), padding: is.padding, dilation: is.pair(1), groups: is.whole(1), bias: aTensor }
const schema: Schema<Conv2dOptions> = { ...common, activation: anActivation, dtype: aDType }

/** How people say where windows lie. */
type Placing = Pick<Conv2dOptions, 'stride' | 'padding' | 'dilation' | 'groups'>

function placed(options: Placing, dtype: DType) {
  const { stride = 1, padding = 0, dilation = 1, groups = 1 } = options
  return { stride: pairOf(stride), padding: paddingOf(padding), dilation: pairOf(dilation), groups, dtype }
}

/**
 * Convolution of x [N,C,H,W] with w [O,C/groups,KH,KW] -> [N,O,OH,OW], OH = floor((H + top + bottom - dilation (KH - 1) - 1) / stride) + 1.
 * @throws ShapeError where channels, groups or dtypes do not fit or the window is larger than the padded input; OstrichError `ERR_OPTION`.
 * @example conv2d(x, w, { padding: 2, bias }) // x [128, 1, 28, 28], w [32, 1, 5, 5] -> [128, 32, 28, 28]
 */
export function conv2d<D extends DType, C extends number, F extends number, G extends number = 1, O extends DType = D>(
  x: Tensor<D, readonly [number, C, number, number]>,
  w: Tensor<NoInfer<D>, readonly [F, G extends 1 ? NoInfer<C> : number, number, number]>,
  options: Conv2dOptions<G, O> = {},
): Tensor<O, [number, F, number, number]> {
  expectOptions<Conv2dOptions>('ops.conv2d', options, schema)
  const { bias, activation, dtype = x.dtype } = options
  const sums: Tensor<O, [number, F, number, number]> = forward(x, w, placed(options, dtype), bias, dtype)
  return activate(sums, activation)
}

/** Options of `convTranspose2d`. */
export interface ConvTranspose2dOptions {
  /** Distance between the windows in the result. Default: 1. */
  readonly stride?: Pair
  /** Taken off the result: one number for all sides, [height, width], or [top, left, bottom, right]. Default: 0. */
  readonly padding?: Padding
  /** Rows and columns more at the bottom and at the right, fewer than the stride. Default: 0. */
  readonly outputPadding?: Pair
  /** Default: 1, dense. */
  readonly dilation?: Pair
  /** Default: 1. */
  readonly groups?: number
  /** f32 [O]. */
  readonly bias?: Tensor<'f32'>
}

const transposedSchema: Schema<ConvTranspose2dOptions> = { ...common, outputPadding: is.pair(0) }

/**
 * Transposed convolution, the gradient of a convolution by its input: x [N,C,H,W] with w [C,O/groups,KH,KW] -> [N,O,OH,OW],
 * OH = (H - 1) stride + dilation (KH - 1) + 1 - top - bottom + output padding.
 * @throws ShapeError where channels, groups or dtypes do not fit, or nothing is left of the result; OstrichError `ERR_OPTION`.
 * @example convTranspose2d(x, w, { stride: 2 }) // x [128, 64, 7, 7], w [64, 32, 2, 2] -> [128, 32, 14, 14]
 */
export function convTranspose2d<D extends DType>(
  x: Tensor<D>,
  w: Tensor<NoInfer<D>>,
  options: ConvTranspose2dOptions = {},
): Tensor<D, [number, number, number, number]> {
  expectOptions<ConvTranspose2dOptions>('ops.convTranspose2d', options, transposedSchema)
  const { outputPadding = 0, bias } = options
  const attrs = placed(options, x.dtype)
  const [top, left, bottom, right] = attrs.padding
  const more = pairOf(outputPadding)
  const size = [top + bottom, left + right].map((less, i) => {
    const reach = attrs.dilation[i]! * ((w.shape[2 + i] ?? 1) - 1) + 1
    return ((x.shape[2 + i] ?? 1) - 1) * attrs.stride[i]! + reach - less + more[i]!
  })
  const y: Tensor<D, [number, number, number, number]> = emitOne(gradInputOp, [x, w], { ...attrs, size })
  return bias ? channelAffine(y, ones([y.shape[1]]), bias) : y
}
