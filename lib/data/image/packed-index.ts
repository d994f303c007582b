// The index of a packed folder: all that training needs to know besides the pixels, checked before it is believed.
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
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
}

/** `index.json`. The names of the images are in the shards' own records. */
export interface PackedIndex {
  readonly format: 'ostrich-images'
  readonly version: 1
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
  try {
    index = JSON.parse(await readFile(path, 'utf8')) as PackedIndex
  } catch (error) {
    const expected = 'the index of a packed folder (ostrich data pack writes it at its end)'
    throw new DataError(`${path}: expected ${expected}, got ${reasonOf(error)}`, { cause: error })
  }
  const head = (index as { format?: unknown; version?: unknown } | null) ?? {}
  if (head.format !== 'ostrich-images' || head.version !== 1) {
    const got = JSON.stringify([head.format, head.version])
    throw new DataError(`${path}: expected format ostrich-images, version 1, got ${got}`)
  }
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
  for (const { file, images, bytes, labels, lengths } of [...train, ...validation]) {
    expect(/^(?:train|validation)\/\d+\.shard$/.test(file), 'names of shards')
    const good = Array.isArray(labels) && labels.every((label) => whole(label) && label < classes.length)
    expect(good && labels.length === images, `${images} labels of ${file} below ${classes.length}`)
    const total =
      encoding === 'u8' ? 3 * size * size * images : (lengths ?? []).reduce((sum, length) => sum + length, 0)
    expect(
      total === bytes && (lengths ?? labels).length === images,
      `${images} images in the ${bytes} bytes of ${file}`,
    )
  }
}
