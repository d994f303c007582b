// Functions of images and lines that are composed of other ops.
import { expectKind, expectOptions, is, type Schema } from '../base/index.js'
import { type DType, ShapeError, type Tensor } from '../graph/index.js'
import { broadcastTo, reshape, reshapeTo } from './axes.js'
import { conv2d } from './conv2d.js'
import { typeText } from './define.js'
import { aTensor } from './operand.js'
import { add, mul } from './pointwise.js'
import { avgPool2d } from './pool2d.js'
import { concat, slice } from './reshape.js'

/** Options of `conv1d`. */
export interface Conv1dOptions {
  /** Default: 1. */
  readonly stride?: number
  /** On both sides. Default: 0. */
  readonly padding?: number
  /** Distance between taps; 1 is dense. Default: 1. */
  readonly dilation?: number
  /** Channels fall into this many groups that do not see each other. Default: 1. */
  readonly groups?: number
  /** f32 [O]. */
  readonly bias?: Tensor<'f32'>
}

const schema: Schema<Conv1dOptions> = {
  stride: is.whole(1),
  padding: is.whole(0),
  dilation: is.whole(1),
  groups: is.whole(1),
  bias: aTensor,
}

function expectRank(name: string, x: Tensor, rank: number, what: string): void {
  if (x.rank !== rank) throw new ShapeError(`${name}: expected ${what}, got ${typeText(x)}`)
}

type Row = [number, number, number, number]
type Image<D extends DType> = Tensor<D, Row>

/**
 * Convolution of lines: x [N,C,L] with w [O,C/groups,K] -> [N,O,OL], OL = floor((L + 2 padding - dilation (K - 1) - 1) / stride) + 1.
 * @throws as `conv2d`; ShapeError for operands of other rank; OstrichError `ERR_OPTION`.
 * @example conv1d(x, w, { padding: 1 }) // x [32, 64, 100], w [128, 64, 3] -> [32, 128, 100]
 */
export function conv1d<D extends DType>(
  x: Tensor<D>,
  w: Tensor<NoInfer<D>>,
  options: Conv1dOptions = {},
): Tensor<D, [number, number, number]> {
  expectOptions('ops.conv1d', options, schema)
  expectRank('conv1d', x, 3, 'x of [N, C, L]')
  expectRank('conv1d', w, 3, 'w of [O, C / groups, K]')
  const { stride = 1, padding = 0, dilation = 1, groups = 1, bias } = options
  const row = ({ shape: [a = 1, b = 1, length = 1] }: Tensor): Row => [a, b, 1, length]
  const y = conv2d(reshapeTo<D, Row>(x, row(x)), reshapeTo<D, Row>(w, row(w)), {
    stride: [1, stride],
    padding: [0, padding],
    dilation: [1, dilation],
    groups,
    ...(bias && { bias }),
  })
  const [n, channels, , length] = y.shape
  return reshape(y, [n, channels, length])
}

/**
 * Mean of each channel over all places: [N,C,H,W] -> [N,C].
 * @throws ShapeError for another rank.
 * @see Lin, Chen & Yan 2014, "Network in network", 3.2.
 */
export function globalAvgPool2d<D extends DType>(x: Tensor<D>): Tensor<D, [number, number]> {
  expectRank('globalAvgPool2d', x, 4, 'x of [N, C, H, W]')
  const [n = 1, channels = 1, height = 1, width = 1] = x.shape
  const means = avgPool2d(reshape(x, [n, channels, height, width]), [height, width])
  return reshape(means, [n, channels])
}

/** Options of `upsample2d`. */
export interface UpsampleOptions {
  /** `nearest` repeats each place, `bilinear` goes in straight lines from one to the next. Default: `nearest`. */
  readonly by?: 'nearest' | 'bilinear'
}

/**
 * More places along H and W: [N,C,H,W] -> [N, C, factor H, factor W]. Those of one place lie evenly around its middle, so that
 * between two middles x goes in a straight line, and beyond the outermost it stays (PyTorch's `align_corners=False`).
 * @throws ShapeError for another rank; OstrichError `ERR_OPTION`.
 * @example upsample2d(x, 2, { by: 'bilinear' })
 */
export function upsample2d<D extends DType>(x: Tensor<D>, factor: number, options: UpsampleOptions = {}): Image<D> {
  expectKind('ops.upsample2d', 'factor', is.whole(1), factor)
  expectOptions('ops.upsample2d', options, { by: is.oneOf('nearest', 'bilinear') })
  expectRank('upsample2d', x, 4, 'x of [N, C, H, W]')
  const [n = 1, channels = 1, height = 1, width = 1] = x.shape
  if (options.by === 'bilinear') {
    return reshape(stretched(stretched(x, 2, factor), 3, factor), [n, channels, factor * height, factor * width])
  }
  const apart = reshape(x, [n, channels, height, 1, width, 1])
  const repeated = broadcastTo(apart, [n, channels, height, factor, width, factor])
  return reshape(repeated, [n, channels, factor * height, factor * width])
}

/** `factor` places for each along one axis, on the straight lines between the middles of neighbours. */
function stretched<D extends DType>(x: Tensor<D>, axis: number, factor: number): Tensor<D> {
  const extent = x.shape[axis] ?? 1
  const along = (other: number): number[] => x.shape.map((n, i) => (i === axis ? other : n))
  const start = (place: number): number[] => x.shape.map((_, i) => (i === axis ? place : 0))
  const cut = (from: Tensor<D>, place: number, size: number) => slice(from, start(place), along(size))
  // The outermost once more: place i of x is place i + 1 here.
  const wide = concat([cut(x, 0, 1), x, cut(x, extent - 1, 1)], axis)
  const parts = Array.from({ length: factor }, (_, part) => {
    const beyond = (part + 0.5) / factor - 0.5 // of the middle, in places of x
    const [first, share] = beyond < 0 ? [0, beyond + 1] : [1, beyond]
    const line = add(mul(cut(wide, first, extent), 1 - share), mul(cut(wide, first + 1, extent), share))
    return reshape(line, [...x.shape.slice(0, axis + 1), 1, ...x.shape.slice(axis + 1)])
  })
  return reshape(concat(parts, axis + 1), along(extent * factor))
}
