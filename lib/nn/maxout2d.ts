// Maxout over images: the largest of several convolutions of x for each unit and place.
import { expectOptions, is } from '../base/index.js'
import type { Tensor } from '../graph/index.js'
import * as ops from '../ops/index.js'
import { expectCount } from './check.js'
import { conv2d, type Conv2dOptions, conv2dOptions } from './conv2d.js'
import { layer, type Layer } from './layer.js'
import type { Images } from './types.js'

/** Options of `maxout2d`: those of `conv2d`, but for groups. */
export interface Maxout2dOptions extends Omit<Conv2dOptions, 'name' | 'groups'> {
  /** Filters of each unit. Default: 3. */
  readonly pieces?: number
  /** In paths; default: `maxout1`, `maxout2`, ... */
  readonly name?: string
}

/**
 * y_j = max_k (x * w_jk + b_jk): x f32 [N, in, H, W] -> [N, out, H', W'], w [out * pieces, in, KH, KW], b [out * pieces], a unit's pieces side
 * by side.
 * @throws OstrichError `ERR_OPTION`; ShapeError when traced, for an x that does not fit.
 * @see Goodfellow, Warde-Farley, Mirza, Courville & Bengio 2013, "Maxout networks", section 3
 * @example nn.maxout2d(3, 48, { kernel: 5, padding: 2, pieces: 3 })
 */
export function maxout2d<I extends number, O extends number>(
  inChannels: I,
  outChannels: O,
  options: Maxout2dOptions,
): Layer<Images<I>, Images<O>> {
  const { groups: _, ...known } = conv2dOptions
  expectOptions<Maxout2dOptions>('nn.maxout2d', options, { ...known, pieces: is.whole(1) })
  const { pieces = 3, name, ...own } = options
  expectCount('maxout2d', 'output channels', outChannels)
  const filters = conv2d<number, number>(inChannels, outChannels * pieces, { ...own, name: 'pieces' })
  return layer<Images<I>, Images<O>>({
    kind: 'maxout',
    name,
    children: [filters],
    apply: (x) => {
      const all: Tensor<'f32'> = filters(x as Images)
      const [rows = 1, , height = 1, width = 1] = all.shape
      return ops.max(ops.reshape(all, [rows, outChannels, pieces, height, width]), 2) as Images<O>
    },
  })
}
