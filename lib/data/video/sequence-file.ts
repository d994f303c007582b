// Sequences of frames in a file: u8 [frames, sequences, height, width] in NumPy's format, as the authors of Moving MNIST published their
// test sequences (mnist_test_seq.npy). Frames are read when they are wanted.
import { close, openSync, readSync } from 'node:fs'
import { promisify } from 'node:util'
import { checkIndices } from '../arrays.js'
import { wholeNumber } from '../batches.js'
import type { FieldArray } from '../dataset.js'
import { DataError, reasonOf } from '../errors.js'
import { readNpyHeader } from '../npy.js'
import { expectRoom, rowsOf } from '../rows.js'
import { frameFields, type FrameSequences, partsOf } from './sequences.js'

const closeAsync = promisify(close)

/** Options of `frameSequences`. */
export interface FrameSequencesOptions {
  /** Frames that are seen. Default: half of them. */
  readonly given?: number
}

/** Sequences of a file that is open. */
export interface SequenceFile extends FrameSequences {
  /** Closes the file; later reads are refused. */
  close(): Promise<void>
}

/** As `frameSequences` of the room says. */
export async function frameSequences(path: string, options: FrameSequencesOptions): Promise<SequenceFile> {
  const { shape, start } = await readNpyHeader(path, { '|u1': 1 })
  const [frames, length, height, width] = shape
  if (frames === undefined || length === undefined || height === undefined || width === undefined || shape.length > 4) {
    throw new DataError(`${path}: expected [frames, sequences, height, width], got [${shape.join(', ')}]`)
  }
  if (frames < 2) throw new DataError(`${path}: expected two frames or more, got ${frames}`)
  if (length < 1 || height < 1 || width < 1)
    throw new DataError(`${path}: expected sequences, got [${shape.join(', ')}]`)
  const { given = Math.ceil(frames / 2) } = options
  wholeNumber('frameSequences', 'given', given, 1, frames - 1)
  const fields = frameFields(given, frames - given, [1, height, width])
  const bytes = height * width
  const file = openSync(path, 'r')
  let isOpen = true
  const read = (frame: number, index: number, out: Uint8Array, to: number): void => {
    const at = start + (frame * length + index) * bytes
    try {
      for (let done = 0; done < bytes;) {
        const got = readSync(file, out, to + done, bytes - done, at + done)
        if (got === 0) throw new DataError(`${path}: expected ${bytes} bytes at ${at}, got ${done}`)
        done += got
      }
    } catch (error) {
      if (error instanceof DataError) throw error
      throw new DataError(`${path}: expected to read ${bytes} bytes at ${at}, got ${reasonOf(error)}`, { cause: error })
    }
  }
  return {
    length,
    fields,
    gather(indices, out) {
      if (!isOpen) throw new DataError('gather: expected a data set that is open, got one that was closed')
      checkIndices(indices, length)
      for (const { name, spec, first, count } of partsOf(fields)) {
        const to = (out as Partial<Readonly<Record<string, FieldArray>>>)[name]
        if (to === undefined) continue
        expectRoom(name, spec, to, indices.length)
        const rows = rowsOf(spec, to)
        for (let t = 0; t < count; t++) {
          for (const [row, index] of indices.entries()) {
            read(first + t, index, to as Uint8Array, (t * rows + row) * bytes)
          }
        }
      }
    },
    close: async () => {
      if (isOpen) await closeAsync(file)
      isOpen = false
    },
  }
}
