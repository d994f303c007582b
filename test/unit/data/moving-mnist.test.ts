// Moving MNIST: sequences against a plain drawing of them, and files against NumPy's.
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  batches,
  DataError,
  dataFolder,
  type EpochKey,
  frameSequences,
  type FrameSequences,
  getMovingMnist,
  movingMnist,
  PhiloxStream,
  subset,
} from '../../../lib/data/index.js'
import { digestOf, writeSequences } from '../../../lib/data/video/moving-mnist.js'
import { drawPath } from '../../../lib/data/video/trajectory.js'
import { bar, writeHandwriting } from '../../support/handwriting.js'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-test-'))
  await writeHandwriting(folder)
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

const PIXELS = 64 * 64

/** Sequence after sequence, frame after frame, whatever the batch is. */
async function sequencesOf(set: FrameSequences, indices: readonly number[], key?: EpochKey): Promise<Uint8Array[]> {
  const [given, future] = [set.fields.x.shape[0], set.fields.target.shape[0]]
  const n = indices.length
  const out = { x: new Uint8Array(given * n * PIXELS), target: new Uint8Array(future * n * PIXELS) }
  await set.gather(indices, out, key)
  return indices.map((_, row) => {
    const frame = (from: Uint8Array, t: number): Uint8Array =>
      from.subarray((t * n + row) * PIXELS, (t * n + row + 1) * PIXELS)
    return Buffer.concat([
      ...Array.from({ length: given }, (_, t) => frame(out.x, t)),
      ...Array.from({ length: future }, (_, t) => frame(out.target, t)),
    ])
  })
}

const same = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean => Buffer.compare(a!, b!) === 0

describe('movingMnist', () => {
  it('gives frames that are seen and frames that follow, time first', async () => {
    const { train, validation, test, version } = await movingMnist({ dir: folder })
    expect([train.length, validation?.length, test.length, version]).toEqual([10_000, 1_000, 10_000, 1])
    expect(test.fields).toEqual({
      x: { dtype: 'u8', shape: [10, 1, 64, 64], batchAxis: 1 },
      target: { dtype: 'u8', shape: [10, 1, 64, 64], batchAxis: 1 },
    })
    for await (const { feeds, count } of batches(train, { batch: 3, shuffle: true, augment: true })) {
      expect([count, feeds.x.length, feeds.target.length]).toEqual([3, 10 * 3 * PIXELS, 10 * 3 * PIXELS])
      break
    }
  })

  it('moves two digits, the lighter where they overlap', async () => {
    const { test } = await movingMnist({ dir: folder })
    let overlaps = 0
    const sequences = await sequencesOf(
      test,
      Array.from({ length: 40 }, (_, i) => i),
    )
    for (const [i, sequence] of sequences.entries()) {
      const draws = new PhiloxStream(3, i, 0x70617468)
      const paths = [0, 1].map(() => {
        const out = new Uint8Array(40)
        drawPath(20, draws, out, 0)
        return out
      })
      // Which digits they are, by what fits: a frame is the maximum of both at their places, and nothing else.
      const fits = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].flatMap((a) =>
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((b) => [a, b] as const),
      )
      const found = fits.find((labels) => {
        for (let t = 0; t < 20; t++) {
          const frame = new Uint8Array(PIXELS)
          for (const [n, label] of labels.entries()) {
            const [left, top] = [paths[n]![2 * t]!, paths[n]![2 * t + 1]!]
            for (const [at, level] of bar(label, 200).entries()) {
              const to = (top + Math.floor(at / 28)) * 64 + left + (at % 28)
              frame[to] = Math.max(frame[to]!, level)
            }
          }
          if (!same(frame, sequence.subarray(t * PIXELS, (t + 1) * PIXELS))) return false
        }
        return true
      })
      expect([i, found !== undefined]).toEqual([i, true])
      const ink = (t: number): number =>
        sequence.subarray(t * PIXELS, (t + 1) * PIXELS).filter((level) => level > 0).length
      const all = Array.from({ length: 20 }, (_, t) => ink(t))
      if (Math.min(...all) < Math.max(...all)) overlaps++
    }
    expect(overlaps).toBeGreaterThan(10)
  })

  it('takes every digit once before any comes again', async () => {
    const { train } = await movingMnist({ dir: folder, train: 55, digits: 1, given: 1, future: 1, validation: 0 })
    // 240 digits, 24 of each label: 55 sequences an epoch, so that a pass ends within an epoch.
    const counts = new Map<number, number>()
    let drawn = 0
    for (let epoch = 0; drawn < 480; epoch++) {
      const sequences = await sequencesOf(
        train,
        Array.from({ length: 55 }, (_, i) => i),
        { seed: 9, epoch },
      )
      for (const sequence of sequences.slice(0, 480 - drawn)) {
        const width = sequence.subarray(0, PIXELS).filter((level) => level > 200).length / 19
        counts.set(width - 4, (counts.get(width - 4) ?? 0) + 1)
        drawn++
        if (drawn === 240) expect([...counts.values()]).toEqual(Array(10).fill(24))
      }
    }
    expect([...counts.values()]).toEqual(Array(10).fill(48))
  })

  it('depends on seed, epoch and index alone; what is measured is always the same', async () => {
    const { train, validation, test } = await movingMnist({ dir: folder })
    const key = { seed: 4, epoch: 2 }
    const all = await sequencesOf(train, [0, 1, 2, 3], key)
    const some = await sequencesOf(train, [3, 1], key)
    expect([same(some[0], all[3]), same(some[1], all[1])]).toEqual([true, true])
    for (const other of [{ ...key, epoch: 3 }, { ...key, seed: 5 }, undefined]) {
      expect(same((await sequencesOf(train, [0], other))[0], all[0])).toBe(false)
    }
    for (const set of [validation!, test]) {
      const [first, again] = [await sequencesOf(set, [17]), await sequencesOf(set, [17], key)]
      expect(same(first[0], again[0])).toBe(true)
    }
    // Training and test digits are of different levels, and nothing is lighter.
    const lightest = (of: readonly Uint8Array[]): number =>
      Buffer.concat(of).reduce((most, level) => Math.max(most, level), 0)
    const [trained, tested] = [lightest(all), lightest(await sequencesOf(test, [0, 1, 2]))]
    expect([trained, tested]).toEqual([250, 200])
  })

  it('fills what is asked for, of arrays with more rows, and clears what was there', async () => {
    const { test } = await movingMnist({ dir: folder, given: 2, future: 1 })
    const whole = await sequencesOf(test, [5, 6])
    const x = new Uint8Array(2 * 3 * PIXELS).fill(255)
    await test.gather([5, 6], { x } as never)
    expect(same(x.subarray(0, PIXELS), whole[0]!.subarray(0, PIXELS))).toBe(true)
    expect(same(x.subarray(4 * PIXELS, 5 * PIXELS), whole[1]!.subarray(PIXELS, 2 * PIXELS))).toBe(true)
    expect(x.subarray(2 * PIXELS, 3 * PIXELS).every((level) => level === 255)).toBe(true)
    const target = new Uint8Array(PIXELS)
    await test.gather([6], { target } as never)
    expect(same(target, whole[1]!.subarray(2 * PIXELS))).toBe(true)
    expect(() => test.gather([0], { x: new Uint8Array(10), target })).toThrow(
      /gather\[x\]: expected Uint8Array of length 8192/,
    )
    expect(() => test.gather([10_000], { x, target })).toThrow(/indices in \[0, 10000\), got 10000/)
  })

  it('refuses what is out of range', async () => {
    await expect(movingMnist({ dir: folder, digits: 0 })).rejects.toThrow(
      /movingMnist\[digits\]: expected an integer from 1 to 16/,
    )
    await expect(movingMnist({ dir: folder, future: 0.5 })).rejects.toThrow(/movingMnist\[future\]/)
    await expect(movingMnist({ dir: folder, train: 0 })).rejects.toThrow(/movingMnist\[train\]/)
    // @ts-expect-error an option that there is not
    await expect(movingMnist({ frames: 20 })).rejects.toThrow(/expected the options/)
    await expect(movingMnist({ dir: join(folder, 'no') })).rejects.toThrow(/Run: ostrich data get mnist/)
  })
})

describe('files of sequences', () => {
  it('are written as they are made, and read again', async () => {
    const { validation } = await movingMnist({ dir: folder, validation: 250, given: 2, future: 3 })
    const file = join(folder, 'written', 'sequences.npy')
    await writeSequences(validation!, file, await digestOf(validation!))
    const set = await frameSequences(file, { given: 2 })
    expect(set.length).toBe(250)
    expect(set.fields).toEqual(validation!.fields)
    const indices = [249, 0, 100]
    const [made, read] = [await sequencesOf(validation!, indices), await sequencesOf(set, indices)]
    for (const [i, one] of made.entries()) expect(same(read[i], one)).toBe(true)
    const whole = await sequencesOf(
      validation!,
      Array.from({ length: 250 }, (_, i) => i),
    )
    expect(createHash('sha256').update(Buffer.concat(whole)).digest('hex')).toBe(await digestOf(validation!))
    expect((await stat(file)).size).toBe(128 + 250 * 5 * PIXELS)
    await set.close()
    expect(() => set.gather([0], { x: new Uint8Array(2 * PIXELS), target: new Uint8Array(3 * PIXELS) })).toThrow(
      /was closed/,
    )
    await rm(file)
    await expect(writeSequences(validation!, file, 'another')).rejects.toThrow(
      /expected sequences of sha256 another, got/,
    )
    expect(await readdir(join(folder, 'written'))).toEqual([])
  })

  it('are those of NumPy', async () => {
    // numpy.save of numpy.arange(24, dtype=numpy.uint8).reshape(2, 3, 2, 2), NumPy 2.4.
    const header = `\x93NUMPY\x01\x00v\x00{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3, 2, 2), }`
    const bytes = Buffer.concat([
      Buffer.from(header.padEnd(127, ' '), 'latin1'),
      Buffer.from('\n'),
      Buffer.from(Array.from({ length: 24 }, (_, i) => i)),
    ])
    const file = join(folder, 'numpy.npy')
    await writeFile(file, bytes)
    const set = await frameSequences(file)
    const out = { x: new Uint8Array(8), target: new Uint8Array(8) }
    await set.gather([2, 0], out)
    expect([...out.x, ...out.target]).toEqual([8, 9, 10, 11, 0, 1, 2, 3, 20, 21, 22, 23, 12, 13, 14, 15])
    await set.close()
    const as = async (change: (text: string) => string, cut = 0): Promise<Error> => {
      const text = change(bytes.toString('latin1'))
      await writeFile(file, Buffer.from(cut === 0 ? text : text.slice(0, -cut), 'latin1'))
      return frameSequences(file).then(
        () => new Error('it was read'),
        (error: unknown) => error as Error,
      )
    }
    for (const [change, cut, message] of [
      [(text: string) => text.replace('NUMPY', 'NUMPI'), 0, /\.npy file of version 1 to 3, got another/],
      [(text: string) => text.replace('\x01\x00v', '\x07\x00v'), 0, /version 1 to 3/],
      [(text: string) => text.replace('False', 'True '), 0, /got one in Fortran's/],
      [(text: string) => text.replace('|u1', '<f4'), 0, /expected values of \|u1, got <f4/],
      [
        (text: string) => text.replace('(2, 3, 2, 2)', '(2, 3, 4)   '),
        0,
        /expected \[frames, sequences, height, width\], got \[2, 3, 4\]/,
      ],
      [(text: string) => text.replace('(2, 3, 2, 2)', '(1, 6, 2, 2)'), 0, /expected two frames or more, got 1/],
      [
        (text: string) => text.replace('(2, 3, 2, 2)', '(9999999999, 9999999999, 2, 2)'),
        0,
        /expected \d+ bytes for \[9999999999, /,
      ],
      [(text: string) => text.replace("'shape'", "'shope'"), 0, /a header with descr, fortran_order and shape/],
      [(text: string) => text, 1, /expected 152 bytes for \[2, 3, 2, 2\], got 151/],
      [(text: string) => text, 60, /expected 152 bytes|a header with descr/],
      [(text: string) => text, 152, /version 1 to 3/],
    ] as const) {
      const error = await as(change, cut)
      expect(error.message).toMatch(message)
      expect(error).toBeInstanceOf(DataError)
    }
    await expect(frameSequences(join(folder, 'none.npy'))).rejects.toThrow(/a \.npy file that can be read, got ENOENT/)
  })
})

describe.skipIf(!existsSync(dataFolder('mnist')))('the test sequences of MNIST', () => {
  it('are those of version 1', { timeout: 120_000 }, async () => {
    const { test } = await movingMnist({ validation: 0 })
    // All of them have TEST_SHA256; the first five hundred take a twentieth of the time.
    const first = subset(
      test,
      Array.from({ length: 500 }, (_, i) => i),
    )
    expect(await digestOf(first)).toBe('8310630528a8efd9f780a1f9b53c8ca673d5cff3093b2be4d9738cd46a88e2a2')
  })
})

describe('getMovingMnist', () => {
  it('leaves a file alone that is there', async () => {
    await writeFile(join(folder, 'test.npy'), '')
    const stages: string[] = []
    await getMovingMnist({ dir: folder, mnist: folder, onProgress: ({ stage }) => void stages.push(stage) })
    expect(stages).toEqual(['check', 'present'])
  })
})
