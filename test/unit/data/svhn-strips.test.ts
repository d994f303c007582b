// Numbers composed of crops of photographs: what is packed of a copy, and what sets are made of it.
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { spawnSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dataFolder, type EpochKey, getSvhnStrips, type NumberSet, svhnStrips } from '../../../lib/data/index.js'
import { type Crops, cropsOf } from '../../../lib/data/numbers/crops.js'
import type { Glyphs } from '../../../lib/data/glyphs.js'
import { readPackedCrops } from '../../../lib/data/numbers/packed-crops.js'
import { photoSets } from '../../../lib/data/numbers/photo-sets.js'
import { PHOTO_BYTES } from '../../../lib/data/numbers/photo-paint.js'
import { placesOf } from '../../../lib/data/numbers/svhn-strips.js'
import { inkOf, writeSvhnCopy } from '../../support/svhn-copy.js'
import { sharedData } from '../../support/shared-data.js'
import { writeGlyphs } from './strips.js'

let folder = ''
let from = ''
let dir = ''
let glyphs: Glyphs
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-test-'))
  glyphs = await writeGlyphs(folder)
  from = await writeSvhnCopy(folder)
  dir = await getSvhnStrips({ from, dir: join(folder, 'cache') })
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

async function gathered(set: NumberSet, indices: readonly number[], key?: EpochKey) {
  const n = indices.length
  const out = {
    x: new Uint8Array(n * PHOTO_BYTES),
    length: new Int32Array(n),
    digits: new Int32Array(5 * n),
    mask: new Uint8Array(5 * n),
  }
  await set.gather(indices, out, key)
  return out
}

const sha256 = (...parts: readonly (Uint8Array | Int32Array)[]): string => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest('hex')
}

/** All crops of the copy. */
const allCrops = async (): Promise<Crops> => {
  const packed = await readPackedCrops(dir)
  return cropsOf(packed, [...packed.records.keys()], glyphs)
}

describe('getSvhnStrips', () => {
  it('keeps no crop of a photograph that is read', async () => {
    const { crops, records, numbers, labels } = await readPackedCrops(dir)
    expect(labels).toEqual(['708', '12', '23'])
    expect(numbers.length).toBe(3 * PHOTO_BYTES)
    expect(new Set(numbers)).toEqual(new Set([90]))
    // Of photographs 3 to 26; train/1.png is another photograph than the one of crops.
    expect(records.map(({ photo }) => photo)).toEqual(Array.from({ length: 48 }, (_, i) => `${3 + (i >> 1)}.png`))
    expect(records[1]).toEqual({ digit: 4, photo: '3.png', position: 1, box: [15, 4, 10, 20] })
    const planes = [0, 1, 2].map((channel) => crops[3072 + channel * 1024 + 8])
    expect(planes).toEqual([...inkOf(3)])
  })

  it('reads archives as it reads folders', async () => {
    const packed = join(folder, 'archives')
    const tar = (...args: string[]): void => {
      expect(spawnSync('tar', args).status).toBe(0)
    }
    await mkdir(packed)
    tar('-C', from, '-czf', join(packed, 'svhn-32x32-test-part.tar.gz'), 'svhn-32x32-test-part')
    tar('-C', from, '-czf', join(packed, 'svhn-format1-first256.tar.gz'), 'svhn')
    const stages = new Set<string>()
    const other = join(folder, 'other')
    await getSvhnStrips({ from: packed, dir: other, onProgress: ({ stage }) => stages.add(stage) })
    expect([...stages]).toEqual(['check', 'unpack', 'decode', 'write', 'done'])
    for (const name of ['crops.npy', 'numbers.npy', 'index.json']) {
      expect([name, await readFile(join(other, name))]).toEqual([name, await readFile(join(dir, name))])
    }
  })

  it.for([
    [
      'svhn-32x32-test-part/labels.tsv',
      'file\tindex\n',
      /labels\.tsv: expected the columns file, index, digit, .*, got/,
    ],
    [
      'svhn-32x32-test-part/labels.tsv',
      'file\tindex\tdigit\tfull_image\tposition\tbox\nimages/1.png\t1\t10\t1.png\t0\t1,2,3,4\n',
      /labels\.tsv, line 2: expected a digit from 0 to 9, got 10/,
    ],
    [
      'svhn-32x32-test-part/labels.tsv',
      'file\tindex\tdigit\tfull_image\tposition\tbox\nimages/9.gif\t1\t1\t9.png\t0\t1,2,3,4\n',
      /expected a file images\/9\.gif, got none/,
    ],
    [
      'svhn-32x32-test-part/labels.tsv',
      'file\tindex\tdigit\tfull_image\tposition\tbox\nimages/1.png\t1\t1\t1.png\t0\t1,2,3,4\n',
      /expected crops of photographs that are not read, got none/,
    ],
    ['svhn-32x32-test-part/images/7.png', 'no image', /images\/7\.png: expected a whole image, got/],
    [
      'svhn/train.tsv',
      'name\twidth\theight\tdigits\tboxes\n1.png\t40\t30\t70\t5,4,8,20\n',
      /train\.tsv, line 2: expected digits, and a box for each, got 70 in 1 boxes/,
    ],
    [
      'svhn/test.tsv',
      'name\twidth\theight\tdigits\tboxes\n1.png\t40\t30\t7\t5,4,0,20\n',
      /test\.tsv, line 2: expected a box of left, top, width, height, got 5,4,0,20/,
    ],
  ] as const)('says what is wrong in %s', async ([name, content, message]) => {
    const path = join(from, name)
    const before = await readFile(path)
    await writeFile(path, content)
    await expect(getSvhnStrips({ from, dir: join(folder, 'bad') })).rejects.toThrow(message)
    await writeFile(path, before)
  })

  it('says what is wanted', async () => {
    await expect(getSvhnStrips({ dir: join(folder, 'none') })).rejects.toThrow(
      /expected --from <folder> with svhn-32x32/,
    )
    await expect(getSvhnStrips({ from: folder, dir: join(folder, 'none') })).rejects.toThrow(
      /got no svhn-32x32-test-part\.tar\.gz and no svhn-32x32-test-part/,
    )
    // @ts-expect-error an option that there is not
    await expect(getSvhnStrips({ to: folder })).rejects.toThrow(/expected the options/)
    const stages: string[] = []
    await getSvhnStrips({ dir, onProgress: ({ stage }) => void stages.push(stage) })
    expect(stages).toEqual(['check', 'present'])
  })
})

describe('svhnStrips', () => {
  it('composes to train on, holds photographs back, and tests by whole photographs', async () => {
    const data = await svhnStrips({ dir, mnist: folder })
    const { train, validation, test, version } = data
    expect([train.length, validation?.length, test.length, version]).toEqual([50_000, 2_000, 3, 1])
    const { length, digits, mask } = await gathered(test, [0, 1, 2])
    expect([...length]).toEqual([3, 2, 2])
    expect([...digits]).toEqual([7, 0, 8, 0, 0, 1, 2, 0, 0, 0, 2, 3, 0, 0, 0])
    expect([...mask]).toEqual([1, 1, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0])
    expect((await svhnStrips({ dir, mnist: folder, validation: 0 })).validation).toBeUndefined()
    await data.close()
  })

  it('has numbers as long as those of SVHN, half of them of crops', async () => {
    const { train, validation } = await svhnStrips({ dir, mnist: folder })
    const count = 4000
    const indices = Array.from({ length: count }, (_, i) => i)
    for (const set of [train, validation!]) {
      const length = new Int32Array(count)
      await set.gather(
        indices.map((i) => i % set.length),
        { length } as never,
        { seed: 2, epoch: 1 },
      )
      const share = (wanted: number): number => length.filter((one) => one === wanted).length / count
      for (const [i, expected] of [0.154, 0.543, 0.26, 0.043].entries()) {
        expect(Math.abs(share(i + 1) - expected)).toBeLessThan(0.04)
      }
      expect(length.every((one) => one >= 1 && one <= 5)).toBe(true)
    }
    // Twos of crops and ones of handwriting take turns.
    const [crops, ones] = [await allCrops(), glyphs.labels.map(() => 1)]
    const part = { crops: { ...crops, labels: crops.labels.map(() => 2) }, length: 8, seed: 1, endless: false }
    const { mixed, plain } = photoSets({ mixed: { ...part, glyphs: { ...glyphs, labels: ones } }, plain: part })
    const firstOf = async (set: NumberSet) =>
      [...(await gathered(set, [0, 1, 2, 3])).digits].filter((_, i) => i % 5 === 0)
    expect(await firstOf(mixed!)).toEqual([2, 1, 2, 1])
    expect(await firstOf(plain!)).toEqual([2, 2, 2, 2])
  })

  it('depends on seed, epoch and index alone; what is measured is always the same', async () => {
    const { train, validation } = await svhnStrips({ dir, mnist: folder })
    const key = { seed: 4, epoch: 2 }
    const all = await gathered(train, [0, 1, 2, 3], key)
    const some = await gathered(train, [3, 0], key)
    const of = (x: Uint8Array, i: number): string => sha256(x.subarray(i * PHOTO_BYTES, (i + 1) * PHOTO_BYTES))
    expect([of(some.x, 0), of(some.x, 1)]).toEqual([of(all.x, 3), of(all.x, 0)])
    for (const other of [{ ...key, epoch: 3 }, { ...key, seed: 5 }, undefined]) {
      expect(of((await gathered(train, [0], other)).x, 0)).not.toBe(of(all.x, 0))
    }
    expect(of((await gathered(validation!, [9])).x, 0)).toBe(of((await gathered(validation!, [9], key)).x, 0))
    const digits = new Int32Array(10)
    await train.gather([3, 0], { digits } as never, key)
    expect([...digits]).toEqual([...some.digits])
  })

  it('trains on no photograph that is held back', async () => {
    const { records } = await readPackedCrops(dir)
    const { train, validation } = placesOf({ records })
    expect([...train, ...validation].sort((a, b) => a - b)).toEqual([...records.keys()])
    const photosOf = (places: readonly number[]) => new Set(places.map((place) => records[place]!.photo))
    expect([photosOf(train).size, photosOf(validation).size]).toEqual([22, 2])
    // What is measured is of these alone: two digits of each.
    const { validation: set } = await svhnStrips({ dir, mnist: folder })
    const out = { digits: new Int32Array(1500), mask: new Uint8Array(1500) }
    await set!.gather([...new Array(300).keys()], out as never)
    const seen = new Set([...out.digits].filter((_, i) => out.mask[i] === 1))
    expect([...seen].sort()).toEqual([...new Set(validation.map((place) => records[place]!.digit))].sort())
    expect(() => placesOf({ records: records.slice(0, 2) })).toThrow(/expected crops of two photographs or more, got 1/)
  })

  it('refuses what does not fit, and says how to get it', async () => {
    const { train } = await svhnStrips({ dir, mnist: folder })
    expect(() => train.gather([50_000], {} as never)).toThrow(/indices in \[0, 50000\), got 50000/)
    expect(() => train.gather([0], { x: new Uint8Array(9) } as never)).toThrow(
      /gather\[x\]: expected Uint8Array of length 8748/,
    )
    await expect(svhnStrips({ dir: join(folder, 'none') })).rejects.toThrow(/Run: ostrich data get svhn-strips --from/)
    await expect(svhnStrips({ dir, mnist: folder, train: 0 })).rejects.toThrow(/svhnStrips\[train\]/)
    // @ts-expect-error an option that there is not
    await expect(svhnStrips({ seed: 3 })).rejects.toThrow(/expected the options/)
    const path = join(dir, 'crops.npy')
    const before = await readFile(path)
    await writeFile(
      path,
      before.map((byte, i) => (i === 5000 ? byte ^ 1 : byte)),
    )
    await expect(svhnStrips({ dir, mnist: folder })).rejects.toThrow(/crops\.npy: expected the sha256 /)
    await writeFile(path, before.subarray(0, 5000))
    await expect(svhnStrips({ dir, mnist: folder })).rejects.toThrow(/crops\.npy: expected \d+ bytes/)
    await writeFile(path, before)
  })

  it('looks on every machine as it did here', async () => {
    const { train, validation } = await svhnStrips({ dir, mnist: folder })
    const indices = Array.from({ length: 50 }, (_, i) => i)
    const parts = [await gathered(train, indices, { seed: 1, epoch: 1 }), await gathered(validation!, indices)]
    expect(sha256(...parts.flatMap(({ x, digits }) => [x, digits]))).toBe(
      '1e379c5bf007bd3d1b8012680b44d2a9a68a4ea78e1e2e90de6bbc308ce66855',
    )
  })
})

const real = sharedData('svhn', 'svhn-32x32-test-part.tar.gz')

describe.skipIf(real === undefined)('crops of SVHN', () => {
  it('are of other photographs than those that are read', { timeout: 600_000 }, async () => {
    const cache = await mkdtemp(join(tmpdir(), 'ostrich-test-'))
    try {
      await getSvhnStrips({ from: dirname(real!), dir: cache })
      const { records, labels } = await readPackedCrops(cache)
      expect([records.length, labels.length]).toEqual([7063, 512])
      expect(Math.min(...records.map(({ photo }) => Number.parseInt(photo)))).toBeGreaterThan(256)
      const lengths = [1, 2, 3, 4].map((length) => labels.filter((label) => label.length === length).length)
      expect(lengths).toEqual([99, 312, 87, 14])
      if (!existsSync(dataFolder('mnist'))) return
      const { validation } = await svhnStrips({ dir: cache })
      const { x, digits } = await gathered(validation!, [...new Array(200).keys()])
      expect(sha256(x, digits)).toBe('84e261b8216a150229bc47b83fd6de374822395228871956cb49508787d8666e')
    } finally {
      await rm(cache, { recursive: true })
    }
  })
})
