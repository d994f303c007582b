// Frequent words are left out at random, by the formula of word2vec's C program, which is not that of its paper: a word of the share f of
// the corpus stays with probability (sqrt(f / t) + 1) t / f, the paper's with sqrt(t / f). What is left is cut into sentences.
import { expectOptions, is, type Schema } from '../../../base/index.js'
import { PhiloxStream } from '../../philox.js'
import type { EncodedBlock } from './encoded-lines.js'

/**
 * The probability that each word stays.
 * @param counts how often each word stands in the corpus
 * @param sample t: more frequent words are left out now and then; 0 keeps all
 * @see word2vec.c; Mikolov et al. 2013, arXiv:1310.4546, 2.3, for the idea
 * @example keepProbabilities([1000, 10], 1e-3) // of 1,010 words: 0.0328 and 0.4188
 */
export function keepProbabilities(counts: ArrayLike<number>, sample: number): Float64Array {
  let total = 0
  for (let i = 0; i < counts.length; i++) total += counts[i]!
  // t of all words: of as many times, the formula gives 2.
  const often = sample * total
  return Float64Array.from(counts, (count) => {
    return sample === 0 ? 1 : Math.min(1, (Math.sqrt(count / often) + 1) * (often / count))
  })
}

/** Options of `Sentences`. */
export interface SentencesOptions {
  /** Probability of each word to stay, as of `keepProbabilities`. */
  readonly keep: Float64Array
  /** Words of a sentence at most, of those that stay. Default: 1000, as in word2vec's C program. */
  readonly longest?: number
  /** Draws which words stay. Default: 1. */
  readonly seed?: number
  /** In each of them other words stay. Default: 0. */
  readonly epoch?: number
}

const schema: Schema<SentencesOptions> = {
  keep: is.needed(is.instance('a Float64Array', Float64Array)),
  longest: is.whole(1),
  seed: is.whole(0),
  epoch: is.whole(0),
}

/** Keeps these draws apart from all others of a seed. */
const DOMAIN = 0x5355

/**
 * Blocks of a corpus -> sentences: lines without the words that are left out, cut where they are too long. One draw for each word that has a
 * number, so that what stays depends on the place in the corpus alone.
 * @throws OstrichError `ERR_OPTION`
 * @example
 * const sentences = new Sentences({ keep: keepProbabilities(counts.counts, 1e-3) })
 * for await (const block of encodedLines(text, counts)) for (const words of sentences.of(block)) ...
 */
export class Sentences {
  readonly #thresholds: Float64Array
  readonly #stream: PhiloxStream
  readonly #open: Int32Array
  #filled = 0

  constructor(options: SentencesOptions) {
    expectOptions('Sentences', options, schema)
    const { keep, longest = 1000, seed = 1, epoch = 0 } = options
    this.#thresholds = keep.map((share) => share * 2 ** 32)
    this.#stream = new PhiloxStream(seed, epoch, DOMAIN)
    this.#open = new Int32Array(longest)
  }

  /** The sentences that end in a block; what is behind them is kept for the next. Each is valid until the next is taken. */
  *of({ tokens, ends }: EncodedBlock): Generator<Int32Array, void, undefined> {
    let line = 0
    for (let at = 0; at <= tokens.length; at++) {
      while (line < ends.length && ends[line] === at) {
        line++
        yield* this.end()
      }
      if (at === tokens.length) return
      const token = tokens[at]!
      if (this.#stream.next() >= this.#thresholds[token]!) continue
      this.#open[this.#filled++] = token
      if (this.#filled === this.#open.length) yield* this.end()
    }
  }

  /** The last sentence, where the corpus does not end with the end of a line. */
  *end(): Generator<Int32Array, void, undefined> {
    const length = this.#filled
    this.#filled = 0
    if (length > 0) yield this.#open.subarray(0, length)
  }
}
