// Word vectors measured as is usual: analogies by category, and how far similarities go together with those that people tell.
import { is, type Schema } from '../../base/index.js'
import { DataError } from '../../data/index.js'
import { placeOptions } from '../../train/options.js'
import { pearson, spearman } from './correlation.js'
import { VectorSearch, type SearchPlace } from './search.js'
import { aMethod, type SimilarityMethod } from './similar.js'
import { unitRow, type VectorTable } from './table.js'
import type { AnalogyCategory, WordPair } from './word-lists.js'

/** Options of `evaluatePairs`. */
export interface PairsOptions {
  /** Knows the first words only, which are the most frequent. Default: all. */
  readonly limit?: number
  /** Takes words for the same that differ in case, the first for all of them. Default: true. */
  readonly ignoreCase?: boolean
}

/** Options of `evaluateAnalogies`. */
export interface AnalogiesOptions extends PairsOptions, SearchPlace {
  /** How an answer is found. Default: `cosine`. */
  readonly method?: SimilarityMethod
}

export const pairsOptions: Schema<PairsOptions> = { limit: is.whole(1), ignoreCase: is.flag }
const { precision: _, ...aPlace } = placeOptions
export const searchOptions: Schema<SearchPlace & { readonly limit?: number }> = { ...aPlace, limit: is.whole(1) }
export const analogiesOptions: Schema<AnalogiesOptions> = { ...searchOptions, ...pairsOptions, method: aMethod }

/** How many questions were answered. */
export interface AnalogyTally {
  readonly correct: number
  /** Whose four words all have a vector. */
  readonly asked: number
  /** That have a word without one. */
  readonly skipped: number
  /** `correct` of `asked`; NaN where nothing was asked. */
  readonly accuracy: number
}

/** What `evaluateAnalogies` finds. */
export interface AnalogyScores extends AnalogyTally {
  readonly categories: readonly (AnalogyTally & { readonly name: string })[]
  /** Categories whose name begins with `gram`. */
  readonly syntactic: AnalogyTally
  /** All others. */
  readonly semantic: AnalogyTally
}

/** What `evaluatePairs` finds. */
export interface PairScores {
  /** Correlation of ranks, from -1 to 1. */
  readonly spearman: number
  readonly pearson: number
  /** Pairs of which both words have a vector: the correlations are of these. */
  readonly pairs: number
  /** Of which one has none. */
  readonly skipped: number
}

/** Beside the words of a question, which are no answers: other ways to write them, as gensim has it. */
const OTHERS = 5

/** The place of each word among the first `limit`, the first of those that differ in case where it is ignored. */
function placesOf({ words }: VectorTable, { limit = Infinity, ignoreCase = true }: PairsOptions) {
  const spelt = (word: string): string => (ignoreCase ? word.toUpperCase() : word)
  const places = new Map<string, number>()
  for (let place = 0; place < Math.min(limit, words.length); place++) {
    const word = spelt(words[place]!)
    if (!places.has(word)) places.set(word, place)
  }
  return { spelt, places }
}

/** @throws DataError where no question can be asked */
export async function evaluateAnalogies(
  table: VectorTable,
  categories: readonly AnalogyCategory[],
  options: AnalogiesOptions,
): Promise<AnalogyScores> {
  const { limit = Infinity, ignoreCase: _case, method = 'cosine', ...place } = options
  const { spelt, places } = placesOf(table, options)
  const known = categories.map(({ questions }) =>
    questions.flatMap((words) => {
      const all = words.map((word) => places.get(spelt(word)))
      return all.includes(undefined) ? [] : [all as number[]]
    }),
  )
  const questions = known.flat()
  if (questions.length === 0) {
    const total = categories.reduce((sum, category) => sum + category.questions.length, 0)
    throw new DataError(`evaluateAnalogies: expected questions of words that have vectors, got none of ${total}`)
  }
  await using search = await VectorSearch.open(table, { ...place, limit })
  const most = Math.min(3 + OTHERS, limit, table.words.length)
  const found = await search.answers(
    method,
    questions.map((all) => all.slice(0, 3)),
    most,
  )
  const isRight = questions.map((all, i) => {
    const own = all.map((one) => spelt(table.words[one]!))
    const answers = Array.from(found.places.subarray(i * most, (i + 1) * most), (one) => spelt(table.words[one]!))
    return answers.find((word) => !own.slice(0, 3).includes(word)) === own[3]
  })
  let at = 0
  const tallies = categories.map(({ name, questions: { length } }, i) => {
    const asked = known[i]!.length
    const correct = isRight.slice(at, (at += asked)).filter(Boolean).length
    return { name, ...tally(correct, asked, length - asked) }
  })
  const isSyntactic = ({ name }: { readonly name: string }): boolean => name.startsWith('gram')
  return {
    ...sumOf(tallies),
    categories: tallies,
    syntactic: sumOf(tallies.filter(isSyntactic)),
    semantic: sumOf(tallies.filter((one) => !isSyntactic(one))),
  }
}

const tally = (correct: number, asked: number, skipped: number): AnalogyTally => ({
  ...{ correct, asked, skipped },
  accuracy: correct / asked,
})

function sumOf(tallies: readonly AnalogyTally[]): AnalogyTally {
  const sum = (name: 'correct' | 'asked' | 'skipped'): number => tallies.reduce((all, one) => all + one[name], 0)
  return tally(sum('correct'), sum('asked'), sum('skipped'))
}

/** @throws DataError for fewer than two pairs of known words */
export function evaluatePairs(table: VectorTable, pairs: readonly WordPair[], options: PairsOptions): PairScores {
  const { spelt, places } = placesOf(table, options)
  const known = pairs.flatMap(({ words, score }) => {
    const [a, b] = words.map((word) => places.get(spelt(word)))
    return a === undefined || b === undefined ? [] : [{ score, cosine: cosineOf(table, a, b) }]
  })
  if (known.length < 2) {
    throw new DataError(
      `evaluatePairs: expected two pairs of words that have vectors, or more, got ${known.length} of ${pairs.length}`,
    )
  }
  const [scores, found] = [known.map(({ score }) => score), known.map(({ cosine }) => cosine)]
  return {
    spearman: spearman(scores, found),
    pearson: pearson(scores, found),
    pairs: known.length,
    skipped: pairs.length - known.length,
  }
}

/** The cosine of two words' vectors. */
export function cosineOf(table: VectorTable, a: number, b: number): number {
  const [left, right] = [unitRow(table, a), unitRow(table, b)]
  return left.reduce((sum, x, i) => sum + x * right[i]!, 0)
}
