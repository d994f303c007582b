// Bytes of text -> words and ends of lines, without making a text of each. Refuses what is no text: a NUL, a word without an end.
import { DataError } from '../../errors.js'
import type { CorpusPiece } from './corpus.js'

/** What is told of a text, in order. */
export interface WordVisitor {
  /** A word: bytes from `from` to `to`, valid until the call returns. */
  word(bytes: Uint8Array, from: number, to: number): void
  /** A line has ended. */
  line(): void
}

const NEWLINE = 0x0a
/** Bytes of a word. */
const MOST_WORD = 2 ** 16

/** White space of ASCII, as the C library has it; 2 for NUL. */
const KINDS = new Uint8Array(256)
for (const byte of [0x09, NEWLINE, 0x0b, 0x0c, 0x0d, 0x20]) KINDS[byte] = 1
KINDS[0] = 2

/** Tells a visitor the words of pieces of text, wherever they are cut. */
export class WordScanner {
  readonly #visitor: WordVisitor
  #file = ''
  /** In the file. */
  #line = 1
  /** A word that the last piece ended in. */
  #open: Uint8Array = new Uint8Array(0)
  /** Whether something stands in the line that was not ended. */
  #isInLine = false

  constructor(visitor: WordVisitor) {
    this.#visitor = visitor
  }

  /** The file and the line where it is, for messages. */
  get where(): string {
    return `${this.#file}, line ${this.#line}`
  }

  /** @throws DataError for what is no text */
  feed({ bytes: piece, file, isFirst }: CorpusPiece): void {
    if (isFirst) {
      this.end()
      this.#file = file
      this.#line = 1
    }
    const bytes = this.#open.length === 0 ? piece : joined(this.#open, piece)
    let from = 0
    for (let at = this.#open.length; at < bytes.length; at++) {
      const byte = bytes[at]!
      if (KINDS[byte] === 0) continue
      if (byte === 0) throw new DataError(`${this.where}: expected a text in UTF-8, got a NUL byte`)
      if (at > from) this.#word(bytes, from, at)
      from = at + 1
      if (byte === NEWLINE) this.#endLine()
    }
    this.#open = bytes.slice(from)
    if (this.#open.length <= MOST_WORD) return
    throw new DataError(`${this.where}: expected words of at most ${MOST_WORD} bytes, got a longer one: is it a text?`)
  }

  /** The text has ended: its last word and line need no end of their own. */
  end(): void {
    if (this.#open.length > 0) this.#word(this.#open, 0, this.#open.length)
    this.#open = new Uint8Array(0)
    if (this.#isInLine) this.#endLine()
  }

  #word(bytes: Uint8Array, from: number, to: number): void {
    this.#isInLine = true
    this.#visitor.word(bytes, from, to)
  }

  #endLine(): void {
    this.#visitor.line()
    this.#isInLine = false
    this.#line++
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const all = new Uint8Array(first.length + second.length)
  all.set(first)
  all.set(second, first.length)
  return all
}
