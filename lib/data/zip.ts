// A reader for zip files: the files that their central directory lists, stored or deflated. Refuses encryption, zip64, and what does not
// have the size and the checksum that the directory says.
import { crc32, inflateRawSync } from 'node:zlib'
import { DataError } from './errors.js'

const END = 0x06054b50
const END_BYTES = 22
const ENTRY = 0x02014b50
const ENTRY_BYTES = 46
const LOCAL = 0x04034b50
const LOCAL_BYTES = 30
/** The comment behind the end of the directory has at most so many bytes. */
const MOST_COMMENT = 0xffff

/** A file of an archive. */
export interface ZipEntry {
  readonly name: string
  /** Unpacks it. @throws DataError where it is damaged */
  readonly data: () => Uint8Array
}

/**
 * The files of a zip archive, in the order of its directory; folders are left out.
 * @param archive what to call it in errors
 * @throws DataError for what is no zip archive, or one of a kind that is not read
 * @example
 * for (const { name, data } of readZip(bytes, 'brown.zip')) console.log(name, data().length)
 */
export function* readZip(bytes: Uint8Array, archive: string): Generator<ZipEntry, void, undefined> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const end = endOf(view, archive)
  const count = view.getUint16(end + 10, true)
  let at = view.getUint32(end + 16, true)
  for (let entry = 0; entry < count; entry++) {
    if (at + ENTRY_BYTES > end || view.getUint32(at, true) !== ENTRY) {
      throw new DataError(`${archive}: expected ${count} entries in the directory, got ${entry}`)
    }
    const [nameBytes, extra, comment] = [28, 30, 32].map((offset) => view.getUint16(at + offset, true))
    const name = new TextDecoder().decode(bytes.subarray(at + ENTRY_BYTES, at + ENTRY_BYTES + nameBytes!))
    const place = at
    if (!name.endsWith('/')) yield { name, data: () => unpacked(bytes, view, place, `${archive}: ${name}`) }
    at += ENTRY_BYTES + nameBytes! + extra! + comment!
  }
}

/** Where the end of the directory stands: the last place that looks like one. */
function endOf(view: DataView, archive: string): number {
  const last = view.byteLength - END_BYTES
  for (let at = last; at >= Math.max(0, last - MOST_COMMENT); at--) {
    if (view.getUint32(at, true) === END) return at
  }
  throw new DataError(`${archive}: expected a zip archive, got ${view.byteLength} bytes without its directory`)
}

/** The contents of the file whose entry in the directory stands at `at`. */
function unpacked(bytes: Uint8Array, view: DataView, at: number, where: string): Uint8Array {
  const [flags, method] = [view.getUint16(at + 8, true), view.getUint16(at + 10, true)]
  if ((flags & 1) !== 0 || (method !== 0 && method !== 8)) {
    throw new DataError(`${where}: expected a file that is stored or deflated, got method ${method}, flags ${flags}`)
  }
  const [sum, packed, size, local] = [16, 20, 24, 42].map((offset) => view.getUint32(at + offset, true)) as [
    number,
    number,
    number,
    number,
  ]
  if (local + LOCAL_BYTES > bytes.length || view.getUint32(local, true) !== LOCAL) {
    throw new DataError(`${where}: expected a file at ${local}, got none`)
  }
  const from = local + LOCAL_BYTES + view.getUint16(local + 26, true) + view.getUint16(local + 28, true)
  const data = inflated(bytes.subarray(from, from + packed), method === 8, size, where)
  if (data.length === size && crc32(data) === sum) return data
  throw new DataError(`${where}: expected ${size} bytes with checksum ${sum}, got ${data.length} of other contents`)
}

function inflated(data: Uint8Array, deflated: boolean, size: number, where: string): Uint8Array {
  if (!deflated) return data
  try {
    return inflateRawSync(data, { maxOutputLength: Math.max(1, size) })
  } catch (error) {
    throw new DataError(`${where}: expected a file that can be unpacked, got a damaged one`, { cause: error })
  }
}
