// Philox4x32-10, the counter-based generator of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC 2011).
// A block of four 32-bit words is a pure function of (counter, key): any draw can be made again from its position alone,
// which is what lets a shuffled epoch resume in its middle. Not for cryptography.

const MULTIPLIER_0 = 0xd2511f53
const MULTIPLIER_1 = 0xcd9e8d57
const WEYL_0 = 0x9e3779b9
const WEYL_1 = 0xbb67ae85
const ROUNDS = 10

/** High 32 bits of the 64-bit product of two unsigned 32-bit integers, from 16-bit halves (every step stays below 2^53). */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff
  const aHigh = a >>> 16
  const bLow = b & 0xffff
  const bHigh = b >>> 16
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16)
  const cross = aLow * bHigh + (middle & 0xffff)
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(cross / 0x10000)) >>> 0
}

/**
 * One block of Philox4x32-10: ten rounds over a 128-bit counter with a 64-bit key.
 *
 * @param counter four unsigned 32-bit words, least significant first
 * @param key two unsigned 32-bit words
 * @param out receives the four words of the block
 * @example
 * philox4x32([0, 0, 0, 0], [0, 0], new Uint32Array(4))  // 6627e8d5 e169c58d bc57ac4c 9b00dbd8
 */
export function philox4x32(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
  out: Uint32Array,
): Uint32Array {
  let [c0, c1, c2, c3] = counter
  let [k0, k1] = key
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, c0)
    const high1 = multiplyHigh(MULTIPLIER_1, c2)
    const low0 = Math.imul(MULTIPLIER_0, c0)
    const low1 = Math.imul(MULTIPLIER_1, c2)
    c0 = (high1 ^ c1 ^ k0) >>> 0
    c1 = low1 >>> 0
    c2 = (high0 ^ c3 ^ k1) >>> 0
    c3 = low0 >>> 0
    k0 = (k0 + WEYL_0) >>> 0
    k1 = (k1 + WEYL_1) >>> 0
  }
  out[0] = c0
  out[1] = c1
  out[2] = c2
  out[3] = c3
  return out
}

/**
 * A stream of unsigned 32-bit integers: word i is word i % 4 of block floor(i / 4) of Philox4x32-10 with
 * key = (seed low, seed high) and counter = (block, stream low, stream high, domain).
 *
 * @param seed a non-negative safe integer
 * @param stream which of the seed's streams (an epoch number, say)
 * @param domain a tag that keeps different uses of one seed apart
 */
export class PhiloxStream {
  readonly #words = new Uint32Array(4)
  readonly #key: readonly [number, number]
  readonly #stream: readonly [number, number]
  readonly #domain: number
  #block = 0
  #used = 4

  constructor(seed: number, stream: number, domain: number) {
    this.#key = split(seed)
    this.#stream = split(stream)
    this.#domain = domain
  }

  /** The next integer, uniform in [0, 2^32). */
  next(): number {
    if (this.#used === 4) {
      philox4x32([this.#block++, this.#stream[0], this.#stream[1], this.#domain], this.#key, this.#words)
      this.#used = 0
    }
    return this.#words[this.#used++] ?? 0
  }

  /** The next integer, exactly uniform in [0, bound): words in the last, incomplete multiple of `bound` are redrawn. */
  below(bound: number): number {
    const limit = 0x100000000 - (0x100000000 % bound)
    let word = this.next()
    while (word >= limit) word = this.next()
    return word % bound
  }
}

function split(value: number): readonly [number, number] {
  return [value >>> 0, Math.floor(value / 0x100000000) >>> 0]
}
