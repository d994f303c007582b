// Training from a packed folder: its two halves as data sets, the training images varied, the others cut in the middle.
import { wholeNumber } from '../batches.js'
import { DataError } from '../errors.js'
import { augmented, type AugmentOptions, type ImageSet, viewed } from './augment.js'
import { GatherPool } from './gather-pool.js'
import { checkShards, type PackedIndex, readIndex } from './packed-index.js'
import type { Encoding } from './shard.js'
import { ShardReader } from './shard-reader.js'
import type { ImageStatistics } from './statistics.js'

/** Options of `packedImages`. */
export interface PackedOptions {
  /** How training images are varied; the others are cut to the same `crop` in their middle. Default: whole images. */
  readonly augment?: AugmentOptions
  /** Views of each validation image, whose probabilities are averaged: 1, or 10 (corners, centre, mirrored). Default 1. */
  readonly views?: 1 | 10
  /** Threads that read and cut, beside this one; 0: this thread does, a few images at a time. Default 0. */
  readonly workers?: number
  /**
   * When what is read is compared with what was packed: all shards, by sha256, `once`, before the folder is opened; or each image, by its
   * CRC-32, at each of its `reads`. Default: never; `ostrich check` does the first.
   */
  readonly check?: 'once' | 'reads'
}

/** A packed folder. */
export interface PackedImages {
  /** Images `x`: u8 [3, crop, crop]; `target`: i32, the place in `classes`. */
  readonly train: ImageSet
  /** The same, or `x` u8 [10, 3, crop, crop] with ten views; none where the tree had no validation images. */
  readonly validation?: ImageSet
  readonly classes: readonly string[]
  /** Of the training images, in levels 0..255. */
  readonly statistics: ImageStatistics
  /** Side of the packed images. */
  readonly size: number
  readonly encoding: Encoding
  /** Closes files and ends threads. A process may also end without. */
  close(): Promise<void>
}

interface Halves {
  readonly train: ImageSet
  readonly validation: ImageSet
  readonly index: PackedIndex
  close(): Promise<void>
}

/** As `packedImages` of the room says. */
export async function packedImages(folder: string, options: PackedOptions): Promise<PackedImages> {
  const { workers = 0, views = 1, check } = options
  wholeNumber('packedImages', 'workers', workers, 0, 256)
  if (![1, 10].includes(views)) throw new DataError(`packedImages[views]: expected 1 or 10, got ${String(views)}`)
  if (check !== undefined && !['once', 'reads'].includes(check))
    throw new DataError(`packedImages[check]: expected once or reads, got ${check}`)
  if (check === 'once') await checkShards(folder)
  const { index, ...own } = await openHalves(folder, options, false)
  const pool = workers === 0 ? undefined : new GatherPool(workers, { folder, options })
  const half = (name: 'train' | 'validation'): ImageSet => pool?.over(name, own[name]) ?? own[name]
  return {
    train: half('train'),
    ...(own.validation.length > 0 && { validation: half('validation') }),
    classes: index.classes,
    statistics: index.statistics,
    size: index.size,
    encoding: index.encoding,
    close: async () => {
      await pool?.close()
      await own.close()
    },
  }
}

/** Both halves, read in this thread. */
export async function openHalves(
  folder: string,
  { augment = {}, views = 1, check }: PackedOptions,
  blocking: boolean,
): Promise<Halves> {
  const index = await readIndex(folder)
  const how = { blocking, check: check === 'reads' }
  const train = new ShardReader(folder, index, index.train, how)
  const validation = new ShardReader(folder, index, index.validation, how)
  return {
    train: augmented(train.set, augment, index.statistics),
    validation: viewed(validation.set, augment.crop, views),
    index,
    close: async () => {
      await train.close()
      await validation.close()
    },
  }
}
