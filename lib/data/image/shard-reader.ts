// Images of packed shards at any place, as planes u8 [3, size, size]: by positioned reads, several in flight, from files that
// are opened when they are first read and stay open.
import { close, open, read, readSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { crc32 } from 'node:zlib'
import type { FieldArray } from '../dataset.js'
import { DataError, reasonOf } from '../errors.js'
import { checkRoom, type ImageSet } from './augment.js'
import { decodeImage } from './decode.js'
import type { PackedIndex, PackedShard } from './packed-index.js'
import { decodeSums } from './shard.js'

const openAsync = promisify(open)
const closeAsync = promisify(close)
const readAsync = promisify(read)

/** Where an image lies. */
interface Place {
  readonly shard: number
  /** Its number in the shard. */
  readonly image: number
  readonly at: number
  readonly bytes: number
}

/** How images are read. */
export interface Reading {
  /** Without leaving the thread: for a thread that has nothing else to do. */
  readonly blocking: boolean
  /** Compares each image with its CRC-32. */
  readonly check: boolean
}

/** The images of one half of a packed folder. */
export class ShardReader {
  readonly set: ImageSet
  readonly #folder: string
  readonly #index: PackedIndex
  readonly #shards: readonly PackedShard[]
  /** Number of images before each shard, and of all. */
  readonly #starts: Uint32Array
  readonly #labels: Int32Array
  /** First byte of each image in its shard; `jpeg` only. */
  readonly #offsets: readonly Float64Array[]
  readonly #files: (Promise<number> | undefined)[] = []
  readonly #blocking: boolean
  /** CRC-32 of each image, by shard, where they are compared. */
  readonly #sums: readonly DataView[] | undefined
  #open = true

  /** @throws DataError where images are to be compared and were packed without sums */
  constructor(folder: string, index: PackedIndex, shards: readonly PackedShard[], { blocking, check }: Reading) {
    this.#folder = folder
    this.#index = index
    this.#shards = shards
    this.#blocking = blocking
    this.#sums = check ? shards.map((shard) => sumsOf(folder, shard)) : undefined
    this.#starts = new Uint32Array(shards.length + 1)
    for (const [i, { images }] of shards.entries()) this.#starts[i + 1] = this.#starts[i]! + images
    const length = this.#starts.at(-1)!
    this.#labels = new Int32Array(length)
    for (const [i, { labels }] of shards.entries()) this.#labels.set(labels, this.#starts[i])
    this.#offsets = shards.map(({ lengths = [] }) => {
      const offsets = new Float64Array(lengths.length + 1)
      for (const [i, bytes] of lengths.entries()) offsets[i + 1] = offsets[i]! + bytes
      return offsets
    })
    const { size } = index
    this.set = {
      length,
      fields: { x: { dtype: 'u8', shape: [3, size, size] }, target: { dtype: 'i32', shape: [] } },
      gather: (indices, out) => this.#gather(indices, out),
    }
  }

  async #gather(
    indices: Uint32Array | readonly number[],
    { x, target }: Partial<Readonly<Record<'x' | 'target', FieldArray>>>,
  ): Promise<void> {
    if (!this.#open) throw new DataError('gather: expected a packed set that is open, got one that was closed')
    const stride = 3 * this.#index.size ** 2
    const places = Array.from(indices, (index) => this.#place(index))
    for (const [row, index] of indices.entries()) if (target !== undefined) target[row] = this.#labels[index]!
    if (x === undefined) return
    checkRoom(x, places.length * stride)
    const reads = places.map((place, row) => this.#image(place, x.subarray(row * stride, (row + 1) * stride)))
    // All of them end before an error is thrown, as they write into arrays that the caller may use again.
    const failed = (await Promise.allSettled(reads)).find((one) => one.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }

  #place(index: number): Place {
    if (!Number.isInteger(index) || index < 0 || index >= this.#labels.length) {
      throw new DataError(`gather: expected indices in [0, ${this.#labels.length}), got ${index}`)
    }
    let [low, high] = [0, this.#shards.length - 1]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.#starts[middle]! <= index) low = middle
      else high = middle - 1
    }
    const within = index - this.#starts[low]!
    const offsets = this.#offsets[low]!
    if (this.#index.encoding === 'u8') {
      const bytes = 3 * this.#index.size ** 2
      return { shard: low, image: within, at: within * bytes, bytes }
    }
    return { shard: low, image: within, at: offsets[within]!, bytes: offsets[within + 1]! - offsets[within]! }
  }

  async #image(place: Place, out: Uint8Array): Promise<void> {
    if (this.#index.encoding === 'u8') return this.#read(place, out)
    const file = new Uint8Array(place.bytes)
    await this.#read(place, file)
    const where = `${this.#shards[place.shard]!.file} at byte ${place.at}`
    const { data, height, width } = await decodeImage(file, where)
    const { size } = this.#index
    if (height !== size || width !== size) {
      throw new DataError(`${where}: expected an image of ${size} x ${size}, got ${width} x ${height}`)
    }
    out.set(data)
  }

  async #read({ shard, image, at, bytes }: Place, out: Uint8Array): Promise<void> {
    const path = join(this.#folder, this.#shards[shard]!.file)
    try {
      const file = await (this.#files[shard] ??= this.#openFile(path))
      for (let done = 0; done < bytes;) {
        const got = this.#blocking
          ? readSync(file, out, done, bytes - done, at + done)
          : (await readAsync(file, out, done, bytes - done, at + done)).bytesRead
        if (got === 0) throw new DataError(`${path}: expected ${bytes} bytes at ${at}, got ${done}`)
        done += got
      }
      if (this.#sums === undefined || this.#sums[shard]!.getUint32(4 * image, true) === crc32(out)) return
      throw new DataError(`${path}: expected image ${image} as it was packed, got other bytes at ${at}: damaged`)
    } catch (error) {
      if (error instanceof DataError) throw error
      throw new DataError(`${path}: expected to read ${bytes} bytes at ${at}, got ${reasonOf(error)}`, { cause: error })
    }
  }

  #openFile(path: string): Promise<number> {
    return this.#blocking ? Promise.resolve(openSync(path, 'r')) : openAsync(path, 'r')
  }

  /** Closes the files; later reads are refused. */
  async close(): Promise<void> {
    this.#open = false
    for (const file of this.#files.splice(0)) {
      const opened = await file?.catch(() => undefined)
      if (opened !== undefined) await closeAsync(opened)
    }
  }
}

function sumsOf(folder: string, { file, sums }: PackedShard): DataView {
  if (sums !== undefined) return decodeSums(sums)
  const expected = 'shards that were packed with a sum of each image'
  throw new DataError(
    `packedImages[check]: expected ${expected}, got ${join(folder, file)}: pack it again, or check it once`,
  )
}
