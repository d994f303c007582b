// Maxout layer: the largest of several affine functions of x for each unit.
import { expectOptions, is } from '../base/index.js'
import type { Tensor } from '../graph/index.js'
import * as ops from '../ops/index.js'
import { expectCount } from './check.js'
import { layer, type Layer } from './layer.js'
import { linear, type LinearOptions, linearOptions } from './linear.js'
import type { Features } from './types.js'

/** Options of `maxout`. */
export interface MaxoutOptions extends Omit<LinearOptions, 'name'> {
  /** Affine functions of each unit. Default: 5. */
  readonly pieces?: number
  /** In paths; default: `maxout1`, `maxout2`, ... */
  readonly name?: string
}

/**
 * y_j = max_k (x W_jk^T + b_jk): x f32 [N, in] -> [N, out], W [out * pieces, in], b [out * pieces], a unit's pieces side by side.
 * Goodfellow, Warde-Farley, Mirza, Courville & Bengio 2013, "Maxout networks", section 3.
 * @throws OstrichError `ERR_OPTION`; ShapeError when traced, for an x whose last extent is not `in`.
 * @example nn.sequential(nn.maxout(784, 240, { pieces: 5 }), nn.linear(240, 10))
 */
export function maxout<I extends number, O extends number>(
  inFeatures: I,
  outFeatures: O,
  options: MaxoutOptions = {},
): Layer<Features<I>, Features<O>> {
  expectOptions<MaxoutOptions>('nn.maxout', options, { ...linearOptions, pieces: is.whole(1) })
  const { pieces = 5, name, ...own } = options
  expectCount('maxout', 'output features', outFeatures)
  const affine = linear<number, number>(inFeatures, outFeatures * pieces, { ...own, name: 'pieces' })
  return layer<Features<I>, Features<O>>({
    kind: 'maxout',
    name,
    children: [affine],
    apply: (x) => {
      const all: Tensor<'f32'> = affine(x)
      const apart = ops.reshape(all, [...all.shape.slice(0, -1), outFeatures, pieces])
      return ops.max(apart, -1) as Features<O>
    },
  })
}
