// Street View House Numbers, single digits (Netzer et al. 2011; its format 2): train_32x32.mat, test_32x32.mat and extra_32x32.mat, level 5
// MAT-files of `X` u8 [32, 32, 3, N], by columns, and `y` [N, 1], in which the digit 0 is 10.
import { join } from 'node:path'
import { arrays } from '../arrays.js'
import type { Dataset } from '../dataset.js'
import { DataError } from '../errors.js'
import { dataFolder } from '../folder.js'
import { heldBackPlaces, type HoldBackOptions, parted } from '../hold-back.js'
import { NUMBERS, U8 } from '../mat5.js'
import { type MatArray, readMat, type Sink } from '../mat5-stream.js'
import { isThere } from '../present.js'

const SIDE = 32
const PLANE = SIDE * SIDE
const IMAGE = 3 * PLANE

/** Images `x`: u8 [3, 32, 32], red, green and blue planes, a digit in the middle; `target`: i32 scalar, the digit. */
export type DigitSet = Dataset<{
  readonly x: { readonly dtype: 'u8'; readonly shape: readonly [3, 32, 32] }
  readonly target: { readonly dtype: 'i32'; readonly shape: readonly [] }
}>

/** Single digits of house numbers. */
export interface SvhnDigits {
  readonly train: DigitSet
  /** Held back from the training images, to measure by after each epoch; absent where none are. */
  readonly validation?: DigitSet
  /** To be measured once, at the end: nothing is chosen or stopped by it. */
  readonly test: DigitSet
}

/** Options of `svhnDigits`. */
export interface SvhnDigitsOptions extends HoldBackOptions {
  /** The folder with the files. Default `$OSTRICH_DATA/svhn`, else `svhn` in the user's cache. */
  readonly dir?: string
  /** Train on extra_32x32.mat too: 531,131 more and easier digits, 1.8 GB of memory, twice that while they are read. Default false. */
  readonly extra?: boolean
  /** Training images that are held back; 0: none. Default a twelfth, at most 5,000. */
  readonly validation?: number
}

/** As `svhnDigits` of the room says. */
export async function svhnDigits(options: SvhnDigitsOptions): Promise<SvhnDigits> {
  const { dir = dataFolder('svhn'), extra = false } = options
  const parts = [await readDigits(await located(dir, 'train'))]
  if (extra) parts.push(await readDigits(await located(dir, 'extra')))
  const test = setOf([await readDigits(await located(dir, 'test'))])
  const all = setOf(parts)
  const usual = Math.min(5_000, Math.round(all.length / 12))
  return { ...parted(all, heldBackPlaces('svhnDigits', all.length, options, usual)), test }
}

async function located(dir: string, part: string): Promise<string> {
  const path = join(dir, `${part}_32x32.mat`)
  if (await isThere(path)) return path
  throw new DataError(`svhnDigits: expected the file ${path}, got none`)
}

interface Digits {
  readonly x: Uint8Array
  readonly target: Int32Array
}

function setOf(parts: readonly Digits[]): DigitSet {
  const count = parts.reduce((sum, { target }) => sum + target.length, 0)
  const [first] = parts
  const all = parts.length === 1 ? first! : { x: new Uint8Array(count * IMAGE), target: new Int32Array(count) }
  if (parts.length > 1) {
    let at = 0
    for (const { x, target } of parts) {
      all.x.set(x, at * IMAGE)
      all.target.set(target, at)
      at += target.length
    }
  }
  return arrays({ x: { data: all.x, shape: [3, SIDE, SIDE] }, target: all.target })
}

/**
 * Reads a file of digits.
 * @throws DataError where it is damaged, lacks `X` or `y`, or they are not images and digits
 */
export async function readDigits(path: string): Promise<Digits> {
  let x: Uint8Array | undefined
  let target: Int32Array | undefined
  await readMat(path, (array) => {
    if (array.name === 'X' && x === undefined) {
      x = new Uint8Array(imagesOf(array, path) * IMAGE)
      return transposing(x)
    }
    if (array.name === 'y' && target === undefined) {
      target = new Int32Array(array.extents.reduce((product, extent) => product * extent, 1))
      return labelling(array, target, path)
    }
    return undefined
  })
  if (x === undefined || target === undefined) {
    throw new DataError(`${path}: expected arrays X and y, got no ${x === undefined ? 'X' : 'y'}`)
  }
  if (target.length === 0 || x.length !== target.length * IMAGE) {
    throw new DataError(
      `${path}: expected a digit in y for each image of X, got ${target.length} for ${x.length / IMAGE}`,
    )
  }
  return { x, target }
}

/** How many images an array holds. MATLAB leaves out a last extent of 1. */
function imagesOf({ extents, type }: MatArray, path: string): number {
  const [height, width, channels, count = 1, ...more] = extents
  if (type === U8 && height === SIDE && width === SIDE && channels === 3 && more.length === 0) return count
  const got = type === U8 ? `[${extents.join(', ')}]` : `values of type ${type}`
  throw new DataError(`${path}: expected X of u8 [32, 32, 3, N], got ${got}`)
}

/** Puts columns of pixels, plane by plane, where their rows belong. */
function transposing(x: Uint8Array): Sink {
  let at = 0
  return (piece) => {
    for (const level of piece) {
      const place = at % PLANE
      x[at - place + (place % SIDE) * SIDE + Math.floor(place / SIDE)] = level
      at++
    }
  }
}

/** Takes numbers of any type, as a value may lie in two pieces. */
function labelling({ type, bytes }: MatArray, target: Int32Array, path: string): Sink {
  const [size, read] = NUMBERS[type]!
  const all = new Uint8Array(bytes)
  const view = new DataView(all.buffer)
  let [at, done] = [0, 0]
  return (piece) => {
    all.set(piece, at)
    at += piece.length
    for (; (done + 1) * size <= at; done++) {
      const label = read(view, done * size)
      if (!Number.isInteger(label) || label < 0 || label > 10) {
        throw new DataError(`${path}: expected digits from 1 to 10 in y, got ${label} at ${done}`)
      }
      target[done] = label % 10
    }
  }
}
