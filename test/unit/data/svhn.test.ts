// Whole house numbers from a user's copy: which part of an image is packed, what becomes of its digits, and what is left out.
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type EpochKey, getSvhn, type NumberSet, svhn } from '../../../lib/data/index.js'
import { type NumberImage, readDigitStruct, writeDigitStruct } from '../../../lib/data/numbers/digit-struct.js'
import { filesOf, imagesOf, writeDigitStructMat } from '../../support/house-numbers.js'
import { sharedData } from '../../support/shared-data.js'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-test-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true })
})

/** A number whose digits stand side by side in a box, 40 x 20 from (30, 10) on. */
const numberOf = (filename: string, number: string): NumberImage => ({
  filename,
  boxes: Array.from(number, (digit, i) => {
    const [from, to] = [i, i + 1].map((place) => Math.floor((40 * place) / number.length)) as [number, number]
    return { label: Number(digit), left: 30 + from, top: 10, width: to - from, height: 20 }
  }),
})

/** Grey of level 50, but for a white box of 52 x 26 from (24, 7) on: the digits' box, 30 % larger. */
async function png(width = 120, height = 60): Promise<Uint8Array> {
  const white = { create: { width: 52, height: 26, channels: 3, background: '#ffffff' } } as const
  return sharp({ create: { width, height, channels: 3, background: { r: 50, g: 50, b: 50 } } })
    .composite([{ input: white, left: 24, top: 7 }])
    .png()
    .toBuffer()
}

/** A user's copy: numbers in train and test, all of one image. */
async function copyOf(train: readonly string[], test: readonly string[]): Promise<string> {
  const from = join(folder, 'copy')
  const image = await png()
  for (const [part, numbers] of [
    ['train', train],
    ['test', test],
  ] as const) {
    await mkdir(join(from, part), { recursive: true })
    const images = numbers.map((number, i) => numberOf(`${i + 1}.png`, number))
    await writeDigitStruct(join(from, part, 'digitStruct.json'), images)
    for (const { filename } of images) await writeFile(join(from, part, filename), image)
  }
  return from
}

async function gathered(set: NumberSet, indices: readonly number[], key?: EpochKey) {
  const n = indices.length
  const out = {
    x: new Uint8Array(n * 3 * 54 * 54),
    length: new Int32Array(n),
    digits: new Int32Array(5 * n),
    mask: new Uint8Array(5 * n),
  }
  await set.gather(indices, out, key)
  return out
}

/** The numbers of a set, as they are read: `-` where the mask has none. */
async function numbersIn(set: NumberSet): Promise<string[]> {
  const { length, digits, mask } = await gathered(
    set,
    Array.from({ length: set.length }, (_, i) => i),
  )
  return Array.from(length, (count, i) => {
    const read = [0, 1, 2, 3, 4].map((place) => (mask[5 * i + place] === 1 ? String(digits[5 * i + place]) : '-'))
    return `${count} ${read.join('')}`
  })
}

describe('getSvhn and svhn', () => {
  it('pack the box around all digits, 30 % larger, and say its digits', async () => {
    const from = await copyOf(['19', '4', '10057', '208'], ['7', '123456'])
    const stages: string[] = []
    const dir = await getSvhn({ from, dir: join(folder, 'cache'), onProgress: ({ stage }) => void stages.push(stage) })
    expect([stages[0], stages.at(-1)]).toEqual(['check', 'done'])
    const data = await svhn({ dir })
    const { train, validation, test } = data
    expect(train.fields).toEqual({
      x: { dtype: 'u8', shape: [3, 54, 54] },
      length: { dtype: 'i32', shape: [] },
      digits: { dtype: 'i32', shape: [5] },
      mask: { dtype: 'u8', shape: [5] },
    })
    expect(validation).toBeUndefined()
    expect((await numbersIn(train)).sort()).toEqual(['1 4----', '2 19---', '3 208--', '5 10057'])
    // Six digits are more than five: known to be long, and not read.
    expect(await numbersIn(test)).toEqual(['1 7----', '6 -----'])
    // Nothing but the box: all white, from edge to edge.
    for (let epoch = 0; epoch < 40; epoch++) {
      const { x } = await gathered(train, [0], { seed: 1, epoch })
      expect([epoch, x.findIndex((level) => level < 250)]).toEqual([epoch, -1])
    }
    await data.close()
  })

  it('cut a random window in training, and the middle elsewhere', async () => {
    const from = await copyOf(['19', '4', '5'], ['7'])
    // A gradient in the place of white: what is cut can be told by its first pixel.
    const pixels = Uint8Array.from({ length: 120 * 60 * 3 }, (_, i) => Math.floor(i / 3) % 120)
    const image = await sharp(pixels, { raw: { width: 120, height: 60, channels: 3 } })
      .png()
      .toBuffer()
    for (const name of ['train/1.png', 'train/2.png', 'train/3.png', 'test/1.png'])
      await writeFile(join(from, name), image)
    const dir = await getSvhn({ from, dir: join(folder, 'cache') })
    const data = await svhn({ dir, validation: 0 })
    const { train, test } = data
    const first = async (set: NumberSet, key?: EpochKey): Promise<number> => (await gathered(set, [0], key)).x[0]!
    const seen = new Set<number>()
    for (let epoch = 0; epoch < 40; epoch++) seen.add(await first(train, { seed: 1, epoch }))
    // The box's 52 columns from 24 on become 64; eleven windows begin in the first eleven of these.
    expect([Math.min(...seen) < 27, Math.max(...seen) > 30, seen.size > 5]).toEqual([true, true, true])
    const middle = 24 + (5.5 * 52) / 64
    expect(Math.abs((await first(train)) - middle)).toBeLessThan(1)
    expect(await first(test, { seed: 1, epoch: 3 })).toBe(await first(test))
    await data.close()
  })

  it('hold training images back by seed', async () => {
    const numbers = Array.from({ length: 24 }, (_, i) => String(i + 1))
    const dir = await getSvhn({ from: await copyOf(numbers, ['7']), dir: join(folder, 'cache') })
    const whole = await svhn({ dir, validation: 0 })
    expect([whole.train.length, whole.validation]).toEqual([24, undefined])
    const { train, validation, test } = await svhn({ dir })
    expect([train.length, validation?.length, test.length]).toEqual([22, 2, 1])
    const all = [...(await numbersIn(train)), ...(await numbersIn(validation!))].sort()
    expect(all).toEqual((await numbersIn(whole.train)).sort())
    await expect(svhn({ dir, validation: 24 })).rejects.toThrow(/svhn\[validation\]: expected an integer from 0 to 23/)
  })

  it('read extra images too, and HDF5 once', async () => {
    const from = await copyOf(['19'], ['7'])
    await mkdir(join(from, 'extra'))
    await writeFile(join(from, 'extra', '1.png'), await png())
    await writeDigitStructMat(join(from, 'extra', 'digitStruct.mat'), [numberOf('1.png', '30')])
    const dir = await getSvhn({ from, dir: join(folder, 'cache') })
    const { train } = await svhn({ dir, validation: 0 })
    expect((await numbersIn(train)).sort()).toEqual(['2 19---', '2 30---'])
    const [known, ...more] = await readdir(join(dir, 'lists'))
    expect([known, more]).toEqual([expect.stringMatching(/^[0-9a-f]{64}\.json$/), []])
    expect(await readDigitStruct(join(dir, 'lists', known!))).toEqual([numberOf('1.png', '30')])
    // The list that was kept is taken, as long as the file is the same.
    await writeDigitStruct(join(dir, 'lists', known!), [numberOf('1.png', '31')])
    await expect(getSvhn({ from, dir })).rejects.toThrow(/that is being packed from the same images/)
    await writeFile(join(from, 'extra', 'digitStruct.mat'), 'damaged')
    await expect(getSvhn({ from, dir })).rejects.toThrow(/digitStruct\.mat: expected a file of MATLAB 7\.3/)
  })

  it('leave out damaged images and boxes that are outside, and name them', async () => {
    const from = await copyOf(['19', '4', '5', '6'], ['7'])
    const image = await png()
    await writeFile(join(from, 'train', '1.png'), image.subarray(0, image.length - 20))
    await writeFile(join(from, 'train', '2.png'), '')
    await writeFile(join(from, 'train', '3.png'), await png(80, 60).then((bytes) => bytes.fill(7, 60, 70)))
    await writeDigitStruct(join(from, 'test', 'digitStruct.json'), [
      { filename: '1.png', boxes: [{ label: 7, left: 130, top: 5, width: 10, height: 10 }] },
      numberOf('2.png', '8'),
      numberOf('3.png', '9'),
    ])
    await writeFile(join(from, 'test', '2.png'), image)
    const dir = await getSvhn({ from, dir: join(folder, 'cache') })
    const bad = JSON.parse(await readFile(join(dir, 'packed', 'bad.json'), 'utf8')) as {
      name: string
      reason: string
    }[]
    expect(bad.map(({ name }) => name).sort()).toEqual([
      'test/1.png',
      'test/3.png',
      'train/1.png',
      'train/2.png',
      'train/3.png',
    ])
    const reason = (name: string): string => bad.find((one) => one.name === name)!.reason
    expect(reason('test/1.png')).toMatch(
      /expected a box in the image of 120 x 60, got left 130, top 5, width 10, height 10/,
    )
    expect(reason('test/3.png')).toMatch(/ENOENT/)
    expect(reason('train/1.png')).toMatch(/cut short/)
    expect(reason('train/2.png')).toMatch(/empty file/)
    expect(reason('train/3.png')).toMatch(/expected a whole image/)
    const { train, test } = await svhn({ dir, validation: 0 })
    expect([await numbersIn(train), await numbersIn(test)]).toEqual([['1 6----'], ['1 8----']])
  })

  it('say what is wanted', async () => {
    const dir = join(folder, 'cache')
    await expect(svhn({ dir })).rejects.toThrow(
      /expected packed images in .*Run: ostrich data get svhn --from <folder>/,
    )
    await expect(getSvhn({ dir })).rejects.toThrow(/expected --from <folder> with train\/ and test\//)
    await mkdir(join(folder, 'copy', 'train'), { recursive: true })
    await expect(getSvhn({ from: join(folder, 'copy'), dir })).rejects.toThrow(
      /got no test\/\. Unpack test\.tar\.gz there/,
    )
    await mkdir(join(folder, 'copy', 'test'))
    await expect(getSvhn({ from: join(folder, 'copy'), dir })).rejects.toThrow(/train: expected digitStruct\.json, /)
    // @ts-expect-error an option that there is not
    await expect(getSvhn({ to: dir })).rejects.toThrow(/expected the options/)
    const from = await copyOf(['19'], ['7'])
    await getSvhn({ from, dir })
    const stages: string[] = []
    await getSvhn({ dir, onProgress: ({ stage }) => void stages.push(stage) })
    expect(stages).toEqual(['check', 'present'])
    // Another copy does not go where one is.
    await writeDigitStruct(join(from, 'train', 'digitStruct.json'), [numberOf('1.png', '20')])
    await expect(getSvhn({ from, dir })).rejects.toThrow(/expected a folder that is being packed from the same images/)
  })
})

const archive = sharedData('svhn', 'svhn-format1-first256.tar.gz')

describe.skipIf(archive === undefined)('512 real numbers', () => {
  let real = ''
  beforeAll(async () => {
    real = await mkdtemp(join(tmpdir(), 'ostrich-test-'))
  })
  afterAll(async () => {
    await rm(real, { recursive: true })
  })

  it('are packed and read as their lists say', { timeout: 120_000 }, async () => {
    const files = await filesOf(archive!)
    const lists = new Map<string, NumberImage[]>()
    for (const part of ['train', 'test', 'extra']) {
      lists.set(part, imagesOf(Buffer.from(files.get(`svhn/${part}.tsv`)!).toString()))
      await mkdir(join(real, part))
      await writeDigitStruct(join(real, part, 'digitStruct.json'), lists.get(part)!)
      for (const { filename } of lists.get(part)!) {
        await writeFile(join(real, part, filename), files.get(`svhn/${part}/${filename}`)!)
      }
    }
    const dir = await getSvhn({ from: real, dir: join(real, 'cache') })
    expect(await readFile(join(dir, 'packed', 'bad.json'), 'utf8')).toBe('[]\n')
    const data = await svhn({ dir, validation: 0 })
    const { train, test } = data
    expect([train.length, test.length]).toEqual([lists.get('train')!.length + lists.get('extra')!.length, 256])
    const expected = (part: string): string[] =>
      lists.get(part)!.map(
        ({ boxes }) =>
          `${boxes.length} ${boxes
            .map(({ label }) => label)
            .join('')
            .padEnd(5, '-')}`,
      )
    expect((await numbersIn(train)).sort()).toEqual([...expected('train'), ...expected('extra')].sort())
    expect(await numbersIn(test)).toEqual(expected('test'))
    await data.close()
  })
})
