// Local response normalisation across channels, in the conventions that are in print.
import { ShapeError } from '../graph/index.js'
import { lrn as normalise } from '../ops/index.js'
import { expectNumber } from './check.js'
import { layer, type Layer } from './layer.js'
import type { Images, SameShape } from './types.js'

/**
 * Who says what alpha and k mean:
 * - `paper`: (k + alpha * sum)^beta, k = 2. Krizhevsky, Sutskever & Hinton 2012, 3.3.
 * - `caffe`: (k + alpha / size * sum)^beta, k = 1; PyTorch's LocalResponseNorm is the same.
 * - `cuda-convnet2`: (k + alpha / size * sum)^beta, k = 2 (there `minDiv`; `scale` is alpha, `pow` beta).
 */
export type LrnConvention = 'paper' | 'caffe' | 'cuda-convnet2'

/** Options of `lrn`. */
export interface LrnLayerOptions {
  /** No default: the same numbers mean other networks in another. */
  readonly convention: LrnConvention
  /** Channels in a window, odd. Default: 5. */
  readonly size?: number
  /** As the convention has it. Default: 1e-4. */
  readonly alpha?: number
  /** Default: 0.75. */
  readonly beta?: number
  /** Default: that of the convention. */
  readonly k?: number
}

const conventions = {
  paper: { divides: false, k: 2 },
  caffe: { divides: true, k: 1 },
  'cuda-convnet2': { divides: true, k: 2 },
} as const

/**
 * Each element over (k + scaled energy of the window of channels around it)^beta: x [N, C, H, W] -> the same.
 * @throws ShapeError for a convention that is none, a size that is not odd and from 1 to 63, and factors out of range.
 * @example nn.lrn({ convention: 'caffe', size: 5, alpha: 1e-4, beta: 0.75 })
 */
export function lrn(options: LrnLayerOptions): Layer<Images, SameShape> {
  const { convention, size = 5, alpha = 1e-4, beta = 0.75 } = options
  if (!Object.hasOwn(conventions, convention)) {
    const names = Object.keys(conventions).join(', ')
    throw new ShapeError(`lrn: expected a convention of ${names}, got ${convention}`)
  }
  const { divides, k: usual } = conventions[convention]
  const k = options.k ?? usual
  if (!(Number.isSafeInteger(size) && size % 2 === 1 && size >= 1 && size <= 63)) {
    throw new ShapeError(`lrn: expected size to be odd and from 1 to 63, got ${size}`)
  }
  expectNumber('lrn', 'alpha', alpha, 0)
  expectNumber('lrn', 'beta', beta, 0)
  expectNumber('lrn', 'k', k, Number.MIN_VALUE)
  const attrs = { size, alpha: divides ? alpha / size : alpha, beta, k }
  return layer<Images, SameShape>({ kind: 'lrn', apply: (x) => normalise(x, attrs) })
}
