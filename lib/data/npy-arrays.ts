// Arrays for NumPy and from it: .npy files, and .npz archives of them (zip files, stored or deflated).
import { readFile } from 'node:fs/promises'
import { expectKind, is } from '../base/index.js'
import { DataError, reasonOf } from './errors.js'
import { npyHeader, parseNpyHeader } from './npy.js'

/** By NumPy's name of a type: what holds its values here. Bools are bytes. */
const ARRAYS = {
  '<f4': Float32Array,
  '<f8': Float64Array,
  '|i1': Int8Array,
  '<i2': Int16Array,
  '<i4': Int32Array,
  '<i8': BigInt64Array,
  '|u1': Uint8Array,
  '<u2': Uint16Array,
  '<u4': Uint32Array,
  '<u8': BigUint64Array,
  '|b1': Uint8Array,
} as const

type Descr = keyof typeof ARRAYS

/** The values of an array. */
export type NpyData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array

/** An array: its extents, and its values in C order. */
export interface NpyArray<D extends NpyData = NpyData> {
  readonly shape: readonly number[]
  readonly data: D
}

const bytesOf = Object.fromEntries(Object.entries(ARRAYS).map(([descr, kind]) => [descr, kind.BYTES_PER_ELEMENT]))

/**
 * Reads a .npy file: floats of 32 and 64 bits, integers, bools (as bytes).
 * @throws DataError for another file, another type of values (float16, complex numbers, texts, big-endian), Fortran's order, and a file that is not as
 *   long as it says
 * @example
 * const { shape, data } = await readNpy('features.npy') // numpy.save('features.npy', x)
 */
export async function readNpy(path: string): Promise<NpyArray> {
  expectKind('readNpy', 'path', is.text, path)
  return arrayOf(await bytesAt(path, '.npy'), path)
}

/**
 * Reads a .npz archive: its arrays by name.
 * @throws DataError as `readNpy`, and for what is no zip archive
 * @example
 * const { x, y } = await readNpz('set.npz') // numpy.savez('set.npz', x=x, y=y)
 */
export async function readNpz(path: string): Promise<Record<string, NpyArray>> {
  expectKind('readNpz', 'path', is.text, path)
  const bytes = await bytesAt(path, '.npz')
  // Importing the library reads no compression.
  const { readZip } = await import('./zip.js')
  const arrays: Record<string, NpyArray> = {}
  for (const { name, data } of readZip(bytes, path)) {
    if (!name.endsWith('.npy')) throw new DataError(`${path}: expected files of .npy, got ${name}`)
    const own = data()
    arrays[name.slice(0, -4)] = arrayOf(Buffer.from(own.buffer, own.byteOffset, own.length), `${path}: ${name}`)
  }
  return arrays
}

/**
 * Writes a .npy file, whole or not at all.
 * @throws DataError for values that do not fit the shape; the system's error where the file cannot be written
 * @example
 * await writeNpy('scores.npy', { shape: [100, 10], data: scores }) // numpy.load('scores.npy')
 */
export async function writeNpy(path: string, array: NpyArray): Promise<void> {
  expectKind('writeNpy', 'path', is.text, path)
  // Importing the library reads no digests.
  const { writeWhole } = await import('./cache.js')
  await writeWhole(path, bytesIn(array, `writeNpy[${path}]`))
}

/**
 * Writes a .npz archive of arrays by name, not compressed, as numpy.savez does; whole or not at all.
 * @throws DataError as `writeNpy`, and for an archive of 4 GiB or more
 * @example
 * await writeNpz('set.npz', { x: { shape: [100, 784], data: x }, y: { shape: [100], data: y } })
 */
export async function writeNpz(path: string, arrays: Readonly<Record<string, NpyArray>>): Promise<void> {
  expectKind('writeNpz', 'path', is.text, path)
  expectKind('writeNpz', 'arrays', is.object, arrays)
  const [{ writeZip }, { writeWhole }] = await Promise.all([import('./zip-writer.js'), import('./cache.js')])
  const files = Object.entries(arrays).map(([name, array]) => {
    return { name: `${name}.npy`, data: bytesIn(array, `writeNpz[${name}]`) }
  })
  await writeWhole(path, writeZip(files, path))
}

async function bytesAt(path: string, kind: string): Promise<Buffer> {
  return readFile(path).catch((error: unknown) => {
    throw new DataError(`${path}: expected a ${kind} file that can be read, got ${reasonOf(error)}`, { cause: error })
  })
}

function arrayOf(bytes: Buffer, where: string): NpyArray {
  const { descr, shape, start } = parseNpyHeader(bytes, bytes.length, where, bytesOf)
  // A copy of its own, which begins where every type may.
  const values = new Uint8Array(bytes.subarray(start))
  return { shape, data: new ARRAYS[descr as Descr](values.buffer) }
}

function bytesIn({ shape, data }: NpyArray, where: string): Buffer {
  const descr = (Object.keys(ARRAYS) as Descr[]).find((one) => data instanceof ARRAYS[one])
  const count = is.numbers.accepts(shape) ? shape.reduce((all, extent) => all * extent, 1) : NaN
  if (descr === undefined || data.length !== count) {
    const got = ArrayBuffer.isView(data) ? `${data.constructor.name} of ${data.length}` : typeof data
    throw new DataError(`${where}: expected a typed array of ${count} values for [${String(shape)}], got ${got}`)
  }
  return Buffer.concat([npyHeader(shape, descr), new Uint8Array(data.buffer, data.byteOffset, data.byteLength)])
}
