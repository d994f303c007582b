// CIFAR-10: 50,000 + 10,000 images of ten kinds of things (Krizhevsky 2009, "Learning multiple layers of features from tiny
// images"), from the six files of its binary version: records of one label and 3,072 bytes, three planes of 32 x 32.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expectOptions, is } from '../../base/index.js'
import { dataFolder } from '../folder.js'
import { arrays } from '../arrays.js'
import { DataError, reasonOf } from '../errors.js'
import { fetchOptions } from '../fetch-options.js'
import { heldBackPlaces, holdBackOptions, type HoldBackOptions, parted } from '../hold-back.js'
import { augmented, type AugmentOptions, type ImageSet, viewed } from '../image/augment.js'
import { ColourCounter, type ImageStatistics, statisticsOf } from '../image/statistics.js'
import {
  checkRecords,
  cifar10Classes,
  PER_FILE,
  PIXELS,
  RECORD,
  SIDE,
  TEST_FILES,
  TRAIN_FILES,
} from './cifar10-format.js'
import type { GetCifar10Options } from './cifar10-import.js'

export { cifar10Classes } from './cifar10-format.js'
export type { GetCifar10Options } from './cifar10-import.js'

/** Images `x`: u8 [3, crop, crop] (32 unless told), red, green and blue planes; `target`: i32 scalar, a place in `cifar10Classes`. */
export type Cifar10Set = ImageSet

/** CIFAR-10 in three parts. */
export interface Cifar10 {
  readonly train: Cifar10Set
  /** Held back from the training images, to measure by after each epoch; absent where none are. */
  readonly validation?: Cifar10Set
  /** To be measured once, at the end: nothing is chosen or stopped by it. */
  readonly test: Cifar10Set
  /** Names of the classes, by label. */
  readonly classes: readonly string[]
  /** Mean and principal components of the training images' colours; counts them at each call. */
  statistics(): ImageStatistics
}

/** Options of `cifar10`. */
export interface Cifar10Options extends HoldBackOptions {
  /** The folder. Default `$OSTRICH_DATA/cifar10`, else `cifar10` in the user's cache. */
  readonly dir?: string
  /** How training images are varied: `{ crop: 24, mirror: true }` as cuda-convnet, `{ pad: 4, mirror: true }` as most since. */
  readonly augment?: AugmentOptions
  /**
   * Views of each image that is measured, whose probabilities are averaged: 1 (its middle), or 10 (also the corners, or moved by half of
   * `pad`, and all mirrored). Default 1.
   */
  readonly views?: 1 | 10
  /** Training images that are held back; 0: none. Default 5,000. */
  readonly validation?: number
}

/** Training images that are held back unless told. */
const USUAL = 5_000

/**
 * CIFAR-10 from the cache, or from a folder with the six files of its binary version.
 *
 * @param options where it is, how training images are varied, how many are held back, and how many views of each image are measured
 * @returns 45,000 training, 5,000 validation and 10,000 test examples, about 185 MB of memory
 * @throws DataError when a file is absent (the message says how to get it), damaged or not CIFAR-10; for an option out of range
 * @example
 * const { train, validation, test, classes } = await cifar10()
 * const varied = await cifar10({ augment: { crop: 24, mirror: true } }) // x: u8 [3, 24, 24]
 */
export async function cifar10(options: Cifar10Options = {}): Promise<Cifar10> {
  expectOptions('cifar10', options, { dir: is.text, augment: is.object, views: is.anything, ...holdBackOptions })
  const { dir = dataFolder('cifar10'), augment = {}, views = 1 } = options
  if (![1, 10].includes(views)) throw new DataError(`cifar10[views]: expected 1 or 10, got ${String(views)}`)
  const [plain, held] = await Promise.all([readHalf(dir, TRAIN_FILES), readHalf(dir, TEST_FILES)])
  const places = heldBackPlaces('cifar10', plain.set.length, options, USUAL)
  const parts = parted(plain.set, places)
  const statistics = (): ImageStatistics => plain.statistics(places.train)
  return {
    train: augmented(parts.train, augment, (augment.colour ?? 0) > 0 ? statistics() : undefined),
    ...(parts.validation && { validation: viewed(parts.validation, augment, views) }),
    test: viewed(held.set, augment, views),
    classes: cifar10Classes,
    statistics,
  }
}

/**
 * Puts CIFAR-10 into the cache as the six files of its binary version (185 MB).
 *
 * `from` is cifar-10-binary.tar.gz, a folder with its files, or a tree `train/<class>/*`, `test/<class>/*` of JPEG or PNG
 * files (archived or not), which is decoded by sharp. Without it, a complete cache is left as it is.
 *
 * @returns the folder that holds the files
 * @throws DataError where there is nothing to read, or it is not the 50,000 + 10,000 images in ten classes
 * @example
 * await getCifar10({ from: 'cifar-10-binary.tar.gz' })
 */
export async function getCifar10(options: GetCifar10Options = {}): Promise<string> {
  expectOptions('getCifar10', options, { ...fetchOptions, from: is.text })
  const { importCifar10 } = await import('./cifar10-import.js')
  return importCifar10(options)
}

interface Half {
  readonly set: Cifar10Set
  /** Of the images at these places. */
  readonly statistics: (places: Uint32Array) => ImageStatistics
}

async function readHalf(dir: string, files: readonly string[]): Promise<Half> {
  const count = files.length * PER_FILE
  const x = new Uint8Array(count * PIXELS)
  const target = new Int32Array(count)
  for (const [i, name] of files.entries()) {
    const records = await readRecords(join(dir, name))
    for (let at = 0, to = i * PER_FILE; at < records.length; at += RECORD, to++) {
      target[to] = records[at]!
      x.set(records.subarray(at + 1, at + RECORD), to * PIXELS)
    }
  }
  checkClasses(target, join(dir, files[0]!))
  const statistics = (places: Uint32Array): ImageStatistics => {
    const counter = new ColourCounter()
    for (const place of places) counter.add(x, place * PIXELS, SIDE * SIDE)
    return statisticsOf(counter.sums)
  }
  return { set: arrays({ x: { data: x, shape: [3, SIDE, SIDE] }, target }), statistics }
}

async function readRecords(path: string): Promise<Uint8Array> {
  try {
    const records = await readFile(path)
    checkRecords(records, path)
    return records
  } catch (error) {
    if (error instanceof DataError) throw error
    const got = reasonOf(error) === 'ENOENT' ? 'none' : reasonOf(error)
    throw new DataError(`cifar10: expected the file ${path}, got ${got}. Run: ostrich data get cifar10 --from <path>`, {
      cause: error,
    })
  }
}

/** Every class has the same number of images in each half. */
function checkClasses(target: Int32Array, path: string): void {
  const counts = new Int32Array(cifar10Classes.length)
  for (const label of target) counts[label]!++
  const each = target.length / cifar10Classes.length
  const odd = counts.findIndex((count) => count !== each)
  if (odd < 0) return
  const name = String(cifar10Classes[odd])
  throw new DataError(`${path} and its fellows: expected ${each} images of class ${name}, got ${String(counts[odd])}`)
}
