// Local response normalisation, across channels or within each, in the conventions that are in print.
import { expectOptions, is, type Schema } from '../base/index.js'
import type { Tensor } from '../graph/index.js'
import { add, avgPool2d, cast, type LrnOptions, lrn as normalise, mul, pow, rsqrt, sqrt, square } from '../ops/index.js'
import { layer, type Layer } from './layer.js'
import type { Images, SameShape } from './types.js'

/**
 * Who says what alpha and k mean:
 * - `paper`: (k + alpha * sum)^beta, k = 2. Krizhevsky, Sutskever & Hinton 2012, 3.3.
 * - `caffe`: (k + alpha / size * sum)^beta, k = 1; the first cuda-convnet and PyTorch's LocalResponseNorm are the same.
 * - `cuda-convnet2`: (k + alpha / size * sum)^beta, k = 2 (there `minDiv`; `scale` is alpha, `pow` beta).
 */
export type LrnConvention = 'paper' | 'caffe' | 'cuda-convnet2'

/** Options of `lrn`. */
export interface LrnLayerOptions {
  /** No default: the same numbers mean other networks in another. */
  readonly convention: LrnConvention
  /**
   * What a window spans: `across`, the channels around an element at its place (cuda-convnet's `cmrnorm`); `within`, the
   * square of places around it in its own channel, zeros beyond the border (`rnorm`; Caffe's WITHIN_CHANNEL). Default: across.
   */
  readonly region?: 'across' | 'within'
  /** Channels in a window, or places along its side; odd. Default: 5. */
  readonly size?: number
  /** As the convention has it. Default: 1e-4. */
  readonly alpha?: number
  /** Default: 0.75. */
  readonly beta?: number
  /** Default: that of the convention. */
  readonly k?: number
}

const schema: Schema<LrnLayerOptions> = {
  convention: is.needed(is.oneOf('paper', 'caffe', 'cuda-convnet2')),
  region: is.oneOf('across', 'within'),
  size: is.odd(63),
  alpha: is.notNegative,
  beta: is.notNegative,
  k: is.positive,
}

const conventions = {
  paper: { divides: false, k: 2 },
  caffe: { divides: true, k: 1 },
  'cuda-convnet2': { divides: true, k: 2 },
} as const

/** Each element over (k + alpha * sum of squares of the window of places around it)^beta, in f32. */
function normaliseWithin(x: Images, { size, alpha, beta, k }: LrnOptions): Tensor {
  const wide = cast(x, 'f32')
  const means = avgPool2d(square(wide), size, { stride: 1, padding: (size - 1) / 2 })
  return cast(mul(wide, inversePower(add(mul(means, alpha * size * size), k), beta)), x.dtype)
}

/** s^-beta of s > 0: for the exponent that all networks in print have by roots, which are cheap. */
function inversePower(s: Tensor<'f32'>, beta: number): Tensor<'f32'> {
  if (beta !== 0.75) return pow(s, -beta)
  const root = rsqrt(s)
  return mul(root, sqrt(root))
}

/**
 * Each element over (k + scaled energy of the window around it)^beta: x [N, C, H, W] -> the same. Where a convention divides
 * alpha, it divides by the elements of a window.
 * @throws OstrichError `ERR_OPTION`.
 * @example nn.lrn({ convention: 'caffe', size: 5, alpha: 1e-4, beta: 0.75 })
 */
export function lrn(options: LrnLayerOptions): Layer<Images, SameShape> {
  expectOptions('nn.lrn', options, schema)
  const { convention, region = 'across', size = 5, alpha = 1e-4, beta = 0.75 } = options
  const { divides, k: usual } = conventions[convention]
  const k = options.k ?? usual
  const elements = region === 'within' ? size * size : size
  const attrs = { size, alpha: divides ? alpha / elements : alpha, beta, k }
  const apply = region === 'within' ? normaliseWithin : normalise
  return layer<Images, SameShape>({ kind: 'lrn', apply: (x) => apply(x, attrs) })
}
