// A corpus: a file of text, or a folder of such, read as a stream from the beginning as often as is asked. It may be larger than memory.
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileContents } from '../../../base/file-bytes.js'
import { DataError, reasonOf } from '../../errors.js'

/** Bytes of a corpus. */
export interface CorpusPiece {
  readonly bytes: Uint8Array
  /** The file that they are of. */
  readonly file: string
  /** Whether they begin it: then the line before has ended. */
  readonly isFirst: boolean
  /** Bytes of the corpus that were read so far, these among them, as they lie on the disk. */
  readonly done: number
}

/** Text that can be read again and again. Words are what white space of ASCII parts; a line is a sentence. */
export interface Corpus {
  /** Bytes on the disk. */
  readonly size: number
  /** Reads it from the beginning. */
  pieces(): AsyncGenerator<CorpusPiece, void, undefined>
}

/** How far a corpus was read. */
export interface CorpusProgress {
  /** Bytes on the disk, of `total`. */
  readonly done: number
  readonly total: number
  readonly words: number
}

/**
 * Opens a corpus: a file, or all files of a folder and of those within, in the order of their names' code units, but hidden ones. Each is text in
 * UTF-8, compressed by gzip or not.
 * @throws DataError where there is none, or it cannot be read
 * @example const counts = await countWords(await corpus('wikipedia'))
 */
export async function corpus(path: string): Promise<Corpus> {
  const files = await filesOf(path)
  if (files.length === 0) throw new DataError(`${path}: expected files of text, got an empty folder`)
  const size = files.reduce((sum, file) => sum + file.size, 0)
  return { size, pieces: () => piecesOf(files.map((file) => file.path)) }
}

interface SizedFile {
  readonly path: string
  readonly size: number
}

async function filesOf(path: string): Promise<readonly SizedFile[]> {
  try {
    const found = await stat(path)
    if (found.isFile()) return [{ path, size: found.size }]
    if (!found.isDirectory()) throw new DataError(`${path}: expected a file or a folder, got neither`)
    const names = (await readdir(path)).filter((name) => !name.startsWith('.')).sort()
    const within: SizedFile[] = []
    for (const name of names) within.push(...(await filesOf(join(path, name))))
    return within
  } catch (error) {
    throw error instanceof DataError ? error : unreadable(path, error)
  }
}

const unreadable = (path: string, error: unknown): DataError =>
  new DataError(`${path}: expected a readable text, got ${reasonOf(error)}`, { cause: error })

async function* piecesOf(files: readonly string[]): AsyncGenerator<CorpusPiece, void, undefined> {
  let done = 0
  for (const file of files) {
    let isFirst = true
    try {
      const { pieces } = await fileContents(file, (bytes) => (done += bytes))
      for await (const bytes of pieces) {
        yield { bytes: isFirst ? withoutMark(bytes) : bytes, file, isFirst, done }
        isFirst = false
      }
    } catch (error) {
      throw error instanceof DataError ? error : unreadable(file, error)
    }
  }
}

/** Some programs begin a text by U+FEFF. */
function withoutMark(bytes: Uint8Array): Uint8Array {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes
}
