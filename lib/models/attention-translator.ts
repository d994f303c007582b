// Translation by attention: a bidirectional network reads, and for each word the writer looks at all that was read.
// `additive` is Bahdanau, Cho & Bengio 2015, "Neural machine translation by jointly learning to align and translate"; `multiplicative`
// Luong, Pham & Manning 2015, "Effective approaches to attention-based neural machine translation", the general score with input feeding.
// To reach on Multi30k, German to English: BLEU 34.
import { expectOptions, is, type Schema } from '../base/index.js'
import { read as value, type Shape, type Tensor } from '../graph/index.js'
import * as nn from '../nn/index.js'
import {
  add,
  cast,
  concat,
  div,
  gather,
  matmul,
  mul,
  reshape,
  sequenceMask,
  slice,
  softmax,
  sum,
  tanh,
  transpose,
  where,
} from '../ops/index.js'
import { tiedWords } from './tied-words.js'
import { expectShared, type Reading, type StatesByName, type Translator, type Written } from './translator.js'

/** Knobs of `attentionTranslator`. */
export interface AttentionTranslatorConfig {
  /** Words of either language, padding among them. */
  readonly source: number
  readonly target: number
  /** Whether both sides have the same words, and so one table. Default: false. */
  readonly shared?: boolean
  readonly attention: 'additive' | 'multiplicative'
  readonly embedding: number
  /** Of the reader in each direction, and of the writer. */
  readonly units: number
  /** Dropout of embedded words, of what was read, and of what is written from. */
  readonly dropout: { readonly embedding: number; readonly reading: number; readonly writing: number }
}

/** The extents and rates of nmtpytorch's configuration for Multi30k. */
export const smallAttentionTranslator: Omit<AttentionTranslatorConfig, 'source' | 'target'> = {
  attention: 'additive',
  embedding: 128,
  units: 256,
  dropout: { embedding: 0.3, reading: 0.5, writing: 0.5 },
}

const count = is.needed(is.whole(1))
const rate = is.needed(is.fraction)
const schema: Schema<AttentionTranslatorConfig> = {
  source: count,
  target: count,
  shared: is.flag,
  attention: is.needed(is.oneOf('additive', 'multiplicative')),
  embedding: count,
  units: count,
  dropout: is.needed(is.object),
}
const rates: Schema<AttentionTranslatorConfig['dropout']> = { embedding: rate, reading: rate, writing: rate }

/** Far below any score, and finite. */
const UNSEEN = -1e30

/**
 * A network that looks at the source for each word that it writes. The table of target words is that of the last layer too
 * (Press & Wolf 2017).
 * @throws OstrichError `ERR_OPTION`, for a shared table of other numbers of words too
 * @see Bahdanau et al. 2015, section 3; Luong et al. 2015, sections 3.1 and 3.3.
 * @example attentionTranslator({ ...smallAttentionTranslator, source: 8000, target: 8000 })
 */
export function attentionTranslator(config: AttentionTranslatorConfig): Translator {
  expectOptions('attentionTranslator', config, schema)
  const { source, target, shared = false, attention, embedding, units, dropout } = config
  expectShared('attentionTranslator', { source, target, shared })
  expectOptions('attentionTranslator[dropout]', dropout, rates)
  const additive = attention === 'additive'
  const cell = <I extends number>(inputs: I, name: string, reverse = false) =>
    nn.gru({ units, inputs, name, reverse, init: nn.init.glorotUniform })
  const map = (from: number, to: number, name: string, bias = true) =>
    nn.linear<number, number>(from, to, { init: nn.init.glorotUniform, name, bias })

  const table = nn.parameter('w', [target, embedding], nn.init.normal(embedding ** -0.5))
  const targets = nn.layer<nn.Indices, nn.Features>({
    kind: 'embedding',
    name: 'target',
    parameters: [table],
    apply: (words) => gather(value(table), words),
  })
  const sources = shared ? targets : nn.embedding(source, embedding, { padding: 0, name: 'source' })
  const reader = nn.bidirectional(cell(embedding, 'forward'), cell(embedding, 'backward', true), { name: 'reader' })
  const first = map(2 * units, units, 'first')
  // Additive: v^T tanh(W s + U h); multiplicative: s^T W h, whose W stands at the keys.
  const keyed = map(2 * units, units, 'keys', additive)
  const asked = map(units, units, 'query', false)
  const score = map(units, 1, 'score', false)
  // Additive: s_i = f(s_i-1, [y_i-1; c_i]); multiplicative: s_i = f(s_i-1, [y_i-1; what was written from]).
  const writer = cell(embedding + (additive ? 2 * units : units), 'writer')
  const joined = map(additive ? embedding + 3 * units : 3 * units, additive ? embedding : units, 'joined')
  const narrow = map(units, embedding, 'narrow', false)
  const bias = nn.parameter('b', [target], nn.init.zeros)
  const words = nn.layer<nn.Features, nn.Features>({
    kind: 'words',
    name: 'words',
    parameters: [bias],
    apply: (x) => tiedWords(x, table, bias),
  })
  const [dropWords, dropRead, dropWritten] = [
    nn.dropout(dropout.embedding),
    nn.dropout(dropout.reading),
    nn.dropout(dropout.writing),
  ]
  const layers = [
    ...(shared ? [] : [sources]),
    ...[targets, reader, first, keyed],
    ...(additive ? [asked, score, writer, joined] : [writer, joined, narrow]),
    words,
  ]

  function read(sentences: Tensor<'i32'>, lengths: Tensor<'i32'>): Reading {
    const steps = sentences.shape[0] ?? 1
    const { output } = reader.run(dropWords(sources(sentences)), { lengths })
    const seen: Tensor<'f32'> = transpose(cast(sequenceMask(lengths, steps), 'f32'), [1, 0])
    // [N, S, 2 H], zeros behind the end of each sentence.
    const annotations = mul(transpose(dropRead(output), [1, 0, 2]), reshape(seen, [...seen.shape, 1]))
    const mean = div(sum(annotations, 1), sum(seen, -1, { keepDims: true }))
    const states = { h: tanh(first(mean)), ...(!additive && { fed: mul(tanh(first(mean)), 0) }) }
    return { states, memory: { annotations, keys: keyed(annotations), seen } }
  }

  /** Weights of the source words [N, S], and their sum [N, 2 H]. */
  function look(
    state: Tensor<'f32'>,
    { annotations, keys, seen }: StatesByName,
  ): Record<'weights' | 'context', Tensor<'f32'>> {
    const [rows = 1, steps = 1] = keys!.shape
    const query = reshape(additive ? asked(state) : state, [rows, 1, units])
    const scores: Tensor<'f32'> = additive ? score(tanh(add(keys!, query))) : sum(mul(keys!, query), -1)
    const hidden: Tensor<'f32'> = where(cast(seen!, 'u8'), reshape(scores, [rows, steps]), UNSEEN)
    const weights: Tensor<'f32'> = softmax(hidden)
    const context: Tensor<'f32'> = matmul<'f32', Shape, Shape>(reshape(weights, [rows, 1, steps]), annotations!)
    return { weights, context: reshape(context, [rows, 2 * units]) }
  }

  const next = (inputs: Tensor<'f32'>, h: Tensor<'f32'>): Tensor<'f32'> =>
    writer.run(reshape(inputs, [1, ...inputs.shape]), { start: { h } }).last.h

  /** One step: embedded words [N, E] and the states before it -> what the word is chosen from, [N, E], and the states after it. */
  function step(y: Tensor<'f32'>, { h, fed }: StatesByName, memory: StatesByName) {
    if (additive) {
      const { weights, context } = look(h!, memory)
      const state = next(concat([y, context], -1), h!)
      return { from: tanh(joined(concat([y, state, context], -1))), weights, states: { h: state } }
    }
    const state = next(concat([y, fed!], -1), h!)
    const { weights, context } = look(state, memory)
    const written = tanh(joined(concat([context, state], -1)))
    return { from: narrow(written), weights, states: { h: state, fed: written } }
  }

  return {
    layers,
    parameters: layers.flatMap(({ parameters }) => parameters),
    logits: (sentences, lengths, before) => {
      const { states: start, memory } = read(sentences, lengths)
      const [steps = 1, rows = 1] = before.shape
      const embedded = dropWords(targets(before))
      const written: Tensor<'f32'>[] = []
      let states: StatesByName = start
      for (let t = 0; t < steps; t++) {
        const y = reshape(slice(embedded, [t, 0, 0], [1, rows, embedding]), [rows, embedding])
        const after = step(y, states, memory)
        written.push(reshape(after.from, [1, rows, embedding]))
        states = after.states
      }
      // One product with all words, of all steps.
      return words(dropWritten(concat(written, 0)))
    },
    read,
    write: (word, states, memory): Written => {
      const { from, weights, states: after } = step(targets(word), states, memory)
      return { logits: words(from), states: after, alignment: weights }
    },
  }
}
