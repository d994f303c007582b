// Normalisation by the sound itself: what a microphone and a voice add to all frames goes.
import { expectOptions, is, type Schema } from '../../base/index.js'
import { type Shape, type Tensor } from '../../graph/index.js'
import { add, cast, div, maximum, mul, reshape, rsqrt, square, sub, sum, where as select } from '../../ops/index.js'
import { type Rows, type SequenceLayer, sequenceLayer } from './sequence-layer.js'

/** Options of `cmvn`. */
export interface CmvnOptions {
  /** Whether deviations are brought to 1, too. Default: true. */
  readonly variance?: boolean
  /** Added to the variance; more than 0. Default: 1e-5. */
  readonly epsilon?: number
  /** In paths; default: `cmvn1`, `cmvn2`, ... */
  readonly name?: string
}

const schema: Schema<CmvnOptions> = { variance: is.flag, epsilon: is.positive, name: is.text }

/**
 * Mean and variance normalisation of each row: x f32 [T, N, D] -> the same, each of D numbers with mean 0 and deviation 1 over the frames of
 * a row. By the moments of a training set instead: `standardise`, of shape [1, D].
 * @throws OstrichError `ERR_OPTION`; ShapeError when traced, for an x of other rank.
 * @see Viikki & Laurila 1998, "Cepstral domain segmental feature vector normalization for noise robust speech recognition".
 * @example const { output } = nn.cmvn().run(frames, { lengths })
 */
export function cmvn(options: CmvnOptions = {}): SequenceLayer {
  expectOptions('nn.cmvn', options, schema)
  const { variance = true, epsilon = 1e-5, name } = options
  return sequenceLayer({ kind: 'cmvn', name }, (rows) => {
    const level = sub<'f32', Shape, Shape>(rows.x, meanOf(rows.x, rows))
    if (!variance) return level
    const spread = rsqrt(add<'f32', Shape>(meanOf(square(level), rows), epsilon))
    return mul<'f32', Shape, Shape>(level, spread)
  })
}

/** Over the frames that each row has, [1, N, D]; 0 for a row without. */
function meanOf(x: Tensor<'f32'>, { lengths, mask }: Rows): Tensor<'f32'> {
  const [steps = 1, rows = 1] = x.shape
  if (lengths === undefined || mask === undefined) return div(sum(x, 0, { keepDims: true }), steps)
  const count = reshape(maximum<'f32', Shape>(cast(lengths, 'f32'), 1), [1, rows, 1])
  return div<'f32', Shape, Shape>(sum(select<'f32'>(mask, x, 0), 0, { keepDims: true }), count)
}
