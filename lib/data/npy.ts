// NumPy's array files (NEP 1, versions 1 to 3): a magic number, a header that is a Python dictionary, and the values. Reads the header
// and refuses what is not as it says; writes arrays of bytes.
import { open } from 'node:fs/promises'
import { DataError, reasonOf } from './errors.js'

const MAGIC = '\x93NUMPY'
/** Bytes of the longest header that is believed. */
const MOST_HEADER = 4096

/** What a header says, and where the values begin. */
export interface NpyHeader {
  /** As NumPy writes it: `|u1`, `<f4` ... */
  readonly descr: string
  readonly shape: readonly number[]
  readonly start: number
}

/** The header of an array in C order, of bytes unless told, padded so that the values begin at a multiple of 64. */
export function npyHeader(shape: readonly number[], descr = '|u1'): Uint8Array {
  const extents = shape.length === 1 ? `${shape[0]},` : shape.join(', ')
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${extents}), }`
  const bytes = Math.ceil((10 + text.length + 1) / 64) * 64
  const header = Buffer.alloc(bytes, ' ')
  header.write(MAGIC, 0, 'latin1')
  header.writeUInt8(1, 6)
  header.writeUInt8(0, 7)
  header.writeUInt16LE(bytes - 10, 8)
  header.write(`${text}${' '.repeat(bytes - 11 - text.length)}\n`, 10, 'latin1')
  return header
}

/**
 * Reads the header of a file.
 * @throws DataError where it is no such file, in Fortran's order, or of another size than it says
 */
export async function readNpyHeader(path: string, bytesOf: Readonly<Record<string, number>>): Promise<NpyHeader> {
  try {
    const file = await open(path, 'r')
    try {
      const { size } = await file.stat()
      const { buffer, bytesRead } = await file.read(Buffer.alloc(MOST_HEADER + 12), 0, MOST_HEADER + 12, 0)
      return parseNpyHeader(buffer.subarray(0, bytesRead), size, path, bytesOf)
    } finally {
      await file.close()
    }
  } catch (error) {
    if (error instanceof DataError) throw error
    throw new DataError(`${path}: expected a .npy file that can be read, got ${reasonOf(error)}`, { cause: error })
  }
}

/**
 * Reads a header of a file of `size` bytes from its first ones.
 * @param bytesOf of a value, by the types that are taken
 * @throws DataError as `readNpyHeader`
 */
export function parseNpyHeader(
  bytes: Buffer,
  size: number,
  path: string,
  bytesOf: Readonly<Record<string, number>>,
): NpyHeader {
  const header = parsed(bytes, path)
  const each = Object.hasOwn(bytesOf, header.descr) ? bytesOf[header.descr] : undefined
  if (each === undefined) {
    throw new DataError(`${path}: expected values of ${Object.keys(bytesOf).join(', ')}, got ${header.descr}`)
  }
  // Extents are hostile: the product is taken without rounding.
  const expected = header.shape.reduce((all, extent) => all * BigInt(extent), BigInt(each)) + BigInt(header.start)
  if (expected !== BigInt(size)) {
    throw new DataError(`${path}: expected ${expected} bytes for [${header.shape.join(', ')}], got ${size}`)
  }
  return header
}

function parsed(bytes: Buffer, path: string): NpyHeader {
  const version = bytes[6]
  if (
    bytes.length < 12 ||
    bytes.toString('latin1', 0, 6) !== MAGIC ||
    version === undefined ||
    version < 1 ||
    version > 3
  ) {
    throw new DataError(`${path}: expected a .npy file of version 1 to 3, got another file`)
  }
  const [from, length] = version === 1 ? [10, bytes.readUInt16LE(8)] : [12, bytes.readUInt32LE(8)]
  const text = length <= MOST_HEADER ? bytes.toString('latin1', from, from + length) : ''
  const descr = /'descr':\s*'([^']+)'/.exec(text)?.[1]
  const order = /'fortran_order':\s*(True|False)/.exec(text)?.[1]
  const extents = /'shape':\s*\(([\d\s,]*)\)/.exec(text)?.[1]
  if (descr === undefined || order === undefined || extents === undefined || from + length > bytes.length) {
    throw new DataError(`${path}: expected a header with descr, fortran_order and shape, got another`)
  }
  if (order === 'True') throw new DataError(`${path}: expected an array in C order, got one in Fortran's`)
  const shape = extents.split(',').flatMap((extent) => (extent.trim() === '' ? [] : [Number(extent)]))
  if (!shape.every(Number.isSafeInteger)) throw new DataError(`${path}: expected whole extents, got ${extents}`)
  return { descr, shape, start: from + length }
}
