// The lists by which word vectors are measured: analogies in categories (questions-words.txt), and pairs of words with a score that people
// gave them (WordSim353 and its like). Refuses lines that are neither, with their number.
import { DataError } from '../../data/index.js'
import { readText } from '../../data/text/text.js'

/** Analogies of one kind: "Athens is to Greece as Baghdad is to Iraq" is the four words of one question. */
export interface AnalogyCategory {
  readonly name: string
  readonly questions: readonly (readonly [string, string, string, string])[]
}

/** Two words, and how alike they are. */
export interface WordPair {
  readonly words: readonly [string, string]
  readonly score: number
}

/**
 * Analogies from a file in the form of `questions-words.txt`, compressed by gzip or not: lines of four words below lines `: category`.
 * @throws DataError naming the file and the line
 */
export async function readAnalogies(path: string): Promise<readonly AnalogyCategory[]> {
  return parseAnalogies(await readText(path), path)
}

/** The same of a text. */
export function parseAnalogies(text: string, where: string): readonly AnalogyCategory[] {
  const categories: { name: string; questions: (readonly [string, string, string, string])[] }[] = []
  for (const [i, line] of text.split('\n').entries()) {
    const words = wordsOf(line)
    if (words.length === 0) continue
    if (words[0]!.startsWith(':')) {
      categories.push({ name: line.replace(/^\s*:/, '').trim(), questions: [] })
      continue
    }
    const [a, b, c, d] = words
    if (words.length !== 4) throw new DataError(`${where}: expected four words in line ${i + 1}, got ${shown(line)}`)
    if (categories.length === 0) {
      throw new DataError(`${where}: expected a line ": category" before the first question, got ${shown(line)}`)
    }
    categories.at(-1)!.questions.push([a!, b!, c!, d!])
  }
  if (categories.every(({ questions }) => questions.length === 0)) {
    throw new DataError(`${where}: expected analogies, got none`)
  }
  return categories
}

/**
 * Pairs of words from a file, compressed by gzip or not: lines of two words and a number with tabs or spaces between; lines that begin with
 * # are left out.
 * @throws DataError naming the file and the line
 */
export async function readWordPairs(path: string): Promise<readonly WordPair[]> {
  return parseWordPairs(await readText(path), path)
}

/** The same of a text. */
export function parseWordPairs(text: string, where: string): readonly WordPair[] {
  const pairs: WordPair[] = []
  for (const [i, line] of text.split('\n').entries()) {
    const [first, second, number, more] = wordsOf(line)
    if (first === undefined || first.startsWith('#')) continue
    const score = Number(number)
    if (number === undefined || more !== undefined || !Number.isFinite(score)) {
      throw new DataError(`${where}: expected two words and a number in line ${i + 1}, got ${shown(line)}`)
    }
    pairs.push({ words: [first, second!], score })
  }
  if (pairs.length === 0) throw new DataError(`${where}: expected pairs of words, got none`)
  return pairs
}

const wordsOf = (line: string): string[] => line.split(/\s+/).filter((word) => word !== '')
const shown = (line: string): string => JSON.stringify(line.trim().slice(0, 60))
