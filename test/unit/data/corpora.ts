// A corpus in memory, in pieces of any size, and counts of words in a form to compare.
import type { Corpus, WordCounts } from '../../../lib/data/index.js'

/** Texts as the files of a corpus. */
export function inMemory(texts: string | readonly string[], piece = Infinity): Corpus {
  const files = [texts].flat().map((text) => new TextEncoder().encode(text))
  const size = files.reduce((sum, { length }) => sum + length, 0)
  return {
    size,
    async *pieces() {
      let done = 0
      for (const [i, bytes] of files.entries()) {
        for (let at = 0; at < bytes.length; at += Math.min(piece, bytes.length)) {
          const part = await Promise.resolve(bytes.subarray(at, Math.min(at + piece, bytes.length)))
          done += part.length
          yield { bytes: part, file: `file${i}`, isFirst: at === 0, done }
        }
      }
    },
  }
}

/** Words with their counts, and how many words there are in all. */
export const counted = ({ words, counts, total }: WordCounts) => [words.map((word, i) => [word, counts[i]]), total]
