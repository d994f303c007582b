// Street View House Numbers, whole numbers (Netzer et al. 2011; its format 1): a folder of PNG files and a `digitStruct.mat` for each of
// train, test and extra, from the user's copy. The box around all digits of an image, 30 % larger, becomes 64 x 64 pixels once, in shards
// as of any packed images; a number is a class there. Training takes a random 54 x 54 of it (Goodfellow et al. 2014, section 5.1).
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { sha256OfFile } from '../cache.js'
import { DataError, reasonOf } from '../errors.js'
import { dataFolder } from '../folder.js'
import { heldBackPlaces, type HoldBackOptions, parted } from '../hold-back.js'
import type { ImageSet } from '../image/augment.js'
import { packTree } from '../image/pack.js'
import { INDEX } from '../image/packed-index.js'
import { packedImages } from '../image/packed.js'
import { boxAround } from '../image/part.js'
import type { ImageTree, TreeImage } from '../image/tree.js'
import type { FetchOptions } from '../npm-package.js'
import { isThere } from '../present.js'
import { digitStructOf, type NumberImage, readDigitStruct, writeDigitStruct } from './digit-struct.js'
import { numberFields, type NumberRows, type NumberSet, putNumber } from './number.js'

/** Share by which the box around all digits is enlarged, side of what is packed of it, and of what is trained on. */
const [MARGIN, SIDE, CROP] = [0.3, 64, 54]
const WANTED = 'train/ and test/ (and extra/), each with its PNG files and digitStruct.mat, .json or .csv'
/** In the folder of the data: the packed images. */
const PACKED = 'packed'

/** Options of `getSvhn`. */
export interface GetSvhnOptions extends FetchOptions {
  /** A folder with the unpacked train.tar.gz and test.tar.gz, and extra.tar.gz where it is wanted; needed where the cache has nothing. */
  readonly from?: string
  /** Default `$OSTRICH_DATA/svhn`, else `svhn` in the user's cache. */
  readonly dir?: string
  /** Processes that decode; 0: this one. Default 0. */
  readonly workers?: number
}

/** As `getSvhn` of the room says. */
export async function getSvhn(options: GetSvhnOptions): Promise<string> {
  const { from, dir = dataFolder('svhn'), workers = 0, onProgress = () => undefined } = options
  onProgress({ stage: 'check', what: dir })
  const packed = join(dir, PACKED)
  if (from === undefined) {
    if (!(await isThere(join(packed, INDEX)))) {
      throw new DataError(`svhn: expected --from <folder> with ${WANTED}, as ${dir} does not hold the data, got none`)
    }
    onProgress({ stage: 'present', what: dir })
    return dir
  }
  onProgress({ stage: 'unpack', what: from })
  const tree = await numberTree(from, dir)
  const { bad } = await packTree(tree, packed, {
    size: SIDE,
    workers,
    onProgress: ({ done, total, bad }) => {
      onProgress({ stage: 'decode', what: bad === 0 ? from : `${from} (${bad} bad)`, done, total })
    },
  })
  if (bad.length > 0) onProgress({ stage: 'write', what: `${join(packed, 'bad.json')}: ${bad.length} images left out` })
  onProgress({ stage: 'done', what: dir })
  return dir
}

/** An image of a copy: where it is, its number, and the part of it that has digits. */
interface Numbered {
  readonly name: string
  readonly number: string
  readonly part: NonNullable<TreeImage['part']>
}

/**
 * The images of a copy and their numbers, as classes. `dir` is where lists that were HDF5 are kept.
 * @throws DataError where a part is absent or damaged
 */
export async function numberTree(from: string, dir: string): Promise<ImageTree> {
  const partOf = async (name: string): Promise<readonly Numbered[]> => {
    const images = await listOf(await digitStructOf(join(from, name)), join(dir, 'lists'))
    return images.map(({ filename, boxes }) => ({
      name: `${name}/${filename}`,
      number: boxes.map(({ label }) => label).join(''),
      part: { ...boxAround(boxes), by: MARGIN },
    }))
  }
  for (const name of ['train', 'test']) {
    await access(join(from, name)).catch((error: unknown) => {
      const got = reasonOf(error) === 'ENOENT' ? `no ${name}/` : reasonOf(error)
      throw new DataError(`${from}: expected ${WANTED}, got ${got}. Unpack ${name}.tar.gz there`, { cause: error })
    })
  }
  const extra = (await isThere(join(from, 'extra'))) ? await partOf('extra') : []
  const [train, test] = [[...(await partOf('train')), ...extra], await partOf('test')]
  const classes = [...new Set([...train, ...test].map(({ number }) => number))].sort()
  const labels = new Map(classes.map((number, label) => [number, label]))
  const imagesOf = (all: readonly Numbered[]): TreeImage[] =>
    all.map(({ name, number, part }) => ({ name, label: labels.get(number)!, part }))
  return { root: from, classes, train: imagesOf(train), validation: imagesOf(test), passedOver: [] }
}

/** A list; of one that is HDF5 a copy as JSON is kept, by its digest, as HDF5 takes a minute where JSON takes a moment. */
async function listOf(path: string, kept: string): Promise<readonly NumberImage[]> {
  if (!path.endsWith('.mat')) return readDigitStruct(path)
  const known = join(kept, `${await sha256OfFile(path)}.json`)
  if (await isThere(known)) return readDigitStruct(known)
  const images = await readDigitStruct(path)
  await writeDigitStruct(known, images)
  return images
}

/** Whole house numbers. */
export interface Svhn {
  /** A random 54 x 54 of each image in training, and the middle one elsewhere. */
  readonly train: NumberSet
  /** Held back from the training images, to measure by after each epoch; absent where none are. */
  readonly validation?: NumberSet
  /** The official test images. To be measured once, at the end. */
  readonly test: NumberSet
  /** Closes files and ends threads. A process may also end without. */
  close(): Promise<void>
}

/** Options of `svhn`. */
export interface SvhnOptions extends HoldBackOptions {
  /** The folder. Default `$OSTRICH_DATA/svhn`, else `svhn` in the user's cache. */
  readonly dir?: string
  /** Training images that are held back; 0: none. Default a twelfth, at most 5,000. */
  readonly validation?: number
  /** Threads that read and cut, beside this one; 0: this thread does. Default 0. */
  readonly workers?: number
}

/** As `svhn` of the room says. */
export async function svhn(options: SvhnOptions): Promise<Svhn> {
  const { dir = dataFolder('svhn'), workers = 0 } = options
  const folder = join(dir, PACKED)
  if (!(await isThere(join(folder, INDEX)))) {
    throw new DataError(
      `svhn: expected packed images in ${folder}, got none. Run: ostrich data get svhn --from <folder>`,
    )
  }
  const images = await packedImages(folder, { augment: { crop: CROP }, workers })
  const { train, validation: test, classes } = images
  if (test === undefined) throw new DataError(`${folder}: expected test images, got none that could be decoded`)
  const usual = Math.min(5_000, Math.round(train.length / 12))
  const parts = parted(numbersOf(train, classes), heldBackPlaces('svhn', train.length, options, usual))
  return { ...parts, test: numbersOf(test, classes), close: () => images.close() }
}

/** Images whose classes are numbers, with the fields of a number. */
export function numbersOf(images: ImageSet, classes: readonly string[]): NumberSet {
  const numbers = classes.map((number) => Array.from(number, Number))
  return {
    length: images.length,
    fields: numberFields(CROP),
    async gather(indices, out, key) {
      const rows: NumberRows = out
      const target = new Int32Array(indices.length)
      await images.gather(indices, { target, ...(rows.x && { x: rows.x }) } as Parameters<ImageSet['gather']>[1], key)
      for (const [row, label] of target.entries()) putNumber(numbers[label]!, rows, row)
    },
  }
}
