// Byte-pair encoding, learned (Sennrich, Haddow & Birch 2016, "Neural machine translation of rare words with subword units"): the pair of
// neighbouring tokens that is most frequent in the words of a corpus becomes one token, again and again. Over bytes, so that there is no text that it
// cannot write. Counts are kept while pairs are merged, so that a merge costs what it changes.
import { Heap } from '../heap.js'
import { alphabet, byteCharacters } from './pieces.js'
import { SPECIAL_TOKENS } from './tokenizer.js'

/** Two tokens that become one, by number. */
export type TokenPair = readonly [number, number]

/** What was learned. */
export interface BytePairs {
  /** By number: the special ones, the 256 bytes, then what was merged. Each is written in characters that stand for bytes. */
  readonly tokens: readonly string[]
  /** In the order in which they were learned. */
  readonly merges: readonly TokenPair[]
}

/** Above every number of a token. */
const RADIX = 2 ** 24
/** A pair as one number. */
export const pairKey = (left: number, right: number): number => left * RADIX + right

const encoder = new TextEncoder()

/** All words of the corpus one behind the other, as linked lists of tokens. */
interface Chain {
  /** The token at a place; -1 where it was merged into the one before. */
  readonly tokens: Int32Array
  /** Places before and behind; -1 at an end of a word. */
  readonly before: Int32Array
  readonly behind: Int32Array
  /** How often the word of a place is in the corpus. */
  readonly weights: Float64Array
}

function chainOf(counts: ReadonlyMap<string, number>, numbers: ReadonlyMap<string, number>): Chain {
  const words = Array.from(counts, ([word, count]) => ({ bytes: encoder.encode(word), count }))
  const size = words.reduce((sum, { bytes }) => sum + bytes.length, 0)
  const [tokens, before, behind] = [new Int32Array(size), new Int32Array(size), new Int32Array(size)]
  const weights = new Float64Array(size)
  let at = 0
  for (const { bytes, count } of words) {
    for (const [i, byte] of bytes.entries()) {
      tokens[at] = numbers.get(byteCharacters[byte]!)!
      before[at] = i === 0 ? -1 : at - 1
      behind[at] = i === bytes.length - 1 ? -1 : at + 1
      weights[at++] = count
    }
  }
  return { tokens, before, behind, weights }
}

/** A pair of neighbours: how often it is in the corpus, and where; places may be of the past. */
interface Neighbours {
  readonly left: number
  readonly right: number
  count: number
  readonly places: number[]
}

/** What waits to be merged, with its count when it was put there. */
interface Candidate {
  readonly pair: Neighbours
  readonly count: number
}

/** The most frequent first; of as many that of the smallest numbers, so that the order of a corpus makes no difference. */
function comesFirst(a: Candidate, b: Candidate): boolean {
  if (a.count !== b.count) return a.count > b.count
  return a.pair.left !== b.pair.left ? a.pair.left < b.pair.left : a.pair.right < b.pair.right
}

/** All pairs of neighbours in a chain, kept as it changes. */
class PairCounts {
  readonly #pairs = new Map<number, Neighbours>()
  readonly #queue = new Heap<Candidate>(comesFirst)
  /** Those that do not wait yet, as they are still counted. */
  readonly #fresh: Neighbours[] = []

  add(left: number, right: number, weight: number, place: number): void {
    const key = pairKey(left, right)
    let pair = this.#pairs.get(key)
    if (pair === undefined) {
      this.#pairs.set(key, (pair = { left, right, count: 0, places: [] }))
      this.#fresh.push(pair)
    }
    pair.count += weight
    pair.places.push(place)
  }

  /** Of the pair that was taken nothing is counted any more: `aaa` has it twice, and is merged once. */
  remove(left: number, right: number, weight: number): void {
    const pair = this.#pairs.get(pairKey(left, right))
    if (pair !== undefined) pair.count -= weight
  }

  /** Takes the most frequent pair, where it is there `least` times. */
  take(least: number): Neighbours | undefined {
    for (const pair of this.#fresh.splice(0)) this.#queue.push({ pair, count: pair.count })
    for (let found = this.#queue.pop(); found !== undefined; found = this.#queue.pop()) {
      const { pair, count } = found
      if (pair.count === count) {
        if (count < least) return undefined
        this.#pairs.delete(pairKey(pair.left, pair.right))
        return pair
      }
      // It became rarer since: none grows but while the newer of its tokens is made.
      if (pair.count >= least) this.#queue.push({ pair, count: pair.count })
    }
    return undefined
  }
}

/** Makes one token of a pair, wherever it is, from left to right. */
function merge({ tokens, before, behind, weights }: Chain, counts: PairCounts, pair: Neighbours, made: number): void {
  const { left, right } = pair
  for (const place of Int32Array.from(pair.places).sort()) {
    const next = behind[place]!
    if (tokens[place] !== left || next < 0 || tokens[next] !== right) continue
    const [first, last, weight] = [before[place]!, behind[next]!, weights[place]!]
    tokens[place] = made
    tokens[next] = -1
    behind[place] = last
    if (first >= 0) {
      counts.remove(tokens[first]!, left, weight)
      counts.add(tokens[first]!, made, weight, first)
    }
    if (last >= 0) {
      before[last] = place
      counts.remove(right, tokens[last]!, weight)
      counts.add(made, tokens[last]!, weight, place)
    }
  }
}

/**
 * Learns at most so many merges from words and their counts, fewer where no pair is there `least` times. The same counts give the same merges,
 * in whatever order the words come.
 */
export function learnBytePairs(
  words: ReadonlyMap<string, number>,
  { merges: most, least }: { readonly merges: number; readonly least: number },
): BytePairs {
  const tokens: string[] = [...SPECIAL_TOKENS, ...alphabet]
  const numbers = new Map(tokens.map((token, number) => [token, number]))
  const chain = chainOf(words, numbers)
  const counts = new PairCounts()
  for (const [place, next] of chain.behind.entries()) {
    if (next >= 0) counts.add(chain.tokens[place]!, chain.tokens[next]!, chain.weights[place]!, place)
  }
  const merges: TokenPair[] = []
  while (merges.length < most) {
    const pair = counts.take(least)
    if (pair === undefined) break
    // No two pairs are written alike: merges within a token do not depend on what stands around it.
    const made = tokens.push(`${tokens[pair.left]!}${tokens[pair.right]!}`) - 1
    merges.push([pair.left, pair.right])
    merge(chain, counts, pair, made)
  }
  return { tokens, merges }
}
