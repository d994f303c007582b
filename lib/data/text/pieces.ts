// A line in pieces, the words of a tokenizer: a word with the space before it, a number, punctuation, white space. Put together again
// they are the line. Cut as GPT-2 does (Radford et al. 2019), behind one more space, so that a word is the same token at the beginning of a line
// and within it. A byte is written as a character that can be seen, as in GPT-2's vocabulary: `Ġ` is a space.
import { expectKind, is } from '../../base/index.js'

/** Before each line stands one space, which decoding takes away. */
export const PREFIX = ' '

const PIECE = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu

/** The pieces of a line. Half a surrogate pair, which no UTF-8 has, is read as U+FFFD. */
export function piecesOf(line: string, lowercase: boolean): readonly string[] {
  if (line === '') return []
  const text = `${PREFIX}${line}`.replace(/\p{Cs}/gu, '\ufffd')
  return (lowercase ? text.toLowerCase() : text).match(PIECE) ?? []
}

/**
 * The pieces of all lines, and how often each is there.
 * @throws OstrichError `ERR_OPTION` for lines that are one text
 */
export function countPieces(op: string, lines: Iterable<string>, lowercase: boolean): Map<string, number> {
  const some = is.kind(
    'lines of text',
    (value) => typeof value === 'object' && value !== null && Symbol.iterator in value,
  )
  expectKind(op, 'lines', some, lines)
  const counts = new Map<string, number>()
  for (const line of lines) {
    expectKind(op, 'lines', is.kind('lines of text', is.text.accepts), line)
    for (const piece of piecesOf(line, lowercase)) counts.set(piece, (counts.get(piece) ?? 0) + 1)
  }
  return counts
}

/** The character that each byte is written as: itself where it can be seen, else the next from U+0100 on. */
export const byteCharacters: readonly string[] = (() => {
  const seen = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xff && byte !== 0xad)
  let next = 0x100
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(seen(byte) ? byte : next++))
})()

/** The characters of all bytes in the order of their code units: the first tokens behind the special ones. */
export const alphabet: readonly string[] = [...byteCharacters].sort()

const encoder = new TextEncoder()

/** A text with each byte of its UTF-8 as a character. */
export function writtenAsBytes(text: string): string {
  let written = ''
  for (const byte of encoder.encode(text)) written += byteCharacters[byte]!
  return written
}
