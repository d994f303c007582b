// CIFAR-10: its binary files, and the ways in which a user's copy becomes them.
import { link, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import sharp from 'sharp'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { cifar10, cifar10Classes, dataFolder, getCifar10 } from '../../../lib/data/index.js'
import { decodeImage } from '../../../lib/data/image/decode.js'
import { openFiles } from '../../../lib/data/open-files.js'
import { decodeTree, imagesOf } from '../../../lib/data/sources/cifar10-import.js'
import { sharedData } from '../../support/shared-data.js'
import { tarEntry, tarOf } from './support.js'

const RECORD = 3073
const FILES = [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`).concat('test_batch.bin')

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-test-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true })
})

/** A file of the binary version: image i has label i % 10 and pixels of value i % 251. */
function binary(): Uint8Array {
  const bytes = new Uint8Array(10_000 * RECORD)
  for (let i = 0; i < 10_000; i++) {
    bytes.fill(i % 251, i * RECORD, (i + 1) * RECORD)
    bytes[i * RECORD] = i % 10
  }
  return bytes
}

const batch = binary()
let own = ''
beforeAll(async () => {
  own = await mkdtemp(join(tmpdir(), 'ostrich-test-'))
  for (const name of FILES) await writeFile(join(own, name), batch)
})
afterAll(async () => {
  await rm(own, { recursive: true })
})

async function png(value: number, width = 32, height = 32): Promise<Uint8Array> {
  const background = { r: value, g: 100, b: 200 }
  return sharp({ create: { width, height, channels: 3, background } })
    .png()
    .toBuffer()
}

describe('cifar10', () => {
  it('gives planes and labels, and the names of the classes', async () => {
    const { train, test, validation, classes } = await cifar10({ dir: own, validation: 0 })
    expect([train.length, test.length]).toEqual([50_000, 10_000])
    expect(validation).toBeUndefined()
    expect(classes[9]).toBe('truck')
    expect(train.fields).toEqual({ x: { dtype: 'u8', shape: [3, 32, 32] }, target: { dtype: 'i32', shape: [] } })
    const out = { x: new Uint8Array(2 * 3072), target: new Int32Array(2) }
    await train.gather([20_013, 49_999], out)
    expect([out.x[0], out.x[3071], out.target[0]]).toEqual([13, 13, 3])
    expect([out.x[3072], out.target[1]]).toEqual([9999 % 251, 9])
  })

  it('holds training images back, and keeps them out of what is varied and of the statistics', async () => {
    const data = await cifar10({ dir: own, augment: { crop: 24, mirror: true } })
    const { train, validation, test } = data
    expect([train.length, validation?.length, test.length]).toEqual([45_000, 5_000, 10_000])
    expect([train, validation, test].map((set) => set?.fields.x.shape)).toEqual(Array(3).fill([3, 24, 24]))
    // All pixels of an image are of one value, so the mean over the training images is that of their first pixels.
    const x = new Uint8Array(train.length * 3 * 24 * 24)
    await train.gather(
      Uint32Array.from({ length: train.length }, (_, i) => i),
      { x, target: new Int32Array(train.length) },
    )
    let sum = 0
    for (let at = 0; at < x.length; at += 3 * 24 * 24) sum += x[at]!
    expect(data.statistics().mean[0]).toBeCloseTo(sum / train.length, 9)
    // Measured images do not differ from time to time.
    const [first, again] = [0, 1].map(() => ({ x: new Uint8Array(3 * 24 * 24), target: new Int32Array(1) }))
    await validation?.gather([7], first!, { seed: 1, epoch: 0 })
    await validation?.gather([7], again!, { seed: 1, epoch: 1 })
    expect(again).toEqual(first)
  })

  it('says how to get it where it is absent, and refuses what is not it', async () => {
    await expect(cifar10({ dir: folder })).rejects.toThrow(/got none\. Run: ostrich data get cifar10 --from <path>$/)
    for (const name of FILES) await link(join(own, name), join(folder, name))
    const path = join(folder, 'data_batch_3.bin')
    await rm(path)
    await writeFile(path, batch.subarray(0, 5000))
    await expect(cifar10({ dir: folder })).rejects.toThrow(/data_batch_3.bin: expected 30730000 bytes.*got 5000/)
    const wrong = binary()
    wrong[2 * RECORD] = 10
    await writeFile(path, wrong)
    await expect(cifar10({ dir: folder })).rejects.toThrow(/expected labels in \[0, 10\), got 10 at image 2/)
    wrong[2 * RECORD] = 3
    await writeFile(path, wrong)
    await expect(cifar10({ dir: folder })).rejects.toThrow(/expected 5000 images of class bird, got 4999/)
  })
})

describe('getCifar10', () => {
  it('takes the binary version as folder, file or archive, and leaves a complete cache alone', async () => {
    const dir = join(folder, 'cache')
    await getCifar10({ from: join(own, 'test_batch.bin'), dir })
    const stages: string[] = []
    await getCifar10({ dir, onProgress: ({ stage }) => void stages.push(stage) })
    expect(stages).toEqual(['check', 'present'])
    await expect(getCifar10({ dir: folder })).rejects.toThrow(/expected --from <path>/)
    const archive = join(folder, 'cifar-10-binary.tar.gz')
    const entries = FILES.map((name) => tarEntry(`cifar-10-batches-bin/${name}`, batch))
    await writeFile(archive, gzipSync(tarOf(...entries), { level: 1 }))
    await getCifar10({ from: archive, dir: folder })
    expect((await readFile(join(folder, 'data_batch_5.bin'))).equals(batch)).toBe(true)
  })

  it('decodes a tree of images, the classes in turn', async () => {
    for (const half of ['train', 'test'])
      for (const [label, name] of cifar10Classes.entries()) {
        await mkdir(join(folder, half, name), { recursive: true })
        const count = half === 'train' ? 10 : 2
        for (let i = 0; i < count; i++)
          await writeFile(join(folder, half, name, `000${i}.png`), await png(10 * label + i))
      }
    const seen: (number | undefined)[] = []
    const onProgress = ({ done }: { readonly done?: number }) => void seen.push(done)
    const files = await decodeTree(await openFiles(folder, 'cifar10', 'images'), folder, { onProgress }, 20)
    expect([...files.keys()]).toEqual(FILES)
    const second = files.get('data_batch_2.bin')!
    // Image 2 of class 3 is the 24th: record 3 of the second file.
    const record = second.subarray(3 * RECORD, 4 * RECORD)
    expect([record[0], record[1], record[1 + 1024], record[1 + 2048]]).toEqual([3, 32, 100, 200])
    expect(seen.at(-1)).toBe(120)
  })

  it('names what it wants, and what it got', async () => {
    await expect(getCifar10({ dir: folder })).rejects.toThrow(/expected --from <path> with cifar-10-binary\.tar\.gz/)
    await expect(getCifar10({ from: join(folder, 'no'), dir: folder })).rejects.toThrow(/no: ENOENT/)
    await expect(getCifar10({ from: folder, dir: folder })).rejects.toThrow(/got no images in train\/<class>\//)
    await writeFile(join(folder, 'data_batch_1'), '')
    await expect(getCifar10({ from: folder, dir: folder })).rejects.toThrow(/Python version: take the binary version/)
    await mkdir(join(folder, 'train/cat'), { recursive: true })
    await writeFile(join(folder, 'train/cat/1.png'), await png(1))
    await expect(getCifar10({ from: folder, dir: folder })).rejects.toThrow(
      /with the classes airplane.*got folders cat/,
    )
    for (const name of cifar10Classes) {
      await mkdir(join(folder, 'train', name), { recursive: true })
      await writeFile(join(folder, 'train', name, '1.png'), await png(1, 31))
    }
    await expect(getCifar10({ from: folder, dir: folder })).rejects.toThrow(
      /expected 5000 images in train\/airplane, got 1/,
    )
    await writeFile(join(folder, 'data_batch_1.bin'), '')
    await expect(getCifar10({ from: folder, dir: folder })).rejects.toThrow(/data_batch_1.bin: expected 30730000 bytes/)
  })
})

const archive = sharedData('cifar10', 'cifar10-jpeg.tar.gz')

describe.skipIf(archive === undefined)('the JPEG re-encoding of CIFAR-10', () => {
  it('has every image of every class, and they decode', { timeout: 60_000 }, async () => {
    const files = await openFiles(archive!, 'cifar10', 'images')
    const train = imagesOf(files, archive!, 'train', 5000)
    expect(train).toHaveLength(50_000)
    expect(imagesOf(files, archive!, 'test', 1000)).toHaveLength(10_000)
    for (const name of train.slice(0, 20)) {
      const { data, height, width } = await decodeImage(await files.read(name), name)
      expect([data.length, height, width]).toEqual([3072, 32, 32])
    }
  })
})

describe.skipIf(!existsSync(join(dataFolder('cifar10'), 'test_batch.bin')))('the CIFAR-10 of the cache', () => {
  it('is complete', async () => {
    const { train, validation, test } = await cifar10()
    expect([train.length, validation?.length, test.length]).toEqual([45_000, 5_000, 10_000])
  })
})
