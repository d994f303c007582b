// The numeric arrays of a level 5 MAT-file, piece by piece: an array of a gigabyte is never in memory twice. Refuses what is cut short,
// HDF5 (MATLAB 7.3), big-endian files, and an array whose size is not that of its extents, before anything is made for it.
import { createReadStream } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { createInflate } from 'node:zlib'
import { DataError, reasonOf } from './errors.js'
import {
  ARRAYS,
  HEADER,
  isMatFile,
  type MatElement,
  NUMBERS,
  numbers,
  paddingOf,
  tagAt,
  textOf,
  TYPES,
} from './mat5.js'

/** Bytes of the longest part of an array's header: nobody has names or ranks of more. */
const MOST_HEADER = 4096
/** No deflated data grows by more than 1,032 times. */
const MOST_GROWTH = 1040

/** A numeric array: what its header says. Its values lie by columns, so the first extent is the fastest. */
export interface MatArray {
  readonly name: string
  readonly extents: readonly number[]
  /** How values are stored: a data type of the format. */
  readonly type: number
  readonly bytes: number
}

/** Takes the bytes of an array, in order. */
export type Sink = (piece: Uint8Array) => void

/**
 * Reads the numeric arrays of a MAT-file, in order.
 * @param take is asked for each array, and gives what is to have its bytes; undefined where it is not wanted
 * @throws DataError where the file is absent, damaged or of another format; whatever `take` and its sinks throw
 */
export async function readMat(path: string, take: (array: MatArray) => Sink | undefined): Promise<void> {
  let file: FileHandle
  try {
    file = await open(path, 'r')
  } catch (error) {
    throw new DataError(`${path}: expected a MAT-file that can be read, got ${reasonOf(error)}`, { cause: error })
  }
  try {
    const { size } = await file.stat()
    checkHeader(await bytesAt(file, 0, HEADER), path)
    for (let at = HEADER; at < size;) {
      const head = await bytesAt(file, at, 8)
      const { type, bytes, small } = tagAt(viewOf(head), 0)
      if (small) throw new Error(`a small element at ${at}`)
      const end = at + 8 + bytes
      if (end > size) throw new Error(`an end ${end - size} bytes too early`)
      const packed = type === TYPES.compressed
      if (packed || type === TYPES.matrix) await readArray(path, packed ? at + 8 : at, end, packed, take)
      at = end + (packed ? 0 : paddingOf(bytes))
    }
  } catch (error) {
    if (error instanceof DataError) throw error
    throw new DataError(`${path}: expected a whole MAT-file, got ${reasonOf(error)}`, { cause: error })
  } finally {
    await file.close()
  }
}

async function bytesAt(file: FileHandle, at: number, bytes: number): Promise<Uint8Array> {
  const { buffer, bytesRead } = await file.read(new Uint8Array(bytes), 0, bytes, at)
  if (bytesRead < bytes) throw new Error(`an end after ${at + bytesRead} bytes`)
  return buffer
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function checkHeader(head: Uint8Array, path: string): void {
  const text = new TextDecoder().decode(head.subarray(0, 116))
  const order = new TextDecoder().decode(head.subarray(126, 128))
  if (isMatFile(head) && order === 'IM') return
  const got = /^MATLAB 7\.3/.test(text)
    ? 'one of MATLAB 7.3, which is HDF5'
    : isMatFile(head) && order === 'MI'
      ? 'a big-endian one'
      : 'another file'
  throw new DataError(`${path}: expected a MAT-file of level 5, little-endian, got ${got}`)
}

/** The array between two places of the file, deflated or not. */
async function readArray(
  path: string,
  from: number,
  end: number,
  packed: boolean,
  take: (array: MatArray) => Sink | undefined,
): Promise<void> {
  const file = createReadStream(path, { start: from, end: end - 1, highWaterMark: 2 ** 18 })
  const inflate = packed ? createInflate({ chunkSize: 2 ** 18 }) : undefined
  if (inflate !== undefined) {
    file.on('error', (error) => inflate.destroy(error))
    file.pipe(inflate)
  }
  try {
    const source = new Pieces(inflate ?? file)
    const tag = tagAt(viewOf(await source.take(8)), 0)
    if (tag.type !== TYPES.matrix) return
    const [flags, extents, name] = [await part(source), await part(source), await part(source)]
    const kind = (numbers(flags)[0] ?? 0) & 0xff
    if (kind < ARRAYS.double || kind > ARRAYS.u64) return
    const head = await source.take(8)
    const { type, bytes, small } = tagAt(viewOf(head), 0)
    const array = { name: textOf(name), extents: numbers(extents), type, bytes }
    checkSize(array, packed ? (end - from) * MOST_GROWTH : end - from)
    const sink = take(array)
    if (sink === undefined) return
    if (small) sink(head.subarray(4, 4 + bytes))
    else await source.pass(bytes, sink)
  } finally {
    file.destroy()
    inflate?.destroy()
  }
}

/** @throws Error where an array's bytes are not those of its extents, or more than the file can hold */
function checkSize({ name, extents, type, bytes }: MatArray, most: number): void {
  const each = NUMBERS[type]?.[0]
  const count = extents.reduce((product, extent) => product * extent, 1)
  if (each === undefined) throw new Error(`numbers of type ${type} in ${name}`)
  if (!extents.every((extent) => Number.isInteger(extent) && extent >= 0) || count * each !== bytes || bytes > most) {
    throw new Error(`${bytes} bytes for the extents [${extents.join(', ')}] of ${name}`)
  }
}

/** An element of an array's header. */
async function part(source: Pieces): Promise<MatElement> {
  const head = await source.take(8)
  const { type, bytes, small } = tagAt(viewOf(head), 0)
  if (bytes > (small ? 4 : MOST_HEADER)) throw new Error(`an array's header of ${bytes} bytes`)
  if (small) return { type, data: head.subarray(4, 4 + bytes) }
  return { type, data: (await source.take(bytes + paddingOf(bytes))).subarray(0, bytes) }
}

/** What a stream gives, in pieces of the size that is asked for. */
class Pieces {
  readonly #pieces: AsyncIterator<Uint8Array>
  #rest: Uint8Array = new Uint8Array()
  #passed = 0

  constructor(stream: AsyncIterable<Uint8Array>) {
    this.#pieces = stream[Symbol.asyncIterator]()
  }

  /** The next bytes, copied. @throws Error where there are fewer */
  async take(bytes: number): Promise<Uint8Array> {
    const all = new Uint8Array(bytes)
    let at = 0
    await this.pass(bytes, (piece) => {
      all.set(piece, at)
      at += piece.length
    })
    return all
  }

  /** Gives the next bytes to a sink as they come. @throws Error where there are fewer */
  async pass(bytes: number, sink: Sink): Promise<void> {
    for (let left = bytes; left > 0;) {
      if (this.#rest.length === 0) {
        const next = await this.#pieces.next()
        if (next.done === true) throw new Error(`an end after ${this.#passed} bytes of an array`)
        this.#rest = next.value
      }
      const piece = this.#rest.subarray(0, left)
      this.#rest = this.#rest.subarray(piece.length)
      this.#passed += piece.length
      left -= piece.length
      sink(piece)
    }
  }
}
