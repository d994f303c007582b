// What the tests of this room share.

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
