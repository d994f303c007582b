// Tokens are written in characters that stand for bytes: back to the bytes, and from these to the line.
import { is } from '../../base/index.js'
import { DataError } from '../errors.js'
import { byteCharacters, PREFIX } from './pieces.js'
import { SPECIAL_TOKENS, specialIds } from './tokenizer.js'

const bytes: ReadonlyMap<string, number> = new Map(byteCharacters.map((character, byte) => [character, byte]))
const encoder = new TextEncoder()
/** A byte order mark is text as any other. Bytes that are no UTF-8 are U+FFFD, as a network may put together any. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/**
 * The text of each token in bytes, the special ones as words.
 * @throws DataError in the name of `where` for a token that is written in other characters
 */
export function tokenBytes(where: string, tokens: readonly string[]): readonly Uint8Array[] {
  return tokens.map((token, id) => {
    if (id < SPECIAL_TOKENS.length) return encoder.encode(` ${token}`)
    const found = Array.from(token, (character) => bytes.get(character))
    if (!found.includes(undefined)) return Uint8Array.from(found as number[])
    throw new DataError(`${where}[model.vocab]: expected characters that stand for bytes, got ${is.shown(token)}`)
  })
}

/** The text that bytes stand for. */
export const textOf = (written: Uint8Array): string => decoder.decode(written)

/**
 * The line of tokens, without the space that stands before each line.
 * @throws DataError for a number that is none of a token
 */
export function lineOf(ids: Iterable<number>, texts: readonly Uint8Array[]): string {
  const parts: Uint8Array[] = []
  for (const id of ids) {
    const text = texts[id]
    if (text === undefined) throw new DataError(`decode: expected tokens in [0, ${texts.length}), got ${id}`)
    if (id >= SPECIAL_TOKENS.length || id === specialIds.unk) parts.push(text)
  }
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  const line = textOf(all)
  return line.startsWith(PREFIX) ? line.slice(PREFIX.length) : line
}
