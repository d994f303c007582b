// Two words that stand together more often than by chance become one word, as in word2phrase (Mikolov et al. 2013, arXiv:1310.4546, 4). Pairs are
// of one line; the C program takes the last word of a line and the first of the next for a pair too.
import { expectOptions, is, type Schema } from '../../../base/index.js'
import type { Corpus, CorpusPiece } from './corpus.js'
import { PairTable } from './pair-table.js'
import { countWords, type CountWordsOptions, MOST_DIFFERENT, type WordCounts } from './word-counts.js'
import { WordScanner } from './word-scanner.js'

/** Options of `learnPhrases`. */
export interface PhrasesOptions extends Pick<CountWordsOptions, 'mostDifferent' | 'onProgress' | 'signal'> {
  /** Words that stand there less often are in no phrase, and so often less is a pair counted. Default: 5. */
  readonly least?: number
  /** Pairs of a higher score become one word. Default: 100. */
  readonly threshold?: number
}

const schema: Schema<PhrasesOptions> = {
  least: is.whole(1),
  threshold: is.notNegative,
  mostDifferent: is.whole(1, MOST_DIFFERENT),
  onProgress: is.callable,
  signal: is.signal,
}

/** Two words that are one. */
export interface Phrase {
  readonly words: readonly [string, string]
  readonly count: number
  readonly score: number
}

/** Pairs of words that become one, `new york` the word `new_york`. Made by `learnPhrases`. */
export class Phrases {
  /** The highest score first; of equal ones the more frequent words. */
  readonly list: readonly Phrase[]
  readonly #counts: WordCounts
  readonly #pairs: PairTable

  constructor(counts: WordCounts, list: readonly (Phrase & { readonly places: readonly [number, number] })[]) {
    this.#counts = counts
    this.#pairs = new PairTable(counts.size)
    for (const { places } of list) this.#pairs.add(...places)
    this.list = list.map(({ words, count, score }) => ({ words, count, score }))
  }

  /** Whether two words that stand together become one. */
  has(first: string, second: string): boolean {
    const [a, b] = [first, second].map((word) => this.#counts.numberOf(word))
    return a !== undefined && b !== undefined && this.#pairs.count(a, b) > 0
  }

  /**
   * A corpus with its phrases as words, from the left: of `a b c` with phrases `a b` and `b c` the former. It is read as the corpus is; phrases
   * of it are of more words.
   * @example const counts = await countWords((await learnPhrases(text)).corpus(text))
   */
  corpus(of: Corpus): Corpus {
    return { size: of.size, pieces: () => this.#joined(of.pieces()) }
  }

  async *#joined(pieces: AsyncIterable<CorpusPiece>): AsyncGenerator<CorpusPiece, void, undefined> {
    const joiner = new Joiner(this.#counts, this.#pairs)
    const scanner = new WordScanner(joiner)
    let last: CorpusPiece | undefined
    for await (const piece of pieces) {
      if (piece.isFirst && last !== undefined) {
        scanner.end()
        yield { ...last, isFirst: false, bytes: joiner.take() }
      }
      scanner.feed(piece)
      last = piece
      yield { ...piece, bytes: joiner.take() }
    }
    scanner.end()
    if (last !== undefined) yield { ...last, isFirst: false, bytes: joiner.take() }
  }
}

const [SPACE, UNDERSCORE, NEWLINE] = [0x20, 0x5f, 0x0a]

/** Writes words, each behind a space or, in a phrase, behind a `_`. */
class Joiner {
  readonly #counts: WordCounts
  readonly #pairs: PairTable
  #bytes = new Uint8Array(2 ** 16)
  #filled = 0
  #isInLine = false
  /** The word before, where a phrase can begin with it; else -1. */
  #before = -1

  constructor(counts: WordCounts, pairs: PairTable) {
    this.#counts = counts
    this.#pairs = pairs
  }

  word(bytes: Uint8Array, from: number, to: number): void {
    const number = this.#counts.numberIn(bytes, from, to)
    const isPhrase = this.#before >= 0 && number >= 0 && this.#pairs.count(this.#before, number) > 0
    this.#makeRoom(to - from + 1)
    if (this.#isInLine) this.#bytes[this.#filled++] = isPhrase ? UNDERSCORE : SPACE
    this.#bytes.set(bytes.subarray(from, to), this.#filled)
    this.#filled += to - from
    this.#isInLine = true
    this.#before = isPhrase ? -1 : number
  }

  line(): void {
    this.#makeRoom(1)
    this.#bytes[this.#filled++] = NEWLINE
    this.#isInLine = false
    this.#before = -1
  }

  #makeRoom(bytes: number): void {
    if (this.#filled + bytes <= this.#bytes.length) return
    const larger = new Uint8Array(2 * (this.#filled + bytes))
    larger.set(this.#bytes)
    this.#bytes = larger
  }

  /** What was written since the last time. */
  take(): Uint8Array {
    const own = this.#bytes.slice(0, this.#filled)
    this.#filled = 0
    return own
  }
}

/**
 * Finds the phrases of a corpus, which it reads twice: pairs of the score (count(a b) - least) / count(a) / count(b) times the words of the corpus.
 * @throws DataError for what is no text, and where no word stands there often enough; the signal's reason; OstrichError `ERR_OPTION`
 * @see word2phrase.c, whose score this is; that of gensim is times the different words, and so its threshold another
 * @example const phrases = await learnPhrases(await corpus('news.txt'), { threshold: 100 })
 */
export async function learnPhrases(of: Corpus, options: PhrasesOptions = {}): Promise<Phrases> {
  expectOptions('learnPhrases', options, schema)
  const { least = 5, threshold = 100, mostDifferent = 21_000_000, onProgress, signal } = options
  const counts = await countWords(of, {
    ...{ least, mostDifferent },
    ...(onProgress && { onProgress }),
    ...(signal && { signal }),
  })
  const pairs = new PairTable(counts.size)
  let [before, forgotten, words] = [-1, 0, 0]
  const scanner = new WordScanner({
    word(bytes, from, to) {
      const number = counts.numberIn(bytes, from, to)
      if (before >= 0 && number >= 0) pairs.add(before, number)
      before = number
      words++
    },
    line() {
      before = -1
    },
  })
  for await (const piece of of.pieces()) {
    signal?.throwIfAborted()
    scanner.feed(piece)
    while (pairs.size > mostDifferent) {
      forgotten++
      pairs.keepOnly((count) => count > forgotten)
    }
    onProgress?.({ done: piece.done, total: of.size, words })
  }
  scanner.end()
  const found = Array.from(pairs.entries(), ([a, b, count]) => ({
    words: [counts.words[a]!, counts.words[b]!] as const,
    ...{ places: [a, b] as const, count },
    score: ((count - least) / counts.counts[a]! / counts.counts[b]!) * counts.total,
  }))
  const best = found.filter(({ score }) => score > threshold)
  const order = (a: number, b: number): number => a * counts.size + b
  return new Phrases(
    counts,
    best.sort((a, b) => b.score - a.score || order(...a.places) - order(...b.places)),
  )
}
