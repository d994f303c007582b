// N-grams of symbols, counted: of several sequences at once, so that what two have in common is a comparison of numbers.

/**
 * How often each n-gram stands in each sequence: for n from 1 to `most`, a row of counts for each sequence, [different n-grams
 * of all of them]. An n-gram is known by the one without its last symbol and that symbol: a look-up for each place of each n.
 */
export function* ngramCounts(sequences: readonly (readonly string[])[], most: number): Generator<number[][]> {
  const known = new Map<string, number>()
  const symbols = sequences.map((sequence) => sequence.map((symbol) => numberIn(known, symbol)))
  const grams = symbols.map((row) => row.slice())
  const places = symbols.reduce((sum, { length }) => sum + length, 0)
  const pairs = new PairNumbers(places, known.size)
  let different = known.size
  for (let n = 1; ; n++) {
    yield grams.map((row) => countsOf(row, different))
    if (n === most) return
    pairs.clear()
    for (const [i, row] of grams.entries()) lengthen(row, symbols[i]!, n, pairs)
    different = pairs.size
  }
}

/** Makes n-grams those of n + 1 symbols. */
function lengthen(grams: number[], symbols: readonly number[], n: number, pairs: PairNumbers): void {
  const left = Math.max(0, symbols.length - n)
  for (let place = 0; place < left; place++) grams[place] = pairs.of(grams[place]!, symbols[place + n]!)
  grams.length = left
}

/** From so many pairs on they are numbered by a map. */
const TOO_MANY = 2 ** 16

/** Numbers of pairs of an n-gram and a symbol, in the order in which they come; of one sentence by a table, as maps are slower. */
class PairNumbers {
  size = 0
  readonly #symbols: number
  /** 0 is a pair without a number, which else is one less. */
  readonly #table: Uint16Array | undefined
  readonly #map: Map<number, number> | undefined

  constructor(grams: number, symbols: number) {
    this.#symbols = symbols
    if (grams * symbols < TOO_MANY) this.#table = new Uint16Array(grams * symbols)
    else this.#map = new Map()
  }

  clear(): void {
    this.size = 0
    this.#table?.fill(0)
    this.#map?.clear()
  }

  of(gram: number, symbol: number): number {
    const pair = gram * this.#symbols + symbol
    const known = this.#table === undefined ? this.#map!.get(pair) : this.#table[pair]
    if (known !== undefined && known > 0) return known - 1
    this.size++
    if (this.#table === undefined) this.#map!.set(pair, this.size)
    else this.#table[pair] = this.size
    return this.size - 1
  }
}

/** The number of a key, in the order in which they came. */
function numberIn<Key>(numbers: Map<Key, number>, key: Key): number {
  const known = numbers.get(key)
  if (known !== undefined) return known
  numbers.set(key, numbers.size)
  return numbers.size - 1
}

function countsOf(grams: readonly number[], different: number): number[] {
  const counts = new Array<number>(different).fill(0)
  for (const gram of grams) counts[gram]! += 1
  return counts
}

/** How many n-grams of one row stand in the other too, each at most as often as there. */
export function commonOf(one: readonly number[], other: readonly number[]): number {
  let common = 0
  for (let gram = 0; gram < one.length; gram++) common += Math.min(one[gram]!, other[gram]!)
  return common
}

/** Of each n-gram the larger count of two rows. */
export function mostOf(one: readonly number[], other: readonly number[]): number[] {
  return one.map((count, gram) => Math.max(count, other[gram]!))
}
