// Windows of an image as rows of a matrix (im2col), and back: each is the other's gradient. Places that are a window's
// position come first, so that a product with other weights at each place is one batched product.
import { expectOptions, is, type Schema } from '../base/index.js'
import { count, type DType, emitOne, type Op, type Shape, type Tensor, type TensorType } from '../graph/index.js'
import { exactly, expectFloat, expectInts, expectRank, expectShape, register } from './define.js'
import { paddingOf, type Padding, pairOf, type Pair, windowCount } from './window.js'

type UnfoldAttrs = {
  readonly kernel: readonly number[]
  readonly stride: readonly number[]
  readonly padding: readonly number[]
}
type FoldAttrs = UnfoldAttrs & { readonly size: readonly number[] }

const geometry = { kernel: 'ints', stride: 'ints', padding: 'ints' } as const

/** [OH*OW, N, C*KH*KW] from x [N,C,H,W]. */
function unfolded([n = 1, c = 1, h = 1, w = 1]: Shape, { kernel, stride, padding }: UnfoldAttrs): number[] {
  expectInts(kernel, 2, 1, 'kernel')
  expectInts(stride, 2, 1, 'stride')
  expectInts(padding, 4, 0, 'padding')
  const [[kh = 1, kw = 1], [strideH = 1, strideW = 1]] = [kernel, stride]
  const [top = 0, left = 0, bottom = 0, right = 0] = padding
  const places = windowCount(h + top + bottom, kh, strideH) * windowCount(w + left + right, kw, strideW)
  return [places, n, c * kh * kw]
}

const unfoldOp: Op<UnfoldAttrs> = register<UnfoldAttrs>({
  name: 'unfold',
  kind: 'kernel',
  inBf16: 'follows',
  moves: false,
  epilogue: 'none',
  attributes: geometry,
  infer: (inputs, attrs) => {
    const [x] = exactly(inputs, 1)
    expectFloat(x, 'x')
    expectRank(x, 4, 'x')
    return [{ dtype: x.dtype, shape: unfolded(x.shape, attrs) }]
  },
  vjp: ({ inputs, attrs }, [dy]) => {
    const size = exactly(inputs, 1)[0].shape.slice(2)
    return [dy && emitOne(foldOp, [dy], { ...attrs, size })]
  },
})

const foldOp: Op<FoldAttrs> = register<FoldAttrs>({
  name: 'fold',
  kind: 'kernel',
  inBf16: 'follows',
  moves: false,
  epilogue: 'none',
  attributes: { ...geometry, size: 'ints' },
  infer: (inputs, attrs): TensorType[] => {
    const [rows] = exactly(inputs, 1)
    expectFloat(rows, 'rows')
    expectRank(rows, 3, 'rows')
    expectInts(attrs.size, 2, 1, 'size')
    const [, n = 1, elements = 1] = rows.shape
    const shape = [n, Math.max(1, Math.floor(elements / count(attrs.kernel))), ...attrs.size]
    expectShape(rows, unfolded(shape, attrs), 'rows of shape')
    return [{ dtype: rows.dtype, shape }]
  },
  vjp: ({ attrs: { kernel, stride, padding } }, [dx]) => [dx && emitOne(unfoldOp, [dx], { kernel, stride, padding })],
})

/** Windows over H and W. */
export interface WindowOptions {
  readonly kernel: Pair
  /** Default: 1. */
  readonly stride?: Pair
  /** One number for all sides, [height, width], or [top, left, bottom, right]. Default: 0. */
  readonly padding?: Padding
}

const schema: Schema<WindowOptions> = { kernel: is.needed(is.pair(1)), stride: is.pair(1), padding: is.padding }

/** @throws OstrichError `ERR_OPTION` */
export function expectWindows(where: string, options: WindowOptions): void {
  expectOptions(where, options, schema)
}

/**
 * The elements of each window side by side, zeros for the padding: float [N,C,H,W] -> [OH*OW, N, C*KH*KW].
 * @throws ShapeError where the window is larger than the padded input; OstrichError `ERR_OPTION`.
 * @example unfold(x, { kernel: 3, padding: 1 }) // [128, 64, 6, 6] -> [36, 128, 576]
 */
export function unfold<D extends DType>(
  x: Tensor<D, readonly [number, number, number, number]>,
  options: WindowOptions,
): Tensor<D, [number, number, number]> {
  expectWindows('ops.unfold', options)
  const { kernel, stride = 1, padding = 0 } = options
  const attrs = { kernel: pairOf(kernel), stride: pairOf(stride), padding: paddingOf(padding) }
  return emitOne(unfoldOp, [x], attrs)
}
