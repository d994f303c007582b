// The index of a packed folder: all that training needs to know besides the pixels, checked before it is believed; and the check of
// all that is packed by the digests that it holds.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { sha256Of } from '../cache.js'
import { DataError, reasonOf } from '../errors.js'
import type { Encoding } from './shard.js'
import type { ImageStatistics } from './statistics.js'

export const INDEX = 'index.json'

/** One shard: its file, from the folder on, and its images in the order in which they lie in it. */
export interface PackedShard {
  readonly file: string
  readonly images: number
  readonly bytes: number
  readonly sha256: string
  readonly labels: readonly number[]
  /** Bytes of each image; `jpeg` only. */
  readonly lengths?: readonly number[]
  /** CRC-32 of each image's bytes, u32 in base64; folders of version 1 have none. */
  readonly sums?: string
}

/** `index.json`. The names of the images are in the shards' own records. */
export interface PackedIndex {
  readonly format: 'ostrich-images'
  /** From 2 on its last entry is `sha256`, of the text before it. */
  readonly version: 1 | 2
  readonly encoding: Encoding
  readonly quality?: number
  /** Side of every image. */
  readonly size: number
  readonly classes: readonly string[]
  /** Of the training images. */
  readonly statistics: ImageStatistics
  /** How many files were left out; `bad.json` names them. */
  readonly bad: number
  readonly train: readonly PackedShard[]
  readonly validation: readonly PackedShard[]
}

/**
 * Reads and checks the index of a packed folder, and that its shards are there with their sizes.
 * @throws DataError where there is none, it is of another version or not consistent, or a shard is absent or of another size
 */
export async function readIndex(folder: string): Promise<PackedIndex> {
  const path = join(folder, INDEX)
  let index: PackedIndex
  let text = ''
  try {
    text = await readFile(path, 'utf8')
    index = JSON.parse(text) as PackedIndex
  } catch (error) {
    const expected = 'the index of a packed folder (ostrich data pack writes it at its end)'
    throw new DataError(`${path}: expected ${expected}, got ${reasonOf(error)}`, { cause: error })
  }
  const head = (index as { format?: unknown; version?: unknown } | null) ?? {}
  if (head.format !== 'ostrich-images' || (head.version !== 1 && head.version !== 2)) {
    const got = JSON.stringify([head.format, head.version])
    throw new DataError(`${path}: expected format ostrich-images, version 1 or 2, got ${got}`)
  }
  if (head.version === 2) checkSeal(text, path)
  checkIndex(index, path)
  for (const { file, bytes } of [...index.train, ...index.validation]) {
    const size = await stat(join(folder, file)).then(
      (found) => found.size,
      () => -1,
    )
    if (size !== bytes) {
      const got = size < 0 ? 'none' : `${size}`
      throw new DataError(
        `${join(folder, file)}: expected a shard of ${bytes} bytes, got ${got}. Run ostrich data pack again`,
      )
    }
  }
  return index
}

const digestOf = (text: string): string => sha256Of(new TextEncoder().encode(text))

/** The text of an index, with its digest as the last entry. */
export function sealed(index: PackedIndex): string {
  const text = JSON.stringify(index).slice(0, -1)
  return `${text},"sha256":"${digestOf(text)}"}\n`
}

function checkSeal(text: string, path: string): void {
  const [, before = '', expected = 'none'] = /^(.*),"sha256":"(\w{64})"\}\s*$/s.exec(text) ?? []
  const got = digestOf(before)
  if (got !== expected)
    throw new DataError(`${path}: expected what was written, of sha256 ${expected}, got ${got}: damaged`)
}

/** What was compared. */
export interface CheckedShards {
  readonly shards: number
  readonly images: number
  readonly bytes: number
}

/**
 * Reads every shard of a packed folder and compares it with its sha256.
 * @param onBytes called after each piece with the bytes that were read, and with all there are
 * @throws DataError naming the first shard that is not as it was packed; what is wrong with the index
 */
export async function checkShards(
  folder: string,
  onBytes: (done: number, total: number) => void = () => undefined,
): Promise<CheckedShards> {
  const index = await readIndex(folder)
  const shards = [...index.train, ...index.validation]
  const total = shards.reduce((sum, { bytes }) => sum + bytes, 0)
  let done = 0
  for (const { file, sha256: expected } of shards) {
    const path = join(folder, file)
    const hash = createHash('sha256')
    try {
      for await (const piece of createReadStream(path, { highWaterMark: 2 ** 20 }) as AsyncIterable<Uint8Array>) {
        hash.update(piece)
        done += piece.length
        onBytes(done, total)
      }
    } catch (error) {
      throw new DataError(`${path}: expected to read it, got ${reasonOf(error)}`, { cause: error })
    }
    const got = hash.digest('hex')
    if (got === expected) continue
    throw new DataError(
      `${path}: expected what was packed, of sha256 ${expected}, got ${got}: damaged. Remove it and run ostrich data pack again`,
    )
  }
  return { shards: shards.length, images: shards.reduce((sum, { images }) => sum + images, 0), bytes: total }
}

function checkIndex(index: PackedIndex, path: string): void {
  const { encoding, size, classes, train, validation } = index
  const expect = (good: boolean, expected: string): void => {
    if (!good) throw new DataError(`${path}: expected ${expected}, got something else`)
  }
  const whole = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
  expect(['u8', 'jpeg'].includes(encoding), 'an encoding u8 or jpeg')
  expect(whole(size) && size >= 1, 'a size')
  expect(Array.isArray(classes) && classes.every((name) => typeof name === 'string'), 'names of classes')
  const { mean, std, deviations, components } = Object(index.statistics) as Partial<ImageStatistics>
  const known = [mean, std, deviations, components].every((one) => Array.isArray(one) && one.length === 3)
  expect(known, 'statistics')
  expect(Array.isArray(train) && Array.isArray(validation), 'lists of shards')
  for (const { file, images, bytes, labels, lengths, sums } of [...train, ...validation]) {
    expect(/^(?:train|validation)\/\d+\.shard$/.test(file), 'names of shards')
    const good = Array.isArray(labels) && labels.every((label) => whole(label) && label < classes.length)
    expect(good && labels.length === images, `${images} labels of ${file} below ${classes.length}`)
    const counted = sums === undefined || Buffer.from(sums, 'base64').length === 4 * images
    expect(counted, `${images} sums of ${file}`)
    const total =
      encoding === 'u8' ? 3 * size * size * images : (lengths ?? []).reduce((sum, length) => sum + length, 0)
    expect(
      total === bytes && (lengths ?? labels).length === images,
      `${images} images in the ${bytes} bytes of ${file}`,
    )
  }
}
