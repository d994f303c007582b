// As much of MATLAB's level 5 MAT-file format (MathWorks, "MAT-File Format") as the ImageNet devkit's meta.mat needs: a
// struct array `synsets` whose elements have a number ILSVRC2012_ID and a text WNID. Everything else is passed over by its length.
import { inflateSync } from 'node:zlib'
import { DataError } from '../errors.js'

const HEADER = 128
const MOST_BYTES = 2 ** 26
/** Data types, and array classes, of the format. */
const [COMPRESSED, MATRIX] = [15, 14]
const [STRUCT, CHAR] = [2, 4]
/** Readers of numeric data types, and the bytes of one element. */
const NUMBERS: Readonly<Record<number, readonly [number, (view: DataView, at: number) => number]>> = {
  1: [1, (view, at) => view.getInt8(at)],
  2: [1, (view, at) => view.getUint8(at)],
  3: [2, (view, at) => view.getInt16(at, true)],
  4: [2, (view, at) => view.getUint16(at, true)],
  5: [4, (view, at) => view.getInt32(at, true)],
  6: [4, (view, at) => view.getUint32(at, true)],
  7: [4, (view, at) => view.getFloat32(at, true)],
  9: [8, (view, at) => view.getFloat64(at, true)],
  16: [1, (view, at) => view.getUint8(at)],
  17: [2, (view, at) => view.getUint16(at, true)],
}

/** A tagged piece of the file: its type, and where its data lies. */
interface Element {
  readonly type: number
  readonly data: Uint8Array
}

/** Whether bytes begin as a level 5 MAT-file. */
export function isMatFile(bytes: Uint8Array): boolean {
  return new TextDecoder().decode(bytes.subarray(0, 19)) === 'MATLAB 5.0 MAT-file'
}

/**
 * ILSVRC2012_ID -> WNID of the struct array `synsets`.
 * @throws DataError where the file is damaged, or has no such array
 */
export function readSynsets(bytes: Uint8Array, path: string): ReadonlyMap<number, string> {
  try {
    for (const { type, data } of elements(bytes.subarray(HEADER))) {
      const [element] =
        type === COMPRESSED ? elements(inflateSync(data, { maxOutputLength: MOST_BYTES })) : [{ type, data }]
      const found = element?.type === MATRIX ? synsetsOf(element.data) : undefined
      if (found !== undefined) return found
    }
  } catch (error) {
    const got = error instanceof Error ? error.message : String(error)
    throw new DataError(`${path}: expected a whole MAT-file, got ${got}`, { cause: error })
  }
  throw new DataError(`${path}: expected an array synsets with WNID and ILSVRC2012_ID, got none`)
}

/** Elements one after the other; small ones hold their data in the tag. Padding to 8 bytes follows all but compressed ones. */
function* elements(bytes: Uint8Array): Generator<Element, void, undefined> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  while (at + 8 <= bytes.length) {
    const word = view.getUint32(at, true)
    const small = word >>> 16 !== 0
    const type = small ? word & 0xffff : word
    const length = small ? word >>> 16 : view.getUint32(at + 4, true)
    const from = small ? at + 4 : at + 8
    if (from + length > bytes.length)
      throw new Error(`an element that ends ${from + length - bytes.length} bytes too late`)
    yield { type, data: bytes.subarray(from, from + length) }
    at = small ? at + 8 : from + length + (type === COMPRESSED ? 0 : (8 - (length % 8)) % 8)
  }
}

function numbers({ type, data }: Element): number[] {
  const [size, read] = NUMBERS[type] ?? [1, () => NaN]
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  return Array.from({ length: Math.floor(data.length / size) }, (_, i) => read(view, i * size))
}

function textOf(element: Element): string {
  return String.fromCharCode(...numbers(element)).replace(/\0+$/, '')
}

/** An array: flags, extents, name, and then what its class has. */
function matrixOf(data: Uint8Array): {
  readonly kind: number
  readonly name: string
  readonly rest: readonly Element[]
} {
  const [flags, , name, ...rest] = [...elements(data)]
  if (flags === undefined || name === undefined) return { kind: 0, name: '', rest: [] }
  return { kind: (numbers(flags)[0] ?? 0) & 0xff, name: textOf(name), rest }
}

/** The two fields of the struct array, where this is it: length of a name, names, then the fields of each element in turn. */
function synsetsOf(data: Uint8Array): ReadonlyMap<number, string> | undefined {
  const { kind, name, rest } = matrixOf(data)
  const [width, names, ...cells] = rest
  if (kind !== STRUCT || name !== 'synsets' || width === undefined || names === undefined) return undefined
  const size = numbers(width)[0] ?? 0
  const fields = (new TextDecoder().decode(names.data).match(new RegExp(`[^]{${Math.max(1, size)}}`, 'g')) ?? []).map(
    (field) => field.replace(/\0[^]*$/, ''),
  )
  const [wnid, id] = [fields.indexOf('WNID'), fields.indexOf('ILSVRC2012_ID')]
  if (wnid < 0 || id < 0) return undefined
  const found = new Map<number, string>()
  for (let at = 0; at + fields.length <= cells.length; at += fields.length) {
    const [number] = valuesOf(cells[at + id]!)
    const text = String.fromCharCode(...valuesOf(cells[at + wnid]!, CHAR))
    if (number !== undefined) found.set(number, text)
  }
  return found
}

/** The numbers of an array of numbers or letters. */
function valuesOf({ data }: Element, wanted?: number): number[] {
  const { kind, rest } = matrixOf(data)
  const [values] = rest
  return values === undefined || (wanted !== undefined && kind !== wanted) ? [] : numbers(values)
}
