// Crops of digits and whole numbers of SVHN as they lie in the cache: two NumPy files of pixels, and `index.json`, which says what they show and
// is written last, so where there is one, the files are whole.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { placeFile, sha256Of } from '../cache.js'
import { DataError, reasonOf } from '../errors.js'
import { npyHeader, readNpyHeader } from '../npy.js'

/** Side of a crop, and of a number as it is read. */
export const [CROP_SIDE, NUMBER_SIDE] = [32, 54]

/** What a crop shows: the digit in the square around its box, and where it was. */
export interface CropRecord {
  readonly digit: number
  /** The photograph that it is cut from, by its file's name. */
  readonly photo: string
  /** Which digit of its number it is, from the left, from 0 on. */
  readonly position: number
  /** Left, top, width and height of the digit in the photograph's pixels. */
  readonly box: readonly [number, number, number, number]
}

/** What is in the cache. `crops`: u8 [crops, 3, 32, 32]; `numbers`: u8 [numbers, 3, 54, 54]. */
export interface PackedCrops {
  readonly crops: Uint8Array
  readonly records: readonly CropRecord[]
  readonly numbers: Uint8Array
  /** What each of `numbers` shows. */
  readonly labels: readonly string[]
}

interface Index {
  readonly version: 1
  readonly sha256: { readonly crops: string; readonly numbers: string }
  readonly crops: readonly CropRecord[]
  readonly numbers: readonly string[]
}

/** The file that says that all is there. */
export const INDEX = 'index.json'

/** Writes all of it to a folder. */
export async function writePackedCrops(dir: string, { crops, records, numbers, labels }: PackedCrops): Promise<void> {
  const digests = {
    crops: await writeImages(join(dir, 'crops.npy'), crops, records.length, CROP_SIDE),
    numbers: await writeImages(join(dir, 'numbers.npy'), numbers, labels.length, NUMBER_SIDE),
  }
  const index: Index = { version: 1, sha256: digests, crops: records, numbers: labels }
  await placeFile(join(dir, INDEX), new TextEncoder().encode(`${JSON.stringify(index)}\n`))
}

async function writeImages(path: string, images: Uint8Array, count: number, side: number): Promise<string> {
  const bytes = Buffer.concat([npyHeader([count, 3, side, side]), images])
  await placeFile(path, bytes)
  return sha256Of(bytes)
}

/**
 * Reads what `writePackedCrops` wrote.
 * @throws DataError where a file is absent, damaged, or not the one that the index names
 */
export async function readPackedCrops(dir: string): Promise<PackedCrops> {
  const index = await readIndex(join(dir, INDEX))
  const { crops: records, numbers: labels, sha256 } = index
  return {
    crops: await readImages(join(dir, 'crops.npy'), sha256.crops, records.length, CROP_SIDE),
    records,
    numbers: await readImages(join(dir, 'numbers.npy'), sha256.numbers, labels.length, NUMBER_SIDE),
    labels,
  }
}

async function readIndex(path: string): Promise<Index> {
  let index: Partial<Index>
  try {
    index = Object(JSON.parse(await readFile(path, 'utf8'))) as Partial<Index>
  } catch (error) {
    throw new DataError(`${path}: expected an index as JSON, got ${reasonOf(error)}`, { cause: error })
  }
  const { version, sha256, crops, numbers } = index
  if (version !== 1 || sha256 === undefined || !Array.isArray(crops) || !Array.isArray(numbers)) {
    throw new DataError(`${path}: expected an index of version 1, got another file. Run: ostrich data get svhn-strips`)
  }
  return { version, sha256, crops, numbers }
}

async function readImages(path: string, sha256: string, count: number, side: number): Promise<Uint8Array> {
  const { start, shape } = await readNpyHeader(path, { '|u1': 1 })
  const expected = [count, 3, side, side].join(', ')
  if (shape.join(', ') !== expected) {
    throw new DataError(`${path}: expected images of [${expected}], got [${shape.join(', ')}]`)
  }
  const bytes = await readFile(path)
  const got = sha256Of(bytes)
  if (got !== sha256) throw new DataError(`${path}: expected the sha256 ${sha256}, got ${got}`)
  return bytes.subarray(start)
}
