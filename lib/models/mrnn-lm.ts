// The character model of the lecture's "The meaning of life" sample: an embedding, the multiplicative recurrent network, softmax.
// Sutskever, Martens & Hinton 2011, "Generating text with recurrent neural networks". There: one-hot characters, 1500 units and 1500
// factors, Hessian-free optimisation on 100 MB of Wikipedia, 1.60 bits for each character. Here: an embedding, Adam, less text.
import { expectOptions, is, type Schema } from '../base/index.js'
import type { Tensor } from '../graph/index.js'
import * as nn from '../nn/index.js'

/** Knobs of `mrnnLm`. */
export interface MrnnLmConfig {
  /** Tokens, V. */
  readonly vocabulary: number
  /** Of the embedding. */
  readonly features: number
  /** H. */
  readonly units: number
  /** F. */
  readonly factors: number
  /** Rate of dropout on the embedding and before the softmax. */
  readonly dropout: number
}

/** Knobs of the character model of tinyshakespeare. */
export const charMrnn: MrnnLmConfig = { vocabulary: 65, features: 64, units: 512, factors: 512, dropout: 0.2 }

const one = is.needed(is.number)
const schema: Schema<MrnnLmConfig> = {
  vocabulary: one,
  features: one,
  units: one,
  factors: one,
  dropout: one,
}

/**
 * x i32 [T, N] -> logits [T, N, vocabulary] of the token behind each.
 * @throws OstrichError `ERR_OPTION`
 * @example mrnnLm(charMrnn)
 */
export function mrnnLm(config: MrnnLmConfig = charMrnn): nn.Layer<nn.Indices, Tensor<'f32', [...number[], number]>> {
  expectOptions('mrnnLm', config, schema)
  const { vocabulary, features, units, factors, dropout } = config
  return nn.named(
    'lm',
    nn.sequential(
      nn.embedding(vocabulary, features),
      nn.dropout(dropout),
      nn.mrnn({ inputs: features, units, factors, carry: true }),
      nn.dropout(dropout),
      nn.linear(units, vocabulary, { init: nn.init.glorotUniform }),
    ),
  ) as unknown as nn.Layer<nn.Indices, Tensor<'f32', [...number[], number]>>
}
