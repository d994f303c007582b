// Parts of words as tokens: byte-pair encoding (Sennrich, Haddow & Birch 2016) over the bytes of UTF-8. Frequent words are one token, rare ones
// several, and what training never met is written in bytes, so that nothing is unknown and every line comes back as it was.
import { expectOptions, is, type Schema } from '../../base/index.js'
import { DataError } from '../errors.js'
import { Heap } from '../heap.js'
import { learnBytePairs, pairKey, type TokenPair } from './byte-pairs.js'
import { byteCharacters, countPieces, piecesOf } from './pieces.js'
import { lineOf, tokenBytes } from './token-bytes.js'
import { SPECIAL_TOKENS, specialIds, type Tokenizer } from './tokenizer.js'
import { expectAt, parseTokenizerJson, tokenizerJson } from './tokenizer-json.js'

/** Options of `Subwords.of`. */
export interface SubwordsOptions {
  /** How many pairs become one token, at most. Default: 8,000. */
  readonly merges?: number
  /** How often a pair is there at least. Default: 2. */
  readonly least?: number
  /** Read lines in lower case; decoding then gives lower case. Default: false. */
  readonly lowercase?: boolean
}

const schema: Schema<SubwordsOptions> = { merges: is.whole(0, 2 ** 20), least: is.whole(1), lowercase: is.flag }

/** Pieces whose tokens are remembered, and the characters of the longest of them: words come again and again. */
const MOST_REMEMBERED = 50_000
const LONGEST_REMEMBERED = 64

const encoder = new TextEncoder()

/** A merge that may be made in a piece. */
interface Step {
  readonly rank: number
  readonly place: number
}

/** Earlier learned first; of one kind from left to right. */
const comesFirst = (a: Step, b: Step): boolean => a.rank < b.rank || (a.rank === b.rank && a.place < b.place)

/**
 * Byte-pair encoding: a tokenizer whose tokens are bytes and what was merged of them.
 *
 * @example
 * const subwords = Subwords.of(['ein mann fährt rad', 'zwei männer fahren rad'], { merges: 20 })
 * subwords.decode(subwords.encode('Ein Mann lacht 😀')) // 'Ein Mann lacht 😀'
 */
export class Subwords implements Tokenizer {
  readonly special = specialIds
  readonly lowercase: boolean
  readonly #tokens: readonly string[]
  readonly #merges: readonly TokenPair[]
  /** The text of each token in bytes; none of a special one. */
  readonly #bytes: readonly Uint8Array[]
  /** The token of each byte. */
  readonly #letters: readonly number[]
  readonly #ranks: ReadonlyMap<number, number>
  /** The token that each merge makes. */
  readonly #made: readonly number[]
  readonly #remembered = new Map<string, Int32Array>()

  /** @throws DataError for contents of a `tokenizer.json` that are of another kind of tokenizer, or damaged */
  constructor(json: unknown, where = 'subwords') {
    const { lowercase, tokens, model } = parseTokenizerJson(where, json)
    expectModel(where, model)
    this.lowercase = lowercase
    this.#tokens = tokens
    this.#bytes = tokenBytes(where, tokens)
    const numbers = new Map(tokens.map((token, id) => [token, id]))
    const numberOf = (token: string, name: string): number => {
      const id = numbers.get(token) ?? -1
      if (id >= SPECIAL_TOKENS.length) return id
      throw new DataError(`${where}[${name}]: expected tokens of the vocabulary, got ${is.shown(token)}`)
    }
    this.#letters = byteCharacters.map((character) => numberOf(character, 'model.vocab'))
    this.#merges = mergesOf(where, model['merges']).map(([left, right]): TokenPair => {
      return [numberOf(left, 'model.merges'), numberOf(right, 'model.merges')]
    })
    this.#made = this.#merges.map(([left, right]) => numberOf(`${tokens[left]!}${tokens[right]!}`, 'model.merges'))
    this.#ranks = new Map(this.#merges.map(([left, right], rank) => [pairKey(left, right), rank]))
  }

  /**
   * Learns from lines of text; the order of the lines makes no difference.
   * @throws OstrichError `ERR_OPTION` for options out of range, lines that are none
   */
  static of(lines: Iterable<string>, options: SubwordsOptions = {}): Subwords {
    expectOptions('subwords', options, schema)
    const { merges = 8000, least = 2, lowercase = false } = options
    const learned = learnBytePairs(countPieces('subwords', lines, lowercase), { merges, least })
    return new Subwords(contents(lowercase, learned.tokens, learned.merges))
  }

  get size(): number {
    return this.#tokens.length
  }

  encode(line: string): Int32Array {
    const parts = piecesOf(line, this.lowercase).map((piece) => this.#encoded(piece))
    const ids = new Int32Array(parts.reduce((sum, { length }) => sum + length, 0))
    let at = 0
    for (const part of parts) {
      ids.set(part, at)
      at += part.length
    }
    return ids
  }

  decode(ids: Iterable<number>): string {
    return lineOf(ids, this.#bytes)
  }

  toJSON(): object {
    return contents(this.lowercase, this.#tokens, this.#merges)
  }

  #encoded(piece: string): Int32Array {
    const known = this.#remembered.get(piece)
    if (known !== undefined) return known
    const ids = this.#merged(piece)
    if (piece.length <= LONGEST_REMEMBERED) {
      if (this.#remembered.size >= MOST_REMEMBERED) this.#remembered.clear()
      this.#remembered.set(piece, ids)
    }
    return ids
  }

  /** The tokens of a piece: its bytes, then every merge that can be made, in the order in which they were learned. */
  #merged(piece: string): Int32Array {
    const tokens = Int32Array.from(encoder.encode(piece), (byte) => this.#letters[byte]!)
    const end = tokens.length
    const before = Int32Array.from(tokens.keys()).map((place) => place - 1)
    const behind = Int32Array.from(tokens.keys()).map((place) => place + 1)
    const steps = new Heap<Step>(comesFirst)
    const consider = (place: number): void => {
      if (place < 0 || behind[place]! >= end) return
      const rank = this.#ranks.get(pairKey(tokens[place]!, tokens[behind[place]!]!))
      if (rank !== undefined) steps.push({ rank, place })
    }
    for (let place = 0; place < end; place++) consider(place)
    for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
      const { rank, place } = step
      const [left, right] = this.#merges[rank]!
      const next = behind[place]!
      // Either of the two may have become part of another token since.
      if (tokens[place] !== left || next >= end || tokens[next] !== right) continue
      tokens[place] = this.#made[rank]!
      tokens[next] = -1
      behind[place] = behind[next]!
      if (behind[place] < end) before[behind[place]] = place
      consider(before[place]!)
      consider(place)
    }
    return tokens.filter((token) => token >= 0)
  }
}

function contents(lowercase: boolean, tokens: readonly string[], merges: readonly TokenPair[]): object {
  const model = {
    type: 'BPE',
    dropout: null,
    unk_token: null,
    continuing_subword_prefix: null,
    end_of_word_suffix: null,
    fuse_unk: false,
    byte_fallback: false,
    ignore_merges: false,
    merges: merges.map(([left, right]) => `${tokens[left]!} ${tokens[right]!}`),
  }
  return tokenizerJson({ lowercase, tokens, model })
}

/** @throws DataError for a model that would make other tokens of a piece */
function expectModel(where: string, model: Readonly<Record<string, unknown>>): void {
  const json = { model }
  expectAt(where, json, 'model.type', 'BPE')
  expectAt(where, json, 'model.dropout', null, 0)
  expectAt(where, json, 'model.continuing_subword_prefix', null, '')
  expectAt(where, json, 'model.end_of_word_suffix', null, '')
  expectAt(where, json, 'model.ignore_merges', false, null)
}

/** Pairs of tokens, written `a b` or as a list of two. */
function mergesOf(where: string, merges: unknown): readonly (readonly [string, string])[] {
  const list: readonly unknown[] = Array.isArray(merges) ? (merges as readonly unknown[]) : [merges]
  return list.map((merge) => {
    const pair: unknown = typeof merge === 'string' ? merge.split(' ') : merge
    if (Array.isArray(pair) && pair.length === 2 && pair.every((token) => typeof token === 'string')) {
      return pair as unknown as readonly [string, string]
    }
    throw new DataError(`${where}[model.merges]: expected pairs of tokens, got ${is.shown(merge)}`)
  })
}
