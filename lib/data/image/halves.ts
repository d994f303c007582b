// The two halves of a packed folder, read in the thread that opens them.
import { augmented, type AugmentOptions, type ImageSet, viewed } from './augment.js'
import { type PackedIndex, readIndex } from './packed-index.js'
import { ShardReader } from './shard-reader.js'

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

/** The halves of an open folder. */
export interface Halves {
  readonly train: ImageSet
  readonly validation: ImageSet
  readonly index: PackedIndex
  close(): Promise<void>
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
    validation: viewed(validation.set, augment, views),
    index,
    close: async () => {
      await train.close()
      await validation.close()
    },
  }
}
