// Which digits an image of SVHN shows, and where: `digitStruct.mat` of its first format, and the same as JSON or CSV. Refuses what is no
// such list: names that are paths, labels that are no digits, boxes without a size.
import { readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { placeFile } from '../cache.js'
import { readTable } from '../csv.js'
import { DataError, reasonOf } from '../errors.js'
import type { Part } from '../image/part.js'
import { isThere } from '../present.js'

/** A digit of a number: 0 to 9, and where it is, in the image's pixels. */
export interface DigitBox extends Part {
  readonly label: number
}

/** An image by its file's name, and its digits in reading order. */
export interface NumberImage {
  readonly filename: string
  readonly boxes: readonly DigitBox[]
}

/** What a folder may hold, the fastest to read first. */
const NAMES = ['digitStruct.json', 'digitStruct.csv', 'digitStruct.mat']
const COLUMNS = ['filename', 'label', 'left', 'top', 'width', 'height'] as const

/**
 * The list of a folder of images.
 * @throws DataError where there is none, or it is none
 */
export async function digitStructOf(folder: string): Promise<string> {
  for (const name of NAMES) {
    const path = join(folder, name)
    if (await isThere(path)) return path
  }
  throw new DataError(`${folder}: expected ${NAMES.join(', ')} beside its images, got none of them`)
}

/**
 * Reads a list: `.mat` (HDF5, by the package h5wasm), `.json` ([{ filename, boxes: [{ label, left, top, width, height }] }]) or `.csv` (a line a
 * digit, with columns of these names). The label 10 stands for the digit 0.
 * @throws DataError where it cannot be read, is no such list, or a package is absent that reads it
 */
export async function readDigitStruct(path: string): Promise<readonly NumberImage[]> {
  const kind = extname(path).toLowerCase()
  if (kind === '.mat') {
    const { readDigitStructMat } = await import('./digit-struct-mat.js')
    return checked(await readDigitStructMat(path), path)
  }
  if (kind === '.csv') return checked(await ofTable(path), path)
  if (kind === '.json') return checked(await ofJson(path), path)
  throw new DataError(`${path}: expected a list that ends in .mat, .json or .csv, got another`)
}

/** Writes a list as JSON, to be read without HDF5. */
export async function writeDigitStruct(path: string, images: readonly NumberImage[]): Promise<void> {
  await placeFile(path, new TextEncoder().encode(`[\n${images.map((image) => JSON.stringify(image)).join(',\n')}\n]\n`))
}

async function ofJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as unknown
  } catch (error) {
    throw new DataError(`${path}: expected a list of images as JSON, got ${reasonOf(error)}`, { cause: error })
  }
}

/** A line a digit; the digits of an image follow each other. */
async function ofTable(path: string): Promise<unknown> {
  const { columns, rows } = await readTable(path)
  const places = COLUMNS.map((name) => columns.indexOf(name))
  const absent = COLUMNS.find((_, i) => places[i]! < 0)
  if (absent !== undefined) {
    throw new DataError(`${path}: expected the columns ${COLUMNS.join(', ')}, got ${columns.join(', ')}`)
  }
  const images: { filename: string; boxes: Record<string, number>[] }[] = []
  for (const { record } of rows) {
    const [filename = '', ...values] = places.map((place) => record[place] ?? '')
    if (images.at(-1)?.filename !== filename) images.push({ filename, boxes: [] })
    const numbers = values.map((text, i): [string, number] => [COLUMNS[i + 1]!, text === '' ? NaN : Number(text)])
    images.at(-1)!.boxes.push(Object.fromEntries(numbers))
  }
  return images
}

/** The list, each image looked at. @throws DataError naming the first that is none */
function checked(list: unknown, path: string): NumberImage[] {
  if (!Array.isArray(list) || list.length === 0) throw new DataError(`${path}: expected a list of images, got none`)
  const names = new Set<string>()
  return list.map((item: unknown, i) => {
    const { filename, boxes } = Object(item) as Record<string, unknown>
    const where = `${path}: image ${i + 1}`
    // A name that is a path would be read from anywhere.
    if (typeof filename !== 'string' || !/^[^/\\\0]+$/.test(filename) || /^\.\.?$/.test(filename)) {
      throw new DataError(
        `${where}: expected the name of a file, got ${filename === undefined ? 'none' : JSON.stringify(filename)}`,
      )
    }
    if (names.has(filename)) throw new DataError(`${where}: expected images of different names, got ${filename} twice`)
    names.add(filename)
    if (!Array.isArray(boxes) || boxes.length === 0) {
      throw new DataError(
        `${where} (${filename}): expected a list of digits, got ${Array.isArray(boxes) ? 'none' : 'another'}`,
      )
    }
    return {
      filename,
      boxes: boxes.map((box: unknown, digit) => boxOf(box, `${where} (${filename}): digit ${digit + 1}`)),
    }
  })
}

function boxOf(box: unknown, where: string): DigitBox {
  const { label, left, top, width, height } = Object(box) as Record<string, unknown>
  if (!isNumber(label) || !Number.isInteger(label) || label < 0 || label > 10) {
    throw new DataError(`${where}: expected a label from 0 to 9, or 10 for the digit 0, got ${String(label)}`)
  }
  if (!isNumber(left) || !isNumber(top) || !isNumber(width) || !isNumber(height) || width <= 0 || height <= 0) {
    const got = `left ${String(left)}, top ${String(top)}, width ${String(width)}, height ${String(height)}`
    throw new DataError(`${where}: expected a box with a size, got ${got}`)
  }
  return { label: label % 10, left, top, width, height }
}

function isNumber(value: unknown): value is number {
  return Number.isFinite(value)
}
