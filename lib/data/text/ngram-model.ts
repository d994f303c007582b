// A language model of n-grams with backoff (Katz 1987), as ARPA files hold it: the probability of a token behind the longest history that has
// been seen with it, weighted for each token that the history had to give up.
import type { Trie } from '../trie.js'
import { oneSpace } from './alphabet.js'
import type { Histories, LanguageModel } from './language-model.js'
import { wordsOf } from './scored.js'
import { type TextUnit, UNKNOWN } from './vocabulary.js'

/** What every line begins behind, and ends with. */
export const BEGIN = '<s>'
export const END = '</s>'
/** How a space reads among tokens that are characters. */
export const SPACE = '<space>'

/** log p of an unknown token where a file says nothing of it: 10 to the power of -100, as KenLM has it. */
const NEVER = -100 * Math.LN10

/** What an `NgramModel` is made of; nodes are those of `ngrams`, NaN is the probability of one that is no n-gram. */
export interface NgramParts {
  readonly unit: TextUnit
  readonly order: number
  readonly tokens: readonly string[]
  readonly ngrams: Trie
  /** log p of the last token behind the others, in nats. */
  readonly logProbabilities: Float64Array
  /** log of what the probabilities of shorter histories are multiplied by, in nats. */
  readonly backoffs: Float64Array
}

/**
 * A model of n-grams: learned by `learnNgrams`, or read by `readArpa`.
 * @see Katz 1987, "Estimation of probabilities from sparse data", eq. 15
 * @example
 * const bigram = learnNgrams(['one two', 'one oh two'], { order: 2 })
 * bigram.perplexity(['one two'])
 */
export class NgramModel implements LanguageModel {
  readonly unit: TextUnit
  /** Tokens of the longest n-gram. */
  readonly order: number
  readonly tokens: readonly string[]
  /** N-grams of 1, 2, ... tokens. */
  readonly counts: readonly number[]
  readonly begin: number
  readonly end: number
  readonly unknown: number
  /** What files are written from. */
  readonly parts: NgramParts
  readonly #numbers: ReadonlyMap<string, number>
  readonly #histories: NgramHistories

  /** Of parts that have been checked: `<s>`, `</s>` and `<unk>` are among the tokens. */
  constructor(parts: NgramParts) {
    const { unit, order, tokens, ngrams, logProbabilities } = parts
    this.unit = unit
    this.order = order
    this.tokens = tokens
    this.parts = parts
    this.#numbers = new Map(tokens.map((token, number) => [token, number]))
    this.begin = this.#numbers.get(BEGIN)!
    this.end = this.#numbers.get(END)!
    this.unknown = this.#numbers.get(UNKNOWN)!
    const depths = depthsOf(ngrams)
    const counts = new Array<number>(order).fill(0)
    for (let node = 1; node < ngrams.size; node++) {
      if (!Number.isNaN(logProbabilities[node]!)) counts[depths[node]! - 1]!++
    }
    this.counts = counts
    this.#histories = new NgramHistories(parts, depths, this.begin)
  }

  numberOf(token: string): number | undefined {
    return this.#numbers.get(token === ' ' && this.unit === 'character' ? SPACE : token)
  }

  open(): Histories {
    return this.#histories
  }

  /** log p of a line and its end, in nats; tokens that the model lacks are `<unk>`. */
  logProbability(line: string): number {
    const tokens = ngramTokens(line, this.unit).map((token) => this.#numbers.get(token) ?? this.unknown)
    let history = this.#histories.start()
    let sum = 0
    for (const token of [...tokens, this.end]) {
      sum += this.#histories.score(history, token)
      history = this.#histories.next(history, token)
    }
    return sum
  }

  /** exp of the mean of -log p of the tokens of lines and their ends. */
  perplexity(lines: readonly string[]): number {
    const tokens = lines.reduce((sum, line) => sum + ngramTokens(line, this.unit).length + 1, 0)
    return Math.exp(-lines.reduce((sum, line) => sum + this.logProbability(line), 0) / tokens)
  }
}

/** Every history is the node of the longest end of it that may be a history of the model: there is nothing to remember or to forget. */
class NgramHistories implements Histories {
  readonly #ngrams: Trie
  readonly #logProbabilities: Float64Array
  readonly #backoffs: Float64Array
  /** Of each node, that of the longest proper end of its sequence that has one. */
  readonly #ends: Int32Array
  /** Of each node, the history that is left behind it. */
  readonly #left: Int32Array
  readonly #first: number

  constructor({ ngrams, order, logProbabilities, backoffs }: NgramParts, depths: Uint8Array, begin: number) {
    this.#ngrams = ngrams
    this.#logProbabilities = logProbabilities
    this.#backoffs = backoffs
    this.#ends = endsOf(ngrams, depths, order)
    this.#left = Int32Array.from(depths, (depth, node) => (depth < order ? node : this.#ends[node]!))
    this.#first = this.next(0, begin)
  }

  start(): number {
    return this.#first
  }

  score(history: number, token: number): number {
    let weight = 0
    for (let at = history; ; at = this.#ends[at]!) {
      const node = this.#ngrams.child(at, token)
      if (node > 0) {
        const own = this.#logProbabilities[node]!
        // The sequence may be there because longer ones are.
        if (!Number.isNaN(own)) return weight + own
      }
      if (at === 0) return weight + NEVER
      weight += this.#backoffs[at]!
    }
  }

  next(history: number, token: number): number {
    for (let at = history; ; at = this.#ends[at]!) {
      const node = this.#ngrams.child(at, token)
      if (node > 0) return this.#left[node]!
      if (at === 0) return 0
    }
  }

  extend(count: number, histories: Int32Array, tokens: Int32Array): void {
    for (let i = 0; i < count; i++) histories[i] = this.next(histories[i]!, tokens[i]!)
  }

  keep(): void {
    // All of them stand in the model.
  }
}

/** The tokens of a line as n-grams are made of them; a space between words is a token where these are characters. */
export function ngramTokens(line: string, unit: TextUnit): string[] {
  if (unit === 'word') return wordsOf(line.normalize('NFC'))
  return Array.from(oneSpace(line.normalize('NFC')), (character) => (character === ' ' ? SPACE : character))
}

/** Symbols of each node's sequence. */
export function depthsOf(ngrams: Trie): Uint8Array<ArrayBuffer> {
  const depths = new Uint8Array(ngrams.size)
  // A parent is made before its children.
  for (let node = 1; node < ngrams.size; node++) depths[node] = depths[ngrams.parentOf(node)]! + 1
  return depths
}

/** Of each node the longest proper end of its sequence that is a node: shorter ones first, as ends of longer ones are found by theirs. */
export function endsOf(ngrams: Trie, depths: Uint8Array, order: number): Int32Array<ArrayBuffer> {
  const ends = new Int32Array(ngrams.size)
  for (let depth = 2; depth <= order; depth++) {
    for (let node = 1; node < ngrams.size; node++) {
      if (depths[node] !== depth) continue
      const symbol = ngrams.symbolOf(node)
      for (let at = ngrams.parentOf(node); at > 0;) {
        at = ends[at]!
        const end = ngrams.child(at, symbol)
        if (end < 0) continue
        ends[node] = end
        break
      }
    }
  }
  return ends
}
