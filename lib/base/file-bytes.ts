// The bytes of a file, a piece at a time, unpacked where it is compressed by gzip: a file may be larger than memory.
import { type FileHandle, open } from 'node:fs/promises'

/** Bytes of a piece. */
const PIECE = 2 ** 18

type Pieces = AsyncGenerator<Uint8Array, void, undefined>

/** What an open file holds. */
export interface FileContents {
  /** Of all pieces together; undefined where the file is compressed, and only reading it tells. */
  readonly length: number | undefined
  /** Its bytes from the beginning; read to the end, or ended, they close the file. */
  readonly pieces: Pieces
}

/**
 * Opens a file. What fails, fails as the system says it: `ENOENT`, `EISDIR`, and while it is read `Z_DATA_ERROR`, or `Z_BUF_ERROR` of a
 * compressed file that was cut.
 * @param onRead called with the number of bytes of each piece as it lies on the disk
 */
export async function fileContents(
  path: string,
  onRead: (bytes: number) => void = () => undefined,
): Promise<FileContents> {
  const file = await open(path)
  try {
    const first = await readPiece(file)
    const isPacked = first[0] === 0x1f && first[1] === 0x8b
    const length = isPacked ? undefined : (await file.stat()).size
    const stored = storedBytes(file, first, onRead)
    return { length, pieces: isPacked ? unpacked(stored) : stored }
  } catch (error) {
    await file.close()
    throw error
  }
}

async function* storedBytes(file: FileHandle, first: Uint8Array, onRead: (bytes: number) => void): Pieces {
  try {
    for (let piece = first; piece.length > 0; piece = await readPiece(file)) {
      onRead(piece.length)
      yield piece
    }
  } finally {
    await file.close()
  }
}

async function readPiece(file: FileHandle): Promise<Uint8Array> {
  const { buffer, bytesRead } = await file.read(new Uint8Array(PIECE), 0, PIECE, null)
  return buffer.subarray(0, bytesRead)
}

async function* unpacked(stored: Pieces): Pieces {
  // What most programs never need is loaded when it is needed.
  const [{ pipeline }, { createGunzip }] = await Promise.all([import('node:stream'), import('node:zlib')])
  const unpacking = createGunzip({ chunkSize: PIECE })
  // What fails on the way ends both, and is thrown to who reads the last one.
  pipeline(stored, unpacking, () => undefined)
  yield* unpacking as AsyncIterable<Uint8Array>
}
