// House numbers composed of crops of SVHN's photographs and of MNIST's digits, to train on, and whole numbers of other photographs, to read.
import { join } from 'node:path'
import { arrays } from '../arrays.js'
import { permutation, wholeNumber } from '../batches.js'
import { DataError } from '../errors.js'
import { dataFolder } from '../folder.js'
import { GatherPool } from '../gather-pool.js'
import { glyphsOf } from '../glyphs.js'
import { isThere } from '../present.js'
import { mnist } from '../sources/mnist.js'
import { cropsOf } from './crops.js'
import { MOST_DIGITS, type NumberSet, putNumber } from './number.js'
import { INDEX, NUMBER_SIDE, type PackedCrops, readPackedCrops } from './packed-crops.js'
import { type PhotoPart, photoSets } from './photo-sets.js'

/** What the numbers of one version look like is never changed. */
export const SVHN_STRIPS_VERSION = 1

/** Composed numbers to train on, and photographs to read. */
export interface SvhnStrips {
  /** Others in every epoch: every other one of crops, the rest of MNIST's training digits. */
  readonly train: NumberSet
  /** Always the same, of crops of photographs that `train` has none of; absent where none are wanted. */
  readonly validation?: NumberSet
  /** Whole numbers of photographs that neither of the others has a crop of. To be measured once, at the end. */
  readonly test: NumberSet
  /** What composed numbers look like: results of different versions do not compare. */
  readonly version: number
  /** Ends the threads. A process may also end without. */
  close(): Promise<void>
}

/** Options of `svhnStrips`. */
export interface SvhnStripsOptions {
  /** The folder. Default `$OSTRICH_DATA/svhn-strips`, else `svhn-strips` in the user's cache. */
  readonly dir?: string
  /** The folder of MNIST. Default `$OSTRICH_DATA/mnist`, else `mnist` in the user's cache. */
  readonly mnist?: string
  /** Training images of one epoch. Default 50,000. */
  readonly train?: number
  /** Composed numbers to measure by after each epoch; 0: none. Default 2,000. */
  readonly validation?: number
  /** Threads that compose, beside this one; 0: this thread does. Default 0. */
  readonly workers?: number
}

/** One photograph of so many is held back. */
const HELD_BACK = 12
/** Seeds of the images that are always the same: of validation, and of training images outside of training; and what draws the photographs. */
const [VALIDATION_SEED, PLAIN_SEED, PHOTOS_SEED] = [2, 1, 1]

/** As `svhnStrips` of the room says. */
export async function svhnStrips(options: SvhnStripsOptions): Promise<SvhnStrips> {
  const { dir = dataFolder('svhn-strips'), train = 50_000, validation = 2_000, workers = 0 } = options
  wholeNumber('svhnStrips', 'train', train, 1, 2 ** 31)
  wholeNumber('svhnStrips', 'validation', validation, 0, 2 ** 31)
  wholeNumber('svhnStrips', 'workers', workers, 0, 256)
  if (!(await isThere(join(dir, INDEX)))) {
    const how = 'Run: ostrich data get svhn-strips --from <folder>'
    throw new DataError(`svhnStrips: expected crops and numbers in ${dir}, got none. ${how}`)
  }
  const packed = await readPackedCrops(dir)
  const digits = await mnist({ ...(options.mnist !== undefined && { dir: options.mnist }), validation: 0 })
  const glyphs = await glyphsOf(digits.train)
  const places = placesOf(packed)
  const parts: Record<string, PhotoPart> = {
    train: { crops: cropsOf(packed, places.train, glyphs), glyphs, length: train, seed: PLAIN_SEED, endless: true },
  }
  if (validation > 0) {
    const crops = cropsOf(packed, places.validation, glyphs)
    parts['validation'] = { crops, length: validation, seed: VALIDATION_SEED, endless: false }
  }
  const sets = photoSets(parts)
  const pool = workers === 0 ? undefined : new GatherPool(workers, { kind: 'photos', parts })
  const setOf = (name: string): NumberSet => pool?.over(name, sets[name]!) ?? sets[name]!
  return {
    train: setOf('train'),
    ...(sets['validation'] && { validation: setOf('validation') }),
    test: photographsOf(packed),
    version: SVHN_STRIPS_VERSION,
    close: async () => {
      await pool?.close()
    },
  }
}

/** The places of the crops that are trained on, and of those of photographs that are held back. */
export function placesOf({ records }: Pick<PackedCrops, 'records'>): {
  readonly train: number[]
  readonly validation: number[]
} {
  const photos = [...new Set(records.map(({ photo }) => photo))]
  const count = Math.max(1, Math.round(photos.length / HELD_BACK))
  if (count >= photos.length) {
    throw new DataError(`svhnStrips: expected crops of two photographs or more, got ${photos.length}`)
  }
  const held = new Set(Array.from(permutation(photos.length, PHOTOS_SEED, 0).subarray(0, count), (i) => photos[i]))
  const all = Array.from(records.keys())
  return {
    train: all.filter((place) => !held.has(records[place]!.photo)),
    validation: all.filter((place) => held.has(records[place]!.photo)),
  }
}

/** The whole numbers, as a data set. */
function photographsOf({ numbers, labels }: PackedCrops): NumberSet {
  const rows = {
    length: new Int32Array(labels.length),
    digits: new Int32Array(MOST_DIGITS * labels.length),
    mask: new Uint8Array(MOST_DIGITS * labels.length),
  }
  for (const [row, label] of labels.entries()) putNumber(Array.from(label, Number), rows, row)
  return arrays({
    x: { data: numbers, shape: [3, NUMBER_SIDE, NUMBER_SIDE] },
    length: rows.length,
    digits: { data: rows.digits, shape: [MOST_DIGITS] },
    mask: { data: rows.mask, shape: [MOST_DIGITS] },
  })
}
