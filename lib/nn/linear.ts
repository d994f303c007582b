// Fully connected layer.
import { expectOptions, is, type Schema } from '../base/index.js'
import { read, ShapeError, type Tensor } from '../graph/index.js'
import { reshapeTo } from '../ops/axes.js'
import { matmul, reshape } from '../ops/index.js'
import { expectCount, ownerPath, typeText } from './check.js'
import { heUniform, zeros } from './init.js'
import { layer, type Layer } from './layer.js'
import { parameter } from './parameter.js'
import type { Features, Initializer } from './types.js'

/** Options of `linear`. */
export interface LinearOptions {
  /** Default: true. */
  readonly bias?: boolean
  /** Of the weights. Default: He uniform, because most layers here are followed by relu. */
  readonly init?: Initializer
  /** Of the bias. Default: zeros. */
  readonly biasInit?: Initializer
  /** In paths; default: `linear1`, `linear2`, ... */
  readonly name?: string
}

/** The kinds of the options of `linear`. */
export const linearOptions: Schema<LinearOptions> = {
  bias: is.flag,
  init: is.callable,
  biasInit: is.callable,
  name: is.text,
}

/**
 * y = x W^T + b: x f32 [..., in] -> [..., out], W [out, in], b [out].
 * @throws OstrichError `ERR_OPTION`; ShapeError when traced, for an x whose last extent is not `in`.
 * @example nn.linear(784, 512)
 */
export function linear<I extends number, O extends number>(
  inFeatures: I,
  outFeatures: O,
  options: LinearOptions = {},
): Layer<Features<I>, Features<O>> {
  expectOptions('nn.linear', options, linearOptions)
  const { bias = true, init = heUniform, biasInit = zeros, name } = options
  expectCount('linear', 'input features', inFeatures)
  expectCount('linear', 'output features', outFeatures)
  const w = parameter('w', [outFeatures, inFeatures], init, { in: inFeatures, out: outFeatures })
  const b = bias ? parameter('b', [outFeatures], biasInit) : undefined
  return layer<Features<I>, Features<O>>({
    kind: 'linear',
    name,
    parameters: b ? [w, b] : [w],
    apply: (x) => {
      const weight = read(w)
      expectFeatures(x, inFeatures, weight)
      // One product of all rows: backends have better ones of two matrices than of many small ones.
      const rows = x.rank === 2 ? x : reshape(x, [-1, inFeatures])
      const product = matmul<'f32', readonly number[], readonly number[], false, true>(rows, weight, {
        transposeB: true,
        ...(b && { bias: read(b) }),
      })
      return reshapeTo<'f32', [...number[], O]>(product, [...x.shape.slice(0, -1), outFeatures])
    },
  })
}

function expectFeatures(x: Tensor, features: number, weight: Tensor): void {
  if (x.rank >= 2 && x.shape.at(-1) === features) return
  const flat = x.shape.slice(1).reduce((product, extent) => product * extent, 1)
  const hint = x.rank > 2 && flat === features ? ' (put nn.flatten() before it)' : ''
  throw new ShapeError(`linear[${ownerPath(weight)}]: expected x of f32[..., ${features}], got ${typeText(x)}${hint}`)
}
