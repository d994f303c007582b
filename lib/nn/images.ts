// Layers over whole images: the mean of each channel, and more pixels.
import { expectKind, expectOptions, is } from '../base/index.js'
import type { Tensor } from '../graph/index.js'
import { globalAvgPool2d as mean, upsample2d as stretch, type UpsampleOptions } from '../ops/index.js'
import { layer, type Layer } from './layer.js'
import type { Images, SameChannels } from './types.js'

/**
 * Mean of each channel over all places: x [N, C, H, W] -> [N, C].
 * @throws ShapeError when traced, for an x of other rank.
 * @see Lin, Chen & Yan 2014, "Network in network", 3.2.
 * @example nn.sequential(nn.conv2d(3, 64, { kernel: 3 }), nn.globalAvgPool2d(), nn.linear(64, 10))
 */
export function globalAvgPool2d(): Layer<Images, Tensor<'f32', [number, number]>> {
  return layer<Images, Tensor<'f32', [number, number]>>({ kind: 'pool', apply: (x) => mean(x) })
}

/**
 * More pixels: x [N, C, H, W] -> [N, C, factor H, factor W], each repeated or, with `bilinear`, between its neighbours.
 * @throws OstrichError `ERR_OPTION`; ShapeError when traced, for an x of other rank.
 * @example nn.upsample2d(2, { by: 'bilinear' })
 */
export function upsample2d(factor: number, options: UpsampleOptions = {}): Layer<Images, SameChannels> {
  expectKind('nn.upsample2d', 'factor', is.whole(1), factor)
  expectOptions('nn.upsample2d', options, { by: is.oneOf('nearest', 'bilinear') })
  return layer<Images, SameChannels>({ kind: 'upsample', apply: (x) => stretch(x, factor, options) })
}
