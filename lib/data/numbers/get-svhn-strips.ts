// Brings crops of digits and whole numbers of SVHN into the cache, from two archives or the folders in them. Crops of a photograph whose whole
// number is among those that are read at the end are left out: nothing of it is trained on.
import { join } from 'node:path'
import { DataError } from '../errors.js'
import { dataFolder } from '../folder.js'
import { decodeImage } from '../image/decode.js'
import { boxAround, type Part } from '../image/part.js'
import type { FetchOptions } from '../npm-package.js'
import { type Files, openFiles } from '../open-files.js'
import { inParallel } from '../parallel.js'
import { isThere } from '../present.js'
import { CROP_SIDE, type CropRecord, INDEX, NUMBER_SIDE, type PackedCrops, writePackedCrops } from './packed-crops.js'
import { numberImage } from './read-number.js'

/** What the archives are called, without .tar.gz, and the folders in them. */
const CROPS = { archive: 'svhn-32x32-test-part', folder: 'svhn-32x32-test-part', list: 'labels.tsv' }
const NUMBERS = { archive: 'svhn-format1-first256', folder: 'svhn', list: 'test.tsv' }
/** The two parts of the whole numbers, each a list and a folder. */
const PARTS = ['train', 'test']
/** Whose photographs the crops are of. */
const CROPPED = 'test'
const WANTED = `${CROPS.archive}.tar.gz and ${NUMBERS.archive}.tar.gz, or their folders ${CROPS.folder} and ${NUMBERS.folder}`
/** Decoders at work at once. */
const AT_ONCE = 8

/** Options of `getSvhnStrips`. */
export interface GetSvhnStripsOptions extends FetchOptions {
  /** A folder with the two archives, or with what is in them; needed where the cache does not hold it. */
  readonly from?: string
  /** Default `$OSTRICH_DATA/svhn-strips`, else `svhn-strips` in the user's cache. */
  readonly dir?: string
}

/** As `getSvhnStrips` of the room says. */
export async function getSvhnStrips(options: GetSvhnStripsOptions): Promise<string> {
  const { from, dir = dataFolder('svhn-strips'), onProgress = () => undefined } = options
  onProgress({ stage: 'check', what: dir })
  if (from === undefined) {
    if (!(await isThere(join(dir, INDEX)))) {
      throw new DataError(
        `svhn-strips: expected --from <folder> with ${WANTED}, as ${dir} does not hold the data, got none`,
      )
    }
    onProgress({ stage: 'present', what: dir })
    return dir
  }
  onProgress({ stage: 'unpack', what: from })
  const packed = await packedFrom(from, options)
  onProgress({ stage: 'write', what: dir })
  await writePackedCrops(dir, packed)
  onProgress({ stage: 'done', what: dir })
  return dir
}

/** A list and the images beside it, by their names there. */
interface Copy {
  readonly name: string
  table(list: string, columns: readonly string[]): Promise<readonly Line[]>
  read(name: string): Promise<Uint8Array>
}

/** A line of a table: where it stands, and its cells. */
interface Line {
  readonly where: string
  readonly cells: readonly string[]
}

async function copyOf(from: string, { archive, folder, list }: typeof CROPS): Promise<Copy> {
  const [whole, unpacked] = [join(from, `${archive}.tar.gz`), join(from, folder)]
  const there = [unpacked, whole]
  let path: string | undefined
  for (const one of there) if (path === undefined && (await isThere(one))) path = one
  if (path === undefined) throw new DataError(`${from}: expected ${WANTED}, got no ${archive}.tar.gz and no ${folder}`)
  const files: Files = await openFiles(path, 'svhn-strips', WANTED)
  const found = files.names.find((name) => name === list || name.endsWith(`/${list}`))
  if (found === undefined) throw new DataError(`${path}: expected a file ${list}, got none`)
  const before = found.slice(0, found.length - list.length)
  const names = new Set(files.names)
  const read = async (name: string): Promise<Uint8Array> => {
    if (!names.has(`${before}${name}`)) throw new DataError(`${path}: expected a file ${before}${name}, got none`)
    return files.read(`${before}${name}`)
  }
  const table = async (name: string, columns: readonly string[]): Promise<readonly Line[]> => {
    const [head = '', ...lines] = Buffer.from(await read(name))
      .toString()
      .trimEnd()
      .split(/\r?\n/)
    const where = `${path}: ${name}`
    const named = head.split('\t').map((cell) => cell.replace(/\(.*/, ''))
    if (named.join() !== columns.join() || lines.length === 0) {
      const got = lines.length === 0 ? 'no lines below it' : named.join(', ')
      throw new DataError(`${where}: expected the columns ${columns.join(', ')}, with tabs between, got ${got}`)
    }
    return lines.map((line, i) => ({ where: `${where}, line ${i + 2}`, cells: line.split('\t') }))
  }
  return { name: path, table, read }
}

async function packedFrom(from: string, { onProgress = () => undefined, signal }: GetSvhnStripsOptions) {
  const [digits, whole] = [await copyOf(from, CROPS), await copyOf(from, NUMBERS)]
  const numbers = await numbersOf(whole)
  const read = new Set(numbers.filter(({ part }) => part === CROPPED).map(({ photo }) => photo))
  const all = (await cropsOf(digits)).filter(({ record }) => !read.has(record.photo))
  const kept = photosInTurn(all)
  if (kept.length === 0)
    throw new DataError(`${digits.name}: expected crops of photographs that are not read, got none`)
  const total = kept.length + numbers.length
  let done = 0
  const decoded = async (count: number, side: number, imageOf: (i: number) => Promise<Uint8Array>) => {
    const each = 3 * side * side
    const images = new Uint8Array(count * each)
    await inParallel(count, AT_ONCE, async (i) => {
      signal?.throwIfAborted()
      images.set(await imageOf(i), i * each)
      onProgress({ stage: 'decode', what: from, done: ++done, total })
    })
    return images
  }
  return {
    crops: await decoded(kept.length, CROP_SIDE, (i) => cropImage(digits, kept[i]!.file)),
    records: kept.map(({ record }) => record),
    numbers: await decoded(numbers.length, NUMBER_SIDE, async (i) => {
      const { part, photo, box } = numbers[i]!
      const name = `${part}/${photo}`
      return numberImage(await whole.read(name), `${whole.name}: ${name}`, NUMBER_SIDE, box)
    }),
    labels: numbers.map(({ digits }) => digits),
  } satisfies PackedCrops
}

async function cropImage(copy: Copy, file: string): Promise<Uint8Array> {
  const name = `${copy.name}: ${file}`
  const { data, width, height } = await decodeImage(await copy.read(file), name)
  if (width === CROP_SIDE && height === CROP_SIDE) return data
  throw new DataError(`${name}: expected an image of ${CROP_SIDE} x ${CROP_SIDE}, got ${width} x ${height}`)
}

/** The crops of a list, in its order. @throws DataError naming the first line that is none */
async function cropsOf(copy: Copy): Promise<readonly { readonly file: string; readonly record: CropRecord }[]> {
  const columns = ['file', 'index', 'digit', 'full_image', 'position', 'box']
  return (await copy.table(CROPS.list, columns)).map(({ where, cells }) => {
    const [file = '', , digit = '', photo = '', position = '', box = ''] = cells
    if (!/^\d$/.test(digit)) throw new DataError(`${where}: expected a digit from 0 to 9, got ${digit || 'none'}`)
    if (!/^\d+$/.test(position))
      throw new DataError(`${where}: expected a position from 0 on, got ${position || 'none'}`)
    if (photo === '') throw new DataError(`${where}: expected the name of the whole image, got none`)
    const { left, top, width, height } = boxOf(box, where)
    return {
      file,
      record: { digit: Number(digit), photo, position: Number(position), box: [left, top, width, height] },
    }
  })
}

/** The crops of a photograph behind each other, from the left. */
function photosInTurn<T extends { readonly record: CropRecord }>(crops: readonly T[]): readonly T[] {
  const photos = new Map<string, T[]>()
  for (const crop of crops) {
    const own = photos.get(crop.record.photo) ?? []
    own.push(crop)
    photos.set(crop.record.photo, own)
  }
  return [...photos.values()].flatMap((own) => own.sort((a, b) => a.record.position - b.record.position))
}

interface WholeNumber {
  readonly part: string
  readonly photo: string
  readonly digits: string
  readonly box: Part
}

/** The whole numbers of both lists. @throws DataError naming the first line that is none */
async function numbersOf(copy: Copy): Promise<readonly WholeNumber[]> {
  const lists = PARTS.map(async (part) =>
    (await copy.table(`${part}.tsv`, ['name', 'width', 'height', 'digits', 'boxes'])).map(({ where, cells }) => {
      const [photo = '', , , digits = '', text = ''] = cells
      const boxes = text.split(';').map((box) => boxOf(box, where))
      if (!/^\d+$/.test(digits) || boxes.length !== digits.length) {
        const got = `${digits || 'none'} in ${boxes.length} boxes`
        throw new DataError(`${where}: expected digits, and a box for each, got ${got}`)
      }
      return { part, photo, digits, box: boxAround(boxes) }
    }),
  )
  return (await Promise.all(lists)).flat()
}

function boxOf(text: string, where: string): Part {
  const numbers = text.split(',').map((one) => (one.trim() === '' ? NaN : Number(one)))
  const [left = NaN, top = NaN, width = NaN, height = NaN] = numbers
  if (numbers.length === 4 && numbers.every(Number.isFinite) && width > 0 && height > 0) {
    return { left, top, width, height }
  }
  throw new DataError(`${where}: expected a box of left, top, width, height, got ${text || 'none'}`)
}
