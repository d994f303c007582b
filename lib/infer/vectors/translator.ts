// Words translated by a learned map: the nearest words of the other language, by cosine or by CSLS (Conneau et al. 2017, arXiv:1710.04087, 2.3), which
// takes from a cosine how near a word is to its neighbours in the other language anyway, so that words near to all are no answers.
import { expectOptions, is, type Schema } from '../../base/index.js'
import { DataError } from '../../data/index.js'
import { meansOf, withHubs, withOnes } from './csls.js'
import type { Translation } from './dictionary.js'
import { searchOptions } from './evaluate.js'
import { type SearchOptions, VectorSearch } from './search.js'
import type { SimilarWord } from './similar.js'
import { numberOf, tableOf, toLengthOne, type VectorTable } from './table.js'
import type { VectorMap, WordSpace } from './vector-map.js'

/** Options of `wordTranslator`. */
export interface WordTranslatorOptions extends Omit<SearchOptions, 'limit'> {
  /** How words are compared. Default: `csls`. */
  readonly retrieval?: 'cosine' | 'csls'
  /** Of `csls`: words of the other language that are a word's neighbours. Default: 10. */
  readonly neighbours?: number
  /** First words of either language that are answers, and neighbours; the most frequent. Default: all. */
  readonly limit?: number
}

const schema: Schema<WordTranslatorOptions> = {
  ...searchOptions,
  retrieval: is.oneOf('cosine', 'csls'),
  neighbours: is.whole(1),
}

/** How many words of a dictionary were translated as it says. */
export interface WordTranslatorScores {
  /** Shares of the words with a right translation among the first 1, 5 and 10. */
  readonly at1: number
  readonly at5: number
  readonly at10: number
  /** Different words of the dictionary that have a vector, as has a translation of theirs. */
  readonly words: number
  /** Those that have not. */
  readonly skipped: number
}

/**
 * Opens a translator of words on a device.
 * @param map that `learnVectorMap` gave for the two
 * @throws OstrichError `ERR_OPTION`; `ERR_NO_DEVICE`
 * @see Mikolov, Le & Sutskever 2013, arXiv:1309.4168; Conneau et al. 2017, arXiv:1710.04087, 2.3
 * @example
 * await using translator = await train.wordTranslator(map, english, spanish, { limit: 200_000 })
 * const [[best]] = await translator.translate(['dog'], 5) // { word: 'perro', score: 0.71 }
 */
export async function wordTranslator(
  map: VectorMap,
  source: WordSpace,
  target: WordSpace,
  options: WordTranslatorOptions = {},
): Promise<WordTranslator> {
  expectOptions('wordTranslator', options, schema)
  const { retrieval = 'csls', neighbours = 10, limit = Infinity, ...place } = options
  const sources = tableOf(source)
  const targets = tableOf({ words: target.words, vectors: map.targets })
  const near = Math.min(neighbours, limit, source.words.length, target.words.length)
  const plain = await VectorSearch.open(targets, { ...place, limit })
  if (retrieval === 'cosine') return new WordTranslator(map, sources, targets, { plain, limit })
  try {
    const hubs = await hubnessOf(map, source.words, targets, near, { ...place, limit })
    const csls = await VectorSearch.open(withHubs(targets, hubs), place, 'taken as they are')
    return new WordTranslator(map, sources, targets, { plain, csls, near, limit })
  } catch (error) {
    await plain.dispose()
    throw error
  }
}

/** Of each of the first targets the mean cosine with its nearest mapped sources. */
async function hubnessOf(
  map: VectorMap,
  words: readonly string[],
  { vectors, dimension }: VectorTable,
  near: number,
  options: SearchOptions,
): Promise<Float64Array> {
  const { limit = Infinity } = options
  const count = Math.min(limit, words.length)
  const mapped = tableOf({
    words: words.slice(0, count),
    vectors: map.mapped(Int32Array.from({ length: count }, (_, i) => i)),
  })
  await using search = await VectorSearch.open(mapped, options)
  const targets = Math.min(limit, vectors.length / dimension)
  return meansOf((await search.nearest(vectors.subarray(0, targets * dimension), near)).scores, near)
}

interface Searches {
  readonly plain: VectorSearch
  readonly csls?: VectorSearch
  readonly near?: number
  readonly limit: number
}

/** Translates words by their vectors. Made by `wordTranslator`; dispose it after use. */
export class WordTranslator implements AsyncDisposable {
  readonly #map: VectorMap
  readonly #sources: VectorTable
  readonly #targets: VectorTable
  readonly #searches: Searches

  /** Made by `wordTranslator`. */
  constructor(map: VectorMap, sources: VectorTable, targets: VectorTable, searches: Searches) {
    this.#map = map
    this.#sources = sources
    this.#targets = targets
    this.#searches = searches
  }

  /**
   * The `most` likeliest translations of each word, the best first.
   * @throws DataError for a word that has no vector, with near spellings; OstrichError `ERR_OPTION` for more than there are
   */
  async translate(words: readonly string[], most: number): Promise<readonly (readonly SimilarWord[])[]> {
    const rows = words.map((word) => numberOf(this.#sources, 'translate', word))
    const { places, scores } = await this.#nearest(rows, most)
    return rows.map((_, i) =>
      Array.from(places.subarray(i * most, (i + 1) * most), (place, k) => {
        return { word: this.#targets.words[place]!, score: scores[i * most + k]! }
      }),
    )
  }

  /**
   * How often a translation of a dictionary is among the first 1, 5 and 10; a word of several translations is right with any of them.
   * @throws DataError where no word of the dictionary can be asked; OstrichError `ERR_OPTION` for fewer than ten targets
   */
  async evaluate(dictionary: readonly Translation[]): Promise<WordTranslatorScores> {
    const [asked, all] = [new Map<number, Set<number>>(), new Set<string>()]
    for (const [from, to] of dictionary) {
      all.add(from)
      const [a, b] = [this.#sources.numbers.get(from), this.#targets.numbers.get(to)]
      if (a === undefined || b === undefined || b >= this.#searches.limit) continue
      asked.set(a, (asked.get(a) ?? new Set()).add(b))
    }
    if (asked.size === 0) {
      throw new DataError(`evaluate[dictionary]: expected words that have vectors, got none of ${all.size}`)
    }
    const { places } = await this.#nearest([...asked.keys()], 10)
    const at = (most: number): number => {
      const isRight = [...asked.values()].filter((right, i) => {
        return places.subarray(10 * i, 10 * i + most).some((place) => right.has(place))
      })
      return isRight.length / asked.size
    }
    return { at1: at(1), at5: at(5), at10: at(10), words: asked.size, skipped: all.size - asked.size }
  }

  async #nearest(rows: readonly number[], most: number) {
    const { plain, csls, near = 0 } = this.#searches
    const width = this.#targets.dimension
    const queries = toLengthOne(this.#map.mapped(rows), width)
    if (csls === undefined) return plain.nearest(queries, most)
    const hubs = meansOf((await plain.nearest(queries, near)).scores, near)
    const found = await csls.nearest(withOnes(queries, width), most)
    return { places: found.places, scores: found.scores.map((score, i) => score - hubs[Math.floor(i / most)]!) }
  }

  /** Frees the device. */
  async dispose(): Promise<void> {
    await this.#searches.plain.dispose()
    await this.#searches.csls?.dispose()
  }

  /** The same, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose()
  }
}
