// Writes zip files of files that are stored as they are: what NumPy's .npz archives are.
import { crc32 } from 'node:zlib'
import { DataError } from './errors.js'

/** A file of the archive. */
export interface StoredFile {
  readonly name: string
  readonly data: Uint8Array
}

/** Names are UTF-8. */
const FLAGS = 0x0800
/** The version of the format that readers need, 2.0; and a date, 1980-01-01: the archive depends on its files alone. */
const VERSION = 20
const DATE = 0x0021
/** Sizes and places are of 32 bits. */
const MOST = 2 ** 32 - 1

/**
 * The archive of these files, in their order.
 * @param archive what to call it in errors
 * @throws DataError for 4 GiB or more, and for more than 65,535 files
 */
export function writeZip(files: readonly StoredFile[], archive: string): Buffer {
  const parts: Uint8Array[] = []
  const directory: Uint8Array[] = []
  let at = 0
  for (const { name, data } of files) {
    const text = Buffer.from(name)
    const about = Buffer.alloc(26)
    about.writeUInt16LE(VERSION, 0)
    about.writeUInt16LE(FLAGS, 2)
    about.writeUInt16LE(DATE, 8)
    about.writeUInt32LE(crc32(data), 10)
    about.writeUInt32LE(Math.min(data.length, MOST), 14)
    about.writeUInt32LE(Math.min(data.length, MOST), 18)
    about.writeUInt16LE(text.length, 22)
    const place = Buffer.alloc(14)
    place.writeUInt32LE(Math.min(at, MOST), 10)
    directory.push(Buffer.from('PK\x01\x02\x14\0', 'latin1'), about, place, text)
    parts.push(Buffer.from('PK\x03\x04', 'latin1'), about, text, data)
    at += 4 + about.length + text.length + data.length
  }
  if (at > MOST || files.length > 0xffff) {
    throw new DataError(
      `${archive}: expected less than 4 GiB in at most 65,535 files, got ${at} bytes in ${files.length}`,
    )
  }
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 0, 'latin1')
  end.writeUInt16LE(files.length, 8)
  end.writeUInt16LE(files.length, 10)
  end.writeUInt32LE(
    directory.reduce((sum, { length }) => sum + length, 0),
    12,
  )
  end.writeUInt32LE(at, 16)
  return Buffer.concat([...parts, ...directory, end])
}
