// Nearest words of many vectors at once, on a device: one matrix product of a block of queries and all words, and the largest elements of
// each row. In f32 whatever the device.
import { OstrichError } from '../../base/index.js'
import { DataError } from '../../data/index.js'
import { type HostArray, read, type Tensor, Variable } from '../../graph/index.js'
import { add, div, matmul, mul, zeros } from '../../ops/index.js'
import { compileFunction } from '../../train/compiled.js'
import type { PlaceOptions } from '../../train/options.js'
import { openPlace, type Place } from '../../train/place.js'
import { Programs } from '../../train/programs.js'
import { StateStore } from '../../train/state.js'
import { inBlocks, largest, type LargestArrays, positions } from './largest.js'
import { EPSILON, type SimilarityMethod } from './similar.js'
import type { VectorTable } from './table.js'

/** Where words are searched. */
export type SearchPlace = Omit<PlaceOptions, 'precision'>

/** Options of `search`. */
export interface SearchOptions extends SearchPlace {
  /** Looks at the first words only, which are the most frequent. Default: all. */
  readonly limit?: number
}

/** What was found, k for each query, the best first; of equal ones those of lower places. */
export interface Nearest {
  /** Of words, i32 [N, k]. */
  readonly places: Int32Array
  /** Cosines with them, f32 [N, k]. */
  readonly scores: Float32Array
}

/** What becomes of vectors that are asked by. */
type Queries = 'taken to length 1' | 'taken as they are'

/** A compiled search, as it is called here. */
interface Program {
  run(queries: Readonly<Record<string, HostArray>>): Promise<LargestArrays>
}
type Table = Tensor<'f32', readonly [number, number]>

/** Elements of a product of queries and words, 256 MiB: the more queries there are, the less often the table is read. */
const MOST_SCORES = 2 ** 26
const MOST_QUERIES = 1024

/** Words on a device, for queries by the thousand. Made by `KeyedVectors.search`; dispose it after use. */
export class VectorSearch implements AsyncDisposable {
  readonly #table: VectorTable
  readonly #queriesAre: Queries
  readonly #rows: number
  readonly #queries: number
  readonly #place: Place
  readonly #store: StateStore
  readonly #programs: Programs
  /** Vectors of length 1: of words that are looked at in blocks, and of those behind; undefined where there are none. */
  readonly #blocked: Variable | undefined
  readonly #rest: Variable | undefined
  readonly #compiled = new Map<string, Promise<Program>>()
  #filled: Promise<void> | undefined
  #isDisposed = false

  private constructor(table: VectorTable, rows: number, place: Place, queriesAre: Queries) {
    this.#table = table
    this.#queriesAre = queriesAre
    this.#rows = rows
    this.#queries = Math.max(1, Math.min(MOST_QUERIES, Math.floor(MOST_SCORES / rows)))
    this.#place = place
    this.#store = new StateStore(place.device)
    this.#programs = new Programs(place.device, this.#store, 0)
    const blocked = inBlocks(rows)
    this.#blocked = unitsOf('blocked', blocked, table.dimension)
    this.#rest = unitsOf('rest', rows - blocked, table.dimension)
  }

  /** @throws `ERR_NO_DEVICE` */
  static async open(
    table: VectorTable,
    { limit = Infinity, ...options }: SearchOptions,
    queriesAre: Queries = 'taken to length 1',
  ): Promise<VectorSearch> {
    const place = await openPlace({ ...options, precision: 'f32' })
    for (const message of place.warnings) options.onWarning?.(message)
    return new VectorSearch(table, Math.min(limit, table.words.length), place, queriesAre)
  }

  /**
   * The `most` words of the largest cosines with each of any number of vectors.
   * @param queries row-major [N, D]
   * @throws DataError for numbers that are no whole vectors, or not finite; OstrichError `ERR_OPTION` for more words than there are
   * @example const { places, scores } = await search.nearest(mapped, 10)
   */
  async nearest(queries: Float32Array, most: number): Promise<Nearest> {
    const { dimension } = this.#table
    const count = queries.length / dimension
    if (!Number.isInteger(count)) {
      throw new DataError(`nearest[queries]: expected vectors of ${dimension} numbers, got ${queries.length} in all`)
    }
    const isUnit = this.#queriesAre === 'taken to length 1'
    return this.#found('cosine', count, most, (query) => {
      const unit = unitOf(queries, query, dimension)
      return [isUnit ? unit : queries.subarray(query * dimension, (query + 1) * dimension)]
    })
  }

  /**
   * The `most` best answers to each question "a is to b as c is to ...", the words of the question among them.
   * @param questions three places of words for each
   */
  async answers(method: SimilarityMethod, questions: readonly (readonly number[])[], most: number): Promise<Nearest> {
    const { vectors, dimension } = this.#table
    return this.#found(method, questions.length, most, (i) => {
      const units = questions[i]!.map((place) => unitOf(vectors, place, dimension))
      return method === '3CosMul' ? units : [Float32Array.from(units[0]!, (x, k) => units[1]![k]! - x + units[2]![k]!)]
    })
  }

  async #found(
    method: SimilarityMethod,
    count: number,
    most: number,
    vectorsOf: (query: number) => readonly Float32Array[],
  ): Promise<Nearest> {
    if (this.#isDisposed)
      throw new OstrichError('ERR_DISPOSED', 'search: expected a live search, got one that was disposed')
    if (!Number.isSafeInteger(most) || most < 1 || most > this.#rows) {
      throw new OstrichError('ERR_OPTION', `search[most]: expected a whole number from 1 to ${this.#rows}, got ${most}`)
    }
    const { dimension } = this.#table
    const names = method === 'cosine' ? ['query'] : ['a', 'b', 'c']
    const compiled = await this.#program(method, names, most)
    const inputs = Object.fromEntries(names.map((name) => [name, new Float32Array(this.#queries * dimension)]))
    const found = { places: new Int32Array(count * most), scores: new Float32Array(count * most) }
    for (let from = 0; from < count; from += this.#queries) {
      const own = Math.min(this.#queries, count - from)
      for (let i = 0; i < own; i++) {
        for (const [k, vector] of vectorsOf(from + i).entries()) inputs[names[k]!]!.set(vector, i * dimension)
      }
      const { values, ...where } = await compiled.run(inputs)
      const places = positions(where, most, inBlocks(this.#rows))
      found.places.set(places.subarray(0, own * most), from * most)
      found.scores.set(values.subarray(0, own * most), from * most)
    }
    return found
  }

  #program(method: SimilarityMethod, names: readonly string[], most: number): Promise<Program> {
    const key = `${method} ${most}`
    const known = this.#compiled.get(key)
    if (known !== undefined) return known
    const extents = Object.fromEntries(names.map((name) => [name, [this.#queries, this.#table.dimension]]))
    const step = (...inputs: Tensor[]): Readonly<Record<string, Tensor>> => {
      const scores = (units: Variable | undefined): Tensor<'f32'> | undefined => {
        if (units === undefined) return undefined
        const cosines = inputs.map((x) => matmul(x as Table, read(units) as Table, { transposeB: true }))
        return method === 'cosine' ? cosines[0] : products(cosines)
      }
      return { ...largest(scores(this.#blocked), scores(this.#rest), most) }
    }
    const made = compileFunction(this.#programs, step, extents, { fields: {}, most: 'f32', name: 'nearest' })
    // The first program decides how the table lies; only then it is filled.
    const ready = made.then(async (program) => {
      await (this.#filled ??= this.#fill())
      return program as unknown as Program
    })
    this.#compiled.set(key, ready)
    ready.catch(() => this.#compiled.delete(key))
    return ready
  }

  async #fill(): Promise<void> {
    const { vectors, dimension, scales } = this.#table
    const units = vectors.slice(0, this.#rows * dimension)
    for (let row = 0, at = 0; row < this.#rows; row++) {
      for (const end = at + dimension; at < end; at++) units[at]! *= scales[row]!
    }
    const border = inBlocks(this.#rows) * dimension
    const parts = [
      [this.#blocked, units.subarray(0, border)],
      [this.#rest, units.subarray(border)],
    ] as const
    for (const [variable, part] of parts)
      if (variable !== undefined) await this.#store.get(variable)!.buffer.write(part)
  }

  /** Waits for what is running and frees everything; later calls throw `ERR_DISPOSED`. */
  async dispose(): Promise<void> {
    if (this.#isDisposed) return
    this.#isDisposed = true
    this.#programs.dispose()
    this.#store.dispose()
    await this.#place.device.dispose()
  }

  /** The same, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose()
  }
}

/** A table for so many words; undefined for none. */
function unitsOf(label: string, words: number, dimension: number): Variable | undefined {
  if (words === 0) return undefined
  const shape = [words, dimension] as const
  return new Variable({ label, dtype: 'f32', shape, role: 'statistic', init: () => zeros(shape) })
}

/** 3CosMul of the cosines with a, b and c. */
function products(cosines: readonly Tensor<'f32'>[]): Tensor<'f32'> {
  const [a, b, c] = cosines.map((x) => mul(add(x, 1), 0.5))
  return div(mul(b!, c!), add(a!, EPSILON))
}

/** Row `row` of vectors, of length 1; zeros stay zeros. */
function unitOf(vectors: Float32Array, row: number, dimension: number): Float32Array {
  const vector = vectors.subarray(row * dimension, (row + 1) * dimension)
  const length = Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0))
  if (!Number.isFinite(length))
    throw new DataError(`nearest[queries]: expected finite numbers, got others in row ${row}`)
  return length === 0 ? vector : vector.map((x) => x / length)
}
