// Counts of pairs of whole numbers in typed arrays: a corpus has more different pairs of words than a map of JavaScript holds.

const FIRST_PLACES = 2 ** 12

/** Counts of pairs of numbers below `range`, which is at most 2^26, so that a pair is a whole number of f64. */
export class PairTable {
  /** Different pairs. */
  size = 0
  readonly #range: number
  /** first * range + second, at the first free place from its hash on; -1 is free. At most half of them are taken. */
  #keys = new Float64Array(FIRST_PLACES).fill(-1)
  #counts = new Float64Array(FIRST_PLACES)

  constructor(range: number) {
    this.#range = range
  }

  /** How often a pair was added. */
  count(first: number, second: number): number {
    return this.#counts[this.#placeOf(first, second)]!
  }

  add(first: number, second: number, times = 1): void {
    const place = this.#placeOf(first, second)
    this.#counts[place]! += times
    if (this.#keys[place] !== -1) return
    this.#keys[place] = first * this.#range + second
    if (2 * ++this.size > this.#keys.length) this.keepOnly(() => true, 2 * this.#keys.length)
  }

  /** Forgets the pairs that a filter does not keep. */
  keepOnly(keeps: (count: number) => boolean, places = this.#keys.length): void {
    const [keys, counts] = [this.#keys, this.#counts]
    this.#keys = new Float64Array(places).fill(-1)
    this.#counts = new Float64Array(places)
    this.size = 0
    for (const [at, key] of keys.entries()) {
      if (key !== -1 && keeps(counts[at]!)) this.add(Math.floor(key / this.#range), key % this.#range, counts[at])
    }
  }

  /** All pairs with their counts, in no order. */
  *entries(): Generator<readonly [first: number, second: number, count: number], void, undefined> {
    for (const [at, key] of this.#keys.entries()) {
      if (key !== -1) yield [Math.floor(key / this.#range), key % this.#range, this.#counts[at]!]
    }
  }

  #placeOf(first: number, second: number): number {
    const mask = this.#keys.length - 1
    const key = first * this.#range + second
    const hash = Math.imul(first, 0x9e3779b1) ^ Math.imul(second, 0x85ebca6b)
    let place = (hash ^ (hash >>> 15)) & mask
    while (this.#keys[place] !== -1 && this.#keys[place] !== key) place = (place + 1) & mask
    return place
  }
}
