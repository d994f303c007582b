// The words of a corpus and how often they stand there: what word vectors are made for, most frequent first. Words are counted as word2vec's C
// program and gensim count them; unlike the former it has no word </s> for the ends of lines.
import { isUtf8 } from 'node:buffer'
import { expectOptions, is, type Schema } from '../../../base/index.js'
import { DataError } from '../../errors.js'
import type { Corpus, CorpusProgress } from './corpus.js'
import { WordScanner } from './word-scanner.js'
import { WordTable } from './word-table.js'

/** Options of `countWords`. */
export interface CountWordsOptions {
  /** Leaves out words that stand there less often. Default: 5. */
  readonly least?: number
  /** Keeps the most frequent words only. Default: all. */
  readonly most?: number
  /**
   * Bounds memory: with more different words than this, those that stood there once are forgotten, then those that stood there twice, and so on.
   * Default: 21,000,000, as in word2vec's C program.
   */
  readonly mostDifferent?: number
  /** Called as the corpus is read. */
  readonly onProgress?: (progress: CorpusProgress) => void
  /** Stops, by the signal's reason. */
  readonly signal?: AbortSignal
}

/** Above it, two words would be no whole number of f64. */
export const MOST_DIFFERENT = 2 ** 26

const schema: Schema<CountWordsOptions> = {
  least: is.whole(1),
  most: is.whole(1),
  mostDifferent: is.whole(1, MOST_DIFFERENT),
  onProgress: is.callable,
  signal: is.signal,
}

/** The words of a corpus by number, the most frequent first, ties in the order of their bytes. Made by `countWords`. */
export class WordCounts {
  readonly words: readonly string[]
  /** How often each word stands in the corpus. */
  readonly counts: Float64Array
  /** Words of the corpus, those that were left out among them. */
  readonly total: number
  readonly #table: WordTable

  /** @param table words that are not in order, and their counts */
  constructor(table: WordTable, total: number, most = Infinity) {
    const bytes = Array.from({ length: table.size }, (_, i) => table.bytesOf(i))
    const order = [...bytes.keys()].sort((a, b) => {
      return table.counts[b]! - table.counts[a]! || Buffer.compare(bytes[a]!, bytes[b]!)
    })
    this.#table = new WordTable()
    for (const i of order.slice(0, most)) this.#table.put(bytes[i]!, table.counts[i]!)
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
    this.words = Array.from({ length: this.#table.size }, (_, i) => decoder.decode(this.#table.bytesOf(i)))
    this.counts = this.#table.counts.slice(0, this.#table.size)
    this.total = total
  }

  /** Different words. */
  get size(): number {
    return this.words.length
  }

  /** Words of the corpus without those that were left out. */
  get kept(): number {
    return this.counts.reduce((sum, count) => sum + count, 0)
  }

  /** The number of a word; undefined where it is none of them. */
  numberOf(word: string): number | undefined {
    const bytes = new TextEncoder().encode(word)
    const number = this.numberIn(bytes, 0, bytes.length)
    return number < 0 ? undefined : number
  }

  /** The number of the word in these bytes; -1 where it is none of them. */
  numberIn(bytes: Uint8Array, from: number, to: number): number {
    return this.#table.find(bytes, from, to)
  }
}

/**
 * Counts the words of a corpus.
 * @throws DataError for what is no text in UTF-8, naming file and line, and where no word stands there often enough; the signal's reason;
 *   OstrichError `ERR_OPTION`
 * @example const { words, counts, total } = await countWords(await corpus('enwiki-20m.txt.gz'), { least: 5 })
 */
export async function countWords(of: Corpus, options: CountWordsOptions = {}): Promise<WordCounts> {
  expectOptions('countWords', options, schema)
  const { least = 5, most, mostDifferent = 21_000_000, onProgress, signal } = options
  let [table, total, forgotten] = [new WordTable(), 0, 0]
  const scanner = new WordScanner({
    word(bytes, from, to) {
      const { size } = table
      const number = table.add(bytes, from, to)
      // A word that is known was looked at before.
      if (table.size > size && !isUtf8(bytes.subarray(from, to))) {
        throw new DataError(`${scanner.where}: expected a text in UTF-8, got other bytes`)
      }
      table.counts[number]!++
      total++
    },
    line: () => undefined,
  })
  for await (const piece of of.pieces()) {
    signal?.throwIfAborted()
    scanner.feed(piece)
    while (table.size > mostDifferent) {
      forgotten++
      table = table.only((count) => count > forgotten)
    }
    onProgress?.({ done: piece.done, total: of.size, words: total })
  }
  scanner.end()
  const kept = table.only((count) => count >= least)
  if (kept.size > 0) return new WordCounts(kept, total, most)
  const got = table.size === 0 ? 'none' : `${table.size} different ones that stand there less often`
  throw new DataError(`countWords: expected words that stand in the corpus ${least} times or more, got ${got}`)
}
