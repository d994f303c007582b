// The words that are most like some words and least like others: by the cosine of the sum of their vectors of length 1 (3CosAdd, Mikolov
// et al. 2013), or by the product of their cosines (3CosMul, Levy & Goldberg 2014), as gensim computes both.
import { is, OstrichError, type Schema } from '../../base/index.js'
import { DataError } from '../../data/index.js'
import { numberOf, unitRow, type VectorTable } from './table.js'

/** How words are compared with several: `cosine` with their sum, or by the product `3CosMul` of the cosines with each. */
export type SimilarityMethod = 'cosine' | '3CosMul'

/** A word, or a vector of as many numbers as those of words have. */
export type WordOrVector = string | Float32Array | Float64Array | readonly number[]

/** Options of `mostSimilar`. */
export interface MostSimilarOptions {
  /** What is to be near. */
  readonly positive?: readonly WordOrVector[]
  /** What is to be far. */
  readonly negative?: readonly WordOrVector[]
  /** Words to find. Default: 10. */
  readonly most?: number
  /** Looks at the first words only, which are the most frequent. Default: all. */
  readonly limit?: number
  /** Default: `cosine`. */
  readonly method?: SimilarityMethod
}

/** A word that was found. */
export interface SimilarWord {
  readonly word: string
  /** Its cosine, from -1 to 1; of `3CosMul`, the product of what is (1 + cosine) / 2 over that of what is to be far. */
  readonly score: number
}

export const aMethod = is.oneOf('cosine', '3CosMul')
const entries = is.kind('a list of words or vectors', (value) => {
  return Array.isArray(value) && value.every((one: unknown) => is.text.accepts(one) || isVector(one))
})
export const mostSimilarOptions: Schema<MostSimilarOptions> = {
  positive: entries,
  negative: entries,
  most: is.whole(1),
  limit: is.whole(1),
  method: aMethod,
}

function isVector(value: unknown): boolean {
  return value instanceof Float32Array || value instanceof Float64Array || is.numbers.accepts(value)
}

/** What keeps 3CosMul from a division by 0, as gensim has it. */
export const EPSILON = 1e-6

/** Words that were asked by, as vectors of length 1; and the places of those that are words, which are no answers. */
interface Asked {
  readonly positive: readonly Float64Array[]
  readonly negative: readonly Float64Array[]
  readonly own: ReadonlySet<number>
}

/** @throws DataError for unknown words, vectors of another length; OstrichError `ERR_OPTION` where nothing is asked */
export function mostSimilar(table: VectorTable, options: MostSimilarOptions): readonly SimilarWord[] {
  const { positive = [], negative = [], most = 10, limit = Infinity, method = 'cosine' } = options
  const least = method === 'cosine' ? [...positive, ...negative] : positive
  if (least.length === 0) {
    throw new OstrichError('ERR_OPTION', 'mostSimilar[positive]: expected words or vectors, got none')
  }
  const asked = askedOf(table, positive, negative)
  const scores = method === 'cosine' ? cosines(table, limit, sumOf(asked)) : products(table, limit, asked)
  return best(scores, most, asked.own).map((place) => ({ word: table.words[place]!, score: scores[place]! }))
}

function askedOf(table: VectorTable, positive: readonly WordOrVector[], negative: readonly WordOrVector[]): Asked {
  const own = new Set<number>()
  const units = (name: string, all: readonly WordOrVector[]) =>
    all.map((one) => {
      if (typeof one !== 'string') return unitOf(`mostSimilar[${name}]`, one, table.dimension)
      const number = numberOf(table, `mostSimilar[${name}]`, one)
      own.add(number)
      return unitRow(table, number)
    })
  return { positive: units('positive', positive), negative: units('negative', negative), own }
}

/** A vector of length 1; zeros stay zeros. */
function unitOf(where: string, vector: Exclude<WordOrVector, string>, dimension: number): Float64Array {
  const length = Math.hypot(...vector)
  if (vector.length !== dimension || !Number.isFinite(length)) {
    const got = vector.length === dimension ? 'others' : `${vector.length}`
    throw new DataError(`${where}: expected ${dimension} finite numbers, got ${got}`)
  }
  return Float64Array.from(vector, (x) => (length === 0 ? 0 : x / length))
}

/** The sum of what is to be near less that of what is to be far, of length 1. */
function sumOf({ positive, negative }: Pick<Asked, 'positive' | 'negative'>): Float64Array {
  const sum = new Float64Array((positive[0] ?? negative[0])!.length)
  for (const unit of positive) for (let i = 0; i < sum.length; i++) sum[i]! += unit[i]!
  for (const unit of negative) for (let i = 0; i < sum.length; i++) sum[i]! -= unit[i]!
  const length = Math.hypot(...sum)
  return length === 0 ? sum : sum.map((x) => x / length)
}

/** The cosine of a vector of length 1 with each of the first `limit` words. */
export function cosines({ words, vectors, dimension, scales }: VectorTable, limit: number, unit: Float64Array) {
  const found = new Float64Array(Math.min(limit, words.length))
  for (let row = 0, at = 0; row < found.length; row++) {
    let sum = 0
    for (let i = 0; i < dimension; i++, at++) sum += unit[i]! * vectors[at]!
    found[row] = sum * scales[row]!
  }
  return found
}

/** Equation 4 of Levy & Goldberg 2014, cosines moved to 0..1 (their footnote 7). */
function products(table: VectorTable, limit: number, { positive, negative }: Asked): Float64Array {
  const shares = (units: readonly Float64Array[]): Float64Array => {
    const product = new Float64Array(Math.min(limit, table.words.length)).fill(1)
    for (const unit of units) {
      for (const [row, cosine] of cosines(table, limit, unit).entries()) product[row]! *= (1 + cosine) / 2
    }
    return product
  }
  const far = shares(negative)
  return shares(positive).map((near, row) => near / (far[row]! + EPSILON))
}

/** So many are found by putting each in its place, more by sorting all. */
const MOST_INSERTED = 100

/** The places of the largest scores, from the largest down, of equal ones the first; but not these. */
function best(scores: Float64Array, most: number, but: ReadonlySet<number>): readonly number[] {
  if (most > MOST_INSERTED) {
    const all = [...scores.keys()].filter((place) => !but.has(place))
    return all.sort((a, b) => scores[b]! - scores[a]! || a - b).slice(0, most)
  }
  const found: number[] = []
  for (let place = 0; place < scores.length; place++) {
    const score = scores[place]!
    if ((found.length === most && score <= scores[found[most - 1]!]!) || but.has(place)) continue
    let to = found.length
    while (to > 0 && scores[found[to - 1]!]! < score) to--
    found.splice(to, 0, place)
    if (found.length > most) found.pop()
  }
  return found
}

/** Which of the words is least like the mean of all, of equal ones the first. @throws DataError for unknown words */
export function oddOne(table: VectorTable, words: readonly string[]): string {
  const units = words.map((word) => unitRow(table, numberOf(table, 'doesntMatch', word)))
  const mean = sumOf({ positive: units, negative: [] })
  const near = units.map((unit) => unit.reduce((sum, x, i) => sum + x * mean[i]!, 0))
  return words[near.indexOf(Math.min(...near))]!
}
