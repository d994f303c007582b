// Word vectors in the two formats of word2vec's C program, which gensim and fastText share: a first line with the number of words and of
// numbers for each; then each word, a space, and its numbers, in text or as f32 (little-endian). Read as a stream; a table is made no
// larger than the file has shown to be. Refused: a first line that lies, words that are none or stand there twice, numbers that are none.
import { replaceFile } from './atomic-file.js'
import { ByteReader } from './byte-reader.js'
import { decimalOf } from './decimals.js'
import { CheckpointError } from './safetensors-header.js'
import { badWord, binaryRow, type RowReader, seemsText, textRow } from './word2vec-rows.js'

/** How the numbers are written. */
export type Word2vecFormat = 'text' | 'binary'

/** Words and their vectors: row i of `vectors` [V, D] is of word i. */
export interface WordRows {
  readonly words: readonly string[]
  readonly vectors: Float32Array
  /** Numbers of each, D. */
  readonly dimension: number
}

/** What is known of a stream, and what is wanted of it. */
export interface Word2vecReading {
  /** Default: what the first word looks like. */
  readonly format?: Word2vecFormat
  /** Bytes of all of it; undefined where that is not known, and the table grows as it is read. */
  readonly length?: number
  /** Reads no more words. Default: all. */
  readonly limit?: number
  /** Called for a word that is not UTF-8, or stands there twice, which then is left out; without it, it is refused. */
  readonly onBadWord?: (what: string) => void
}

/** More than any vectors have: 4 MiB each. */
const MOST_DIMENSION = 2 ** 20
/** What a set of JavaScript holds. */
const MOST_WORDS = 2 ** 24
/** Bytes within which the first line ends. */
const FIRST_LINE = 64
/** Numbers of a table that grows, at first. */
const FIRST_NUMBERS = 2 ** 16

/**
 * Reads word vectors from the bytes of a file.
 * @param where names the file in messages
 * @throws CheckpointError; what `source` throws
 */
export async function readWord2vec(
  source: AsyncIterable<Uint8Array>,
  where: string,
  options: Word2vecReading = {},
): Promise<WordRows> {
  const reader = new ByteReader(source)
  try {
    return await rowsOf(reader, where, options)
  } finally {
    await reader.close()
  }
}

async function rowsOf(
  reader: ByteReader,
  where: string,
  { format, length, limit = Infinity, onBadWord }: Word2vecReading,
): Promise<WordRows> {
  const { count, dimension, bytes } = await readHeader(reader, where)
  const isText = format === undefined ? await seemsText(reader, dimension) : format === 'text'
  if (length !== undefined) expectRoom(where, { count, dimension, isText, length: length - bytes })
  const wanted = Math.min(count, limit)
  const first = length === undefined ? Math.max(1, Math.floor(FIRST_NUMBERS / dimension)) : wanted
  const rows = new Rows(Math.min(wanted, first), dimension, wanted)
  const how = format === undefined ? ` (read as ${isText ? 'text' : 'binary'}, as its first word looks like)` : ''
  const read: RowReader = isText ? textRow : binaryRow
  const seen = new Set<string>()
  for (let i = 0; i < wanted; i++) {
    const place = (): string => `word ${i + 1} of ${count}${how}`
    const word = await read(reader, rows.next(), (expected, got) => {
      throw new CheckpointError(`${where}: expected ${expected} at ${place()}, got ${got}`)
    })
    const wrong = badWord(word) ?? (seen.has(word!) ? `${JSON.stringify(word)} a second time` : undefined)
    if (wrong === undefined) rows.keep(word!)
    else if (onBadWord === undefined) {
      throw new CheckpointError(`${where}: expected words in UTF-8, each once, at ${place()}, got ${wrong}`)
    } else onBadWord(wrong)
    seen.add(word ?? '')
  }
  if (wanted === count) await expectEnd(reader, where, count)
  if (rows.words.length === 0) throw new CheckpointError(`${where}: expected words, got none that can be read`)
  return { words: rows.words, vectors: rows.all(), dimension }
}

async function readHeader(
  reader: ByteReader,
  where: string,
): Promise<Omit<Claim, 'isText' | 'length'> & { bytes: number }> {
  await reader.fill(FIRST_LINE)
  const head = reader.bytes.subarray(reader.at, reader.at + FIRST_LINE)
  const end = head.indexOf(0x0a)
  const line = String.fromCharCode(...head.subarray(0, end < 0 ? head.length : end))
  const numbers = end < 0 ? null : /^\s*(\d{1,15})\s+(\d{1,15})\s*$/.exec(line)
  const [count, dimension] = [Number(numbers?.[1]), Number(numbers?.[2])]
  const isSane = count >= 1 && count <= MOST_WORDS && dimension >= 1 && dimension <= MOST_DIMENSION
  if (!isSane) {
    const expected = `a first line of two numbers, of words (up to ${MOST_WORDS}) and of numbers for each (up to ${MOST_DIMENSION})`
    const got = head.length === 0 ? 'an empty file' : JSON.stringify(line.slice(0, 40))
    throw new CheckpointError(`${where}: expected ${expected}, got ${got}`)
  }
  reader.at += end + 1
  return { count, dimension, bytes: end + 1 }
}

interface Claim {
  readonly count: number
  readonly dimension: number
  readonly isText: boolean
  /** Bytes behind the first line. */
  readonly length: number
}

/** A word is a byte and a space at least, a number in text a digit and what parts it from the next. */
function expectRoom(where: string, { count, dimension, isText, length }: Claim): void {
  const least = isText ? count * (2 + 2 * dimension) - 1 : count * (2 + 4 * dimension)
  if (length >= least) return
  const what = `${count} words of ${dimension} numbers, as its first line says`
  throw new CheckpointError(`${where}: expected at least ${least} bytes more for ${what}, got ${length}`)
}

async function expectEnd(reader: ByteReader, where: string, count: number): Promise<void> {
  while (await reader.fill(1)) {
    const more = reader.bytes.subarray(reader.at).findIndex((byte) => byte > 0x20)
    if (more >= 0) {
      const text = new TextDecoder().decode(reader.bytes.subarray(reader.at + more, reader.at + more + 20))
      const expected = `the end behind ${count} words, as its first line says`
      throw new CheckpointError(`${where}: expected ${expected}, got more: ${JSON.stringify(text)}`)
    }
    reader.at = reader.bytes.length
  }
}

/** Words with their rows, in a table that grows by what was read. */
class Rows {
  readonly words: string[] = []
  readonly #dimension: number
  readonly #most: number
  #table: Float32Array

  constructor(capacity: number, dimension: number, most: number) {
    this.#dimension = dimension
    this.#most = most
    this.#table = new Float32Array(capacity * dimension)
  }

  /** The row of the next word: what is not kept is written over. */
  next(): Float32Array {
    const from = this.words.length * this.#dimension
    if (from === this.#table.length) {
      const grown = new Float32Array(Math.min(2 * this.words.length, this.#most) * this.#dimension)
      grown.set(this.#table)
      this.#table = grown
    }
    return this.#table.subarray(from, from + this.#dimension)
  }

  keep(word: string): void {
    this.words.push(word)
  }

  all(): Float32Array {
    return this.#table.subarray(0, this.words.length * this.#dimension)
  }
}

/** Bytes that are written at once. */
const BLOCK = 2 ** 20

/**
 * Writes word vectors in one of word2vec's formats, whole or not at all. Numbers in text have as many digits as are needed to read the
 * same f32 again.
 * @throws CheckpointError where it cannot be written
 */
export async function writeWord2vec(path: string, rows: WordRows, format: Word2vecFormat): Promise<void> {
  const encoder = new TextEncoder()
  const { words, dimension } = rows
  try {
    await replaceFile(path, async (file) => {
      let block: Uint8Array[] = [encoder.encode(`${words.length} ${dimension}\n`)]
      let size = 0
      for (const [i, word] of words.entries()) {
        const row = rows.vectors.subarray(i * dimension, (i + 1) * dimension)
        const parts =
          format === 'text' ? [encoder.encode(textOf(word, row))] : binaryOf(encoder.encode(`${word} `), row)
        block.push(...parts)
        size += parts.reduce((sum, part) => sum + part.length, 0)
        if (size < BLOCK) continue
        await file.write(Buffer.concat(block))
        block = []
        size = 0
      }
      await file.write(Buffer.concat(block))
    })
  } catch (error) {
    const got = error instanceof Error ? error.message : String(error)
    throw new CheckpointError(`${path}: expected to write the file, got ${got}; what was there before is unchanged`, {
      cause: error,
    })
  }
}

function textOf(word: string, row: Float32Array): string {
  let line = word
  for (const x of row) line += ` ${decimalOf(x)}`
  return `${line}\n`
}

const END_OF_LINE = Uint8Array.of(0x0a)

/** With the end of a line that the C program writes behind each. */
function binaryOf(word: Uint8Array, row: Float32Array): Uint8Array[] {
  return [word, new Uint8Array(row.buffer, row.byteOffset, row.byteLength), END_OF_LINE]
}
