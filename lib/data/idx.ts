// The IDX format of the MNIST files (http://yann.lecun.com/exdb/mnist): two zero bytes, an element type, the rank, the
// extents and the values, all big-endian. Reads types u8, i32 and f32; the file's size must be exactly what it announces.
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import type { FieldArray, FieldDtype } from './dataset.js'
import { DataError, reasonOf } from './errors.js'

/** Element types by their code, with the bytes of one element. */
const TYPES: Readonly<Record<number, { readonly dtype: FieldDtype; readonly bytes: number }>> = {
  0x08: { dtype: 'u8', bytes: 1 },
  0x0c: { dtype: 'i32', bytes: 4 },
  0x0d: { dtype: 'f32', bytes: 4 },
}
/** A compressed file may grow to this size and no further: a hostile one must not fill the memory. */
const MOST_BYTES = 2 ** 30

/** The content of an IDX file. */
export interface IdxArray {
  readonly dtype: FieldDtype
  readonly shape: readonly number[]
  readonly data: FieldArray
}

/**
 * Parses the bytes of an IDX file; `u8` data is a view of them, other types are converted.
 *
 * @param name what to call the file in errors
 * @throws DataError for a wrong magic number, an unsupported element type, or a size other than the announced one
 * @example
 * const { shape, data } = parseIdx(await readFile('train-labels-idx1-ubyte'), 'train labels')
 */
export function parseIdx(bytes: Uint8Array, name: string): IdxArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 4)
    throw new DataError(`${name}: expected an IDX header of 4 bytes or more, got ${bytes.length} bytes`)
  const magic = view.getUint32(0)
  const type = TYPES[(magic >>> 8) & 0xff]
  if (magic >>> 16 !== 0 || type === undefined) {
    const got = `0x${magic.toString(16).padStart(8, '0')}`
    throw new DataError(`${name}: expected an IDX magic number 0x000008nn, 0x00000cnn or 0x00000dnn, got ${got}`)
  }
  const rank = magic & 0xff
  const start = 4 + 4 * rank
  if (bytes.length < start) {
    throw new DataError(`${name}: expected ${start} bytes of IDX header (rank ${rank}), got ${bytes.length} bytes`)
  }
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis))
  // Extents are 32 bits and hostile: the product is taken without rounding.
  const expected = BigInt(start) + BigInt(type.bytes) * shape.reduce((size, extent) => size * BigInt(extent), 1n)
  if (expected !== BigInt(bytes.length)) {
    throw new DataError(`${name}: expected ${expected} bytes for shape [${shape.join(', ')}], got ${bytes.length}`)
  }
  return { dtype: type.dtype, shape, data: valuesOf(type.dtype, bytes.subarray(start)) }
}

function valuesOf(dtype: FieldDtype, bytes: Uint8Array): FieldArray {
  if (dtype === 'u8') return bytes
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const length = bytes.length / 4
  if (dtype === 'i32') return Int32Array.from({ length }, (_, index) => view.getInt32(4 * index))
  return Float32Array.from({ length }, (_, index) => view.getFloat32(4 * index))
}

/**
 * Reads an IDX file, compressed by gzip or not (told by its first bytes, whatever its name).
 *
 * @throws DataError when it cannot be read, is not valid gzip, grows beyond 1 GiB, or is not valid IDX
 */
export async function readIdx(path: string): Promise<IdxArray> {
  let bytes: Uint8Array
  try {
    bytes = await readFile(path)
  } catch (error) {
    throw new DataError(`${path}: expected a readable IDX file, got ${reasonOf(error)}`, { cause: error })
  }
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    const { gunzip } = await import('node:zlib')
    try {
      bytes = await promisify(gunzip)(bytes, { maxOutputLength: MOST_BYTES })
    } catch (error) {
      const expected = `whole gzip data of at most ${MOST_BYTES} bytes`
      throw new DataError(`${path}: expected ${expected}, got ${reasonOf(error)}`, { cause: error })
    }
  }
  return parseIdx(bytes, path)
}
