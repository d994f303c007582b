// What prefixes are worth by a language model: by one of symbols for every symbol, by one of words for every word when it ends. The score of a
// token is alpha log p + beta (Hannun et al. 2014, "First-pass large vocabulary continuous speech recognition using bi-directional recurrent DNNs").
import { OstrichError } from '../../base/index.js'
import type { Alphabet, Histories, LanguageModel } from '../../data/index.js'
import { Trie } from '../../data/trie.js'
import type { Marks, Scorer } from './scorer.js'

/** How a language model weighs. */
export interface Weights {
  /** Of log p of a token; 0 asks nothing of the model. */
  readonly alpha: number
  /** Added for each token. */
  readonly beta: number
  /** Added for a token that the model lacks; of a word, as soon as no word of the model begins so. */
  readonly unknown: number
}

/** No token, and no place among the words of a model. */
const NONE = -1

/**
 * The scorer of a model whose tokens are the alphabet's symbols, or words of its characters, for a beam of so many prefixes.
 * @throws OstrichError `ERR_OPTION` for a model of other tokens
 */
export async function scorerOf(
  alphabet: Alphabet,
  model: LanguageModel,
  weights: Weights,
  beam: number,
): Promise<Scorer> {
  const isOfSymbols = alphabet.unit === model.unit
  if (!isOfSymbols && (model.unit === 'character' || alphabet.numberOf(' ') === undefined)) {
    const [expected, got] =
      model.unit === 'character'
        ? ['a model of words for an alphabet of words', 'one of characters']
        : ['a model of characters for an alphabet without a space', 'one of words']
    throw new OstrichError('ERR_OPTION', `prefixBeamSearch[languageModel]: expected ${expected}, got ${got}`)
  }
  const asked = new Asked(model, await model.open(beam), weights, beam)
  return isOfSymbols ? new SymbolScorer(asked, alphabet) : new WordScorer(asked, alphabet)
}

/** A model that is asked of many prefixes at once. */
class Asked {
  readonly #histories: Int32Array
  readonly #tokens: Int32Array
  readonly #places: Int32Array

  constructor(
    readonly model: LanguageModel,
    readonly open: Histories,
    readonly weights: Weights,
    readonly beam: number,
  ) {
    this.#histories = new Int32Array(beam)
    this.#tokens = new Int32Array(beam)
    this.#places = new Int32Array(beam)
  }

  start(marks: Marks): void | Promise<void> {
    const first = this.open.start()
    marks.words[0] = 0
    const put = (history: number): void => {
      marks.histories[0] = history
    }
    if (typeof first !== 'number') return first.then(put)
    put(first)
  }

  /** alpha log p of a token behind a history. */
  weighted(history: number, token: number): number {
    const { alpha } = this.weights
    // What is impossible for the model is possible where this does not count.
    return alpha === 0 ? 0 : alpha * this.open.score(history, token)
  }

  /** Puts tokens behind the histories at some places; `NONE` leaves one as it is. */
  extend(marks: Marks, count: number, places: Int32Array, tokens: Int32Array): void | Promise<void> {
    let some = 0
    for (let i = 0; i < count; i++) {
      if (tokens[i] === NONE) continue
      this.#places[some] = places[i]!
      this.#histories[some] = marks.histories[places[i]!]!
      this.#tokens[some++] = tokens[i]!
    }
    if (some === 0) return
    const put = (): void => {
      for (let i = 0; i < some; i++) marks.histories[this.#places[i]!] = this.#histories[i]!
    }
    const extended = this.open.extend(some, this.#histories, this.#tokens)
    if (extended !== undefined) return extended.then(put)
    put()
  }

  /** Adds what the end of a line is worth. */
  end(marks: Marks, count: number, gains: Float64Array): void {
    for (let i = 0; i < count; i++) gains[i]! += this.weighted(marks.histories[i]!, this.model.end)
  }
}

/** Every symbol is a token. */
class SymbolScorer implements Scorer {
  readonly most: number
  readonly #asked: Asked
  /** By symbol; `NONE` where the model has not even a token for what it lacks. */
  readonly #tokens: Int32Array
  /** What each adds besides its probability. */
  readonly #bonus: Float64Array
  readonly #grown: Int32Array

  constructor(asked: Asked, alphabet: Alphabet) {
    const { model, weights, beam } = asked
    const known = alphabet.symbols.map((symbol) => model.numberOf(symbol))
    this.#asked = asked
    this.#tokens = Int32Array.from(known, (token) => token ?? model.unknown ?? NONE)
    this.#bonus = Float64Array.from(known, (token) => weights.beta + (token === undefined ? weights.unknown : 0))
    this.#grown = new Int32Array(beam)
    this.most = Math.max(0, weights.beta)
  }

  start(marks: Marks): void | Promise<void> {
    return this.#asked.start(marks)
  }

  gain(history: number, _word: number, symbol: number): number {
    const token = this.#tokens[symbol]!
    return token === NONE ? -Infinity : this.#asked.weighted(history, token) + this.#bonus[symbol]!
  }

  grow(marks: Marks, count: number, places: Int32Array, symbols: Int32Array): void | Promise<void> {
    for (let i = 0; i < count; i++) this.#grown[i] = this.#tokens[symbols[i]!]!
    return this.#asked.extend(marks, count, places, this.#grown)
  }

  keep(count: number, histories: Int32Array): void {
    this.#asked.open.keep(count, histories)
  }

  dispose(): void {
    this.#asked.open.dispose?.()
  }

  finish(marks: Marks, count: number, gains: Float64Array): void {
    this.#asked.end(marks, count, gains)
  }
}

/** A word is a token when a space or the end of the line is behind it; its mark is its node among the model's words, 0 before it begins. */
class WordScorer implements Scorer {
  readonly most: number
  readonly #asked: Asked
  readonly #space: number
  readonly #words: Trie
  /** By node the token of the word that ends there. */
  readonly #tokens: Int32Array
  readonly #grown: Int32Array

  constructor(asked: Asked, alphabet: Alphabet) {
    this.#asked = asked
    this.#space = alphabet.numberOf(' ')!
    this.#words = new Trie()
    const tokens = wordsInto(this.#words, asked.model, alphabet)
    this.#tokens = Int32Array.from({ length: this.#words.size }, (_, node) => tokens.get(node) ?? NONE)
    this.#grown = new Int32Array(asked.beam)
    this.most = Math.max(0, asked.weights.beta)
  }

  start(marks: Marks): void | Promise<void> {
    return this.#asked.start(marks)
  }

  gain(history: number, word: number, symbol: number): number {
    if (symbol === this.#space) return word === 0 ? 0 : this.#ending(history, word)
    return word === NONE || this.#words.child(word, symbol) !== NONE ? 0 : this.#asked.weights.unknown
  }

  grow(marks: Marks, count: number, places: Int32Array, symbols: Int32Array): void | Promise<void> {
    for (let i = 0; i < count; i++) {
      const place = places[i]!
      const word = marks.words[place]!
      const ends = symbols[i] === this.#space
      this.#grown[i] = ends && word !== 0 ? this.#tokenOf(word) : NONE
      marks.words[place] = ends ? 0 : word === NONE ? NONE : this.#words.child(word, symbols[i]!)
    }
    return this.#asked.extend(marks, count, places, this.#grown)
  }

  keep(count: number, histories: Int32Array): void {
    this.#asked.open.keep(count, histories)
  }

  dispose(): void {
    this.#asked.open.dispose?.()
  }

  finish(marks: Marks, count: number, gains: Float64Array): void | Promise<void> {
    const places = Int32Array.from({ length: count }, (_, i) => i)
    for (let i = 0; i < count; i++) {
      const word = marks.words[i]!
      if (word !== 0) gains[i]! += this.#ending(marks.histories[i]!, word)
      this.#grown[i] = word === 0 ? NONE : this.#tokenOf(word)
    }
    const extended = this.#asked.extend(marks, count, places, this.#grown)
    const end = (): void => {
      this.#asked.end(marks, count, gains)
    }
    if (extended !== undefined) return extended.then(end)
    end()
  }

  /** The token of the word that ends at a node, or else that of what the model lacks. */
  #tokenOf(word: number): number {
    const own = word === NONE ? NONE : this.#tokens[word]!
    return own === NONE ? (this.#asked.model.unknown ?? NONE) : own
  }

  #ending(history: number, word: number): number {
    const { weights } = this.#asked
    const token = this.#tokenOf(word)
    if (token === NONE) return -Infinity
    // What has left the model's words has paid for it; a mere beginning of one has not.
    const isBeginning = word !== NONE && this.#tokens[word] === NONE
    return this.#asked.weighted(history, token) + weights.beta + (isBeginning ? weights.unknown : 0)
  }
}

/** Puts the words of a model that the alphabet can write into a tree; gives their tokens by node. */
function wordsInto(words: Trie, model: LanguageModel, alphabet: Alphabet): ReadonlyMap<number, number> {
  const found = new Map<number, number>()
  for (const [token, word] of model.tokens.entries()) {
    if (token === model.end || token === model.unknown) continue
    const symbols = Array.from(word.normalize('NFC'), (character) => alphabet.numberOf(character))
    if (!symbols.every((symbol) => symbol !== undefined)) continue
    found.set(
      symbols.reduce((node, symbol) => words.grow(node, symbol), 0),
      token,
    )
  }
  return found
}
