// Elements of tensors as they lie in an open file: a whole tensor, or a piece of one after the other.
import type { FileHandle } from 'node:fs/promises'
import { ARRAYS, CheckpointError, type TensorArray, type TensorEntry } from './safetensors-header.js'

/** Bytes per read call. */
const CHUNK = 2 ** 26

/** One tensor. @throws CheckpointError where there is none, or the file was cut */
export async function readTensor(
  handle: FileHandle,
  entry: TensorEntry | undefined,
  dataStart: number,
  where: string,
): Promise<TensorArray> {
  expectEntry(entry, where)
  const bytes = new Uint8Array(entry.end - entry.begin)
  await readAll(handle, bytes, dataStart + entry.begin, where)
  return new ARRAYS[entry.dtype](bytes.buffer)
}

/** The same in pieces of `length` elements, each over the one before. */
export async function* readPieces(
  handle: FileHandle,
  entry: TensorEntry | undefined,
  dataStart: number,
  length: number,
  where: string,
): AsyncGenerator<TensorArray> {
  expectEntry(entry, where)
  const kind = ARRAYS[entry.dtype]
  const bytes = new Uint8Array(Math.min(entry.end - entry.begin, length * kind.BYTES_PER_ELEMENT))
  for (let at = entry.begin; at < entry.end; at += bytes.length) {
    const piece = bytes.subarray(0, Math.min(bytes.length, entry.end - at))
    await readAll(handle, piece, dataStart + at, where)
    yield new kind(piece.buffer, 0, piece.length / kind.BYTES_PER_ELEMENT)
  }
}

function expectEntry(entry: TensorEntry | undefined, where: string): asserts entry is TensorEntry {
  if (entry === undefined) throw new CheckpointError(`${where}: expected a tensor of this name in the file, got none`)
}

/** Fills `into` with what is at a position. @throws CheckpointError where the file was cut */
export async function readAll(handle: FileHandle, into: Uint8Array, position: number, where: string): Promise<void> {
  let at = 0
  while (at < into.length) {
    const { bytesRead } = await handle.read(into, at, Math.min(CHUNK, into.length - at), position + at)
    if (bytesRead === 0)
      throw new CheckpointError(`${where}: expected ${into.length} bytes, got ${at}; the file was cut`)
    at += bytesRead
  }
}
