// Moving MNIST in three parts, and its test sequences as a file of the authors' form.
import { createHash, type Hash, randomUUID } from 'node:crypto'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { wholeNumber } from '../batches.js'
import { DataError, reasonOf } from '../errors.js'
import { dataFolder } from '../folder.js'
import { GatherPool } from '../gather-pool.js'
import type { FetchOptions } from '../npm-package.js'
import { glyphsOf } from '../glyphs.js'
import { npyHeader } from '../npy.js'
import { isThere } from '../present.js'
import { getMnist, mnist } from '../sources/mnist.js'
import { MOVING_VERSION, type MovingPart, movingSets } from './moving-digits.js'
import type { FrameSequences } from './sequences.js'
import { FRAME } from './trajectory.js'

/** Moving MNIST. */
export interface MovingMnist {
  /** Others in every epoch, of MNIST's training digits. */
  readonly train: FrameSequences
  /** Always the same, of training digits that `train` has none of; absent where none are held back. */
  readonly validation?: FrameSequences
  /** 10,000, always the same, of MNIST's test digits: the authors' way to make them, not the file that they published. */
  readonly test: FrameSequences
  /** What sequences are: results of different versions do not compare. */
  readonly version: number
  /** Ends the threads. A process may also end without. */
  close(): Promise<void>
}

/** Options of `movingMnist`. */
export interface MovingMnistOptions {
  /** The folder of MNIST. Default `$OSTRICH_DATA/mnist`, else `mnist` in the user's cache. */
  readonly dir?: string
  /** Training sequences of one epoch. Default 10,000. */
  readonly train?: number
  /** Sequences to measure by after each epoch; 0: none. Default 1,000. */
  readonly validation?: number
  /** Digits in each frame. Default 2. */
  readonly digits?: number
  /** Frames that are seen. Default 10. */
  readonly given?: number
  /** Frames that follow. Default 10. */
  readonly future?: number
  /** Threads that make sequences, beside this one; 0: this thread does. Default 0. */
  readonly workers?: number
}

/** Options of `getMovingMnist`. */
export interface GetMovingMnistOptions extends FetchOptions {
  /** Where the file goes. Default `$OSTRICH_DATA/moving-mnist`, else `moving-mnist` in the user's cache. */
  readonly dir?: string
  /** The folder of MNIST. Default `$OSTRICH_DATA/mnist`, else `mnist` in the user's cache, where it is downloaded to if it is absent. */
  readonly mnist?: string
}

const TEST_SEQUENCES = 10_000
/** Seeds of the sequences that are always the same: of tests, of validation, and of training sequences outside of training. */
const [TEST_SEED, VALIDATION_SEED, PLAIN_SEED] = [3, 2, 1]

/** As `movingMnist` of the room says. */
export async function movingMnist(options: MovingMnistOptions): Promise<MovingMnist> {
  const { dir, train = 10_000, validation = 1_000, digits = 2, given = 10, future = 10, workers = 0 } = options
  const whole = (name: string, value: number, least: number, most: number): void => {
    wholeNumber('movingMnist', name, value, least, most)
  }
  whole('train', train, 1, 2 ** 31)
  whole('validation', validation, 0, 2 ** 31)
  whole('digits', digits, 1, 16)
  whole('given', given, 1, 1024)
  whole('future', future, 1, 1024)
  whole('workers', workers, 0, 256)
  const images = await mnist({ ...(dir !== undefined && { dir }), ...(validation === 0 && { validation: 0 }) })
  const shared = { digits, given, future }
  const parts: Record<string, MovingPart> = {
    train: { ...shared, glyphs: await glyphsOf(images.train), length: train, seed: PLAIN_SEED, endless: true },
    test: { ...shared, glyphs: await glyphsOf(images.test), length: TEST_SEQUENCES, seed: TEST_SEED, endless: false },
  }
  if (images.validation !== undefined && validation > 0) {
    const glyphs = await glyphsOf(images.validation)
    parts['validation'] = { ...shared, glyphs, length: validation, seed: VALIDATION_SEED, endless: false }
  }
  const sets = movingSets(parts)
  const pool = workers === 0 ? undefined : new GatherPool(workers, { kind: 'moving', parts })
  const setOf = (name: string): FrameSequences => pool?.over(name, sets[name]!) ?? sets[name]!
  return {
    train: setOf('train'),
    ...(sets['validation'] && { validation: setOf('validation') }),
    test: setOf('test'),
    version: MOVING_VERSION,
    close: async () => {
      await pool?.close()
    },
  }
}

/** Of the test sequences of version 1, one after the other, each of 20 frames. */
export const TEST_SHA256 = '0a9f9eb654cb7252006fd99a5547a0def24e102c1683d0f497812b64dc9e2899'

/** As `getMovingMnist` of the room says. */
export async function writeTestSequences(dir: string, options: GetMovingMnistOptions): Promise<void> {
  const { mnist: folder, onProgress = () => undefined, ...fetching } = options
  const path = join(dir, 'test.npy')
  onProgress({ stage: 'check', what: dir })
  if (await isThere(path)) {
    onProgress({ stage: 'present', what: dir })
    return
  }
  if (folder === undefined) await getMnist({ ...fetching, dir: dataFolder('mnist') })
  const { test } = await movingMnist({ validation: 0, ...(folder !== undefined && { dir: folder }) })
  onProgress({ stage: 'write', what: 'test.npy' })
  await writeSequences(test, path, TEST_SHA256)
  onProgress({ stage: 'done', what: dir })
}

/** Sequences that are made at once. */
const CHUNK = 100

/** A frame of a chunk of sequences: those of its `count` sequences lie one after the other. */
interface ChunkFrame {
  /** The first sequence of the chunk. */
  readonly from: number
  readonly count: number
  readonly frame: number
  readonly pixels: Uint8Array
}

/** All frames of a set, chunk after chunk, and in each the frames in their order. */
async function* framesOf(set: FrameSequences): AsyncGenerator<readonly ChunkFrame[], void, undefined> {
  const [given, future] = [set.fields.x.shape[0], set.fields.target.shape[0]]
  for (let from = 0; from < set.length; from += CHUNK) {
    const count = Math.min(CHUNK, set.length - from)
    const bytes = count * FRAME * FRAME
    const out = { x: new Uint8Array(given * bytes), target: new Uint8Array(future * bytes) }
    await set.gather(
      Uint32Array.from({ length: count }, (_, i) => from + i),
      out,
    )
    yield Array.from({ length: given + future }, (_, frame) => {
      const [part, t] = frame < given ? [out.x, frame] : [out.target, frame - given]
      return { from, count, frame, pixels: part.subarray(t * bytes, (t + 1) * bytes) }
    })
  }
}

/** Adds the sequences of a chunk to a hash, one after the other. */
function addTo(hash: Hash, frames: readonly ChunkFrame[]): void {
  const bytes = FRAME * FRAME
  for (let i = 0; i < frames[0]!.count; i++) {
    for (const { pixels } of frames) hash.update(pixels.subarray(i * bytes, (i + 1) * bytes))
  }
}

/** The sha256 of the sequences of a set, one after the other. */
export async function digestOf(set: FrameSequences): Promise<string> {
  const hash = createHash('sha256')
  for await (const frames of framesOf(set)) addTo(hash, frames)
  return hash.digest('hex')
}

/**
 * Writes sequences as the authors' `mnist_test_seq.npy` has them: u8 [given + future, sequences, 64, 64], whole or not at all.
 * @param sha256 what `digestOf` them has to be; undefined where nobody knows
 * @throws DataError where they are others, or the file cannot be written
 */
export async function writeSequences(set: FrameSequences, path: string, sha256?: string): Promise<void> {
  const count = set.fields.x.shape[0] + set.fields.target.shape[0]
  const header = npyHeader([count, set.length, FRAME, FRAME])
  const temporary = `${path}.${randomUUID()}.tmp`
  try {
    await mkdir(dirname(path), { recursive: true })
    const file = await open(temporary, 'wx')
    const hash = createHash('sha256')
    try {
      await file.write(header, 0, header.length, 0)
      for await (const frames of framesOf(set)) {
        addTo(hash, frames)
        for (const { from, frame, pixels } of frames) {
          const at = header.length + (frame * set.length + from) * FRAME * FRAME
          await file.write(pixels, 0, pixels.length, at)
        }
      }
      await file.sync()
    } finally {
      await file.close()
    }
    const got = hash.digest('hex')
    if (sha256 !== undefined && got !== sha256) {
      throw new DataError(`${path}: expected sequences of sha256 ${sha256}, got ${got}: another MNIST`)
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    if (error instanceof DataError) throw error
    throw new DataError(`${path}: expected to write it, got ${reasonOf(error)}`, { cause: error })
  }
}
