// Dictionaries of two languages in the form of MUSE (Conneau et al. 2017): a word and its translation on each line, a word of several
// translations on several lines.
import { DataError } from '../../data/index.js'
import { readText } from '../../data/text/text.js'

/** A word and its translation. */
export type Translation = readonly [source: string, target: string]

/**
 * Reads a dictionary from a file, compressed by gzip or not: lines of two words with a tab or spaces between.
 * @throws DataError naming the file and the line
 * @example const pairs = await train.readDictionary('en-es.0-5000.txt')
 */
export async function readDictionary(path: string): Promise<readonly Translation[]> {
  return parseDictionary(await readText(path), path)
}

/** The same of a text. */
export function parseDictionary(text: string, where: string): readonly Translation[] {
  const pairs: Translation[] = []
  for (const [i, line] of text.split('\n').entries()) {
    const words = line
      .split(/[\t ]+/)
      .map((word) => word.trim())
      .filter((word) => word !== '')
    if (words.length === 0) continue
    const [source, target] = words
    if (words.length !== 2) {
      const got = JSON.stringify(line.trim().slice(0, 60))
      throw new DataError(`${where}: expected a word and its translation in line ${i + 1}, got ${got}`)
    }
    pairs.push([source!, target!])
  }
  if (pairs.length === 0) throw new DataError(`${where}: expected words and their translations, got none`)
  return pairs
}
