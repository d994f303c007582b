// SVHN's single digits: MAT-files that were written here and by SciPy, and damaged in every way.
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DataError, PhiloxStream, svhnDigits } from '../../../lib/data/index.js'
import { type MatArray, readMat } from '../../../lib/data/mat5-stream.js'
import { readDigits } from '../../../lib/data/numbers/svhn-digits.js'
import { doubles, matFile, type MatValues, matrix } from '../../support/mat-file.js'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-test-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true })
})

/** What SciPy wrote (test/golden/make_mat.py), in base64. */
const golden = JSON.parse(
  readFileSync(new URL('../../golden/images/svhn-digits.json', import.meta.url), 'utf8'),
) as Record<'compressed' | 'plain' | 'doubles', string>

/** The level of image i at a channel, row and column. */
const level = (image: number, channel: number, row: number, column: number): number =>
  (7 * image + 85 * channel + 3 * row + column) % 251

/** `X` of so many images, by columns. */
function images(count: number): MatValues {
  const data = Uint8Array.from({ length: count * 3072 }, (_, i) =>
    level(Math.floor(i / 3072), Math.floor(i / 1024) % 3, i % 32, Math.floor(i / 32) % 32),
  )
  return { name: 'X', extents: count === 1 ? [32, 32, 3] : [32, 32, 3, count], type: 2, data }
}

const digits = (labels: readonly number[]): MatValues => ({
  name: 'y',
  extents: [labels.length, 1],
  type: 2,
  data: Uint8Array.from(labels),
})

const labelsOf = (count: number): number[] => Array.from({ length: count }, (_, i) => 1 + (i % 10))

async function placed(bytes: Uint8Array, name = 'digits.mat'): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, bytes)
  return path
}

describe('svhnDigits', () => {
  it.each([true, false])('gives rows of planes, and the digit 0 for 10; compressed: %j', async (compressed) => {
    // More than one piece of a stream, whose ends fall within images.
    const count = 300
    const path = await placed(matFile([images(count), digits(labelsOf(count))], compressed))
    const { x, target } = await readDigits(path)
    expect([x.length, target.length]).toEqual([count * 3072, count])
    let wrong = 0
    for (let i = 0; i < x.length; i++) {
      const [image, channel] = [Math.floor(i / 3072), Math.floor(i / 1024) % 3]
      if (x[i] !== level(image, channel, Math.floor(i / 32) % 32, i % 32)) wrong++
    }
    expect(wrong).toBe(0)
    expect(Array.from(target.slice(0, 11))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1])
  })

  it('takes labels of any type, arrays in any order with others between, and a single image', async () => {
    const other = { name: 'description', extents: [1, 3], kind: 4, type: 16, data: Buffer.from('abc') }
    const y = { name: 'y', extents: [3, 1], kind: 6, type: 9, data: doubles([10, 1, 9]) }
    const three = await readDigits(await placed(matFile([y, other, images(3)])))
    expect(Array.from(three.target)).toEqual([0, 1, 9])
    const one = await readDigits(await placed(matFile([images(1), digits([4])], false)))
    expect([one.x.length, one.target[0]]).toEqual([3072, 4])
  })

  it.each(['compressed', 'plain', 'doubles'] as const)('reads what SciPy writes: %s', async (kind) => {
    const path = await placed(Buffer.from(golden[kind], 'base64'))
    const { x, target } = await readDigits(path)
    const own = await readDigits(await placed(matFile([images(2), digits([10, 3])]), 'own.mat'))
    expect([Buffer.compare(x, own.x), ...target]).toEqual([0, 0, 3])
  })

  it('parts the training images, and never the test images', async () => {
    await placed(matFile([images(24), digits(labelsOf(24))]), 'train_32x32.mat')
    await placed(matFile([images(5), digits(labelsOf(5))]), 'test_32x32.mat')
    const { train, validation, test } = await svhnDigits({ dir: folder })
    expect([train.length, validation?.length, test.length]).toEqual([22, 2, 5])
    expect(train.fields).toEqual({ x: { dtype: 'u8', shape: [3, 32, 32] }, target: { dtype: 'i32', shape: [] } })
    await placed(matFile([images(3), digits([5, 5, 5])]), 'extra_32x32.mat')
    const more = await svhnDigits({ dir: folder, extra: true, validation: 0 })
    expect([more.train.length, more.validation]).toEqual([27, undefined])
    const out = { x: new Uint8Array(3072), target: new Int32Array(1) }
    await more.train.gather([26], out)
    expect([out.target[0], out.x[1024]]).toEqual([5, level(2, 1, 0, 0)])
    await expect(svhnDigits({ dir: join(folder, 'no') })).rejects.toThrow(
      /expected the file .*train_32x32\.mat, got none/,
    )
    // @ts-expect-error an option that there is not
    await expect(svhnDigits({ folder })).rejects.toThrow(/ERR_OPTION|expected the options/)
  })

  it.each<[string, readonly MatValues[], RegExp]>([
    ['no X', [digits([1])], /expected arrays X and y, got no X/],
    ['no y', [images(1)], /expected arrays X and y, got no y/],
    [
      'other images',
      [{ ...images(2), extents: [32, 3, 32, 2] }, digits([1, 2])],
      /X of u8 \[32, 32, 3, N\], got \[32, 3, 32, 2\]/,
    ],
    [
      'images of doubles',
      [{ name: 'X', extents: [1, 1], kind: 6, type: 9, data: doubles([1]) }, digits([1])],
      /X of u8 .* got values of type 9/,
    ],
    ['fewer digits', [images(2), digits([1])], /a digit in y for each image of X, got 1 for 2/],
    ['no image', [{ ...images(2), extents: [32, 32, 3, 0], data: new Uint8Array() }, digits([])], /got 0 for 0/],
    ['a label of 11', [images(2), digits([1, 11])], /digits from 1 to 10 in y, got 11 at 1/],
    [
      'a label of half a digit',
      [images(1), { name: 'y', extents: [1, 1], kind: 6, type: 9, data: doubles([1.5]) }],
      /digits from 1 to 10 in y, got 1\.5 at 0/,
    ],
    [
      'extents that are not those of the values',
      [{ ...images(2), extents: [32, 32, 3, 3] }, digits([1])],
      /6144 bytes for the extents/,
    ],
    ['negative extents', [{ ...images(2), extents: [-32, 32, -3, 2] }, digits([1])], /bytes for the extents/],
  ])('refuses %s', async (_, arrays, message) => {
    const path = await placed(matFile(arrays))
    await expect(readDigits(path)).rejects.toThrow(message)
    await expect(readDigits(path)).rejects.toThrow(DataError)
  })
})

describe('readMat', () => {
  const ask = (path: string): Promise<MatArray[]> => {
    const seen: MatArray[] = []
    return readMat(path, (array) => {
      seen.push(array)
      return () => undefined
    }).then(() => seen)
  }

  it('says what an array is before it gives its values', async () => {
    const [x, y] = await ask(await placed(matFile([images(2), digits([1, 2])])))
    expect(x).toEqual({ name: 'X', extents: [32, 32, 3, 2], type: 2, bytes: 6144 })
    expect(y).toEqual({ name: 'y', extents: [2, 1], type: 2, bytes: 2 })
  })

  it('reads no more of an array that nobody wants', async () => {
    const path = await placed(matFile([images(40), digits([1, 2])]))
    const names: string[] = []
    await readMat(path, ({ name }) => {
      names.push(name)
      return undefined
    })
    expect(names).toEqual(['X', 'y'])
  })

  it.each<[string, (file: Buffer) => Buffer, RegExp]>([
    [
      'HDF5',
      (file) => Buffer.concat([Buffer.from('MATLAB 7.3 MAT-file'), file.subarray(19)]),
      /got one of MATLAB 7\.3, which is HDF5/,
    ],
    [
      'a big-endian file',
      (file) => Buffer.concat([file.subarray(0, 126), Buffer.from('MI'), file.subarray(128)]),
      /big-endian/,
    ],
    ['another file', (file) => Buffer.alloc(file.length, 'no'), /level 5, little-endian, got another file/],
    ['an empty file', () => Buffer.alloc(0), /got an end after 0 bytes/],
  ])('refuses %s', async (_, change, message) => {
    await expect(ask(await placed(change(matFile([digits([1, 2])]))))).rejects.toThrow(message)
  })

  it.each([true, false])(
    'asks for nothing where more is announced than a file can hold; compressed: %j',
    async (compressed) => {
      const extents = [1024, 1024, 1024]
      const lying = { name: 'X', extents, type: 2, data: new Uint8Array(64), announced: 2 ** 30 }
      let asked = 0
      const count = (array: MatArray): undefined => {
        asked += array.bytes
      }
      const path = await placed(matFile([lying], compressed))
      await expect(readMat(path, count)).rejects.toThrow(/1073741824 bytes for the extents \[1024, 1024, 1024\] of X/)
      expect(asked).toBe(0)
    },
  )

  it.each([true, false])(
    'names a file that was cut anywhere; compressed: %j',
    { timeout: 60_000 },
    async (compressed) => {
      const file = matFile([images(1), digits([4])], compressed)
      let [whole, cuts] = [0, 0]
      const step = Math.max(1, Math.floor(file.length / 150))
      for (let length = 0; length < file.length; length += step) {
        const path = await placed(file.subarray(0, length))
        cuts++
        const error: unknown = await readDigits(path).then(
          () => whole++,
          (reason: unknown) => reason,
        )
        if (error instanceof Error) expect([length, error.name]).toEqual([length, 'DataError'])
      }
      expect([whole, cuts > 100]).toEqual([0, true])
    },
  )

  it('answers any damage with a DataError, or reads as many images as there are', { timeout: 60_000 }, async () => {
    const random = new PhiloxStream(5, 0, 0)
    const kinds = new Set<string>()
    for (let round = 0; round < 400; round++) {
      const file = Buffer.from(matFile([images(1), digits([4])], round % 2 === 0))
      const flips = 1 + random.below(4)
      for (let i = 0; i < flips; i++) {
        // Mostly where lengths and types stand.
        const at = random.below(3) > 0 ? 128 + random.below(120) : random.below(file.length)
        file[Math.min(at, file.length - 1)] = random.below(256)
      }
      const path = await placed(file)
      const error: unknown = await readDigits(path).then(
        ({ x }) => x.length,
        (reason: unknown) => reason,
      )
      if (typeof error === 'number') expect(error).toBe(3072)
      else expect([round, (error as Error).name]).toEqual([round, 'DataError'])
      kinds.add(typeof error)
    }
    expect([...kinds].sort()).toEqual(['number', 'object'])
  })

  it('reads arrays that are not compressed at any padding', async () => {
    for (let count = 1; count <= 9; count++) {
      const labels = labelsOf(count)
      const seen: number[] = []
      const file = Buffer.concat([matFile([], false), matrix(digits(labels)), matrix({ ...digits([7]), name: 'last' })])
      await readMat(await placed(file), () => (piece) => void seen.push(...piece))
      expect(seen).toEqual([...labels, 7])
    }
  })
})
