// A user's copy of a data set: a folder, or an archive as data sets are published (.tar, .tar.gz, .zip), whose files are read by name.
import { readdir, readFile, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { DataError, reasonOf } from './errors.js'
import { readTar } from './tar.js'
import { readZip } from './zip.js'

const inflate = promisify(gunzip)
const MOST_BYTES = 2 ** 30

/** Files of a folder or an archive, by their path in it, with slashes. */
export interface Files {
  readonly names: readonly string[]
  read(name: string): Uint8Array | Promise<Uint8Array>
}

/**
 * The files of a folder and the folders in it, or of an archive.
 * @param op names the data set in messages
 * @param wanted what is looked for, in words
 * @throws DataError where there is none, or it cannot be read
 */
export async function openFiles(path: string, op: string, wanted: string): Promise<Files> {
  try {
    if ((await stat(path)).isDirectory()) return await folder(path)
    let bytes: Uint8Array = await readFile(path)
    if (bytes[0] === 0x1f && bytes[1] === 0x8b) bytes = await inflate(bytes, { maxOutputLength: MOST_BYTES })
    const isZip = bytes[0] === 0x50 && bytes[1] === 0x4b
    const entries = new Map(
      isZip
        ? Array.from(readZip(bytes, path), ({ name, data }) => [name, data] as const)
        : Array.from(readTar(bytes, path), ({ name, data }) => [name, () => data] as const),
    )
    return { names: [...entries.keys()], read: (name) => entries.get(name)!() }
  } catch (error) {
    if (error instanceof DataError) throw error
    throw new DataError(`${op}: expected ${wanted}, got ${path}: ${reasonOf(error)}`, { cause: error })
  }
}

async function folder(path: string): Promise<Files> {
  const names = await readdir(path, { recursive: true })
  return { names: names.map((name) => name.split(sep).join('/')), read: (name) => readFile(join(path, name)) }
}
