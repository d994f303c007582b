// One word and its numbers, in each of word2vec's formats.
import type { ByteReader } from './byte-reader.js'
import { decimalIn } from './decimals.js'

/** Refuses a row. */
export type Refuse = (expected: string, got: string) => never

/** Reads the numbers of the next word into `row`. @returns the word; undefined where its bytes are not UTF-8 */
export type RowReader = (reader: ByteReader, row: Float32Array, refuse: Refuse) => Promise<string | undefined>

const [NEWLINE, SPACE, TAB, RETURN] = [0x0a, 0x20, 0x09, 0x0d]
/** Bytes of a word. */
const MOST_WORD = 2 ** 16
/** Bytes of a number in text, with what parts it from the next. */
const MOST_DECIMAL = 64
/** What is asked for at once, so that few rows have to wait. */
const AHEAD = 2 ** 16

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes)
  } catch {
    return undefined
  }
}

/** What is wrong with a word, in words; undefined where nothing is. */
export function badWord(word: string | undefined): string | undefined {
  if (word === undefined) return 'other bytes'
  if (word === '') return 'no word'
  return /[\0\t\n\v\f\r ]/.test(word) ? `${JSON.stringify(word)}, which has white space or a NUL in it` : undefined
}

/** Waits until a whole row is there: `most` bytes, or fewer where the stream ends. */
async function rowIsThere(reader: ByteReader, most: number): Promise<void> {
  if (reader.left < most) await reader.fill(most + AHEAD)
}

/** A word, a space, the numbers as f32; ends of lines before the word are of the row before. */
export const binaryRow: RowReader = async (reader, row, refuse) => {
  await rowIsThere(reader, MOST_WORD + 2 + row.byteLength)
  while (reader.bytes[reader.at] === NEWLINE) reader.at++
  const { bytes, at } = reader
  const space = bytes.indexOf(SPACE, at)
  if (at >= bytes.length) refuse('a word', 'the end of the file')
  if (space < 0 || space - at > MOST_WORD) {
    const isCut = space < 0 && bytes.length - at <= MOST_WORD
    refuse(`a word of at most ${MOST_WORD} bytes and a space`, isCut ? 'the end of the file' : 'a longer one')
  }
  const from = space + 1
  const word = decoded(bytes.subarray(at, space))
  if (bytes.length - from < row.byteLength) {
    refuse(`${row.byteLength} bytes of ${row.length} numbers`, `${bytes.length - from} to the end of the file`)
  }
  new Uint8Array(row.buffer, row.byteOffset, row.byteLength).set(bytes.subarray(from, from + row.byteLength))
  const wrong = row.findIndex((x) => !Number.isFinite(x))
  if (wrong >= 0) refuse(`finite numbers for ${JSON.stringify(word ?? '?')}`, String(row[wrong]))
  reader.at = from + row.byteLength
  return word
}

/** A line: a word, and numbers between spaces. */
export const textRow: RowReader = async (reader, row, refuse) => {
  const most = MOST_WORD + row.length * MOST_DECIMAL
  await rowIsThere(reader, most)
  const { bytes, at } = reader
  if (at >= bytes.length) refuse('a word', 'the end of the file')
  const found = bytes.indexOf(NEWLINE, at)
  const end = found < 0 ? bytes.length : found
  if (end - at > most) refuse(`a line of at most ${most} bytes`, 'a longer one')
  const { word, numbers, wrong } = numbersIn(bytes, at, end, row)
  const name = JSON.stringify(word ?? '?')
  if (wrong !== undefined) refuse(`numbers behind ${name}`, JSON.stringify(wrong))
  if (numbers !== row.length)
    refuse(`${row.length} numbers behind ${name}`, numbers > row.length ? 'more' : `${numbers}`)
  reader.at = Math.min(end + 1, bytes.length)
  return word
}

interface Line {
  readonly word: string | undefined
  /** How many there are; counted no further than one too many. */
  readonly numbers: number
  /** The first that is none, or none that f32 holds. */
  readonly wrong: string | undefined
}

/** The word and the numbers of a line, as many as `row` has room for. */
function numbersIn(bytes: Uint8Array, from: number, end: number, row: Float32Array): Line {
  let at = from
  while (at < end && bytes[at] !== SPACE) at++
  const word = decoded(bytes.subarray(from, at))
  let numbers = 0
  for (;;) {
    while (at < end && isBlank(bytes[at])) at++
    if (at >= end || numbers > row.length) return { word, numbers, wrong: undefined }
    const start = at
    while (at < end && !isBlank(bytes[at])) at++
    const x = Math.fround(decimalIn(bytes, start, at))
    if (!Number.isFinite(x)) {
      return { word, numbers, wrong: new TextDecoder().decode(bytes.subarray(start, Math.min(at, start + 40))) }
    }
    if (numbers < row.length) row[numbers] = x
    numbers++
  }
}

/** Whether the first row is a line of numbers: f32 would look like one by an unlikely chance alone. */
export async function seemsText(reader: ByteReader, dimension: number): Promise<boolean> {
  await rowIsThere(reader, MOST_WORD + dimension * MOST_DECIMAL)
  const { bytes, at } = reader
  const from = bytes.indexOf(SPACE, at) + 1
  if (from === 0) return true
  const found = bytes.indexOf(NEWLINE, from)
  const line = bytes.subarray(from, Math.min(found < 0 ? bytes.length : found, from + 4096))
  if (line.every(isBlank) || !line.every(isOfNumbers)) return false
  // A line that is too short is a damaged text, where what follows is text too.
  const isWhole = line.length >= Math.min(2 * dimension - 1, 4096)
  return isWhole || bytes.subarray(from, from + 4 * dimension).every((byte) => isBlank(byte) || isPlain(byte))
}

const isBlank = (byte: number | undefined): boolean => byte === SPACE || byte === TAB || byte === RETURN
const isPlain = (byte: number): boolean => byte === NEWLINE || (byte > SPACE && byte < 0x7f)
const NUMBERS = new TextEncoder().encode('0123456789+-.eE')
const isOfNumbers = (byte: number): boolean => isBlank(byte) || NUMBERS.includes(byte)
