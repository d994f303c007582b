// Pooling layers over NCHW.
import { expectKind, expectOptions, is, type Schema } from '../base/index.js'
import {
  avgPool2d as average,
  maxPool2d as maximum,
  type AvgPoolOptions,
  type Pair,
  type PoolOptions,
} from '../ops/index.js'
import { layer, type Layer } from './layer.js'
import type { Images, SameChannels } from './types.js'

/** The kinds of the options of `maxPool2d`. */
const schema: Schema<PoolOptions> = { stride: is.pair(1), padding: is.padding, ceil: is.flag }

/**
 * Largest element of each window: x [N, C, H, W] -> [N, C, H', W']. The stride is the kernel unless given; with `ceil` the
 * last windows may reach beyond the end.
 * @throws OstrichError `ERR_OPTION`; ShapeError when traced, where no window fits.
 * @example nn.maxPool2d(3, { stride: 2 })
 */
export function maxPool2d(kernel: Pair, options: PoolOptions = {}): Layer<Images, SameChannels> {
  expectKind('nn.maxPool2d', 'kernel', is.pair(1), kernel)
  expectOptions('nn.maxPool2d', options, schema)
  return layer<Images, SameChannels>({ kind: 'pool', apply: (x) => maximum(x, kernel, options) })
}

/**
 * Mean of each window: x [N, C, H, W] -> [N, C, H', W']. The stride is the kernel unless given; with `ceil` the last windows
 * may reach beyond the end, and a mean is over what lies inside x.
 * @throws OstrichError `ERR_OPTION`; ShapeError when traced, where no window fits.
 * @example nn.avgPool2d(7)
 */
export function avgPool2d(kernel: Pair, options: AvgPoolOptions = {}): Layer<Images, SameChannels> {
  expectKind('nn.avgPool2d', 'kernel', is.pair(1), kernel)
  expectOptions<AvgPoolOptions>('nn.avgPool2d', options, { ...schema, countPadding: is.flag })
  return layer<Images, SameChannels>({ kind: 'pool', apply: (x) => average(x, kernel, options) })
}
