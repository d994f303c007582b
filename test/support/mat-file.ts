// Writes level 5 MAT-files, as MathWorks describes them, for readers to read.
import { deflateSync } from 'node:zlib'

/** An array of a file: its values as bytes of a data type, by columns. */
export interface MatValues {
  readonly name: string
  readonly extents: readonly number[]
  /** Class of the array: 6 double, 9 u8 ... */
  readonly kind?: number
  /** Data type of its values: 2 u8, 9 double ... */
  readonly type: number
  readonly data: Uint8Array
  /** Bytes that the tag says there are. Default: those of `data`. */
  readonly announced?: number
}

function word(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length)
  for (const [i, value] of values.entries()) bytes.writeUInt32LE(value >>> 0, 4 * i)
  return bytes
}

/** A tag and its data; up to four bytes stand in the tag itself. */
export function element(type: number, data: Uint8Array): Buffer {
  if (data.length <= 4) return Buffer.concat([word((data.length << 16) | type), data, Buffer.alloc(4 - data.length)])
  return Buffer.concat([word(type, data.length), data, Buffer.alloc((8 - (data.length % 8)) % 8)])
}

/** The tagged array, not compressed. */
export function matrix({ name, extents, kind = 9, type, data, announced }: MatValues): Buffer {
  const inner = [
    Buffer.concat([word(6, 8), word(kind, 0)]),
    element(5, Buffer.concat(extents.map((extent) => word(extent)))),
    element(1, Buffer.from(name, 'latin1')),
    announced === undefined ? element(type, data) : Buffer.concat([word(type, announced), data]),
  ]
  return element(14, Buffer.concat(inner))
}

/** A whole file. */
export function matFile(arrays: readonly MatValues[], compressed = true): Buffer {
  const header = Buffer.alloc(128, ' ')
  header.write('MATLAB 5.0 MAT-file, written for a test', 0, 'latin1')
  header.fill(0, 116, 124)
  header.writeUInt16LE(0x0100, 124)
  header.write('IM', 126, 'latin1')
  const parts = arrays.map((array) => {
    if (!compressed) return matrix(array)
    const packed = deflateSync(matrix(array))
    return Buffer.concat([word(15, packed.length), packed])
  })
  return Buffer.concat([header, ...parts])
}

/** Bytes of doubles. */
export function doubles(values: readonly number[]): Uint8Array {
  return new Uint8Array(Float64Array.from(values).buffer)
}
