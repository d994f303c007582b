// Words as tokens: those that a text has often enough, the rest are unknown. A word keeps the space before it, so that a line of known words comes
// back as it was.
import { expectOptions, is, type Schema } from '../../base/index.js'
import { countPieces, piecesOf, writtenAsBytes } from './pieces.js'
import { lineOf, textOf, tokenBytes } from './token-bytes.js'
import { SPECIAL_TOKENS, specialIds, type Tokenizer } from './tokenizer.js'
import { expectAt, parseTokenizerJson, tokenizerJson } from './tokenizer-json.js'
import { rankedTokens, UNKNOWN, Vocabulary } from './vocabulary.js'

/** Options of `Words.of`. */
export interface WordsOptions {
  /** How often a word is in the lines at least; rarer ones are unknown. Default: 2. */
  readonly least?: number
  /** Tokens at most, the special ones among them; the most frequent stay. Default: all. */
  readonly most?: number
  /** Read lines in lower case; decoding then gives lower case. Default: false. */
  readonly lowercase?: boolean
}

const schema: Schema<WordsOptions> = {
  least: is.whole(1),
  most: is.whole(SPECIAL_TOKENS.length + 1),
  lowercase: is.flag,
}

/**
 * A tokenizer whose tokens are words, numbers and punctuation.
 *
 * @example
 * const words = Words.of(['a man rides a bike.', 'a man sleeps.'])
 * words.decode(words.encode('a man sings.')) // 'a man <unk>.'
 */
export class Words implements Tokenizer {
  readonly special = specialIds
  readonly lowercase: boolean
  /** The special tokens, then words with the space before them, the most frequent first. */
  readonly vocabulary: Vocabulary
  readonly #bytes: readonly Uint8Array[]

  /** @throws DataError for contents of a `tokenizer.json` that are of another kind of tokenizer, or damaged */
  constructor(json: unknown, where = 'words') {
    const { lowercase, tokens, model } = parseTokenizerJson(where, json)
    expectAt(where, { model }, 'model.type', 'WordLevel')
    expectAt(where, { model }, 'model.unk_token', UNKNOWN)
    this.lowercase = lowercase
    this.#bytes = tokenBytes(where, tokens)
    const words = this.#bytes.slice(SPECIAL_TOKENS.length).map(textOf)
    this.vocabulary = new Vocabulary({ unit: 'word', tokens: [...SPECIAL_TOKENS, ...words] })
  }

  /**
   * The words of lines of text, the most frequent first, ties in the order of their code units.
   * @throws OstrichError `ERR_OPTION` for options out of range, lines that are none
   */
  static of(lines: Iterable<string>, options: WordsOptions = {}): Words {
    expectOptions('words', options, schema)
    const { least = 2, most = Infinity, lowercase = false } = options
    const counts = [...countPieces('words', lines, lowercase)].filter(([, count]) => count >= least)
    const known = rankedTokens(counts).slice(0, most - SPECIAL_TOKENS.length)
    return new Words(contents(lowercase, known))
  }

  get size(): number {
    return this.vocabulary.size
  }

  encode(line: string): Int32Array {
    return Int32Array.from(piecesOf(line, this.lowercase), (piece) => this.vocabulary.numberOf(piece) ?? specialIds.unk)
  }

  decode(ids: Iterable<number>): string {
    return lineOf(ids, this.#bytes)
  }

  toJSON(): object {
    return contents(this.lowercase, this.vocabulary.tokens.slice(SPECIAL_TOKENS.length))
  }
}

function contents(lowercase: boolean, words: readonly string[]): object {
  const tokens = [...SPECIAL_TOKENS, ...words.map(writtenAsBytes)]
  return tokenizerJson({ lowercase, tokens, model: { type: 'WordLevel', unk_token: UNKNOWN } })
}
