// A packed folder: what is done again where a part of it is gone or spoilt, and what is refused when it is read.
import { mkdtemp, readdir, readFile, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkPacked, packedImages, packImages } from '../../../lib/data/index.js'
import { photo, tree } from '../../support/images.js'

let folder = ''
let [root, out] = ['', '']
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-test-'))
  ;[root, out] = [join(folder, 'tree'), join(folder, 'packed')]
})
afterEach(() => rm(folder, { recursive: true }))

async function contents(of: string): Promise<Map<string, string>> {
  const names = (await readdir(of, { recursive: true })).filter((name) => /\./.test(name)).sort()
  return new Map(await Promise.all(names.map(async (name) => [name, await readFile(join(of, name), 'hex')] as const)))
}

describe('packing again', () => {
  beforeEach(() => tree(root, { train: 6, val: 1 }))
  const options = { size: 16, shardSize: 4 }

  it('does nothing where all is there', async () => {
    await packImages(root, out, options)
    const before = await contents(out)
    const old = new Date(2020, 1, 1)
    await utimes(join(out, 'train/00001.shard'), old, old)
    expect((await packImages(root, out, options)).present).toBe(4)
    expect(await contents(out)).toEqual(before)
    expect((await stat(join(out, 'train/00001.shard'))).mtime).toEqual(old)
  })

  it.each<[string, (at: string) => Promise<unknown>]>([
    ['shard is gone', (at) => rm(`${at}.shard`)],
    ['record is gone', (at) => rm(`${at}.json`)],
    ['record is cut', (at) => truncate(`${at}.json`, 40)],
    [
      'record is of another plan',
      async (at) => {
        const text = await readFile(`${at}.json`, 'utf8')
        await writeFile(`${at}.json`, text.replace(/"plan":"\w{4}/, '"plan":"0000'))
      },
    ],
    ['shard is cut', (at) => truncate(`${at}.shard`, 100)],
    [
      'shard has another byte',
      async (at) => {
        const bytes = await readFile(`${at}.shard`)
        bytes[7]! ^= 1
        await writeFile(`${at}.shard`, bytes)
      },
    ],
    [
      'shard was being written',
      async (at) => {
        await rm(`${at}.json`)
        await rm(`${at}.shard`)
        await writeFile(`${at}.0123.tmp`, 'half')
      },
    ],
  ])('makes one shard where its %s', async (_, spoil) => {
    await packImages(root, out, options)
    const before = await contents(out)
    await rm(join(out, 'index.json'))
    await spoil(join(out, 'train/00001'))
    await expect(packedImages(out)).rejects.toThrow(/index.json: expected the index of a packed folder/)
    expect((await packImages(root, out, options)).present).toBe(3)
    expect(await contents(out)).toEqual(before)
  })

  it('refuses a folder with something else in it', async () => {
    await packImages(root, out, options)
    await expect(packImages(root, out, { ...options, size: 8 })).rejects.toThrow(/got size 16, not 8/)
    await writeFile(join(root, 'train/ant/new.jpg'), await photo(5))
    await expect(packImages(root, out, options)).rejects.toThrow(/got images 14, not 15/)
    await expect(packImages(root, root, options)).rejects.toThrow(/expected an empty folder/)
  })
})

describe('packedImages', () => {
  it.each<[string, (index: Record<string, unknown>) => object, RegExp]>([
    [
      'another version',
      (index) => ({ ...index, version: 3 }),
      /expected format ostrich-images, version 1 or 2, got \["ostrich-images",3\]/,
    ],
    [
      'a label outside the classes',
      (index) => ({ ...index, classes: ['ant'] }),
      /labels of train\/00000.shard below 1/,
    ],
    [
      'a path that leaves the folder',
      (index) => ({ ...index, validation: [{ file: '../x.shard' }] }),
      /expected names of shards/,
    ],
    ['another size', (index) => ({ ...index, size: 9 }), /6 images in the/],
    ['no statistics', (index) => ({ ...index, statistics: {} }), /expected statistics/],
  ])('refuses an index with %s', async (_, change, message) => {
    await tree(root, { train: 3 })
    await packImages(root, out, { size: 8 })
    const path = join(out, 'index.json')
    // As of version 1, which had no digest by which any change would be found.
    const { sha256: _digest, ...index } = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>
    await writeFile(path, JSON.stringify(change({ ...index, version: 1 })))
    await expect(packedImages(out)).rejects.toThrow(message)
  })

  describe.each(['u8', 'jpeg'] as const)('of a damaged folder of %s', (format) => {
    /** Flips a bit of a file. */
    async function flip(name: string, bit: number): Promise<void> {
      const bytes = await readFile(join(out, name))
      bytes[bit >> 3]! ^= 1 << (bit & 7)
      await writeFile(join(out, name), bytes)
    }

    beforeEach(async () => {
      await tree(root, { train: 3, val: 1 })
      await packImages(root, out, { size: 8, format })
    })

    it('names the shard when it is asked to check, and the image at each read', async () => {
      const places = [0, 1, 2, 3, 4, 5]
      const batch = { x: new Uint8Array(6 * 192), target: new Int32Array(6) }
      const whole = await packedImages(out, { check: 'reads' })
      await whole.train.gather(places, batch)
      await whole.close()
      await (await packedImages(out, { check: 'once' })).close()
      let done = 0
      const all = await checkPacked(out, (bytes) => (done = bytes))
      expect(all).toMatchObject({ shards: 2, images: 8, bytes: done })

      await flip('train/00000.shard', 8 * ((await stat(join(out, 'train/00000.shard'))).size - 9))
      const data = await packedImages(out, { check: 'reads' })
      await data.train.gather(places.slice(0, 5), batch)
      await expect(data.train.gather(places, batch)).rejects.toThrow(
        /train\/00000\.shard: expected image 5 as it was packed, got other bytes at \d+: damaged/,
      )
      await data.close()
      const spoilt = /train\/00000\.shard: expected what was packed, of sha256 \w+, got \w+: damaged/
      await expect(packedImages(out, { check: 'once' })).rejects.toThrow(spoilt)
      await expect(checkPacked(out)).rejects.toThrow(spoilt)
      await expect(packedImages(out, { check: 'always' as 'once' })).rejects.toThrow(
        /expected once or reads, got always/,
      )
    })

    it('finds every bit of the index that changed, without being asked', async () => {
      const path = join(out, 'index.json')
      const index = await readFile(path)
      for (let bit = 0; bit < 8 * index.length; bit += 13) {
        await flip('index.json', bit)
        // The white space at its end says nothing.
        if (bit < 8 * (index.length - 1)) await expect(packedImages(out)).rejects.toThrow(/index\.json: expected/)
        await writeFile(path, index)
      }
    })

    it('opens what was packed before there were sums, and says that it cannot compare its images', async () => {
      const path = join(out, 'index.json')
      const index = JSON.parse(await readFile(path, 'utf8')) as { sha256?: string; train: { sums?: string }[] }
      delete index.sha256
      for (const shard of index.train) delete shard.sums
      await writeFile(path, JSON.stringify({ ...index, version: 1 }))
      await (await packedImages(out, { check: 'once' })).close()
      await expect(packedImages(out, { check: 'reads' })).rejects.toThrow(
        /packed with a sum of each image, got .*00000/,
      )
    })
  })

  it('refuses a shard that was cut, options and arrays that do not fit', async () => {
    await tree(root, { train: 3 })
    await packImages(root, out, { size: 8 })
    const data = await packedImages(out, { augment: { crop: 4 } })
    const small = { x: new Uint8Array(47), target: new Int32Array(1) }
    await expect(data.train.gather([0], small)).rejects.toThrow(/expected a Uint8Array of length 48 or more/)
    await expect(data.train.gather([6], { ...small, x: new Uint8Array(48) })).rejects.toThrow(
      /indices in \[0, 6\), got 6/,
    )
    await truncate(join(out, 'train/00000.shard'), 6 * 192 - 1)
    await expect(data.train.gather([5], { ...small, x: new Uint8Array(48) })).rejects.toThrow(
      /expected 192 bytes at 960, got 191/,
    )
    await data.close()
    await expect(packedImages(out)).rejects.toThrow(/expected a shard of 1152 bytes, got 1151/)
    await expect(packedImages(out, { views: 5 as 10 })).rejects.toThrow(/views\]: expected 1 or 10, got 5/)
    await expect(packImages(root, out, { size: 4 })).rejects.toThrow(/pack\[size\]: expected an integer from 8/)
  })
})
