// Words and their counts in a file, as word2vec's C program keeps a vocabulary (-save-vocab) and gensim reads one (fvocab): a word, a space
// and its count on each line, the most frequent first.
import { DataError, reasonOf } from '../../errors.js'
import { readText } from '../text.js'
import { WordCounts } from './word-counts.js'
import { WordTable } from './word-table.js'

/**
 * Writes words and their counts, whole or not at all.
 * @throws DataError where it cannot be written
 * @example await writeWordCounts('enwiki.counts', counts)
 */
export async function writeWordCounts(path: string, { words, counts }: WordCounts): Promise<void> {
  const { placeFile } = await import('../../cache.js')
  const lines = words.map((word, i) => `${word} ${counts[i]!}\n`)
  await placeFile(path, new TextEncoder().encode(lines.join(''))).catch((error: unknown) => {
    throw new DataError(`${path}: expected to write it, got ${reasonOf(error)}`, { cause: error })
  })
}

/**
 * Reads words and their counts, compressed by gzip or not, in any order. Their `total` is that of the words in the file, as words that were left out
 * of it are not known.
 * @throws DataError naming file and line, for what is no word and count, and words that are there twice
 * @example const counts = await readWordCounts('enwiki.counts')
 */
export async function readWordCounts(path: string): Promise<WordCounts> {
  const table = new WordTable()
  const encoder = new TextEncoder()
  let total = 0
  for (const [i, line] of (await readText(path)).split('\n').entries()) {
    if (line.trim() === '') continue
    const [, word, digits] = /^([^\0\t\n\v\f\r ]+)[\t ]+(\d{1,15})\s*$/.exec(line) ?? []
    const where = `${path}, line ${i + 1}`
    if (word === undefined || Number(digits) === 0) {
      throw new DataError(
        `${where}: expected a word and how often it is there, got ${JSON.stringify(line.slice(0, 60))}`,
      )
    }
    const { size } = table
    table.put(encoder.encode(word), Number(digits))
    if (table.size === size) throw new DataError(`${where}: expected each word once, got ${JSON.stringify(word)} again`)
    total += Number(digits)
  }
  if (table.size === 0) throw new DataError(`${path}: expected words and their counts, got none`)
  return new WordCounts(table, total)
}
