// Finding images and their labels: folders of classes, and every form of ILSVRC2012's validation labels.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DataError, PhiloxStream, readTree } from '../../../lib/data/index.js'
import { readSynsets } from '../../../lib/data/image/matlab.js'

let root = ''
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'ostrich-test-'))
})
afterEach(async () => {
  await rm(root, { recursive: true })
})

const WNIDS = ['n01440764', 'n01751748', 'n02119789']
/** The devkit's numbers are not in the order of the names. */
const IDS = new Map([
  ['n02119789', 1],
  ['n01440764', 3],
  ['n01751748', 2],
])

async function put(path: string, content: string | Uint8Array = 'x'): Promise<void> {
  await mkdir(join(root, path, '..'), { recursive: true })
  await writeFile(join(root, path), content)
}

const image = (i: number) => `ILSVRC2012_val_0000000${i}.JPEG`

/** ILSVRC2012's layout with four validation images. */
async function imagenet(): Promise<void> {
  for (const wnid of WNIDS) await put(`train/${wnid}/${wnid}_1.JPEG`)
  for (const i of [1, 2, 3, 4]) await put(`val/${image(i)}`)
}

const expected = [2, 0, 1, 0]
const wnidOf = (i: number) => WNIDS[expected[i]!]!
const labelled = (text: (i: number) => string) => [0, 1, 2, 3].map(text).join('\n')

/** A MAT-file with the array `synsets`, compressed or not. */
function matFile(compressed: boolean): Uint8Array {
  const element = (type: number, data: Uint8Array): Buffer => {
    const tag = Buffer.alloc(8)
    tag.writeUInt32LE(type)
    tag.writeUInt32LE(data.length, 4)
    return Buffer.concat([tag, data, Buffer.alloc((8 - (data.length % 8)) % 8)])
  }
  /** Four bytes or fewer lie in the tag. */
  const small = (type: number, data: Uint8Array): Buffer => {
    const tag = Buffer.alloc(8)
    tag.writeUInt16LE(type)
    tag.writeUInt16LE(data.length, 2)
    tag.set(data, 4)
    return tag
  }
  const words = (...values: number[]): Buffer => Buffer.from(Uint32Array.from(values).buffer)
  const matrix = (kind: number, extents: number[], name: string, ...rest: Buffer[]): Buffer => {
    const title = Buffer.from(name)
    const head = [
      element(6, words(kind, 0)),
      element(5, words(...extents)),
      title.length <= 4 ? small(1, title) : element(1, title),
    ]
    return element(14, Buffer.concat([...head, ...rest]))
  }
  const names = ['ILSVRC2012_ID', 'WNID', 'words']
  const field = Buffer.concat(names.map((name) => Buffer.concat([Buffer.from(name), Buffer.alloc(16 - name.length)])))
  const cells = [...IDS].flatMap(([wnid, id]) => [
    matrix(6, [1, 1], '', small(2, Uint8Array.of(id))),
    matrix(4, [1, 9], '', element(4, Buffer.from(Uint16Array.from(wnid, (letter) => letter.charCodeAt(0)).buffer))),
    matrix(4, [1, 3], '', element(16, Buffer.from('fox'))),
  ])
  const array = matrix(2, [IDS.size, 1], 'synsets', small(5, words(16)), element(1, field), ...cells)
  const other = matrix(6, [1, 1], 'x', element(9, Buffer.alloc(8)))
  const header = Buffer.alloc(128, ' ')
  header.write('MATLAB 5.0 MAT-file, Platform: GLNXA64')
  header.writeUInt32LE(0x4d490100, 124)
  const packed = (matrixBytes: Buffer): Buffer => {
    if (!compressed) return matrixBytes
    const data = deflateSync(matrixBytes)
    return Buffer.concat([words(15, data.length), data])
  }
  return Buffer.concat([header, packed(other), packed(array)])
}

describe('readTree', () => {
  it('takes folders of classes, in train/ and val/ or by themselves', async () => {
    await put('train/b/2.jpg')
    await put('train/b/1.PNG')
    await put('train/a/1.jpeg')
    await put('train/a/readme.md')
    await put('val/b/1.jpg')
    const { classes, train, validation, passedOver } = await readTree(root)
    expect(classes).toEqual(['a', 'b'])
    expect(train).toEqual([
      { name: 'train/a/1.jpeg', label: 0 },
      { name: 'train/b/1.PNG', label: 1 },
      { name: 'train/b/2.jpg', label: 1 },
    ])
    expect(validation).toEqual([{ name: 'val/b/1.jpg', label: 1 }])
    expect(passedOver).toEqual(['train/a/readme.md'])
    expect((await readTree(join(root, 'train'))).train[0]).toEqual({ name: 'a/1.jpeg', label: 0 })
  })

  it.each<[string, () => Promise<unknown>, RegExp]>([
    [
      'a path that is none',
      () => rm(root, { recursive: true }).then(() => mkdir(root)),
      /expected a folder for each class.*got none/,
    ],
    ['one class', () => put('only/1.jpg'), /got only only/],
    ['classes without images', () => Promise.all([put('a/1.txt'), put('b/1.txt')]), /expected images \(.jpg/],
    [
      'a class of validation alone',
      () => Promise.all([put('train/a/1.jpg'), put('train/b/1.jpg'), put('val/c/1.jpg')]),
      /got a folder c/,
    ],
    ['validation without labels', imagenet, /val: expected its labels in a file \(--labels\).*got none in/],
  ])('refuses %s', async (_, make, message) => {
    await make()
    await expect(readTree(root)).rejects.toThrow(message)
    await expect(readTree(root)).rejects.toThrow(DataError)
  })

  it('names a folder that is not there', async () => {
    await expect(readTree(join(root, 'no'))).rejects.toThrow(/no: expected a folder that can be read, got ENOENT/)
  })
})

describe('labels of validation images', () => {
  beforeEach(imagenet)

  it.each<[string, string, string]>([
    ["Caffe's val.txt", 'val.txt', labelled((i) => `${image(i + 1)} ${expected[i]!}`)],
    ['names and classes', 'val/val_map.txt', labelled((i) => `${image(i + 1)}\t${wnidOf(i)}`)],
    [
      'lines in another order, with folders',
      'val.txt',
      [3, 1, 0, 2].map((i) => `val/${image(i + 1)} ${wnidOf(i)}`).join('\r\n'),
    ],
    [
      "Kaggle's table",
      'LOC_val_solution.csv',
      `ImageId,PredictionString\n${labelled((i) => `ILSVRC2012_val_0000000${i + 1},${wnidOf(i)} 1 2 3 4 ${wnidOf(i)} 5 6 7 8 `)}\n`,
    ],
  ])('come from %s', async (_, path, text) => {
    await put(path, text)
    const { validation } = await readTree(root)
    expect(validation.map(({ name, label }) => [name, label])).toEqual(
      expected.map((label, i) => [`val/${image(i + 1)}`, label]),
    )
  })

  const truth = labelled((i) => String(IDS.get(wnidOf(i))))
  it.each<[string, string, string | Uint8Array]>([
    ['meta.mat', 'ILSVRC2012_devkit_t12/data/meta.mat', matFile(true)],
    ['an uncompressed meta.mat', 'meta.mat', matFile(false)],
    ['lines of wnid, number, name', 'map_clsloc.txt', [...IDS].map(([wnid, id]) => `${wnid} ${id} kit_fox`).join('\n')],
  ])("come from the devkit's numbers with %s", async (_, path, content) => {
    await put('ILSVRC2012_devkit_t12/data/ILSVRC2012_validation_ground_truth.txt', truth)
    await put(path, content)
    expect((await readTree(root)).validation.map(({ label }) => label)).toEqual(expected)
  })

  it('come from files that are named', async () => {
    await put('elsewhere/truth', truth)
    await put('elsewhere/numbers', matFile(true))
    const options = { labels: join(root, 'elsewhere/truth'), synsets: join(root, 'elsewhere/numbers') }
    expect((await readTree(root, options)).validation.map(({ label }) => label)).toEqual(expected)
  })

  it.each<[string, Record<string, string>, RegExp]>([
    [
      'numbers without their synsets',
      { 'val/ILSVRC2012_validation_ground_truth.txt': truth },
      /expected the devkit's meta.mat/,
    ],
    [
      'too few numbers',
      { 'ILSVRC2012_validation_ground_truth.txt': '1\n2', 'map_clsloc.txt': 'n02119789 1' },
      /expected 4 lines.*got 2/,
    ],
    [
      'a number of no class',
      { 'ILSVRC2012_validation_ground_truth.txt': '1\n1\n1\n9', 'map_clsloc.txt': 'n02119789 1' },
      /line 4: .*got 9, a number that no synset has/,
    ],
    [
      'a synset of no class',
      { 'ILSVRC2012_validation_ground_truth.txt': '1\n1\n1\n1', 'map_clsloc.txt': 'n99999999 1' },
      /got 1, n99999999, which train\/ does not have/,
    ],
    [
      "Caffe's synsets.txt as numbers",
      { 'ILSVRC2012_validation_ground_truth.txt': '1\n1\n1\n1', 'map_clsloc.txt': 'n02119789\n' },
      /lines of a wnid and its number, got 'n02119789' at line 1/,
    ],
    [
      'an image without a line',
      { 'val.txt': `${image(1)} 0` },
      /expected a label for ILSVRC2012_val_00000002.JPEG, got none/,
    ],
    [
      'an unknown class',
      { 'val.txt': `${image(1)} n00000000` },
      /line 1: expected one of the 3 classes of train\/.*got n00000000/,
    ],
    ['a number beyond the classes', { 'val.txt': `${image(1)} 3` }, /its place from 0 to 2, got 3/],
    [
      'a name alone',
      { 'val.txt': image(1) },
      /expected lines "filename class".*got 'ILSVRC2012_val_00000001.JPEG' at line 1/,
    ],
  ])('are refused for %s', async (_, files, message) => {
    for (const [path, text] of Object.entries(files)) await put(path, text)
    await expect(readTree(root)).rejects.toThrow(message)
  })
})

describe('readSynsets', () => {
  it('survives 3,000 mutated files with nothing but DataError', () => {
    const random = new PhiloxStream(4, 0, 0)
    for (const file of [matFile(true), matFile(false)]) {
      for (let round = 0; round < 1500; round++) {
        const changed = Uint8Array.from(file)
        for (let change = 0; change < 3; change++) changed[128 + random.below(file.length - 128)] = random.below(256)
        try {
          readSynsets(changed.subarray(0, file.length - random.below(2) * random.below(500)), 'meta.mat')
        } catch (error) {
          expect(error).toBeInstanceOf(DataError)
        }
      }
    }
  })

  it('says that the array is not there', () => {
    expect(() => readSynsets(matFile(false).subarray(0, 128 + 64), 'meta.mat')).toThrow(/expected an array synsets/)
  })
})
