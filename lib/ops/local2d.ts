// A convolution whose weights differ from place to place: the windows as rows, and one product for each place.
import { count, type DType, formatShape, ShapeError, type Tensor } from '../graph/index.js'
import { reshape, reshapeTo } from './axes.js'
import { matmul } from './matmul.js'
import { transpose } from './reshape.js'
import { expectWindows, unfold, type WindowOptions } from './unfold.js'
import { paddingOf, pairOf, windowCount } from './window.js'

/**
 * Locally connected layer, x [N,C,H,W] with w [OH, OW, O, C*KH*KW] -> [N,O,OH,OW]: at each place (i, j) the products of
 * window (i, j) with w[i, j]; within a row of w the order is that of conv2d's weights.
 * @throws ShapeError where w does not have the extents of windows over x.
 * @example local2d(x, w, { kernel: 3, padding: 1 }) // x [128, 64, 6, 6], w [6, 6, 32, 576] -> [128, 32, 6, 6]
 */
export function local2d<D extends DType, O extends number>(
  x: Tensor<D, readonly [number, number, number, number]>,
  w: Tensor<NoInfer<D>, readonly [number, number, O, number]>,
  options: WindowOptions,
): Tensor<D, [number, O, number, number]> {
  expectWindows('ops.local2d', options)
  const [oh, ow, outputs, elements] = w.shape
  const [n, c, height, width] = x.shape
  const extents = localExtents(height, width, options)
  const window = c * count(pairOf(options.kernel))
  if (oh !== extents[0] || ow !== extents[1] || elements !== window) {
    const expected = `w [${extents.join(', ')}, O, ${window}], as x ${formatShape(x.shape)}`
    throw new ShapeError(`local2d: expected ${expected}, got ${formatShape(w.shape)}`)
  }
  const rows = unfold(x, options)
  const y = matmul<D, readonly number[], readonly number[], false, true>(
    rows,
    reshape(w, [oh * ow, outputs, elements]),
    { transposeB: true },
  )
  return reshapeTo<D, [number, O, number, number]>(transpose(y, [1, 2, 0]), [n, outputs, oh, ow])
}

/** [OH, OW] of windows over [H, W]. */
export function localExtents(height: number, width: number, options: WindowOptions): [number, number] {
  const { kernel, stride = 1, padding = 0 } = options
  const [[kh, kw], [strideH, strideW]] = [pairOf(kernel), pairOf(stride)]
  const [top, left, bottom, right] = paddingOf(padding)
  return [windowCount(height + top + bottom, kh, strideH), windowCount(width + left + right, kw, strideW)]
}
