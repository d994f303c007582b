// Names the part of speech of each word: what is known of a word (its place in a vocabulary, its endings, its shape) is embedded, an
// LSTM reads the sentence from either end, and a softmax chooses. Graves & Schmidhuber 2005, "Framewise phoneme classification with
// bidirectional LSTM and other neural network architectures"; for tags, Huang, Xu & Yu 2015, "Bidirectional LSTM-CRF models for sequence
// tagging", without the last layer of that.
// To reach on the Brown corpus: 95 % of the words of the tenth of its sentences that is held back.
import { expectOptions, is, type Schema } from '../base/index.js'
import { ShapeError, type Tensor } from '../graph/index.js'
import * as nn from '../nn/index.js'
import { cast, concat, crossEntropy, equal, mul, notEqual, reshape, sequenceMask, slice, sum } from '../ops/index.js'

/** Knobs of `tagger`. */
export interface TaggerConfig {
  /** Of what each number of a word stands for: how many there are, and features of each. 0 of the first is padding. */
  readonly tables: readonly { readonly size: number; readonly features: number }[]
  /** Of the LSTM in each direction. */
  readonly units: number
  readonly classes: number
  /** Rate of dropout before and behind the LSTM. */
  readonly dropout: number
}

const one = is.needed(is.number)
const schema: Schema<TaggerConfig> = {
  tables: is.needed(is.listOf(is.object, 'tables')),
  units: one,
  classes: one,
  dropout: one,
}

/** Knobs of the Brown corpus's network. */
export const brownTagger: TaggerConfig = {
  tables: [
    { size: 16_000, features: 96 },
    { size: 3_000, features: 32 },
    { size: 600, features: 16 },
    { size: 13, features: 8 },
  ],
  units: 128,
  classes: 190,
  dropout: 0.3,
}

/**
 * x i32 [T, N, one number for each table] -> logits [T, N, classes]; steps whose first number is 0 are padding, and no other step's
 * logits depend on them.
 * @throws OstrichError `ERR_OPTION`; ShapeError for extents below 1, and when traced, for an x of other extents
 * @example tagger(brownTagger)
 */
export function tagger(config: TaggerConfig = brownTagger): nn.Layer<nn.Indices, nn.Features> {
  expectOptions('tagger', config, schema)
  const { tables, units, classes, dropout } = config
  const embeddings = tables.map(({ size, features }) => nn.embedding(size, features))
  const drop = nn.dropout(dropout)
  const both = nn.bidirectional(nn.lstm({ units }), nn.lstm({ units, reverse: true }))
  const choice = nn.linear(2 * units, classes, { init: nn.init.glorotUniform })
  return nn.layer<nn.Indices, nn.Features>({
    kind: 'tagger',
    name: 'tagger',
    children: [...embeddings, drop, both, choice],
    apply: (x) => {
      const [steps = 1, rows = 1, numbers] = x.shape
      if (x.rank !== 3 || numbers !== tables.length) {
        throw new ShapeError(`tagger: expected x of i32[T, N, ${tables.length}], got ${x.dtype}[${x.shape.join(', ')}]`)
      }
      const column = (i: number): Tensor<'i32'> => reshape(slice(x, [0, 0, i], [steps, rows, 1]), [steps, rows])
      const words = embeddings.map((embed, i) => embed(column(i)))
      const mask = notEqual(column(0), 0)
      const { output } = both.run(drop(concat(words, -1)), { mask })
      return choice(drop(output))
    },
  })
}

/** What the words of a batch come to. */
export interface TagCosts {
  /** Of -log p(tag) over all words that there are, f32 []. */
  readonly sum: Tensor<'f32'>
  /** How many there are, f32 []. */
  readonly count: Tensor<'f32'>
  /** f32 [T, N]: 1 for a word, 0 for padding. */
  readonly mask: Tensor<'f32'>
}

/** The cost of naming the tags i32 [T, N] of sentences of `lengths` i32 [N], by logits [T, N, classes]. */
export function tagCosts(logits: Tensor<'f32'>, tags: Tensor<'i32'>, lengths: Tensor<'i32'>): TagCosts {
  const mask: Tensor<'f32'> = cast(sequenceMask(lengths, tags.shape[0] ?? 1), 'f32')
  const costs: Tensor<'f32'> = crossEntropy(reshape(logits, [-1, logits.shape.at(-1) ?? 1]), reshape(tags, [-1]))
  return { sum: sum(mul(reshape(costs, tags.shape), mask)), count: sum(mask), mask }
}

/** How many words of a batch have the tag that is guessed: i32 [T, N] both, and the mask of `tagCosts`. */
export function sameTags(guesses: Tensor<'i32'>, tags: Tensor<'i32'>, mask: Tensor<'f32'>): Tensor<'f32'> {
  const same: Tensor<'f32'> = cast(equal(guesses, tags), 'f32')
  return sum(mul(same, mask))
}
