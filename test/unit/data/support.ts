// What the tests of this room share.
import { crc32, deflateRawSync } from 'node:zlib'

/** Everything that an iterable gives, as an array. */
export async function collectAll<T>(items: AsyncIterable<T> | Iterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

/** The bytes of an IDX file. */
export function idx(type: number, shape: readonly number[], values: readonly number[]): Uint8Array {
  const header = new DataView(new ArrayBuffer(4 + 4 * shape.length))
  header.setUint32(0, (type << 8) | shape.length)
  shape.forEach((extent, axis) => {
    header.setUint32(4 + 4 * axis, extent)
  })
  return Uint8Array.from([...new Uint8Array(header.buffer), ...values])
}

/** One entry of a tar archive: header and padded data. */
export function tarEntry(name: string, data: Uint8Array, type = '0'): Uint8Array {
  const size = 512 + Math.ceil(data.length / 512) * 512
  const entry = Buffer.alloc(size)
  entry.write(name, 0)
  entry.write(`${data.length.toString(8).padStart(11, '0')}\0`, 124)
  entry.write(`        ${type}`, 148)
  entry.write('ustar\0', 257)
  const sum = entry.subarray(0, 512).reduce((total, byte) => total + byte, 0)
  entry.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  entry.set(data, 512)
  return entry
}

/** A whole tar archive. */
export function tarOf(...entries: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat([...entries, Buffer.alloc(1024)])
}

/** A file of a zip archive. */
interface Given {
  readonly name: string
  readonly text: string
  readonly stored?: boolean
  readonly flags?: number
}

/** A zip archive with a comment behind it. */
export function zipOf(files: readonly Given[]): Buffer {
  const locals: Buffer[] = []
  const entries: Buffer[] = []
  let at = 0
  for (const { name, text, stored = false, flags = 0 } of files) {
    const bytes = Buffer.from(text)
    const data = stored ? bytes : deflateRawSync(bytes)
    const local = Buffer.alloc(30)
    local.writeUInt32LE(0x04034b50)
    local.writeUInt16LE(name.length, 26)
    // An extra field, as zip tools write for times.
    local.writeUInt16LE(5, 28)
    const entry = Buffer.alloc(46)
    entry.writeUInt32LE(0x02014b50)
    entry.writeUInt16LE(flags, 8)
    entry.writeUInt16LE(stored ? 0 : 8, 10)
    entry.writeUInt32LE(crc32(bytes), 16)
    entry.writeUInt32LE(data.length, 20)
    entry.writeUInt32LE(bytes.length, 24)
    entry.writeUInt16LE(name.length, 28)
    entry.writeUInt32LE(at, 42)
    locals.push(local, Buffer.from(name), Buffer.alloc(5), data)
    entries.push(entry, Buffer.from(name))
    at += 30 + name.length + 5 + data.length
  }
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50)
  end.writeUInt16LE(files.length, 10)
  end.writeUInt32LE(at, 16)
  return Buffer.concat([...locals, ...entries, end, Buffer.from('a comment')])
}
