// `digitStruct.mat` of SVHN: MATLAB 7.3, which is HDF5. Two columns of references, `name` to texts and `bbox` to groups of `height`, `left`,
// `top`, `width` and `label`; each of these is a number, or, of several digits, a column of references to numbers. The package h5wasm, an
// optional peer, reads the format.
import { open } from 'node:fs/promises'
import { DataError, reasonOf } from '../errors.js'

/** The part of h5wasm that is used; said here, as its types are absent where it is not installed. */
interface Hdf5 {
  readonly ready: Promise<{ activate_throwing_error_handler?: () => unknown }>
  readonly File: new (path: string, mode: 'r') => Hdf5Group & { close(): unknown }
}

interface Hdf5Group extends Referable {
  keys(): string[]
  get(name: string): Hdf5Group | Hdf5Dataset | null
}

interface Hdf5Dataset extends Referable {
  readonly value: unknown
}

interface Referable {
  create_reference(): Hdf5Reference
}

interface Hdf5Reference {
  /** The address of what it refers to, as bytes. */
  readonly ref_data: ArrayLike<number>
}

const FIELDS = ['label', 'left', 'top', 'width', 'height'] as const
const SIGNATURE = '\x89HDF\r\n\x1a\n'

/**
 * The images of a file, as its values are: nobody has looked whether they are digits and boxes.
 * @throws DataError where it cannot be read, is damaged or of another form; where h5wasm is not installed
 */
export async function readDigitStructMat(path: string): Promise<unknown[]> {
  await checkSignature(path)
  const { File } = await loadHdf5()
  let file: InstanceType<Hdf5['File']> | undefined
  try {
    file = new File(path, 'r')
    return imagesOf(file)
  } catch (error) {
    // The library says the place in itself that failed, line after line.
    const reason = (reasonOf(error).split('\n')[1] ?? reasonOf(error)).replace(/^.*\(\): /, '').trim()
    throw new DataError(`${path}: expected a whole digitStruct.mat, got ${reason}`, { cause: error })
  } finally {
    file?.close()
  }
}

/** HDF5's own mark stands behind a block of the user's, of 512 bytes times a power of two; MATLAB's has 512. */
async function checkSignature(path: string): Promise<void> {
  let head: Buffer
  try {
    const file = await open(path, 'r')
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(520), 0, 520, 0)
      head = buffer.subarray(0, bytesRead)
    } finally {
      await file.close()
    }
  } catch (error) {
    throw new DataError(`${path}: expected a file that can be read, got ${reasonOf(error)}`, { cause: error })
  }
  if ([0, 512].some((at) => head.toString('latin1', at, at + 8) === SIGNATURE)) return
  const got = head.toString('latin1', 0, 10) === 'MATLAB 5.0' ? 'one of MATLAB 5' : 'another file'
  throw new DataError(`${path}: expected a file of MATLAB 7.3 (HDF5), got ${got}`)
}

/** @throws DataError where the package is not installed, with what to run */
async function loadHdf5(): Promise<Hdf5> {
  const name = 'h5wasm/node'
  try {
    const { default: library } = (await import(name)) as { readonly default: Hdf5 }
    const engine = await library.ready
    // Otherwise it prints what is wrong, and goes on.
    engine.activate_throwing_error_handler?.()
    return library
  } catch (error) {
    const got = reasonOf(error) === 'ERR_MODULE_NOT_FOUND' ? 'none' : reasonOf(error)
    const how = 'Run: npm install h5wasm (or give digitStruct.json or digitStruct.csv)'
    throw new DataError(`digitStruct: expected the package h5wasm, which reads HDF5, got ${got}. ${how}`, {
      cause: error,
    })
  }
}

function imagesOf(file: Hdf5Group): unknown[] {
  const [names, boxes] = [referencesOf(file, 'digitStruct/name'), referencesOf(file, 'digitStruct/bbox')]
  if (names.length !== boxes.length) throw new Error(`${names.length} names of ${boxes.length} images`)
  const referred = referredOf(file)
  const at = (reference: Hdf5Reference): Hdf5Group | Hdf5Dataset => {
    const found = referred.get(keyOf(reference))
    if (found === undefined) throw new Error('a reference to nothing')
    return found
  }
  return names.map((name, i) => {
    const filename = String.fromCharCode(...numbersOf(at(name)))
    const group = at(boxes[i]!)
    const columns = FIELDS.map((field) => {
      const dataset = 'keys' in group ? group.get(field) : null
      if (dataset === null) throw new Error(`an image without ${field}`)
      const value = valueOf(dataset)
      return isReferences(value) ? value.flatMap((one) => numbersOf(at(one))) : numbersOf(dataset)
    })
    const count = columns[0]!.length
    if (columns.some(({ length }) => length !== count))
      throw new Error(`${filename} with other numbers of labels than boxes`)
    const digits = Array.from({ length: count }, (_, digit) =>
      Object.fromEntries(FIELDS.map((field, column) => [field, columns[column]![digit]])),
    )
    return { filename, boxes: digits }
  })
}

/**
 * What the group of all that is referred to holds, by its address. The library finds the name of a reference by a walk over all names, which
 * takes hours for the 400,000 of the training images; the addresses of all names take seconds.
 */
function referredOf(file: Hdf5Group): ReadonlyMap<string, Hdf5Group | Hdf5Dataset> {
  const group = file.get('#refs#')
  if (group === null || !('keys' in group)) throw new Error('no group #refs#')
  const found = new Map<string, Hdf5Group | Hdf5Dataset>()
  for (const name of group.keys()) {
    const one = group.get(name)
    if (one !== null) found.set(keyOf(one.create_reference()), one)
  }
  return found
}

function keyOf({ ref_data: address }: Hdf5Reference): string {
  return String.fromCharCode(...Array.from(address))
}

function valueOf(found: Hdf5Group | Hdf5Dataset): unknown {
  if ('keys' in found) throw new Error('a group in the place of values')
  return found.value
}

function referencesOf(file: Hdf5Group, name: string): readonly Hdf5Reference[] {
  const found = file.get(name)
  const value = found === null ? undefined : valueOf(found)
  if (isReferences(value)) return value
  throw new Error(`no references ${name}`)
}

function isReferences(value: unknown): value is readonly Hdf5Reference[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'object' && one !== null && 'ref_data' in one)
}

function numbersOf(found: Hdf5Group | Hdf5Dataset): number[] {
  const value = valueOf(found)
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return Array.from(value as Float64Array, Number)
  throw new Error('values that are no numbers')
}
