// Packing a tree of images and reading it again: pixels, order, what is converted, what is left out.
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getuid } from 'node:process'
import sharp from 'sharp'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type BadImage, type ImageSet, packedImages, packImages } from '../../../lib/data/index.js'
import { decodeImage, readImage } from '../../../lib/data/image/decode.js'
import { damaged, photo, tree } from '../../support/images.js'

let folder = ''
let [root, out] = ['', '']
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-test-'))
  ;[root, out] = [join(folder, 'tree'), join(folder, 'packed')]
})
afterEach(async () => {
  vi.doUnmock('sharp')
  vi.resetModules()
  await rm(folder, { recursive: true })
})

async function all(set: ImageSet) {
  const each = set.fields.x.shape.reduce((a, b) => a * b)
  const result = { x: new Uint8Array(set.length * each), target: new Int32Array(set.length), each }
  await set.gather(
    Array.from({ length: set.length }, (_, i) => i),
    result,
  )
  return result
}

const record = async (name: string) =>
  JSON.parse(await readFile(join(out, name), 'utf8')) as { names: string[]; labels: number[] }

describe('packImages', () => {
  it('keeps every image once, cut from its middle, the classes mixed', async () => {
    await tree(root, { train: 6, val: 2 })
    const result = await packImages(root, out, { size: 16, shardSize: 5 })
    expect(result).toMatchObject({ train: 12, validation: 4, classes: ['ant', 'bee'], bad: [], present: 0 })
    const data = await packedImages(out)
    expect(data.train.fields.x).toEqual({ dtype: 'u8', shape: [3, 16, 16] })
    const { x, target, each } = await all(data.train)
    const parts = [await record('train/00000.json'), await record('train/00001.json'), await record('train/00002.json')]
    const names = parts.flatMap((part) => part.names)
    expect(parts.map((part) => part.names.length)).toEqual([5, 5, 2])
    expect([...names].sort()).toEqual(
      ['ant', 'bee'].flatMap((name) => [0, 1, 2, 3, 4, 5].map((i) => `train/${name}/${i}.jpg`)),
    )
    expect(names).not.toEqual([...names].sort())
    expect([...target]).toEqual(names.map((name) => (name.includes('ant') ? 0 : 1)))
    for (const [i, name] of names.entries()) {
      const { data: planes } = await decodeImage(await readImage(join(root, name)), name, 16)
      expect(x.subarray(i * each, (i + 1) * each)).toEqual(planes)
    }
    expect((await record('validation/00000.json')).names).toEqual([
      ...['val/ant/0.jpg', 'val/ant/1.jpg', 'val/bee/0.jpg', 'val/bee/1.jpg'],
    ])
    await data.close()
    await expect(data.train.gather([0], { x, target })).rejects.toThrow(/expected a packed set that is open/)
  })

  it('scales the shorter side and cuts the longer', async () => {
    // A picture of 40 x 20 that is red, green and blue in thirds: of its middle 20 x 20 no column is red or blue but the edges.
    const pixels = Buffer.alloc(3 * 60 * 20)
    for (let i = 0; i < 60 * 20; i++) pixels[3 * i + Math.floor((i % 60) / 20)] = 255
    const image = await sharp(pixels, { raw: { width: 60, height: 20, channels: 3 } })
      .png()
      .toBuffer()
    const { data } = await decodeImage(image, 'thirds', 20)
    const mean = [0, 1, 2].map((c) => data.subarray(400 * c, 400 * (c + 1)).reduce((a, b) => a + b) / 400)
    expect(mean.map(Math.round)).toEqual([0, 255, 0])
    expect((await decodeImage(image, 'thirds', 10)).data.length).toBe(300)
    expect((await decodeImage(image, 'thirds', 50)).width).toBe(50)
  })

  it('reads JPEG shards', async () => {
    await tree(root, { train: 3 })
    await packImages(root, out, { size: 16, format: 'jpeg', quality: 95 })
    await packImages(root, join(folder, 'u8'), { size: 16 })
    const [jpeg, plain] = [await packedImages(out), await packedImages(join(folder, 'u8'))]
    const [a, b] = [await all(jpeg.train), await all(plain.train)]
    expect(a.target).toEqual(b.target)
    const error = a.x.reduce((sum, value, i) => sum + Math.abs(value - b.x[i]!), 0) / a.x.length
    // Of 256 levels; two of these pictures differ by 70.
    expect(error).toBeLessThan(12)
    expect((await stat(join(out, 'train/00000.shard'))).size).toBeLessThan(b.x.length)
    expect(jpeg.validation).toBeUndefined()
    await jpeg.close()
    await plain.close()
  })

  it('takes a tree without train/, and passes over what is not called like an image', async () => {
    await tree(root, { '': 2 })
    await writeFile(join(root, 'ant/notes.txt'), 'x')
    await writeFile(join(root, 'ant/.hidden.jpg'), 'x')
    const { train, passedOver } = await packImages(root, out, { size: 8 })
    expect([train, passedOver]).toEqual([4, ['ant/notes.txt']])
  })

  it.each<[string, () => Promise<Buffer>, readonly number[]]>([
    [
      'grey',
      () =>
        sharp({ create: { width: 20, height: 20, channels: 3, background: '#808080' } })
          .toColourspace('b-w')
          .png()
          .toBuffer(),
      [128, 128, 128],
    ],
    [
      '16 bits',
      () =>
        sharp({ create: { width: 20, height: 20, channels: 3, background: '#4080c0' } })
          .toColourspace('rgb16')
          .png()
          .toBuffer(),
      [64, 128, 192],
    ],
    [
      'transparent',
      () =>
        sharp({ create: { width: 20, height: 20, channels: 4, background: { r: 200, g: 100, b: 50, alpha: 0.5 } } })
          .png()
          .toBuffer(),
      [200, 100, 50],
    ],
    [
      'CMYK',
      () =>
        sharp({ create: { width: 20, height: 20, channels: 3, background: '#ffffff' } })
          .toColourspace('cmyk')
          .jpeg()
          .toBuffer(),
      [255, 255, 255],
    ],
    [
      'animated',
      () =>
        sharp(Buffer.concat([Buffer.alloc(1200, 80), Buffer.alloc(1200, 255)]), {
          raw: { width: 20, height: 40, channels: 3, pageHeight: 20 },
        })
          .gif()
          .toBuffer(),
      [80, 80, 80],
    ],
  ])('converts what is %s', async (_, make, colour) => {
    const { data } = await decodeImage(await make(), 'image', 8)
    expect(data.length).toBe(192)
    for (const [plane, value] of colour.entries()) expect(Math.abs(data[64 * plane]! - value)).toBeLessThanOrEqual(2)
  })

  it('turns an image as its EXIF data says', async () => {
    // Left half white, right half black; orientation 6 says: turn by 90 degrees clockwise, so white comes to the top.
    const pixels = Buffer.from(Array.from({ length: 3 * 256 }, (_, i) => (Math.floor(i / 3) % 16 < 8 ? 255 : 0)))
    const image = await sharp(pixels, { raw: { width: 16, height: 16, channels: 3 } })
      .withMetadata({ orientation: 6 })
      .png()
      .toBuffer()
    const { data } = await decodeImage(image, 'turned', 16)
    expect([data[0], data[15], data[15 * 16], data[255]]).toEqual([255, 255, 0, 0])
  })

  it('names exactly the damaged files, with the reason, and packs the rest', async () => {
    await tree(root, { train: 4 })
    const names = await damaged(join(root, 'train/bee'))
    const seen: number[] = []
    const result = await packImages(root, out, { size: 16, shardSize: 6, onProgress: ({ bad }) => void seen.push(bad) })
    expect(result.train).toBe(8)
    expect(result.bad.map(({ name }) => name).sort()).toEqual(names.map((name) => `train/bee/${name}`).sort())
    expect(Math.max(...seen)).toBe(10)
    const told = JSON.parse(await readFile(join(out, 'bad.json'), 'utf8')) as BadImage[]
    expect(told).toEqual(result.bad)
    const reasons = Object.fromEntries(told.map(({ name, reason }) => [name.replace('train/bee/', ''), reason]))
    expect(reasons['b3-empty.jpg']).toMatch(/empty file/)
    expect(reasons['b8-dangling.jpg']).toMatch(/ENOENT/)
    expect(reasons['b9-folder.jpg']).toMatch(/expected a file, got a folder/)
    expect(reasons['b0-cut.jpg']).toMatch(/expected a whole image, got one that was cut short/)
    expect(reasons['b2-spoilt.jpg']).toMatch(/expected a whole image, got (damaged data|.*premature end)/i)
    expect(reasons['b4-text.jpg']).toMatch(/unsupported image format/)
    const data = await packedImages(out)
    expect((await all(data.train)).target.length).toBe(8)
    await data.close()
  })

  it('refuses an image of too many pixels, and a file that may not be read', async () => {
    const huge = `<svg xmlns="http://www.w3.org/2000/svg" width="30000" height="30000"/>`
    await expect(decodeImage(Buffer.from(huge), 'huge.svg', 16)).rejects.toThrow(
      /huge.svg: expected a whole image, got .*pixel limit/,
    )
    const path = join(folder, 'private.jpg')
    await writeFile(path, await photo(1))
    await chmod(path, 0)
    if (getuid?.() !== 0) await expect(readImage(path)).rejects.toThrow(/private.jpg: .*EACCES/)
  })

  it('stops at the first damaged file where it is told to', async () => {
    await tree(root, { train: 2 })
    await writeFile(join(root, 'train/ant/bad.jpg'), '')
    await expect(packImages(root, out, { size: 8, onBad: 'fail' })).rejects.toThrow(/train\/ant\/bad.jpg: .*empty file/)
    expect((await packImages(root, out, { size: 8 })).bad).toHaveLength(1)
    await expect(packImages(root, out, { size: 8, onBad: 'fail' })).rejects.toThrow(/train\/ant\/bad.jpg: .*empty file/)
  })
})

describe('without sharp', () => {
  it('says what to run, before anything is written', async () => {
    await tree(root, { train: 1 })
    vi.resetModules()
    vi.doMock('sharp', () => {
      throw Object.assign(new Error('no'), { code: 'ERR_MODULE_NOT_FOUND' })
    })
    const fresh = await import('../../../lib/data/image/pack.js')
    await expect(fresh.packImages(root, out, {})).rejects.toThrow(/expected the package sharp.*Run: npm install sharp/)
    await expect(stat(out)).rejects.toThrow(/ENOENT/)
    await mkdir(out)
  })
})
