// A corpus as numbers of words, a block at a time.
import type { Corpus } from './corpus.js'
import type { WordCounts } from './word-counts.js'
import { WordScanner } from './word-scanner.js'

/** A part of a corpus: words that have a number. A line may go on in the next block. */
export interface EncodedBlock {
  readonly tokens: Int32Array
  /** Where lines end: before the token at each of these places, of which the last may be behind the last token. */
  readonly ends: Int32Array
  /** Words of the corpus that were read so far, those without a number among them. */
  readonly words: number
  /** Bytes of the corpus that were read so far, as they lie on the disk. */
  readonly done: number
}

/**
 * Reads a corpus as the numbers of its words; words that were not kept are left out.
 * @throws DataError for what is no text
 * @example for await (const { tokens, ends, words } of encodedLines(text, counts)) ...
 */
export async function* encodedLines(corpus: Corpus, counts: WordCounts): AsyncGenerator<EncodedBlock, void, undefined> {
  let [tokens, ends] = [new Int32Array(2 ** 16), new Int32Array(2 ** 12)]
  let [filled, lines, words, done] = [0, 0, 0, 0]
  const scanner = new WordScanner({
    word(bytes, from, to) {
      words++
      const number = counts.numberIn(bytes, from, to)
      if (number < 0) return
      if (filled === tokens.length) tokens = doubled(tokens)
      tokens[filled++] = number
    },
    line() {
      if (lines === ends.length) ends = doubled(ends)
      ends[lines++] = filled
    },
  })
  const block = (): EncodedBlock => {
    const own = { tokens: tokens.slice(0, filled), ends: ends.slice(0, lines), words, done }
    ;[filled, lines] = [0, 0]
    return own
  }
  for await (const piece of corpus.pieces()) {
    scanner.feed(piece)
    done = piece.done
    yield block()
  }
  scanner.end()
  yield block()
}

function doubled(array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(2 * array.length)
  larger.set(array)
  return larger
}
