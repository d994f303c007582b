// Composed house numbers: what they are painted like, and that they are the same everywhere.
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dataFolder, type EpochKey, numberStrips, type NumberSet, PhiloxStream } from '../../../lib/data/index.js'
import type { Glyphs } from '../../../lib/data/glyphs.js'
import {
  drawStrip,
  type Lean,
  type Placed,
  type Strip,
  STRIP,
  STRIP_DOMAIN,
} from '../../../lib/data/numbers/strip-layout.js'
import { Painter, STRIP_BYTES } from '../../../lib/data/numbers/strip-paint.js'
import { barOf } from '../../support/handwriting.js'
import { writeGlyphs } from './strips.js'

const PIXELS = STRIP * STRIP
let folder = ''
let glyphs: Glyphs
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-test-'))
  glyphs = await writeGlyphs(folder)
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

interface Gathered {
  readonly x: Uint8Array
  readonly length: Int32Array
  readonly digits: Int32Array
  readonly mask: Uint8Array
}

async function gathered(set: NumberSet, indices: readonly number[], key?: EpochKey): Promise<Gathered> {
  const n = indices.length
  const out = {
    x: new Uint8Array(n * STRIP_BYTES),
    length: new Int32Array(n),
    digits: new Int32Array(5 * n),
    mask: new Uint8Array(5 * n),
  }
  await set.gather(indices, out, key)
  return out
}

const hashOf = (...parts: readonly (Uint8Array | Int32Array)[]): string => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest('hex')
}

describe('glyphsOf', () => {
  it('finds the ink, and shares its memory', () => {
    expect(glyphs.count).toBe(60)
    expect(glyphs.images.buffer).toBeInstanceOf(SharedArrayBuffer)
    const { left, top, width, height } = barOf(7)
    expect([...glyphs.boxes.subarray(28, 32)]).toEqual([left, top, width, height])
    expect([...glyphs.labels.subarray(0, 12)]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1])
  })
})

describe('Painter', () => {
  const plain = (levels: number) => ({ levels: [levels, levels, levels] as const, right: 0, down: 0 })
  const upright: Lean = { scale: 1, cos: 1, sin: 0, slant: 0, narrow: 1 }
  const strip = (lean: Lean, digits: readonly Placed[], more: Partial<Strip> = {}): Strip => ({
    ...{ digits, pieces: [], lean, ink: plain(255), ground: plain(0), noise: 0, noiseFrom: 0 },
    ...more,
  })
  const painted = (one: Strip): Uint8Array => {
    const out = new Uint8Array(STRIP_BYTES)
    new Painter().paint(one, glyphs, out, 0)
    return out
  }

  it('paints a digit as it is where nothing is turned', () => {
    const { left, top, width, height } = barOf(5)
    const out = painted(strip(upright, [{ glyph: 5, x: 20 + width / 2, y: 30 + height / 2 - 14 }]))
    let wrong = 0
    for (let y = 0; y < STRIP; y++) {
      for (let x = 0; x < STRIP; x++) {
        const [column, row] = [x - 20 + left, y - 16 + top]
        const inside = column >= 0 && column < 28 && row >= 0 && row < 28
        const expected = inside ? glyphs.images[5 * 784 + row * 28 + column]! : 0
        if (out[y * STRIP + x] !== expected) wrong++
      }
    }
    expect(wrong).toBe(0)
    expect(hashOf(out.subarray(0, PIXELS))).toBe(hashOf(out.subarray(2 * PIXELS)))
  })

  it('turns, slants and scales it', () => {
    const ink = (lean: Partial<Lean>): { readonly box: number[]; readonly sum: number } => {
      const out = painted(strip({ ...upright, ...lean }, [{ glyph: 8, x: 27, y: 27 }]))
      const places = Array.from({ length: PIXELS }, (_, i) => i).filter((i) => out[i]! > 100)
      const [xs, ys] = [places.map((i) => i % STRIP), places.map((i) => Math.floor(i / STRIP))]
      const sum = out.subarray(0, PIXELS).reduce((all, level) => all + level, 0)
      return { box: [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)], sum }
    }
    const whole = ink({})
    // 12 wide, 20 high, in the middle; its first row is of level 128.
    expect(whole.box).toEqual([21, 32, 17, 36])
    // A quarter turn to the right: the first row is at the right.
    expect(ink({ cos: 0, sin: 1 }).box).toEqual([17, 36, 21, 32])
    expect(ink({ scale: 0.5 }).box).toEqual([24, 29, 22, 31])
    expect(ink({ narrow: 0.5 }).box).toEqual([24, 29, 17, 36])
    // Level ink is kept by what only moves it, and grows with the area.
    expect(Math.abs(ink({ slant: 0.3 }).sum / whole.sum - 1)).toBeLessThan(0.01)
    expect(Math.abs(ink({ cos: 0.96, sin: 0.28 }).sum / whole.sum - 1)).toBeLessThan(0.01)
    expect(Math.abs(ink({ scale: 1.2 }).sum / whole.sum - 1.44)).toBeLessThan(0.02)
    // The top goes right where the slant is positive: by three pixels, ten rows above the middle.
    const slanted = painted(strip({ ...upright, slant: 0.3 }, [{ glyph: 8, x: 27, y: 27 }]))
    const middleOf = (row: number): number => {
      const levels = slanted.subarray(row * STRIP, (row + 1) * STRIP)
      return (
        levels.reduce((sum, level, x) => sum + level * (x + 0.5), 0) / levels.reduce((sum, level) => sum + level, 0)
      )
    }
    expect([middleOf(18) - 27, middleOf(35) - 27].map((off) => Math.round(2 * off) / 2)).toEqual([2.5, -2.5])
  })

  it('fades colours to the right and down, and adds noise of the deviation that is said', () => {
    const ground = { levels: [100, 150, 200] as const, right: 20, down: 40 }
    const out = painted(strip(upright, [], { ground }))
    const at = (channel: number, x: number, y: number): number => out[channel * PIXELS + y * STRIP + x]!
    // The middle of the last pixel is 53/54 of the way.
    expect([at(0, 0, 0), at(1, 53, 0), at(2, 53, 53)]).toEqual([41, 130, 255])
    const noisy = painted(strip(upright, [], { ground: plain(128), noise: 10, noiseFrom: 2 ** 32 - 5 }))
    const mean = noisy.reduce((a, b) => a + b) / noisy.length
    const deviation = Math.sqrt(noisy.reduce((a, b) => a + (b - mean) ** 2, 0) / noisy.length)
    expect(Math.abs(mean - 128)).toBeLessThan(0.5)
    expect(Math.abs(deviation - 10)).toBeLessThan(0.3)
  })
})

describe('numberStrips', () => {
  it('gives numbers of all lengths equally often, with their digits', async () => {
    const { train, validation, test, version } = await numberStrips({ dir: folder })
    expect([train.length, validation?.length, test.length, version]).toEqual([50_000, 5_000, 10_000, 1])
    expect(test.fields).toEqual({
      x: { dtype: 'u8', shape: [3, 54, 54] },
      length: { dtype: 'i32', shape: [] },
      digits: { dtype: 'i32', shape: [5] },
      mask: { dtype: 'u8', shape: [5] },
    })
    const indices = Array.from({ length: 50 }, (_, i) => i)
    const { length, digits, mask } = await gathered(test, indices)
    for (const i of indices) {
      const count = 1 + (i % 5)
      expect(length[i]).toBe(count)
      expect([...mask.subarray(5 * i, 5 * i + 5)]).toEqual([0, 1, 2, 3, 4].map((place) => Number(place < count)))
      const strip = drawStrip(glyphs, count, new PhiloxStream(3, i, STRIP_DOMAIN))
      const labels = strip.digits.map(({ glyph }) => glyph % 10)
      expect([...digits.subarray(5 * i, 5 * i + 5)]).toEqual([...labels, 0, 0, 0, 0].slice(0, 5))
    }
  })

  it('depends on seed, epoch and index alone; what is measured is always the same', async () => {
    const { train, validation, test } = await numberStrips({ dir: folder })
    const key = { seed: 4, epoch: 2 }
    const all = await gathered(train, [0, 1, 2, 3], key)
    const some = await gathered(train, [3, 1], key)
    const of = (x: Uint8Array, i: number): string => hashOf(x.subarray(i * STRIP_BYTES, (i + 1) * STRIP_BYTES))
    expect([of(some.x, 0), of(some.x, 1)]).toEqual([of(all.x, 3), of(all.x, 1)])
    for (const other of [{ ...key, epoch: 3 }, { ...key, seed: 5 }, undefined]) {
      expect(of((await gathered(train, [0], other)).x, 0)).not.toBe(of(all.x, 0))
    }
    for (const set of [validation!, test]) {
      expect(of((await gathered(set, [9])).x, 0)).toBe(of((await gathered(set, [9], key)).x, 0))
    }
  })

  it('fills what is asked for, and refuses what does not fit', async () => {
    const { test } = await numberStrips({ dir: folder, validation: 0 })
    const whole = await gathered(test, [7, 8])
    const x = new Uint8Array(2 * STRIP_BYTES)
    await test.gather([7, 8], { x } as never)
    expect(hashOf(x)).toBe(hashOf(whole.x))
    const digits = new Int32Array(10)
    await test.gather([7, 8], { digits } as never)
    expect([...digits]).toEqual([...whole.digits])
    expect(() => test.gather([0], { ...whole, x: new Uint8Array(9) })).toThrow(
      /gather\[x\]: expected Uint8Array of length 8748/,
    )
    expect(() => test.gather([10_000], whole)).toThrow(/indices in \[0, 10000\), got 10000/)
    const { validation } = await numberStrips({ dir: folder, validation: 0 })
    expect(validation).toBeUndefined()
    await expect(numberStrips({ dir: folder, train: 0 })).rejects.toThrow(/numberStrips\[train\]/)
    await expect(numberStrips({ dir: folder, workers: -1 })).rejects.toThrow(/numberStrips\[workers\]/)
    // @ts-expect-error an option that there is not
    await expect(numberStrips({ seed: 3 })).rejects.toThrow(/expected the options/)
  })

  it('looks on every machine as it did here', async () => {
    const { test } = await numberStrips({ dir: folder, validation: 0 })
    const { x, digits } = await gathered(
      test,
      Array.from({ length: 100 }, (_, i) => i),
    )
    expect(hashOf(x, digits)).toBe('141af28fe7a46f8162716bc24f52907da87d4e9b10436248a88bd28aaea81287')
  })
})

describe.skipIf(!existsSync(dataFolder('mnist')))('the test strips of MNIST', () => {
  it('are those of version 1', { timeout: 120_000 }, async () => {
    const { test } = await numberStrips({ validation: 0 })
    const { x, length, digits, mask } = await gathered(
      test,
      Array.from({ length: 1000 }, (_, i) => i),
    )
    expect(hashOf(x, length, digits, mask)).toBe('4c7c770e6da6385938357660506b4a65f4c34d1d17c57c1e6b12235b8b5f3f5e')
  })
})
