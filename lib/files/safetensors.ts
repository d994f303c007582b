// Reads and writes safetensors files: named typed arrays and a map of strings, as Python's `safetensors` does.
// Writes stream from the caller's arrays and replace the file atomically; reads fetch one tensor at a time.
import { constants, open, type FileHandle } from 'node:fs/promises'
import { endianness } from 'node:os'
import { replaceFile } from './atomic-file.js'
import { compareDigests, type ReadAt, takeDigests, withDigests, writeHashed } from './digests.js'
import {
  ARRAYS,
  byteLengthOf,
  CheckpointError,
  encodeHeader,
  MOST_HEADER_BYTES,
  MOST_TENSORS,
  parseHeader,
  type Header,
  type TensorArray,
  type TensorDtype,
  type TensorEntry,
} from './safetensors-header.js'
import { readAll, readPieces, readTensor } from './tensor-bytes.js'

export { CheckpointError } from './safetensors-header.js'
export type { TensorArray, TensorDtype } from './safetensors-header.js'

/**
 * A tensor to write; `data` may be a function that is called when its turn comes, so that not all need be in memory, and what it
 * gives may come in pieces, so that not even one need be.
 */
export interface TensorSource {
  readonly dtype: TensorDtype
  readonly shape: readonly number[]
  /** Its elements, row-major. */
  readonly data: TensorArray | (() => TensorArray | Promise<TensorArray> | AsyncIterable<TensorArray>)
}

/** Options of `writeSafetensors`. */
export interface WriteOptions {
  /** Puts sha256 of every tensor and of the header into the metadata, by which `check` finds what has changed. Default: false. */
  readonly digests?: boolean
}

/**
 * Writes tensors and metadata to a safetensors file, replacing it only when all of it is on the disk.
 *
 * Tensors are laid out by element size, largest first, then by name: the file depends on the content alone, and every
 * tensor is aligned to its elements.
 *
 * @throws CheckpointError for an array that does not fit its dtype and shape, a bad name, or a failing write (a full
 *   disk); the old file is intact then and no partial file is left
 * @example
 * await writeSafetensors('net.safetensors', { w: { dtype: 'F32', shape: [2, 3], data: new Float32Array(6) } }, { step: '10' })
 */
export async function writeSafetensors(
  path: string,
  tensors: Readonly<Record<string, TensorSource>>,
  metadata: Readonly<Record<string, string>> = {},
  { digests = false }: WriteOptions = {},
): Promise<void> {
  requireLittleEndian(path)
  const header = layOut(path, tensors, metadata)
  const found = new Map<string, string>()
  const encoded = async (): Promise<Uint8Array> => encodeHeader(digests ? await withDigests(header, found) : header)
  const bytes = await encoded()
  if (bytes.length - 8 > MOST_HEADER_BYTES) {
    throw new CheckpointError(
      `${path}: expected a header of at most ${MOST_HEADER_BYTES} bytes, got ${bytes.length - 8}`,
    )
  }
  try {
    await replaceFile(path, async (file) => {
      await file.write(bytes)
      for (const [name, entry] of header.tensors) {
        const pieces = piecesOf(entry, tensors[name]?.data, `${path}[${name}]`)
        if (digests) found.set(name, await writeHashed(file, pieces))
        else for await (const piece of pieces) await file.write(piece)
      }
      if (digests) await file.rewrite(await encoded())
    })
  } catch (error) {
    if (error instanceof CheckpointError) throw error
    const got = error instanceof Error ? error.message : String(error)
    throw new CheckpointError(`${path}: expected to write the file, got ${got}; what was there before is unchanged`, {
      cause: error,
    })
  }
}

function layOut(
  path: string,
  tensors: Readonly<Record<string, TensorSource>>,
  metadata: Readonly<Record<string, string>>,
): Header {
  const width = ({ dtype }: TensorSource): number => ARRAYS[dtype].BYTES_PER_ELEMENT
  for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
    const where = `${path}[${name}]`
    if (name === '__metadata__')
      throw new CheckpointError(`${where}: expected another name for a tensor, got a reserved one`)
    if (!Object.hasOwn(ARRAYS, dtype)) throw new CheckpointError(`${where}: expected a known dtype, got ${dtype}`)
    if (typeof data !== 'function') checkData({ dtype, shape }, data, where)
  }
  if (Object.keys(tensors).length > MOST_TENSORS) {
    throw new CheckpointError(`${path}: expected at most ${MOST_TENSORS} tensors, got ${Object.keys(tensors).length}`)
  }
  for (const [key, value] of Object.entries(metadata)) {
    if (typeof value !== 'string') throw new CheckpointError(`${path}[${key}]: expected a string, got ${typeof value}`)
  }
  const order = Object.entries(tensors).sort(
    ([aName, a], [bName, b]) => width(b) - width(a) || (aName < bName ? -1 : aName > bName ? 1 : 0),
  )
  let at = 0
  const entries = order.map(([name, { dtype, shape }]): [string, TensorEntry] => {
    const begin = at
    at += byteLength({ dtype, shape }, `${path}[${name}]`)
    return [name, { dtype, shape: [...shape], begin, end: at }]
  })
  return { tensors: new Map(entries), metadata: new Map(Object.entries(metadata)) }
}

function byteLength({ dtype, shape }: Pick<TensorEntry, 'dtype' | 'shape'>, where: string): number {
  const bytes = byteLengthOf(dtype, shape)
  if (bytes === undefined) {
    throw new CheckpointError(
      `${where}: expected a shape of whole numbers of a countable size, got [${shape.join(', ')}]`,
    )
  }
  return bytes
}

function checkData(
  entry: Pick<TensorEntry, 'dtype' | 'shape'>,
  data: TensorArray | undefined,
  where: string,
): TensorArray {
  const kind = ARRAYS[entry.dtype]
  const length = byteLength(entry, where) / kind.BYTES_PER_ELEMENT
  if (data instanceof kind && data.length === length) return data
  const got = ArrayBuffer.isView(data) ? `${data.constructor.name} of length ${data.length}` : typeof data
  const expected = `${kind.name} of length ${length} for ${entry.dtype} [${entry.shape.join(', ')}]`
  throw new CheckpointError(`${where}: expected ${expected}, got ${got}`)
}

const bytesOf = (data: TensorArray): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)

/** The bytes of a tensor, in the pieces that they come in. */
async function* piecesOf(
  entry: TensorEntry,
  source: TensorSource['data'] | undefined,
  where: string,
): AsyncGenerator<Uint8Array> {
  const given = typeof source === 'function' ? await source() : source
  if (typeof given !== 'object' || !(Symbol.asyncIterator in given)) {
    yield bytesOf(checkData(entry, given, where))
    return
  }
  const kind = ARRAYS[entry.dtype]
  const length = byteLength(entry, where) / kind.BYTES_PER_ELEMENT
  let known = 0
  for await (const piece of given) {
    known += piece.length
    checkData({ dtype: entry.dtype, shape: [known <= length ? piece.length : 0] }, piece, where)
    yield bytesOf(piece)
  }
  if (known !== length) throw new CheckpointError(`${where}: expected ${length} elements in pieces, got ${known}`)
}

/** An open safetensors file whose header was checked; tensors are read one at a time. Close it after use. */
export interface SafetensorsFile {
  readonly path: string
  readonly metadata: ReadonlyMap<string, string>
  /** The tensors by name, in the file's order. */
  readonly tensors: ReadonlyMap<string, { readonly dtype: TensorDtype; readonly shape: readonly number[] }>
  /** Of all tensors. */
  readonly bytes: number
  /** Whether the file was written with digests, by which `check` finds what has changed. */
  readonly hasDigests: boolean
  /**
   * Reads one tensor.
   *
   * @throws CheckpointError when there is no tensor of that name, or the file was cut since it was opened
   */
  read(name: string): Promise<TensorArray>
  /**
   * Reads one tensor in pieces of `length` elements, the last one of what is left; each piece is written over by the next.
   *
   * @throws as `read`
   */
  pieces(name: string, length: number): AsyncGenerator<TensorArray>
  /**
   * Reads every tensor and compares it with its digest; false where the file has no digests. The header is compared on opening.
   *
   * @param onBytes called after each piece with the number of its bytes
   * @throws CheckpointError naming the first tensor that is not as it was written
   */
  check(onBytes?: (bytes: number) => void): Promise<boolean>
  /** Closes the file. */
  close(): Promise<void>
  /** The same, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Opens a safetensors file and checks its whole header; reads no tensor yet.
 *
 * @throws CheckpointError when it cannot be opened, is cut, or has a header that lies (see safetensors-header.ts)
 * @example
 * const file = await openSafetensors('net.safetensors')
 * const w = await file.read('w')
 * await file.close()
 */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  requireLittleEndian(path)
  let handle: FileHandle
  try {
    // Without waiting for a writer, for which a pipe would keep its reader for ever.
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    const got = error instanceof Error ? error.message : String(error)
    throw new CheckpointError(`${path}: expected a readable file, got ${got}`, { cause: error })
  }
  try {
    const { header: whole, dataStart } = await readHeader(handle, path)
    const { header, digests } = await takeDigests(whole, path)
    const close = (): Promise<void> => handle.close()
    return {
      path,
      ...header,
      bytes: [...header.tensors.values()].reduce((sum, { begin, end }) => sum + end - begin, 0),
      hasDigests: digests !== undefined,
      read: (name) => readTensor(handle, header.tensors.get(name), dataStart, `${path}[${name}]`),
      pieces: (name, length) => readPieces(handle, header.tensors.get(name), dataStart, length, `${path}[${name}]`),
      check: async (onBytes = () => undefined) => {
        const read: ReadAt = (into, at, where) => readAll(handle, into, dataStart + at, where)
        if (digests !== undefined) await compareDigests(read, header, digests, path, onBytes)
        return digests !== undefined
      },
      close,
      [Symbol.asyncDispose]: close,
    }
  } catch (error) {
    await handle.close()
    throw error
  }
}

async function readHeader(handle: FileHandle, path: string): Promise<{ header: Header; dataStart: number }> {
  const info = await handle.stat()
  if (!info.isFile() || info.size < 8) {
    const other = info.isDirectory() ? 'a folder' : info.isFIFO() ? 'a pipe' : 'something else'
    const got = info.isFile() ? `${info.size} bytes` : other
    throw new CheckpointError(`${path}: expected a file of 8 bytes or more, got ${got}`)
  }
  const prefix = new Uint8Array(8)
  await readAll(handle, prefix, 0, path)
  if (prefix.every((byte) => (byte >= 9 && byte <= 13) || (byte >= 32 && byte < 127))) {
    const got = `a text that begins with ${JSON.stringify(String.fromCharCode(...prefix))}`
    throw new CheckpointError(`${path}: expected a checkpoint in the form of safetensors, got ${got}`)
  }
  const length = new DataView(prefix.buffer).getBigUint64(0, true)
  if (length > BigInt(MOST_HEADER_BYTES)) {
    throw new CheckpointError(
      `${path}: expected a header of at most ${MOST_HEADER_BYTES} bytes, got ${length.toString()}`,
    )
  }
  const dataStart = 8 + Number(length)
  if (dataStart > info.size) {
    throw new CheckpointError(`${path}: expected ${dataStart} bytes or more for the header, got ${info.size}`)
  }
  const json = new Uint8Array(Number(length))
  await readAll(handle, json, 8, path)
  return { header: parseHeader(json, info.size - dataStart, path), dataStart }
}

function requireLittleEndian(path: string): void {
  if (endianness() !== 'LE')
    throw new CheckpointError(`${path}: expected a little-endian machine, got a big-endian one`)
}
