// Tokens and their numbers: the words or the characters of a corpus, most frequent first. Plain data, so that a checkpoint can
// hold it and text can be generated from the checkpoint alone.
import { describe } from '../dataset.js'
import { DataError } from '../errors.js'

/** What a token is. */
export type TextUnit = 'word' | 'character'

/** Ends a line of a text that is read by words, as in the Penn Treebank's usual form. */
export const END_OF_LINE = '<eos>'
/** Stands for words that a vocabulary leaves out. */
export const UNKNOWN = '<unk>'

/** A vocabulary as it is saved. */
export interface VocabularyData {
  readonly unit: TextUnit
  readonly tokens: readonly string[]
}

/**
 * The tokens of a corpus by number.
 *
 * @example
 * const vocabulary = Vocabulary.of('a rose is a rose', 'word')
 * vocabulary.encode('is a rose') // Int32Array [3, 0, 1, 2]: the line ends with <eos>
 */
export class Vocabulary {
  readonly unit: TextUnit
  readonly tokens: readonly string[]
  readonly #numbers: ReadonlyMap<string, number>

  /** @throws DataError for tokens that are none, or one of them twice */
  constructor(data: VocabularyData) {
    const given: unknown = data
    if (typeof given !== 'object' || given === null) {
      throw new DataError(`vocabulary: expected { unit, tokens }, got ${describe(given)}`)
    }
    const { unit, tokens } = data
    if (!['word', 'character'].includes(unit)) {
      throw new DataError(`vocabulary[unit]: expected word or character, got ${unit}`)
    }
    if (!Array.isArray(tokens) || tokens.length === 0 || !tokens.every((token) => typeof token === 'string')) {
      throw new DataError(`vocabulary[tokens]: expected a list of at least one text, got ${describe(tokens)}`)
    }
    this.unit = unit
    this.tokens = tokens
    this.#numbers = new Map(tokens.map((token, number) => [token, number]))
    if (this.#numbers.size === tokens.length) return
    const twice = tokens.find((token, number) => this.#numbers.get(token) !== number)
    throw new DataError(`vocabulary[tokens]: expected each token once, got ${JSON.stringify(twice)} twice`)
  }

  /**
   * The tokens of a text, the most frequent first, ties in the order of their code units.
   * @param most how many at most; the rest are `<unk>`, which then is one of them. Default: all.
   */
  static of(text: string, unit: TextUnit, most = Infinity): Vocabulary {
    const counts = new Map<string, number>()
    for (const token of tokensOf(text, unit)) counts.set(token, (counts.get(token) ?? 0) + 1)
    if (counts.size === 0) throw new DataError('vocabulary: expected a text with tokens, got an empty one')
    const ranked = rankedTokens(counts)
    if (ranked.length <= most) return new Vocabulary({ unit, tokens: ranked })
    const kept = ranked.filter((token) => token !== UNKNOWN).slice(0, Math.max(1, most - 1))
    return new Vocabulary({ unit, tokens: [...kept, UNKNOWN] })
  }

  get size(): number {
    return this.tokens.length
  }

  /** The number of a token; undefined where it is none of them. */
  numberOf(token: string): number | undefined {
    return this.#numbers.get(token)
  }

  /**
   * The tokens of a text as numbers, words that are not in the vocabulary as `<unk>`.
   * @param what names the text in messages
   * @throws DataError for a token that is not in the vocabulary where this has no `<unk>`
   */
  encode(text: string, what = 'text'): Int32Array {
    const unknown = this.#numbers.get(UNKNOWN)
    const numbers: number[] = []
    let place = 0
    for (const token of tokensOf(text, this.unit)) {
      const number = this.#numbers.get(token) ?? unknown
      if (number === undefined) throw new DataError(this.#refusal(what, token, place))
      numbers.push(number)
      place++
    }
    return Int32Array.from(numbers)
  }

  /** Text of tokens: words with spaces between, `<eos>` as the end of a line. */
  decode(numbers: Iterable<number>): string {
    let text = ''
    for (const number of numbers) text += this.piece(number, text)
    return text
  }

  /** How a token is written behind a text: a word with the space before it. */
  piece(number: number, before: string): string {
    const token = this.tokens[number]
    if (token === undefined) throw new DataError(`decode: expected tokens in [0, ${this.size}), got ${number}`)
    if (this.unit === 'character') return token
    if (token === END_OF_LINE) return '\n'
    return before === '' || before.endsWith('\n') ? token : ` ${token}`
  }

  /** What a checkpoint holds of it. */
  toJSON(): VocabularyData {
    return { unit: this.unit, tokens: this.tokens }
  }

  #refusal(what: string, token: string, place: number): string {
    const kind = this.unit === 'word' ? 'words' : 'characters'
    const shown = this.size <= 200 && this.unit === 'character' ? ` (${JSON.stringify(this.tokens.join(''))})` : ''
    return `${what}: expected ${kind} of the vocabulary${shown}, got ${JSON.stringify(token)} at ${place}`
  }
}

/** The most frequent token first, ties in the order of their code units. */
export function rankedTokens(counts: Iterable<readonly [string, number]>): readonly string[] {
  return [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).map(([token]) => token)
}

/** The tokens of a text, one after the other: code points, or what white space separates with `<eos>` behind each line. */
export function* tokensOf(text: string, unit: TextUnit): Generator<string, void, undefined> {
  if (unit === 'character') {
    yield* text
    return
  }
  for (const line of linesOf(text)) {
    for (const word of line.split(/\s+/)) if (word !== '') yield word
    yield END_OF_LINE
  }
}

/** The lines of a text; what follows the last line break is one where it is not empty. */
function* linesOf(text: string): Generator<string, void, undefined> {
  for (let from = 0; from < text.length;) {
    const found = text.indexOf('\n', from)
    const to = found < 0 ? text.length : found
    yield text.slice(from, to)
    from = to + 1
  }
}
