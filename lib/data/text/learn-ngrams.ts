// N-gram models learned from lines: counts, smoothed by interpolation with the model of one token less, down to the same probability for every
// token. Refuses lines without tokens, and counts that Kneser-Ney smoothing has no discount for.
import { expectKind, expectOptions, is, type Schema } from '../../base/index.js'
import { DataError } from '../errors.js'
import { Trie } from '../trie.js'
import { BEGIN, depthsOf, END, endsOf, NgramModel, ngramTokens } from './ngram-model.js'
import { type TextUnit, UNKNOWN } from './vocabulary.js'

/**
 * How n-grams that were not seen get their share: `witten-bell`, as much as there are different tokens behind a history; `kneser-ney`, what a
 * discount takes from every count, shared by how many histories a token has been seen behind.
 */
export type NgramSmoothing = 'witten-bell' | 'kneser-ney'

/** Options of `learnNgrams`. */
export interface NgramOptions {
  /** Tokens of the longest n-gram. Default: 2. */
  readonly order?: number
  /** Default: `word`. */
  readonly unit?: TextUnit
  /** Default: `witten-bell`, which few different tokens do not trouble. */
  readonly smoothing?: NgramSmoothing
}

const schema: Schema<NgramOptions> = {
  order: is.whole(1, 20),
  unit: is.oneOf('word', 'character'),
  smoothing: is.oneOf('witten-bell', 'kneser-ney'),
}

/**
 * Learns an n-gram model from lines, such as the transcripts of a training set. Each begins behind `<s>` and ends with `</s>`; `<unk>` has the
 * share of one token that was never seen.
 * @throws DataError for lines without a token or with `<s>`, `</s>` or `<unk>` among them, and for too few counts of one and two of some order for `kneser-ney`;
 *   OstrichError `ERR_OPTION`
 * @see Witten & Bell 1991, "The zero-frequency problem", method C; Ney, Essen & Kneser 1994, with one discount for each order, n1 / (n1 + 2 n2);
 *   Chen & Goodman 1998, 2.3 and 2.7, for both, interpolated
 * @example const bigram = learnNgrams(transcripts, { order: 2 })
 */
export function learnNgrams(lines: Iterable<string>, options: NgramOptions = {}): NgramModel {
  const some = is.kind('lines of text', (value) => is.object.accepts(value) && Symbol.iterator in (value as object))
  expectKind('learnNgrams', 'lines', some, lines)
  expectOptions('learnNgrams', options, schema)
  const { order = 2, unit = 'word', smoothing = 'witten-bell' } = options
  const { tokens, ngrams, counts } = counted(lines, order, unit)
  const depths = depthsOf(ngrams)
  const ends = endsOf(ngrams, depths, order)
  const first = ngrams.child(0, tokens.indexOf(BEGIN))
  const own = smoothing === 'kneser-ney' ? continuations(ngrams, depths, ends, counts, first, order) : counts
  // Nothing is ever followed by the beginning of a line.
  own[first] = 0
  const discounts = smoothing === 'kneser-ney' ? discountsOf(own, depths, order) : undefined
  return interpolated({ unit, order, tokens, ngrams, depths, ends, counts: own, first, discounts })
}

interface Counted {
  readonly tokens: string[]
  readonly ngrams: Trie
  /** How often each was seen, by node. */
  readonly counts: Float64Array<ArrayBuffer>
}

function counted(lines: Iterable<string>, order: number, unit: TextUnit): Counted {
  const special = [BEGIN, END, UNKNOWN]
  const numbers = new Map(special.map((token, number) => [token, number]))
  const ngrams = new Trie()
  const counts: number[] = [0]
  let [line, seen] = [0, 0]
  for (const text of lines) {
    expectKind('learnNgrams', `lines[${line}]`, is.text, text)
    const tokens = ngramTokens(text, unit)
    const strange = tokens.find((token) => special.includes(token))
    if (strange !== undefined) {
      throw new DataError(`learnNgrams[lines]: expected no ${strange} within lines, got it in line ${line}`)
    }
    for (const token of tokens) if (!numbers.has(token)) numbers.set(token, numbers.size)
    const row = [BEGIN, ...tokens, END].map((token) => numbers.get(token)!)
    for (let from = 0; from < row.length; from++) {
      let node = 0
      for (const token of row.slice(from, from + order)) {
        node = ngrams.grow(node, token)
        counts[node] = (counts[node] ?? 0) + 1
      }
    }
    seen += tokens.length
    line++
  }
  if (seen === 0) throw new DataError('learnNgrams[lines]: expected lines with tokens, got none')
  // Never seen, and given a share all the same.
  counts[ngrams.grow(0, numbers.get(UNKNOWN)!)] = 0
  return { tokens: [...numbers.keys()], ngrams, counts: Float64Array.from(counts) }
}

/**
 * Counts of the shorter n-grams by how many different tokens were seen before them; those that begin a line, before which nothing is, and the
 * longest keep theirs.
 */
function continuations(
  ngrams: Trie,
  depths: Uint8Array,
  ends: Int32Array,
  counts: Float64Array,
  first: number,
  order: number,
): Float64Array<ArrayBuffer> {
  const before = new Float64Array(ngrams.size)
  const begins = new Uint8Array(ngrams.size)
  for (let node = 1; node < ngrams.size; node++) {
    const parent = ngrams.parentOf(node)
    begins[node] = node === first ? 1 : begins[parent]!
    if (depths[node]! > 1) before[ends[node]!]!++
  }
  return before.map((count, node) => (depths[node] === order || begins[node] === 1 ? counts[node]! : count))
}

/** D of each order: n1 / (n1 + 2 n2), of the n-grams counted once and twice (Ney, Essen & Kneser 1994, eq. 18). */
function discountsOf(counts: Float64Array, depths: Uint8Array, order: number): readonly number[] {
  return Array.from({ length: order }, (_, i) => {
    const [once = 0, twice = 0] = [1, 2].map((wanted) => {
      return counts.reduce((sum, count, node) => sum + (depths[node] === i + 1 && count === wanted ? 1 : 0), 0)
    })
    if (once > 0 && twice > 0) return once / (once + 2 * twice)
    const expected = `${i + 1}-grams that are counted once and twice`
    const remedy = 'witten-bell needs none'
    throw new DataError(`learnNgrams[smoothing]: expected ${expected}, got ${once} and ${twice} (${remedy})`)
  })
}

interface Smoothed extends Counted {
  readonly unit: TextUnit
  readonly order: number
  readonly depths: Uint8Array
  readonly ends: Int32Array
  readonly first: number
  /** By order less one; undefined: Witten-Bell's. */
  readonly discounts: readonly number[] | undefined
}

/** p(w | h) = (c(h w) - D) / S + weight(h) p(w | h without its first token); weight(h) is what is left, and so the backoff of what was not seen. */
function interpolated(parts: Smoothed): NgramModel {
  const { unit, order, tokens, ngrams, depths, ends, counts, first, discounts } = parts
  const { size } = ngrams
  // Of each history: what was seen behind it, and how many different tokens.
  const [sums, kinds] = [new Float64Array(size), new Float64Array(size)]
  for (let node = 1; node < size; node++) {
    const history = ngrams.parentOf(node)
    sums[history]! += counts[node]!
    if (counts[node]! > 0) kinds[history]!++
  }
  const discountBehind = (history: number): number => discounts?.[depths[history]!] ?? 0
  const totalOf = (history: number): number => sums[history]! + (discounts === undefined ? kinds[history]! : 0)
  const weights = kinds.map((different, history) => {
    const taken = discounts === undefined ? different : discountBehind(history) * different
    return different > 0 ? taken / totalOf(history) : 1
  })
  // Every token but the beginning, which none is followed by.
  const uniform = 1 / (tokens.length - 1)
  const probabilities = new Float64Array(size)
  for (let depth = 1; depth <= order; depth++) {
    for (let node = 1; node < size; node++) {
      if (depths[node] !== depth || node === first) continue
      const history = ngrams.parentOf(node)
      const shorter = depth === 1 ? uniform : probabilities[ends[node]!]!
      const own = Math.max(0, counts[node]! - discountBehind(history)) / totalOf(history)
      probabilities[node] = own + weights[history]! * shorter
    }
  }
  probabilities[0] = NaN
  return new NgramModel({
    ...{ unit, order, tokens, ngrams },
    logProbabilities: probabilities.map(Math.log),
    backoffs: weights.map((weight, node) => (node === 0 ? 0 : Math.log(weight))),
  })
}
