// Words, their vectors, and what every use of them needs: a vector's place by its word, its length, and the refusal of unknown words.
import { distance } from '../../base/nearest.js'
import { DataError } from '../../data/index.js'

/** Words and vectors, as they were checked. */
export interface VectorTable {
  readonly words: readonly string[]
  readonly numbers: ReadonlyMap<string, number>
  /** Row-major [V, D]. */
  readonly vectors: Float32Array
  /** D. */
  readonly dimension: number
  /** 1 / length of each vector; 0 of one that is zero, which then is similar to none. */
  readonly scales: Float64Array
}

/** What `KeyedVectors` is made of. */
export interface KeyedVectorsData {
  /** Each once, the most frequent first where `limit` is to mean anything; without white space. */
  readonly words: readonly string[]
  /** Row-major [V, D], row i of word i; not copied. */
  readonly vectors: Float32Array
  /** How often each word stood in the corpus. */
  readonly counts?: ArrayLike<number>
}

/** @throws DataError for what is no table of words */
export function tableOf({ words, vectors, counts }: KeyedVectorsData): VectorTable {
  const where = 'KeyedVectors'
  if (words.length === 0) throw new DataError(`${where}[words]: expected words, got none`)
  const dimension = vectors.length / words.length
  if (!Number.isInteger(dimension) || dimension === 0) {
    const expected = `expected as many numbers for each of ${words.length} words`
    throw new DataError(`${where}[vectors]: ${expected}, got ${vectors.length} in all`)
  }
  if (counts !== undefined && counts.length !== words.length) {
    throw new DataError(`${where}[counts]: expected ${words.length}, one for each word, got ${counts.length}`)
  }
  const numbers = new Map<string, number>()
  for (const [i, word] of words.entries()) {
    if (word === '' || /[\0\t\n\v\f\r ]/.test(word)) {
      throw new DataError(`${where}[words]: expected words without white space, got ${JSON.stringify(word)} at ${i}`)
    }
    if (numbers.has(word)) {
      throw new DataError(`${where}[words]: expected each word once, got ${JSON.stringify(word)} a second time at ${i}`)
    }
    numbers.set(word, i)
  }
  return { words, numbers, vectors, dimension, scales: scalesOf(words, vectors, dimension) }
}

function scalesOf(words: readonly string[], vectors: Float32Array, dimension: number): Float64Array {
  const scales = new Float64Array(words.length)
  for (let row = 0, at = 0; row < words.length; row++) {
    let sum = 0
    for (const end = at + dimension; at < end; at++) sum += vectors[at]! ** 2
    if (!Number.isFinite(sum)) {
      throw new DataError(
        `KeyedVectors[vectors]: expected finite numbers, got others for ${JSON.stringify(words[row])}`,
      )
    }
    scales[row] = sum === 0 ? 0 : 1 / Math.sqrt(sum)
  }
  return scales
}

/** Takes each row to length 1, in place; zeros stay zeros. */
export function toLengthOne(rows: Float32Array, dimension: number): Float32Array {
  for (let at = 0; at < rows.length; at += dimension) {
    let sum = 0
    for (let i = at; i < at + dimension; i++) sum += rows[i]! ** 2
    const length = Math.sqrt(sum)
    if (length > 0) for (let i = at; i < at + dimension; i++) rows[i]! /= length
  }
  return rows
}

/** The vector of a word, of length 1, in f64. */
export function unitRow({ vectors, dimension, scales }: VectorTable, row: number): Float64Array {
  const scale = scales[row]!
  return Float64Array.from(vectors.subarray(row * dimension, (row + 1) * dimension), (x) => x * scale)
}

/** @throws DataError for a word that has no vector, with near spellings */
export function numberOf(table: VectorTable, where: string, word: string): number {
  const number = table.numbers.get(word)
  if (number !== undefined) return number
  const near = nearSpellings(word, table.words).map((one) => JSON.stringify(one))
  const hint = near.length === 0 ? '' : `; near are ${near.join(', ')}`
  throw new DataError(`${where}: expected a word that has a vector, got ${JSON.stringify(word)}${hint}`)
}

/** Up to three words of the fewest slips, two at most, but no more than half of the letters; of as many slips the first. */
function nearSpellings(word: string, words: readonly string[]): readonly string[] {
  const low = word.toLowerCase()
  const most = Math.min(2, Math.floor(word.length / 2))
  const found: string[][] = [[], [], []]
  for (const one of words) {
    if (Math.abs(one.length - word.length) > most) continue
    const slips = distance(low, one.toLowerCase())
    if (slips <= most) found[slips]!.push(one)
    // Words are many, and the first ones the most usual.
    if (found[0]!.length === 3) break
  }
  return found.flat().slice(0, 3)
}
