// Multi-head attention: of a sequence to itself, or to another.
import { expectOptions, is, OstrichError, type Schema } from '../base/index.js'
import { ShapeError, type Tensor } from '../graph/index.js'
import { reshapeTo } from '../ops/axes.js'
import { attention, type AttentionOptions, reshape, transpose } from '../ops/index.js'
import { expectCount, typeText } from './check.js'
import { glorotUniform } from './init.js'
import { layer, type Layer } from './layer.js'
import { linear } from './linear.js'
import type { Accepts, Features, Result } from './types.js'

/** Options of `multiHeadAttention`. */
export interface MultiHeadAttentionOptions {
  /** Place t sees places 0..t alone. Default: false. */
  readonly causal?: boolean
  /** Share of the attention weights that training drops, from 0 to below 1. Default: 0. */
  readonly dropout?: number
  /** Of the four products. Default: true. */
  readonly bias?: boolean
  /** In paths; default: `attention1`, `attention2`, ... */
  readonly name?: string
}

const schema: Schema<MultiHeadAttentionOptions> = {
  causal: is.flag,
  dropout: is.fraction,
  bias: is.flag,
  name: is.text,
}

/** What a call may say besides its sequence. */
export interface Attended {
  /** What keys and values are made of, f32 [N, S, features]. Default: the sequence itself. */
  readonly memory?: Tensor<'f32'>
  /** Places of keys that count, from the first: i32 [N]. Default: all. */
  readonly lengths?: Tensor<'i32'>
  /** Which places each place sees: u8 that broadcasts to [N, heads, T, S]. Default: all. */
  readonly mask?: Tensor<'u8'>
}

/** A layer that can also attend to another sequence. */
export interface MultiHeadAttention<F extends number> extends Layer<Features<F>, Features<F>> {
  /** The layer over x, with a memory, lengths or a mask of this call; its weights and its path are the layer's own. */
  readonly attend: <X extends Tensor>(x: X & Accepts<Features<F>, X>, attended: Attended) => Result<X, Features<F>>
}

/**
 * x f32 [N, T, features] -> the same: linear maps to queries, keys and values, attention in each of `heads` parts of the features, and a
 * linear map of what they give.
 * @throws OstrichError `ERR_OPTION`, for heads that do not divide the features too; ShapeError when traced, for an x of other rank or
 * features.
 * @see Vaswani et al. 2017, "Attention is all you need", 3.2.2.
 * @example
 * const attention = nn.multiHeadAttention(512, 8, { causal: true })
 * const y = attention.attend(x, { lengths })
 */
export function multiHeadAttention<F extends number>(
  features: F,
  heads: number,
  options: MultiHeadAttentionOptions = {},
): MultiHeadAttention<F> {
  expectOptions('nn.multiHeadAttention', options, schema)
  const { causal = false, dropout = 0, bias = true, name } = options
  expectCount('multiHeadAttention', 'features', features)
  expectCount('multiHeadAttention', 'heads', heads)
  if (features % heads !== 0) {
    throw new OstrichError(
      'ERR_OPTION',
      `multiHeadAttention: expected heads that divide ${features} features, got ${heads}`,
    )
  }
  const map = (label: string) => linear<number, number>(features, features, { bias, init: glorotUniform, name: label })
  const [query, key, value, out] = [map('query'), map('key'), map('value'), map('out')] as const
  let attended: Attended = {}
  const own = layer<Tensor, Tensor>({
    kind: 'attention',
    name,
    children: [query, key, value, out],
    apply: (x) => {
      const { lengths, mask } = attended
      const memory: Tensor = attended.memory ?? x
      expectSequence(x, features)
      expectSequence(memory, features)
      const given: AttentionOptions = { causal, dropout, ...(lengths && { lengths }), ...(mask && { mask }) }
      const [q, k, v] = [split(query(x), heads), split(key(memory), heads), split(value(memory), heads)]
      const joined = transpose(attention(q, k, v, given), [0, 2, 1, 3])
      return reshapeTo(out(reshapeTo(joined, x.shape)), x.shape)
    },
  })
  const attend = (x: Tensor, what: Attended): Tensor => {
    const kinds = { memory: is.object, lengths: is.object, mask: is.object }
    expectOptions<Attended>('nn.multiHeadAttention[attend]', what, kinds)
    attended = what
    try {
      return own(x)
    } finally {
      attended = {}
    }
  }
  const described = Object.defineProperty(own, 'attend', { value: attend, enumerable: true })
  return described as unknown as MultiHeadAttention<F>
}

function expectSequence(x: Tensor, features: number): void {
  if (x.rank === 3 && x.shape[2] === features) return
  throw new ShapeError(`multiHeadAttention: expected x of f32[N, T, ${features}], got ${typeText(x)}`)
}

/** [N, T, heads * D] -> [N, heads, T, D] */
function split(x: Tensor<'f32'>, heads: number): Tensor<'f32'> {
  const [n = 1, t = 1, features = 1] = x.shape
  return transpose(reshape(x, [n, t, heads, features / heads]), [0, 2, 1, 3])
}
