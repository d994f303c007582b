// MATLAB's level 5 MAT-file format (MathWorks, "MAT-File Format"): a header, and tagged elements, each whole in memory.
// Little-endian files alone: MATLAB writes no others on today's machines.

export const HEADER = 128
/** Types of elements that hold others. */
export const TYPES = { matrix: 14, compressed: 15 } as const
/** Classes of arrays: the numeric ones are from `double` to `u64`. */
export const ARRAYS = { struct: 2, text: 4, double: 6, u8: 9, u64: 15 } as const
/** The data type of bytes without a sign. */
export const U8 = 2

/** Readers of numeric data types, and the bytes of one element. */
export const NUMBERS: Readonly<Record<number, readonly [bytes: number, read: (view: DataView, at: number) => number]>> =
  {
    1: [1, (view, at) => view.getInt8(at)],
    2: [1, (view, at) => view.getUint8(at)],
    3: [2, (view, at) => view.getInt16(at, true)],
    4: [2, (view, at) => view.getUint16(at, true)],
    5: [4, (view, at) => view.getInt32(at, true)],
    6: [4, (view, at) => view.getUint32(at, true)],
    7: [4, (view, at) => view.getFloat32(at, true)],
    9: [8, (view, at) => view.getFloat64(at, true)],
    12: [8, (view, at) => Number(view.getBigInt64(at, true))],
    13: [8, (view, at) => Number(view.getBigUint64(at, true))],
    16: [1, (view, at) => view.getUint8(at)],
    17: [2, (view, at) => view.getUint16(at, true)],
  }

/** A tagged piece of the file: its type, and its data. */
export interface MatElement {
  readonly type: number
  readonly data: Uint8Array
}

/** What a tag says: a small element holds its data in it. */
export interface MatTag {
  readonly type: number
  readonly bytes: number
  /** Whether the data stands in the second half of the tag. */
  readonly small: boolean
}

/** Reads the eight bytes of a tag at `at`. */
export function tagAt(view: DataView, at: number): MatTag {
  const word = view.getUint32(at, true)
  if (word >>> 16 !== 0) return { type: word & 0xffff, bytes: word >>> 16, small: true }
  return { type: word, bytes: view.getUint32(at + 4, true), small: false }
}

/** Whether bytes begin as a level 5 MAT-file. */
export function isMatFile(bytes: Uint8Array): boolean {
  return new TextDecoder().decode(bytes.subarray(0, 19)) === 'MATLAB 5.0 MAT-file'
}

/**
 * Elements one after the other. Padding to 8 bytes follows all but compressed ones.
 * @throws Error for one that is longer than what there is
 */
export function* elements(bytes: Uint8Array): Generator<MatElement, void, undefined> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  while (at + 8 <= bytes.length) {
    const { type, bytes: length, small } = tagAt(view, at)
    const from = small ? at + 4 : at + 8
    if (from + length > bytes.length)
      throw new Error(`an element that ends ${from + length - bytes.length} bytes too late`)
    yield { type, data: bytes.subarray(from, from + length) }
    at = small ? at + 8 : from + length + (type === TYPES.compressed ? 0 : paddingOf(length))
  }
}

/** Bytes between the data of an element and the next tag. */
export function paddingOf(bytes: number): number {
  return (8 - (bytes % 8)) % 8
}

/** The values of an element of numbers; NaN for each byte of another type. */
export function numbers({ type, data }: MatElement): number[] {
  const [size, read] = NUMBERS[type] ?? [1, () => NaN]
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  return Array.from({ length: Math.floor(data.length / size) }, (_, i) => read(view, i * size))
}

/** The letters of an element. */
export function textOf(element: MatElement): string {
  return String.fromCharCode(...numbers(element)).replace(/\0+$/, '')
}

/** An array: flags, extents, name, and then what its class has. */
export function matrixOf(data: Uint8Array): {
  readonly kind: number
  readonly name: string
  readonly rest: readonly MatElement[]
} {
  const [flags, , name, ...rest] = [...elements(data)]
  if (flags === undefined || name === undefined) return { kind: 0, name: '', rest: [] }
  return { kind: (numbers(flags)[0] ?? 0) & 0xff, name: textOf(name), rest }
}
