// Draws from any distribution over whole numbers by two numbers each (Walker 1977, in the form of Vose 1991): the distribution of negatives
// without word2vec's table of 100 million entries, which holds it to 1e-8 only.
import { DataError } from '../../errors.js'
import type { PhiloxStream } from '../../philox.js'

/**
 * Weights of negatives: counts to the power of 0.75.
 * @see Mikolov et al. 2013, arXiv:1310.4546, 2.2
 */
export function negativeWeights(counts: ArrayLike<number>, power = 0.75): Float64Array {
  return Float64Array.from(counts, (count) => count ** power)
}

/**
 * A distribution that is drawn from: of equally likely places, each of which is its own number with a certain probability, else another one.
 * @example
 * const negatives = new AliasTable(negativeWeights(counts))
 * negatives.draw(new PhiloxStream(1, 0, 0))
 */
export class AliasTable {
  /** The probability that a place gives its own number. */
  readonly keep: Float64Array
  /** The number that it gives otherwise. */
  readonly other: Int32Array

  /** @throws DataError for no weights, such as are below 0 or not finite, and where all are 0 */
  constructor(weights: ArrayLike<number>) {
    const count = weights.length
    const total = Array.from(weights).reduce((sum, weight) => sum + weight, 0)
    const wrong = Array.from(weights).findIndex((weight) => !(Number.isFinite(weight) && weight >= 0))
    if (wrong >= 0 || !(total > 0) || !Number.isFinite(total)) {
      const got = wrong >= 0 ? `${weights[wrong]!} at ${wrong}` : `a sum of ${total}`
      throw new DataError(`AliasTable: expected finite weights of at least 0 and a sum above 0, got ${got}`)
    }
    this.keep = Float64Array.from(weights, (weight) => (weight * count) / total)
    this.other = Int32Array.from({ length: count }, (_, i) => i)
    this.#fill()
  }

  /** Places that have less than their share are filled up by one that has more, which then has less. */
  #fill(): void {
    const { keep, other } = this
    const [less, more]: [number[], number[]] = [[], []]
    for (const [i, share] of keep.entries()) (share < 1 ? less : more).push(i)
    while (less.length > 0 && more.length > 0) {
      const small = less.pop()!
      const large = more.at(-1)!
      other[small] = large
      keep[large]! -= 1 - keep[small]!
      if (keep[large]! >= 1) continue
      more.pop()
      less.push(large)
    }
    // What is left differs from a whole share by rounding alone.
    for (const i of [...less, ...more]) keep[i] = 1
  }

  /** A number, by two draws of 32 bits. */
  draw(stream: PhiloxStream): number {
    const place = stream.below(this.keep.length)
    return stream.next() < this.keep[place]! * 2 ** 32 ? place : this.other[place]!
  }

  /** Draws `count` numbers but `target`: one that is drawn is left out, as word2vec's C program does, so that there may be fewer. */
  negatives(target: number, count: number, stream: PhiloxStream): number[] {
    return Array.from({ length: count }, () => this.draw(stream)).filter((number) => number !== target)
  }
}
