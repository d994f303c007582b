// A linear map from the word vectors of one language to those of another, learned from a dictionary (Mikolov, Le & Sutskever 2013,
// arXiv:1309.4168): by gradient descent as published, by least squares, or as a rotation (Xing et al. 2015; orthogonal Procrustes).
import { expectOptions, is, OstrichError, type Schema } from '../../base/index.js'
import { DataError, PhiloxStream } from '../../data/index.js'
import type { Translation } from './dictionary.js'
import { type Matrix, nearestOrthogonal, solved, transposed, transposedProduct } from './small-matrices.js'
import { toLengthOne } from './table.js'

/** Words and vectors, such as `KeyedVectors`. */
export interface WordSpace {
  readonly words: readonly string[]
  /** Row-major [V, D]. */
  readonly vectors: Float32Array
  readonly dimension: number
  /** The row of a word; undefined for one that has no vector. */
  numberOf(word: string): number | undefined
}

/** Options of `learnVectorMap`. */
export interface VectorMapOptions {
  /** `procrustes` finds a rotation, which needs vectors of one dimension; `leastSquares` and `sgd` any matrix. Default: `procrustes`. */
  readonly method?: 'procrustes' | 'leastSquares' | 'sgd'
  /** Takes vectors to length 1 first. Default: true. */
  readonly normalise?: boolean
  /** Takes the mean of all vectors from each, and then to length 1 again. Default: false. */
  readonly centre?: boolean
  /** Of `sgd`: times that the dictionary is gone through. Default: 50. */
  readonly epochs?: number
  /** Of `sgd`: the rate at first, which falls to 0. Default: 0.1. */
  readonly rate?: number
  /** Of `sgd`: draws the order of pairs. Default: 1. */
  readonly seed?: number
}

const schema: Schema<VectorMapOptions> = {
  method: is.oneOf('procrustes', 'leastSquares', 'sgd'),
  normalise: is.flag,
  centre: is.flag,
  epochs: is.whole(1),
  rate: is.positive,
  seed: is.whole(0),
}

/** A learned map. */
export interface VectorMap {
  /** Row-major [target dimension, source dimension]. */
  readonly matrix: Float64Array
  /** Pairs of the dictionary whose words both have a vector. */
  readonly pairs: number
  /** Pairs that have a word without one. */
  readonly skipped: number
  /** Vectors of the source at these places, prepared and mapped, row-major [places, target dimension]. */
  readonly mapped: (places: ArrayLike<number>) => Float32Array
  /** All vectors of the target, prepared, row-major. */
  readonly targets: Float32Array
  /** What it was learned with. */
  readonly options: VectorMapOptions
}

/**
 * Learns a map from one language's word vectors to another's.
 * @param dictionary words and their translations; such without a vector are skipped, and told
 * @throws DataError where fewer pairs are known than a vector has numbers, where their vectors lie in fewer dimensions, and for vectors of
 *   two dimensions where a rotation is asked for; OstrichError `ERR_OPTION`
 * @see Mikolov, Le & Sutskever 2013, arXiv:1309.4168; Xing et al. 2015, NAACL, for length 1 and rotations
 * @example const map = train.learnVectorMap(english, spanish, await train.readDictionary('en-es.0-5000.txt'))
 */
export function learnVectorMap(
  source: WordSpace,
  target: WordSpace,
  dictionary: readonly Translation[],
  options: VectorMapOptions = {},
): VectorMap {
  expectOptions('learnVectorMap', options, schema)
  const { method = 'procrustes' } = options
  const known = dictionary.flatMap(([from, to]) => {
    const [a, b] = [source.numberOf(from), target.numberOf(to)]
    return a === undefined || b === undefined ? [] : [[a, b] as const]
  })
  const least = Math.max(source.dimension, method === 'procrustes' ? target.dimension : 0)
  if (known.length < least) {
    const expected = `expected ${least} pairs or more of words that have vectors, as many as numbers of a vector`
    throw new DataError(`learnVectorMap[dictionary]: ${expected}, got ${known.length} of ${dictionary.length}`)
  }
  if (method === 'procrustes' && source.dimension !== target.dimension) {
    const got = `${source.dimension} and ${target.dimension}`
    throw new DataError(`learnVectorMap: expected vectors of one dimension for procrustes, got ${got}`)
  }
  const [from, to] = [preparedOf(source, options), preparedOf(target, options)]
  const x = rowsOf(
    from,
    known.map(([a]) => a),
    source.dimension,
  )
  const z = rowsOf(
    to,
    known.map(([, b]) => b),
    target.dimension,
  )
  const matrix =
    method === 'sgd' ? descended(x, z, options) : method === 'procrustes' ? rotation(x, z) : leastSquares(x, z)
  if (matrix === undefined) {
    throw new DataError(
      `learnVectorMap[dictionary]: expected words whose vectors lie in ${source.dimension} dimensions, got fewer`,
    )
  }
  return {
    matrix: matrix.data,
    pairs: known.length,
    skipped: dictionary.length - known.length,
    mapped: (places) => mappedBy(matrix, from, places),
    targets: to,
    options,
  }
}

/** A copy of all vectors, as the options say. */
function preparedOf(
  { vectors, dimension }: WordSpace,
  { normalise = true, centre = false }: VectorMapOptions,
): Float32Array {
  const all = vectors.slice()
  if (normalise) toLengthOne(all, dimension)
  if (!centre) return all
  const mean = new Float64Array(dimension)
  for (const [i, x] of all.entries()) mean[i % dimension]! += x
  const rows = all.length / dimension
  for (let i = 0; i < all.length; i++) all[i]! -= mean[i % dimension]! / rows
  if (normalise) toLengthOne(all, dimension)
  return all
}

function rowsOf(vectors: Float32Array, places: readonly number[], columns: number): Matrix {
  const data = new Float64Array(places.length * columns)
  for (const [i, place] of places.entries())
    data.set(vectors.subarray(place * columns, (place + 1) * columns), i * columns)
  return { rows: places.length, columns, data }
}

/** min |X WT - Z|^2 over rotations W: u vT of the singular vectors of ZT X. */
function rotation(x: Matrix, z: Matrix): Matrix | undefined {
  return nearestOrthogonal(transposedProduct(z, x))
}

/** min |X WT - Z|^2: XT X WT = XT Z. */
function leastSquares(x: Matrix, z: Matrix): Matrix | undefined {
  const solution = solved(transposedProduct(x, x), transposedProduct(x, z))
  return solution && transposed(solution)
}

/** The same, a pair at a time: W less rate (W x - z) xT, half of the gradient, at a rate that falls to 0. */
function descended(x: Matrix, z: Matrix, { epochs = 50, rate = 0.1, seed = 1 }: VectorMapOptions): Matrix {
  const [rows, columns] = [z.columns, x.columns]
  const data = new Float64Array(rows * columns)
  const order = Int32Array.from({ length: x.rows }, (_, i) => i)
  let step = 0
  for (let epoch = 0; epoch < epochs; epoch++) {
    const stream = new PhiloxStream(seed, epoch, 0x4d41)
    for (let last = order.length - 1; last > 0; last--) {
      const other = stream.below(last + 1)
      ;[order[last], order[other]] = [order[other]!, order[last]!]
    }
    for (const pair of order) {
      const now = rate * (1 - step++ / (epochs * order.length))
      for (let i = 0; i < rows; i++) {
        let far = -z.data[pair * rows + i]!
        for (let k = 0; k < columns; k++) far += data[i * columns + k]! * x.data[pair * columns + k]!
        for (let k = 0; k < columns; k++) data[i * columns + k]! -= now * far * x.data[pair * columns + k]!
      }
    }
  }
  if (!data.every(Number.isFinite)) {
    throw new OstrichError('ERR_OPTION', `learnVectorMap[rate]: expected a rate at which it comes to rest, got ${rate}`)
  }
  return { rows, columns, data }
}

/** Some of the vectors [V, columns] -> [places, rows]. */
function mappedBy({ rows, columns, data }: Matrix, vectors: Float32Array, places: ArrayLike<number>): Float32Array {
  const mapped = new Float32Array(places.length * rows)
  for (let word = 0; word < places.length; word++) {
    const from = places[word]! * columns
    for (let i = 0; i < rows; i++) {
      let sum = 0
      for (let k = 0; k < columns; k++) sum += data[i * columns + k]! * vectors[from + k]!
      mapped[word * rows + i] = sum
    }
  }
  return mapped
}
