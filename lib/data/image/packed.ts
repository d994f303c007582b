// Training from a packed folder: its two halves as data sets, the training images varied, the others cut in the middle.
import { wholeNumber } from '../batches.js'
import { DataError } from '../errors.js'
import { GatherPool } from '../gather-pool.js'
import type { ImageSet } from './augment.js'
import { openHalves, type PackedOptions } from './halves.js'
import { checkShards } from './packed-index.js'
import type { Encoding } from './shard.js'
import type { ImageStatistics } from './statistics.js'

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

/** As `packedImages` of the room says. */
export async function packedImages(folder: string, options: PackedOptions): Promise<PackedImages> {
  const { workers = 0, views = 1, check } = options
  wholeNumber('packedImages', 'workers', workers, 0, 256)
  if (![1, 10].includes(views)) throw new DataError(`packedImages[views]: expected 1 or 10, got ${String(views)}`)
  if (check !== undefined && !['once', 'reads'].includes(check))
    throw new DataError(`packedImages[check]: expected once or reads, got ${check}`)
  if (check === 'once') await checkShards(folder)
  const { index, ...own } = await openHalves(folder, options, false)
  const pool = workers === 0 ? undefined : new GatherPool(workers, { kind: 'packed', folder, options })
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
