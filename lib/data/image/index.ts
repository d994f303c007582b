// Public names of images: what reads trees, packs and opens packed folders is loaded when it is first called, as most programs
// never do.
import { expectOptions, is, type Schema } from '../../base/index.js'
import type { PackOptions, PackResult } from './pack.js'
import type { PackedOptions } from './halves.js'
import type { PackedImages } from './packed.js'
import type { CheckedShards } from './packed-index.js'
import type { ImageTree, TreeOptions } from './tree.js'

export { augmented, type AugmentOptions, type ImageSet, viewed } from './augment.js'
export type { PackOptions, PackProgress, PackResult } from './pack.js'
export type { PackedOptions } from './halves.js'
export type { PackedImages } from './packed.js'
export type { CheckedShards } from './packed-index.js'
export type { BadImage, Encoding } from './shard.js'
export type { Colours, ImageStatistics } from './statistics.js'
export type { ImageTree, TreeImage, TreeOptions } from './tree.js'

const treeOptions: Schema<TreeOptions> = { labels: is.text, synsets: is.text, share: is.number, seed: is.number }

/** What numbers and words they may be is looked at where they are used. */
const packOptions: Schema<PackOptions> = {
  ...treeOptions,
  size: is.anything,
  format: is.anything,
  quality: is.anything,
  workers: is.anything,
  shardSize: is.anything,
  onBad: is.anything,
  onProgress: is.callable,
}

/**
 * Finds the images of a tree: `train/<class>/*` and `val/<class>/*`, or `<class>/*` alone, or ILSVRC2012's own layout, whose
 * validation images lie in one folder with their labels in a file (docs/imagenet.md says which). Of a tree without validation images
 * a share can be held back. Reads names, not images.
 *
 * @throws DataError where the folder cannot be read, has no classes, or its validation images have no labels; OstrichError
 * `ERR_OPTION` for a share that leaves a class nothing on either side
 * @example
 * const { classes, train } = await readTree('/data/ILSVRC2012')
 * const { validation } = await readTree('photos', { share: 0.2 })
 */
export async function readTree(root: string, options: TreeOptions = {}): Promise<ImageTree> {
  expectOptions('readTree', options, treeOptions)
  const tree = await import('./tree.js')
  return tree.readTree(root, options)
}

/**
 * Packs the images of a tree into `out`: the shorter side scaled to `size`, the middle square cut out, u8 RGB, the training
 * images in a fixed shuffled order, so that every shard has images of all classes. Goes on where an earlier run with the same
 * options was stopped.
 *
 * @throws DataError where the tree has no classes or labels, `out` holds something else, the first bad image with
 * `onBad: 'fail'`, sharp is absent, or the disk is full
 * @example
 * const { train, bad } = await packImages('/data/ILSVRC2012', '/data/packed', { workers: 8 })
 */
export async function packImages(root: string, out: string, options: PackOptions = {}): Promise<PackResult> {
  expectOptions('packImages', options, packOptions)
  const pack = await import('./pack.js')
  return pack.packImages(root, out, options)
}

/**
 * Opens a folder that `packImages` or `ostrich data pack` wrote: two data sets to train from.
 *
 * @throws DataError where it is not complete or damaged, or an option is out of range
 * @example
 * const data = await packedImages('/data/packed', { augment: { crop: 224, mirror: true, colour: 0.1 }, workers: 4 })
 */
export async function packedImages(folder: string, options: PackedOptions = {}): Promise<PackedImages> {
  expectOptions('packedImages', options, {
    augment: is.object,
    views: is.anything,
    workers: is.anything,
    check: is.anything,
  })
  const packed = await import('./packed.js')
  return packed.packedImages(folder, options)
}

/**
 * Reads every shard of a packed folder and compares it with its sha256, as `packedImages` does with `check: 'once'`.
 *
 * @param onBytes called after each piece with the bytes that were read, and with all there are
 * @throws DataError naming the first shard that is not as it was packed; what is wrong with the index
 * @example
 * const { images } = await checkPacked('/data/packed')
 */
export async function checkPacked(
  folder: string,
  onBytes?: (done: number, total: number) => void,
): Promise<CheckedShards> {
  const index = await import('./packed-index.js')
  return index.checkShards(folder, onBytes)
}
