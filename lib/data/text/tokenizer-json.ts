// Hugging Face's `tokenizer.json`, as far as it describes a tokenizer of ours: one space before the line, lower case or not, GPT-2's pieces, bytes
// as characters. Written so that their libraries give the same numbers; what would give others is refused when it is read.
import { is } from '../../base/index.js'
import { DataError } from '../errors.js'
import { PREFIX } from './pieces.js'
import { SPECIAL_TOKENS } from './tokenizer.js'

/** What tokenizers differ in: `model` is theirs to write and to check. */
export interface TokenizerJson {
  /** Whether lines are read in lower case. */
  readonly lowercase: boolean
  /** The tokens by number. */
  readonly tokens: readonly string[]
  readonly model: Readonly<Record<string, unknown>>
}

const byteLevel = (prefix: boolean) => ({
  type: 'ByteLevel',
  add_prefix_space: prefix,
  trim_offsets: true,
  use_regex: true,
})

/** The contents of the file. */
export function tokenizerJson({ lowercase, tokens, model }: TokenizerJson): object {
  const prepend = { type: 'Prepend', prepend: PREFIX }
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: SPECIAL_TOKENS.map((content, id) => ({
      ...{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true },
    })),
    normalizer: lowercase ? { type: 'Sequence', normalizers: [prepend, { type: 'Lowercase' }] } : prepend,
    pre_tokenizer: byteLevel(false),
    post_processor: null,
    decoder: {
      type: 'Sequence',
      decoders: [byteLevel(true), { type: 'Strip', content: PREFIX, start: PREFIX.length, stop: 0 }],
    },
    model: { ...model, vocab: Object.fromEntries(tokens.map((token, id) => [token, id])) },
  }
}

type Json = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

/** What is at a path of names and numbers; undefined where there is nothing. */
function at(value: unknown, path: string): unknown {
  return path.split('.').reduce((inner: unknown, name) => {
    return typeof inner === 'object' && inner !== null && Object.hasOwn(inner, name) ? (inner as Json)[name] : undefined
  }, value)
}

/** Refuses what is not expected at a path; `expected` are the values that it may have, the first of them in the message. */
export function expectAt(where: string, json: unknown, path: string, ...expected: readonly unknown[]): void {
  const got = at(json, path) ?? null
  if (expected.includes(got)) return
  throw new DataError(`${where}[${path}]: expected ${is.shown(expected[0])}, got ${is.shown(got)}`)
}

/**
 * Reads what our tokenizers have in common.
 * @throws DataError in the name of `where` for other contents, or such as would make other numbers than ours of a line
 */
export function parseTokenizerJson(where: string, json: unknown): TokenizerJson {
  if (!isObject(json)) throw new DataError(`${where}: expected the contents of tokenizer.json, got ${is.shown(json)}`)
  const chain = at(json, 'normalizer.type') === 'Sequence'
  const first = chain ? 'normalizer.normalizers.0' : 'normalizer'
  expectAt(where, json, `${first}.type`, 'Prepend')
  expectAt(where, json, `${first}.prepend`, PREFIX)
  if (chain) {
    expectAt(where, json, 'normalizer.normalizers.1.type', 'Lowercase')
    expectAt(where, json, 'normalizer.normalizers.2', null)
  }
  expectAt(where, json, 'pre_tokenizer.type', 'ByteLevel')
  expectAt(where, json, 'pre_tokenizer.add_prefix_space', false)
  expectAt(where, json, 'pre_tokenizer.use_regex', true, null)
  expectAt(where, json, 'post_processor', null)
  const model = at(json, 'model')
  if (!isObject(model)) throw new DataError(`${where}[model]: expected a model, got ${is.shown(model)}`)
  const tokens = tokensOf(`${where}[model.vocab]`, model['vocab'])
  const added = at(json, 'added_tokens')
  for (const token of Array.isArray(added) ? (added as readonly unknown[]) : []) {
    const [content, id] = [at(token, 'content'), at(token, 'id')]
    if (typeof id === 'number' && id < SPECIAL_TOKENS.length && SPECIAL_TOKENS[id] === content) continue
    throw new DataError(`${where}[added_tokens]: expected ${SPECIAL_TOKENS.join(', ')}, got ${is.shown(content)}`)
  }
  return { lowercase: chain, tokens, model }
}

/** The tokens in the order of their numbers, the special ones first. */
function tokensOf(where: string, vocab: unknown): readonly string[] {
  if (!isObject(vocab)) throw new DataError(`${where}: expected tokens and their numbers, got ${is.shown(vocab)}`)
  const entries = Object.entries(vocab)
  const tokens = new Array<string | undefined>(entries.length).fill(undefined)
  for (const [token, id] of entries) {
    if (!Number.isInteger(id) || Number(id) < 0 || Number(id) >= tokens.length || tokens[Number(id)] !== undefined) {
      const expected = `expected each number from 0 to ${tokens.length - 1} once`
      throw new DataError(`${where}: ${expected}, got ${is.shown(id)} for ${is.shown(token)}`)
    }
    tokens[Number(id)] = token
  }
  for (const [id, token] of SPECIAL_TOKENS.entries()) {
    if (tokens[id] !== token)
      throw new DataError(`${where}: expected ${token} as number ${id}, got ${is.shown(tokens[id])}`)
  }
  return tokens as readonly string[]
}
