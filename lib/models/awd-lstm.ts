// A language model that needs no ensemble: stacked LSTMs with every kind of dropout and an embedding that is also the softmax.
// Merity, Keskar & Socher 2018, "Regularizing and optimizing LSTM language models" (AWD-LSTM). Its parts: weight drop (theirs), one mask
// for all steps of time on the embedding, between layers and before the softmax (Gal & Ghahramani 2016), whole words dropped from
// the embedding (the same), embedding and softmax tied (Press & Wolf 2017; Inan, Khosravi & Socher 2017).
// To reach on the Penn Treebank: test perplexity 58.8 as published, before fine-tuning. Theirs also varies the length of windows and
// has two penalties on the activations; neither is here.
import { expectOptions, is, OstrichError, type Schema } from '../base/index.js'
import { read, type Shape, type Tensor } from '../graph/index.js'
import * as nn from '../nn/index.js'
import { cast, dropout, gather, matmul, mul, ones } from '../ops/index.js'

/** Knobs of `awdLstm`; rates of dropout by what they drop. */
export interface AwdLstmConfig {
  /** Tokens, V. */
  readonly vocabulary: number
  /** Of the embedding, D, and of the last layer. */
  readonly features: number
  /** Of the layers before the last. */
  readonly units: number
  readonly layers: number
  readonly drop: {
    /** Whole words, in the embedding. */
    readonly words: number
    /** Of what the embedding gives. */
    readonly input: number
    /** Between layers. */
    readonly hidden: number
    /** Before the softmax. */
    readonly output: number
    /** Weights between states. */
    readonly weights: number
  }
}

/** Knobs of the Penn Treebank's network. */
export const ptbAwd: AwdLstmConfig = {
  vocabulary: 10_000,
  features: 400,
  units: 1150,
  layers: 3,
  drop: { words: 0.1, input: 0.4, hidden: 0.25, output: 0.4, weights: 0.5 },
}

const one = is.needed(is.number)
const rates: Schema<AwdLstmConfig['drop']> = { words: one, input: one, hidden: one, output: one, weights: one }
const schema: Schema<AwdLstmConfig> = {
  vocabulary: one,
  features: one,
  units: one,
  layers: one,
  drop: is.needed(is.object),
}

/**
 * x i32 [T, N] -> logits [T, N, vocabulary] of the token behind each.
 * @throws OstrichError `ERR_OPTION`
 * @example awdLstm(ptbAwd)
 */
export function awdLstm(config: AwdLstmConfig = ptbAwd): nn.Layer<nn.Indices, Tensor<'f32', [...number[], number]>> {
  expectOptions('awdLstm', config, schema)
  expectOptions('awdLstm[drop]', config.drop, rates)
  const { vocabulary, features, units, layers, drop } = config
  if (!(vocabulary >= 1 && features >= 1)) {
    const got = `${vocabulary} and ${features}`
    throw new OstrichError('ERR_OPTION', `awdLstm: expected a vocabulary and features of at least 1, got ${got}`)
  }
  const table = nn.parameter('table', [vocabulary, features], nn.init.uniform(-0.1, 0.1))
  const bias = nn.parameter('b', [vocabulary], nn.init.zeros)
  const stack = Array.from({ length: layers }, (_, i) => [
    nn.lockedDropout(i === 0 ? drop.input : drop.hidden),
    nn.lstm({ units: i === layers - 1 ? features : units, carry: true, recurrentBias: true, weightDrop: drop.weights }),
  ]).flat()
  const layersOfTime = nn.sequential(...stack, nn.lockedDropout(drop.output))
  const apply = (x: nn.Indices): Tensor => {
    const words = read(table)
    const kept = dropout(ones([vocabulary, 1]), drop.words)
    const rows = gather(mul(words, kept), x)
    const states = cast(layersOfTime(rows), 'f32')
    return matmul<'f32', Shape, Shape, false, true>(states, words, { transposeB: true, bias: read(bias) })
  }
  const net = nn.layer<nn.Indices, Tensor>({
    kind: '',
    name: 'lm',
    parameters: [table, bias],
    children: [layersOfTime],
    apply,
  })
  return net as unknown as nn.Layer<nn.Indices, Tensor<'f32', [...number[], number]>>
}
