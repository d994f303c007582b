// Subtractive normalisation: what lies around a place, on the mean, is taken off it.
import { expectOptions, is } from '../base/index.js'
import { avgPool2d, sub } from '../ops/index.js'
import { layer, type Layer } from './layer.js'
import type { Images, SameShape } from './types.js'

/** Options of `subtractiveNorm`. */
export interface SubtractiveNormOptions {
  /** Side of the square window; odd. Default: 3. */
  readonly size?: number
}

/**
 * Each element less the mean of the window around it in its own channel, of what lies inside x: x f32 [N, C, H, W] -> the same. All elements
 * of a window weigh alike, where Jarrett et al. weigh them by a Gaussian and across all channels.
 * @throws OstrichError `ERR_OPTION`
 * @see Jarrett, Kavukcuoglu, Ranzato & LeCun 2009, "What is the best multi-stage architecture for object recognition?", section 3.1
 * @example nn.subtractiveNorm({ size: 3 })
 */
export function subtractiveNorm(options: SubtractiveNormOptions = {}): Layer<Images, SameShape> {
  expectOptions('nn.subtractiveNorm', options, { size: is.odd(63) })
  const { size = 3 } = options
  const windows = { stride: 1, padding: (size - 1) / 2, countPadding: false }
  return layer<Images, SameShape>({ kind: 'subtractiveNorm', apply: (x) => sub(x, avgPool2d(x, size, windows)) })
}
