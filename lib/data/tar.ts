// A reader for the tar files that npm makes (ustar: 512-byte headers, octal numbers, data padded to 512 bytes).
// Gives regular files only; refuses links, devices and every path that would leave the folder it is unpacked in.
import { DataError } from './errors.js'

const BLOCK = 512

/** A regular file of an archive; `data` is a view of the archive's bytes. */
export interface TarEntry {
  readonly name: string
  readonly data: Uint8Array
}

/**
 * The regular files of an uncompressed tar archive, in order.
 *
 * @param archive what to call the archive in errors
 * @throws DataError for a bad checksum, a truncated file, an unsafe path or an entry that is no file or folder
 * @example
 * for (const { name, data } of readTar(gunzipSync(bytes), 'x.tgz')) console.log(name, data.length)
 */
export function* readTar(bytes: Uint8Array, archive: string): Generator<TarEntry, void, undefined> {
  let at = 0
  while (at < bytes.length) {
    const header = bytes.subarray(at, at + BLOCK)
    if (header.length < BLOCK) {
      throw new DataError(`${archive}: expected a tar header of ${BLOCK} bytes at ${at}, got ${header.length} bytes`)
    }
    // An all-zero block ends the archive.
    if (header.every((byte) => byte === 0)) return
    checkSum(header, archive, at)
    const name = nameOf(header)
    const size = octal(header, 124, 12, archive, `size of '${name}'`)
    const data = bytes.subarray(at + BLOCK, at + BLOCK + size)
    if (data.length < size) throw new DataError(`${archive}: expected ${size} bytes of '${name}', got ${data.length}`)
    const type = String.fromCharCode(header[156] ?? 0)
    if (type === '0' || type === '\0') {
      refuseUnsafe(name, archive)
      yield { name, data }
    } else if (type !== '5' && type !== 'g') {
      throw new DataError(`${archive}: expected files and folders only, got an entry of type '${type}' named '${name}'`)
    }
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK
  }
}

function text(header: Uint8Array, offset: number, length: number): string {
  const field = header.subarray(offset, offset + length)
  const end = field.indexOf(0)
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end))
}

function nameOf(header: Uint8Array): string {
  const name = text(header, 0, 100)
  const prefix = text(header, 257, 5) === 'ustar' ? text(header, 345, 155) : ''
  return prefix === '' ? name : `${prefix}/${name}`
}

function octal(header: Uint8Array, offset: number, length: number, archive: string, what: string): number {
  const digits = text(header, offset, length).trim()
  if (!/^[0-7]{1,12}$/.test(digits)) {
    throw new DataError(`${archive}: expected an octal number as the ${what}, got '${digits}'`)
  }
  return Number.parseInt(digits, 8)
}

/** The checksum is the sum of the header's bytes with its own eight bytes read as spaces. */
function checkSum(header: Uint8Array, archive: string, at: number): void {
  const expected = octal(header, 148, 8, archive, `checksum of the header at ${at}`)
  const sum = header.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 0x20 : byte), 0)
  if (sum !== expected) {
    throw new DataError(`${archive}: expected a tar header at ${at} with checksum ${expected}, got ${sum}`)
  }
}

function refuseUnsafe(name: string, archive: string): void {
  const unsafe = name === '' || /^[/\\]|^[A-Za-z]:|\\/.test(name) || name.split('/').includes('..')
  if (unsafe) throw new DataError(`${archive}: expected paths inside the archive's folder, got '${name}'`)
}
