// Translation by two LSTM networks: one reads a sentence from its last word to its first, the other starts from the states that this leaves,
// and writes. Sutskever, Vinyals & Le 2014, "Sequence to sequence learning with neural networks".
// To reach on Multi30k, German to English: a test perplexity of 43.8 fed its own words.
import { expectOptions, is, type Schema } from '../base/index.js'
import type { Tensor } from '../graph/index.js'
import * as nn from '../nn/index.js'
import { reshape } from '../ops/index.js'
import type { StatesByName, Reading, Translator, Written } from './translator.js'

/** Knobs of `lstmTranslator`. */
export interface LstmTranslatorConfig {
  /** Words of either language, padding among them. */
  readonly source: number
  readonly target: number
  readonly embedding: number
  /** Of each layer. */
  readonly units: number
  /** Of either network. */
  readonly layers: number
  /** Of what goes up from one layer to the next (Zaremba, Sutskever & Vinyals 2014, fig. 2). */
  readonly dropout: number
  /** Whether the source is read from its end: then its first words are near the first ones to write (section 3.3). */
  readonly reversed: boolean
}

/** Two layers of 512 units over embeddings of 256: what is small enough for Multi30k. */
export const smallLstmTranslator: Omit<LstmTranslatorConfig, 'source' | 'target'> = {
  embedding: 256,
  units: 512,
  layers: 2,
  dropout: 0.35,
  reversed: true,
}

const count = is.needed(is.whole(1))
const schema: Schema<LstmTranslatorConfig> = {
  source: count,
  target: count,
  embedding: count,
  units: count,
  layers: count,
  dropout: is.needed(is.fraction),
  reversed: is.needed(is.flag),
}

/** Section 3.4. */
const init = nn.init.uniform(-0.08, 0.08)

/**
 * A network that reads and one that writes, over words by index.
 * @throws OstrichError `ERR_OPTION`
 * @see Sutskever, Vinyals & Le 2014, section 2.
 * @example lstmTranslator({ ...smallLstmTranslator, source: 7853, target: 5893 })
 */
export function lstmTranslator(config: LstmTranslatorConfig): Translator {
  expectOptions('lstmTranslator', config, schema)
  const { source, target, embedding, units, layers, dropout, reversed } = config
  const stack = (name: string, reverse: boolean) =>
    Array.from({ length: layers }, (_, i) => {
      const inputs = i === 0 ? embedding : units
      return nn.lstm({ units, inputs, reverse, init, name: `${name}${i + 1}` })
    })
  const [sources, targets] = [
    nn.embedding(source, embedding, { init, padding: 0, name: 'source' }),
    nn.embedding(target, embedding, { init, padding: 0, name: 'target' }),
  ]
  const [reader, writer] = [stack('reader', reversed), stack('writer', false)]
  const drop = nn.dropout(dropout)
  const out = nn.linear(units, target, { init, biasInit: init, name: 'words' })
  const all = [sources, ...reader, targets, ...writer, out]

  function read(words: Tensor<'i32'>, lengths: Tensor<'i32'>): Reading {
    const states: Record<string, Tensor<'f32'>> = {}
    let x: Tensor<'f32'> = drop(sources(words))
    for (const [i, lstm] of reader.entries()) {
      const { output, last } = lstm.run(x, { lengths })
      states[`h${i + 1}`] = last.h
      states[`c${i + 1}`] = last.c
      x = drop(output)
    }
    return { states, memory: {} }
  }

  /** Logits [T, N, words], and the states behind the last step. */
  function run(before: Tensor<'i32'>, from: StatesByName): { logits: Tensor<'f32'>; states: StatesByName } {
    const states: Record<string, Tensor<'f32'>> = {}
    let y: Tensor<'f32'> = drop(targets(before))
    for (const [i, lstm] of writer.entries()) {
      const { output, last } = lstm.run(y, { start: { h: from[`h${i + 1}`]!, c: from[`c${i + 1}`]! } })
      states[`h${i + 1}`] = last.h
      states[`c${i + 1}`] = last.c
      y = drop(output)
    }
    return { logits: out(y), states }
  }

  return {
    layers: all,
    parameters: all.flatMap(({ parameters }) => parameters),
    logits: (words, lengths, before) => run(before, read(words, lengths).states).logits,
    read,
    write: (word, from): Written => {
      const { logits, states } = run(reshape(word, [1, -1]), from)
      return { logits: reshape(logits, [-1, target]), states }
    },
  }
}
