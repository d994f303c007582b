// Lists of the digits in images: MATLAB's own files, HDF5 that is written here, JSON and tables, and what is none of them.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { DataError, PhiloxStream } from '../../../lib/data/index.js'
import { boxAround, enlarged } from '../../../lib/data/image/part.js'
import {
  digitStructOf,
  type NumberImage,
  readDigitStruct,
  writeDigitStruct,
} from '../../../lib/data/numbers/digit-struct.js'
import { filesOf, imagesOf, writeDigitStructMat, writeHdf5 } from '../../support/house-numbers.js'
import { sharedData } from '../../support/shared-data.js'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-test-'))
})
afterEach(async () => {
  vi.doUnmock('h5wasm/node')
  await rm(folder, { recursive: true })
})

const images: readonly NumberImage[] = [
  {
    filename: '1.png',
    boxes: [
      { label: 1, left: 246, top: 77, width: 81, height: 219 },
      { label: 0, left: 323, top: 81, width: 96, height: 219 },
    ],
  },
  { filename: '2.png', boxes: [{ label: 7, left: -1, top: 2.5, width: 9, height: 20 }] },
]

async function placed(name: string, text: string | Uint8Array): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, text)
  return path
}

describe('readDigitStruct', () => {
  it('reads what was written, and 10 as the digit 0', async () => {
    const path = join(folder, 'digitStruct.json')
    await writeDigitStruct(path, images)
    expect(await readDigitStruct(path)).toEqual(images)
    const text = await readFile(path, 'utf8')
    await writeFile(path, text.replace('"label":0', '"label":10.0'))
    expect(await readDigitStruct(path)).toEqual(images)
  })

  it('reads a table with a line for each digit', async () => {
    const lines = images.flatMap(({ filename, boxes }) =>
      boxes.map(({ label, left, top, width, height }) => [height, filename, label || 10, left, top, width].join(',')),
    )
    const path = await placed('digitStruct.csv', `height,filename,label,left,top,width\n${lines.join('\n')}\n`)
    expect(await readDigitStruct(path)).toEqual(images)
    const other = await placed('other.csv', `filename,label,left,top,width\n1.png,1,2,3,4\n`)
    await expect(readDigitStruct(other)).rejects.toThrow(
      /expected the columns filename, label, .*height, got filename, label/,
    )
    const empty = await placed('empty.csv', `filename,label,left,top,width,height\n1.png,,2,3,4,5\n`)
    await expect(readDigitStruct(empty)).rejects.toThrow(/image 1 \(1\.png\): digit 1: expected a label .* got NaN/)
  })

  it('reads HDF5 as MATLAB lays it out', async () => {
    const path = join(folder, 'digitStruct.mat')
    await writeDigitStructMat(path, images)
    expect(await readDigitStruct(path)).toEqual(images)
  })

  const image = (boxes: unknown, filename: unknown = 'a.png'): string => JSON.stringify([{ filename, boxes }])
  const box = { label: 1, left: 1, top: 1, width: 2, height: 3 }
  it.each<[string, string, RegExp]>([
    ['no JSON', '{', /expected a list of images as JSON/],
    ['no list', '{}', /expected a list of images, got none/],
    ['an empty list', '[]', /expected a list of images, got none/],
    ['no image', '[null]', /image 1: expected the name of a file, got none/],
    ['a path', image([box], '../../etc/passwd'), /image 1: expected the name of a file, got "..\/..\/etc\/passwd"/],
    ['a folder', image([box], '..'), /expected the name of a file/],
    ['a name twice', `[${JSON.stringify(images[0])},${JSON.stringify(images[0])}]`, /image 2: .*got 1\.png twice/],
    ['no digits', image([]), /image 1 \(a\.png\): expected a list of digits, got none/],
    ['digits that are no list', image('17'), /expected a list of digits, got another/],
    [
      'a label of 11',
      image([{ ...box, label: 11 }]),
      /digit 1: expected a label from 0 to 9, or 10 for the digit 0, got 11/,
    ],
    ['half a label', image([box, { ...box, label: 1.5 }]), /digit 2: expected a label .* got 1\.5/],
    ['a text for a label', image([{ ...box, label: '1' }]), /digit 1: expected a label/],
    [
      'no width',
      image([{ ...box, width: 0 }]),
      /digit 1: expected a box with a size, got left 1, top 1, width 0, height 3/,
    ],
    ['no place', image([{ ...box, left: null }]), /expected a box with a size, got left null/],
  ])('refuses %s', async (_, text, message) => {
    const path = await placed('digitStruct.json', text)
    await expect(readDigitStruct(path)).rejects.toThrow(message)
    await expect(readDigitStruct(path)).rejects.toThrow(DataError)
  })

  it('finds the list of a folder, and says what it looked for', async () => {
    await expect(digitStructOf(folder)).rejects.toThrow(
      /expected digitStruct\.json, digitStruct\.csv, digitStruct\.mat beside/,
    )
    await placed('digitStruct.mat', '')
    expect(await digitStructOf(folder)).toMatch(/\.mat$/)
    await placed('digitStruct.json', '')
    expect(await digitStructOf(folder)).toMatch(/\.json$/)
    await expect(readDigitStruct(join(folder, 'list.txt'))).rejects.toThrow(/ends in \.mat, \.json or \.csv/)
    await expect(readDigitStruct(join(folder, 'no.json'))).rejects.toThrow(/got ENOENT/)
  })
})

describe('a digitStruct.mat that cannot be read', () => {
  it('is named', async () => {
    await expect(readDigitStruct(join(folder, 'no.mat'))).rejects.toThrow(
      /expected a file that can be read, got ENOENT/,
    )
    const other = await placed('other.mat', 'MATLAB 5.0 MAT-file'.padEnd(600))
    await expect(readDigitStruct(other)).rejects.toThrow(/of MATLAB 7\.3 \(HDF5\), got one of MATLAB 5/)
    await expect(readDigitStruct(await placed('empty.mat', ''))).rejects.toThrow(/\(HDF5\), got another file/)
    const path = join(folder, 'whole.mat')
    await writeDigitStructMat(path, images)
    const bytes = await readFile(path)
    for (const share of [0.01, 0.3, 0.6, 0.9, 0.99]) {
      const cut = await placed('cut.mat', bytes.subarray(0, Math.floor(share * bytes.length)))
      const error: unknown = await readDigitStruct(cut).catch((reason: unknown) => reason)
      expect([share, error instanceof DataError]).toEqual([share, true])
      // What the library says of it, in place of printing it and going on.
      expect((error as Error).message).toMatch(/cut\.mat: expected a whole digitStruct\.mat, got unable to/)
    }
  })

  it('is a DataError, or some list, whatever byte is another', { timeout: 60_000 }, async () => {
    const path = join(folder, 'whole.mat')
    await writeDigitStructMat(path, images)
    const bytes = await readFile(path)
    const random = new PhiloxStream(3, 0, 0)
    const kinds = new Set<string>()
    for (let round = 0; round < 150; round++) {
      const copy = Buffer.from(bytes)
      for (let i = 0; i < 8; i++) copy[random.below(copy.length)] = random.below(256)
      const error: unknown = await readDigitStruct(await placed('damaged.mat', copy)).catch((reason: unknown) => reason)
      if (!Array.isArray(error)) expect([round, (error as Error).name]).toEqual([round, 'DataError'])
      kinds.add(Array.isArray(error) ? 'a list' : 'an error')
    }
    expect([...kinds].sort()).toEqual(['a list', 'an error'])
  })

  it('of another form is none', async () => {
    const path = join(folder, 'other.mat')
    await writeHdf5(path, (file) => {
      file.create_group('digitStruct').create_dataset({ name: 'name', data: [1, 2, 3] })
    })
    await expect(readDigitStruct(path)).rejects.toThrow(
      /other\.mat: expected a whole digitStruct\.mat, got no references digitStruct\/name/,
    )
    await writeHdf5(path, () => undefined)
    await expect(readDigitStruct(path)).rejects.toThrow(DataError)
  })

  it('says what to install where HDF5 has no reader', async () => {
    await writeDigitStructMat(join(folder, 'digitStruct.mat'), images)
    vi.resetModules()
    vi.doMock('h5wasm/node', () => {
      throw Object.assign(new Error('no'), { code: 'ERR_MODULE_NOT_FOUND' })
    })
    const fresh = await import('../../../lib/data/numbers/digit-struct-mat.js')
    await expect(fresh.readDigitStructMat(join(folder, 'digitStruct.mat'))).rejects.toThrow(
      /expected the package h5wasm, which reads HDF5, got .* Run: npm install h5wasm \(or give digitStruct\.json/s,
    )
  })
})

describe('boxes', () => {
  it('are put around others, and enlarged by half a share on either side', () => {
    expect(boxAround(images[0]!.boxes)).toEqual({ left: 246, top: 77, width: 173, height: 223 })
    expect(enlarged({ left: 100, top: 50, width: 40, height: 20 }, 0.3, 200, 200)).toEqual({
      left: 94,
      top: 47,
      width: 52,
      height: 26,
    })
    // Whole pixels: outwards.
    expect(enlarged({ left: 10, top: 10, width: 5, height: 5 }, 0.3, 99, 99)).toEqual({
      left: 9,
      top: 9,
      width: 7,
      height: 7,
    })
    // What lies outside is cut off.
    expect(enlarged({ left: -1, top: 2, width: 20, height: 30 }, 0.3, 15, 33)).toEqual({
      left: 0,
      top: 0,
      width: 15,
      height: 33,
    })
  })

  it('outside of the image are refused', () => {
    for (const outside of [{ left: 20 }, { left: -5 }, { top: 30 }, { top: -5 }]) {
      const part = { left: 1, top: 1, width: 5, height: 5, ...outside }
      expect(() => enlarged(part, 0.3, 20, 30)).toThrow(/expected a box in the image of 20 x 30, got left/)
    }
  })
})

const archive = sharedData('svhn', 'svhn-format1-first256.tar.gz')

describe.skipIf(archive === undefined)('the lists of SVHN', () => {
  it('are what MATLAB wrote', { timeout: 60_000 }, async () => {
    const files = await filesOf(archive!)
    for (const [part, count] of [
      ['train', 39],
      ['test', 40],
      ['extra', 40],
    ] as const) {
      const path = await placed(`${part}.mat`, files.get(`svhn/digitstruct/${part}/digitStruct.mat`)!)
      const read = await readDigitStruct(path)
      expect(read.length).toBe(count)
      const known = new Map(
        imagesOf(Buffer.from(files.get(`svhn/${part}.tsv`)!).toString()).map((one) => [one.filename, one]),
      )
      const shared = read.filter(({ filename }) => known.has(filename))
      expect(shared.length).toBe(part === 'extra' ? 3 : count)
      expect(shared).toEqual(shared.map(({ filename }) => known.get(filename)))
    }
  })

  it.each([
    ['train', 33_402, 73_257, [0, 5137, 18_130, 8691, 1434, 9, 1]],
    ['test', 13_068, 26_032, [0, 2483, 8356, 2081, 146, 2, 0]],
  ] as const)('have the official numbers: %s', async (part, count, digits, lengths) => {
    const tsv = gunzipSync(await readFile(sharedData('svhn', `svhn-labels-${part}.tsv.gz`)!)).toString()
    const path = join(folder, 'digitStruct.json')
    await writeDigitStruct(path, imagesOf(tsv))
    const read = await readDigitStruct(path)
    expect([read.length, read.reduce((sum, { boxes }) => sum + boxes.length, 0)]).toEqual([count, digits])
    const counts = [0, 0, 0, 0, 0, 0, 0]
    for (const { boxes } of read) counts[boxes.length]!++
    expect(counts).toEqual(lengths)
  })
})
