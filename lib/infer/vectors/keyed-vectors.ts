// Word vectors in use: which words are alike, what answers an analogy, how well they do on the usual lists, and their files.
import { expectKind, expectOptions, is } from '../../base/index.js'
import {
  type AnalogiesOptions,
  analogiesOptions,
  type AnalogyScores,
  cosineOf,
  evaluateAnalogies,
  evaluatePairs,
  type PairScores,
  type PairsOptions,
  pairsOptions,
  searchOptions,
} from './evaluate.js'
import { planeOf, type WordPlane } from './plane.js'
import { type SearchOptions, VectorSearch } from './search.js'
import { mostSimilar, type MostSimilarOptions, mostSimilarOptions, oddOne, type SimilarWord } from './similar.js'
import { type KeyedVectorsData, numberOf, tableOf, type VectorTable } from './table.js'
import { loadVectors, type LoadVectorsOptions, saveVectors, type VectorFormat } from './vector-files.js'
import { type AnalogyCategory, readAnalogies, readWordPairs, type WordPair } from './word-lists.js'

const formats = is.oneOf('text', 'binary', 'safetensors')
const someWords = is.kind('a list of three words or more', (value) => {
  return Array.isArray(value) && value.length >= 3 && value.every(is.text.accepts)
})

/**
 * Words and their vectors.
 *
 * @see Mikolov et al. 2013, arXiv:1301.3781, for the vectors; answers are those of gensim's class of this name.
 * @example
 * const vectors = await train.KeyedVectors.load('vectors.bin')
 * vectors.mostSimilar({ positive: ['king', 'woman'], negative: ['man'], most: 1 }) // [{ word: 'queen', score: 0.71 }]
 */
export class KeyedVectors {
  /** The most frequent first, where they come of a corpus. */
  readonly words: readonly string[]
  /** Numbers of a vector, D. */
  readonly dimension: number
  /** Row-major [V, D], row i of word i; not to be changed. */
  readonly vectors: Float32Array
  readonly #table: VectorTable
  readonly #counts: Float64Array | undefined

  /** @throws DataError for words that are none or there twice, and numbers that do not fit them or are not finite */
  constructor(data: KeyedVectorsData) {
    this.#table = tableOf(data)
    this.#counts = data.counts && Float64Array.from(data.counts)
    this.words = data.words
    this.vectors = data.vectors
    this.dimension = this.#table.dimension
  }

  /**
   * Reads word vectors from a file: word2vec's text or binary format, as gensim and fastText write them, compressed by gzip or not; or
   * safetensors.
   * @throws CheckpointError for a file that is absent, was cut, or is another; OstrichError `ERR_OPTION`
   * @example await train.KeyedVectors.load('GoogleNews-vectors-negative300.bin.gz', { limit: 400_000 })
   */
  static async load(path: string, options: LoadVectorsOptions = {}): Promise<KeyedVectors> {
    expectKind('KeyedVectors.load', 'path', is.text, path)
    expectOptions<LoadVectorsOptions>('KeyedVectors.load', options, {
      format: formats,
      limit: is.whole(1),
      skipBadWords: is.flag,
      onWarning: is.callable,
    })
    return new KeyedVectors(await loadVectors(path, options))
  }

  /**
   * Writes the vectors to a file, whole or not at all.
   * @param options `format`, default: `safetensors` and `text` where the name ends in `.safetensors` and `.txt` or `.vec`, else `binary`
   * @throws CheckpointError where it cannot be written
   * @example await vectors.save('vectors.bin')
   */
  async save(path: string, options: { readonly format?: VectorFormat } = {}): Promise<void> {
    expectKind('KeyedVectors.save', 'path', is.text, path)
    expectOptions('KeyedVectors.save', options, { format: formats })
    await saveVectors(path, this.#table, this.#counts, options.format ?? formatOf(path))
  }

  /** Words. */
  get size(): number {
    return this.words.length
  }

  /** The place of a word; undefined where it has no vector. */
  numberOf(word: string): number | undefined {
    return this.#table.numbers.get(word)
  }

  /** A copy of a word's vector. @throws DataError for an unknown word, with near spellings */
  vector(word: string): Float32Array {
    const { vectors, dimension } = this.#table
    const row = numberOf(this.#table, 'vector', word)
    return vectors.slice(row * dimension, (row + 1) * dimension)
  }

  /** How often a word stood in the corpus; undefined where that is not known. @throws DataError for an unknown word */
  count(word: string): number | undefined {
    return this.#counts?.[numberOf(this.#table, 'count', word)]
  }

  /** The cosine of two words' vectors. @throws DataError for unknown words, with near spellings */
  similarity(a: string, b: string): number {
    return cosineOf(this.#table, numberOf(this.#table, 'similarity', a), numberOf(this.#table, 'similarity', b))
  }

  /**
   * The words that are most like some and least like others, the best first, of equal ones the most frequent; the words that were asked by
   * are none of them.
   * @throws DataError for unknown words, with near spellings; OstrichError `ERR_OPTION`
   * @see Mikolov et al. 2013, arXiv:1301.3781, for `cosine`; Levy & Goldberg 2014, CoNLL, for `3CosMul`
   * @example vectors.mostSimilar({ positive: ['paris', 'italy'], negative: ['france'], method: '3CosMul' })
   */
  mostSimilar(options: MostSimilarOptions): readonly SimilarWord[] {
    expectOptions('mostSimilar', options, mostSimilarOptions)
    return mostSimilar(this.#table, options)
  }

  /**
   * The word of a list that goes with the others least: that of the smallest cosine with the mean of all.
   * @throws DataError for unknown words, with near spellings; OstrichError `ERR_OPTION` for fewer than three
   * @example vectors.doesntMatch(['breakfast', 'cereal', 'dinner', 'lunch']) // 'cereal'
   */
  doesntMatch(words: readonly string[]): string {
    expectKind('doesntMatch', 'words', someWords, words)
    return oddOne(this.#table, words)
  }

  /**
   * Answers analogies ("Athens is to Greece as Baghdad is to ..."), all at once on a device. A question with a word that has no vector is
   * skipped, and told; the words of the question are no answers.
   * @param questions the path of a file in the form of `questions-words.txt`, or categories
   * @throws DataError for a file that is none, and where no question can be asked; OstrichError `ERR_OPTION`; `ERR_NO_DEVICE`
   * @see Mikolov et al. 2013, arXiv:1301.3781, 4; it is usual to set `limit` to 30,000
   * @example const { accuracy, categories } = await vectors.evaluateAnalogies('questions-words.txt', { limit: 30_000 })
   */
  async evaluateAnalogies(
    questions: string | readonly AnalogyCategory[],
    options: AnalogiesOptions = {},
  ): Promise<AnalogyScores> {
    expectOptions('evaluateAnalogies', options, analogiesOptions)
    const categories = typeof questions === 'string' ? await readAnalogies(questions) : questions
    return evaluateAnalogies(this.#table, categories, options)
  }

  /**
   * Spearman's and Pearson's correlation between similarities and those that people told; pairs with a word that has no vector are skipped, and
   * told.
   * @param pairs the path of a file of lines of two words and a number, or pairs
   * @throws DataError for a file that is none, and for fewer than two pairs of known words; OstrichError `ERR_OPTION`
   * @example const { spearman, pairs } = await vectors.evaluatePairs('EN-WS-353-ALL.txt')
   */
  async evaluatePairs(pairs: string | readonly WordPair[], options: PairsOptions = {}): Promise<PairScores> {
    expectOptions('evaluatePairs', options, pairsOptions)
    return evaluatePairs(this.#table, typeof pairs === 'string' ? await readWordPairs(pairs) : pairs, options)
  }

  /**
   * Words in the plane of the two directions along which their vectors, taken to length 1, differ most (principal components), for a picture.
   * @throws DataError for unknown words, with near spellings; OstrichError `ERR_OPTION` for fewer than three
   * @example const { words, shares } = vectors.plane(['clinton', 'obama', 'paris', 'dolphin', 'whale'])
   */
  plane(words: readonly string[]): WordPlane {
    expectKind('plane', 'words', someWords, words)
    return planeOf(this.#table, words)
  }

  /**
   * Puts the words on a device, for nearest words of many vectors at once.
   * @throws OstrichError `ERR_OPTION`; `ERR_NO_DEVICE`
   * @example
   * await using search = await vectors.search({ limit: 200_000 })
   * const { places } = await search.nearest(queries, 10) // i32 [N, 10]
   */
  async search(options: SearchOptions = {}): Promise<VectorSearch> {
    expectOptions('search', options, searchOptions)
    return VectorSearch.open(this.#table, options)
  }
}

function formatOf(path: string): VectorFormat {
  if (path.endsWith('.safetensors')) return 'safetensors'
  return /\.(?:txt|vec)$/.test(path) ? 'text' : 'binary'
}
