// Crops of photographs side by side: where the digit is in its crop, how a number of them is drawn, and how it is painted.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { getSvhnStrips, PhiloxStream } from '../../../lib/data/index.js'
import type { Glyphs } from '../../../lib/data/glyphs.js'
import { type Crops, cropsOf } from '../../../lib/data/numbers/crops.js'
import { readPackedCrops } from '../../../lib/data/numbers/packed-crops.js'
import { drawPhotoStrip, PHOTO_DOMAIN, type PhotoStrip } from '../../../lib/data/numbers/photo-layout.js'
import { PHOTO_BYTES, PhotoPainter } from '../../../lib/data/numbers/photo-paint.js'
import { cropOf, writeSvhnCopy } from '../../support/svhn-copy.js'
import { writeGlyphs } from './strips.js'

const [SIDE, PIXELS] = [54, 54 * 54]
let folder = ''
let dir = ''
let glyphs: Glyphs
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-test-'))
  glyphs = await writeGlyphs(folder)
  dir = await getSvhnStrips({ from: await writeSvhnCopy(folder), dir: join(folder, 'cache') })
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

/** All crops of the copy. */
const allCrops = async (): Promise<Crops> => {
  const packed = await readPackedCrops(dir)
  return cropsOf(packed, [...packed.records.keys()], glyphs)
}

describe('cropsOf', () => {
  it('finds the digit in its crop, and how far nothing of its neighbours is seen', async () => {
    const crops = await allCrops()
    expect(crops.count).toBe(48)
    expect([...crops.labels.subarray(0, 4)]).toEqual([3, 4, 4, 5])
    expect([...crops.boxes.subarray(0, 8)]).toEqual([8, 0, 16, 32, 8, 0, 16, 32])
    expect([...crops.photos.subarray(0, 8)]).toEqual([0, 2, 0, 2, 2, 2, 2, 2])
    // The left one of two ends where the right one's box begins, at its own.
    expect([...crops.clear.subarray(0, 4)]).toEqual([0, 24, 8, 32])
    expect([...crops.images.subarray(0, 3072)].filter((_, i) => i < 1024)).toEqual(
      Array.from({ length: 1024 }, (_, i) => cropOf(3, 3)[3 * i]),
    )
  })

  it('tells the colour of the digit from that of its background, whichever is lighter', () => {
    // A ring: ink at the edges of its box, none in the middle.
    const ring = (x: number, y: number, side: number): boolean => Math.min(x, y, side - 1 - x, side - 1 - y) < side / 4
    const image = Uint8Array.from({ length: 784 }, (_, i) => (ring(i % 28, Math.floor(i / 28), 28) ? 255 : 0))
    const zeros: Glyphs = { count: 1, images: image, labels: Uint8Array.of(0), boxes: Uint8Array.of(0, 0, 28, 28) }
    const record = (photo: string) => ({ digit: 0, photo, position: 0, box: [0, 0, 10, 10] as const })
    const [light, dark] = [
      [200, 210, 220],
      [20, 60, 100],
    ] as const
    const painted = (ink: readonly number[], ground: readonly number[]): number[] =>
      [0, 1, 2].flatMap((channel) =>
        Array.from({ length: 1024 }, (_, i) => (ring(i % 32, Math.floor(i / 32), 32) ? ink : ground)[channel]!),
      )
    const crops = Uint8Array.from([...painted(light, dark), ...painted(dark, light)])
    const records = [record('1.png'), record('2.png')]
    const { colours } = cropsOf({ crops, records, numbers: new Uint8Array(), labels: [] }, [0, 1], zeros)
    expect([...colours]).toEqual([...dark, ...light, ...light, ...dark])
  })
})

const drawn = (crops: Crops, length: number, i: number): PhotoStrip =>
  drawPhotoStrip(crops, length, new PhiloxStream(7, i, PHOTO_DOMAIN))

describe('drawPhotoStrip', () => {
  it('takes the crops of every other image from one photograph', async () => {
    const crops = await allCrops()
    const all = Array.from({ length: 400 }, (_, i) => drawn(crops, 5, i).digits.map(({ crop }) => crop))
    const alike = all.filter((chosen) => new Set(chosen.map((crop) => crop >> 1)).size === 1)
    expect(Math.abs(alike.length / 400 - 0.5)).toBeLessThan(0.1)
    // Two crops each: they take turns.
    for (const chosen of alike) expect(chosen.slice(2)).toEqual(chosen.slice(0, 3))
    // One crop of each photograph: there is no other of it.
    const packed = await readPackedCrops(dir)
    const single = cropsOf(packed, [0, 2, 4, 6, 8], glyphs)
    const few = Array.from({ length: 50 }, (_, i) => new Set(drawn(single, 5, i).digits.map(({ crop }) => crop)).size)
    expect(Math.min(...few)).toBeGreaterThan(1)
  })

  it('gives all digits the colours of the first, at 0.6 to 1.3 of its contrast, one image of four inverted', async () => {
    const crops = await allCrops()
    let inverted = 0
    for (let i = 0; i < 200; i++) {
      const { digits, ground } = drawn(crops, 3, i)
      const coloursAt = (crop: number, at: number): number[] => [
        ...crops.colours.subarray(6 * crop + at, 6 * crop + at + 3),
      ]
      const levels = digits.map(({ crop, matrix, offset }) =>
        [0, 3].map((at) => {
          const own = coloursAt(crop, at)
          return offset.map((more, to) => more + own.reduce((sum, one, from) => sum + matrix[3 * to + from]! * one, 0))
        }),
      )
      const [first] = digits
      const own = coloursAt(first!.crop, 3).map((ink, channel) => ink - coloursAt(first!.crop, 0)[channel]!)
      const gains = own.map((contrast, channel) => (levels[0]![1]![channel]! - ground[channel]!) / contrast)
      if (gains[0]! < 0) inverted++
      for (let channel = 0; channel < 3; channel++) {
        expect(Math.sign(gains[channel]!)).toBe(Math.sign(gains[0]!))
        expect(Math.abs(gains[channel]!)).toBeGreaterThan(0.6 * 0.88)
        expect(Math.abs(gains[channel]!)).toBeLessThan(1.3 * 1.12)
        for (const [ownGround, ownInk] of levels) {
          expect(ownGround![channel]).toBeCloseTo(ground[channel]!, 3)
          expect(ownInk![channel]).toBeCloseTo(levels[0]![1]![channel]!, 3)
        }
      }
    }
    expect(Math.abs(inverted / 200 - 0.25)).toBeLessThan(0.1)
  })

  it('shows the box around all digits, 20 to 40 % larger, about in the middle', async () => {
    const crops = await allCrops()
    for (let i = 0; i < 200; i++) {
      const length = 1 + (i % 5)
      const { digits, across, down } = drawn(crops, length, i)
      const sides = digits.map(({ x, y, scale }) => {
        const [wide, high] = [16 / scale, 32 / scale]
        return [x - wide / 2, x + wide / 2, y - high / 2, y + high / 2] as const
      })
      const pixels = (low: number, high: number, [start, ...each]: readonly number[], axis: 0 | 1): number[] => {
        // In the middle row or column, where neither leans.
        const from = start! + each[1 - axis]! * ((SIDE - 1) / 2)
        return [low, high].map((at) => (at - from) / each[axis]! + 0.5)
      }
      const box = [
        pixels(Math.min(...sides.map(([left]) => left)), Math.max(...sides.map(([, right]) => right)), across, 0),
        pixels(Math.min(...sides.map(([, , top]) => top)), Math.max(...sides.map(([, , , bottom]) => bottom)), down, 1),
      ]
      for (const [low, high] of box) {
        expect(high! - low!).toBeGreaterThanOrEqual(64 / 1.4 - 1e-3)
        expect(high! - low!).toBeLessThanOrEqual(64 / 1.2 + 1e-3)
        expect(Math.abs((low! + high!) / 2 - SIDE / 2)).toBeLessThanOrEqual(4 + 1e-3)
      }
      // From left to right, each beside the one before.
      for (let digit = 1; digit < length; digit++) {
        const gap = sides[digit]![0] - sides[digit - 1]![1]
        expect(gap).toBeGreaterThan(-0.18)
        expect(gap).toBeLessThan(0.2)
      }
    }
  })
})

describe('PhotoPainter', () => {
  const painted = (strip: PhotoStrip, crops: Crops): Uint8Array => {
    const out = new Uint8Array(PHOTO_BYTES)
    new PhotoPainter().paint(strip, crops, out, 0)
    return out
  }
  /** One crop, its box from column 11 and row 11 on, in its own pixels. */
  const plain = (more: Partial<PhotoStrip> = {}): PhotoStrip => ({
    digits: [{ crop: 0, x: 19, y: 27, scale: 1, matrix: [1, 0, 0, 0, 1, 0, 0, 0, 1], offset: [0, 0, 0] }],
    across: [0.5, 1, 0],
    down: [0.5, 0, 1],
    ...{ ground: [1, 2, 3], blur: 0, noise: 0, noiseFrom: 0, ...more },
  })

  it('paints a crop as it is, and the background where it is not', async () => {
    const crops = await allCrops()
    const out = painted(plain(), crops)
    const own = cropOf(3, 3)
    let apart = 0
    for (let y = 12; y < 42; y++) {
      for (let x = 4; x < 24; x++) {
        for (let channel = 0; channel < 3; channel++) {
          // Column 3 of the image is the crop's first; two columns from the end of the box on, which its neighbour touches, it ends.
          const expected = own[((y - 11) * 32 + x - 3) * 3 + channel]!
          apart = Math.max(apart, Math.abs(out[channel * PIXELS + y * SIDE + x]! - expected))
        }
      }
    }
    // Beside the box a crop weighs 0.03, and the background 0.004.
    expect(apart).toBeLessThan(12)
    const at = (x: number, y: number): number[] => [0, 1, 2].map((channel) => out[channel * PIXELS + y * SIDE + x]!)
    expect([at(0, 27), at(40, 27), at(15, 5), at(15, 50)]).toEqual(new Array(4).fill([1, 2, 3]))
  })

  it('lays one digit beside the other, each in its box', async () => {
    const crops = await allCrops()
    const [one] = plain().digits
    const two = { ...one!, crop: 8, x: one!.x + 16 }
    const out = painted(plain({ digits: [one!, two] }), crops)
    const red = (x: number): number => out[16 * SIDE + x]!
    // Crop 8 is of photograph 7. Holes are in columns 6 to 9 of a box, on this row; the seam is at column 27.
    for (const [x, level] of [
      [12, 183],
      [18, 23],
      [25, 183],
      [29, 187],
      [35, 27],
      [40, 187],
    ] as const) {
      expect([x, Math.abs(red(x) - level) < 6]).toEqual([x, true])
    }
  })

  it('blurs, sharpens and adds noise of the deviation that is said', async () => {
    const crops = await allCrops()
    const flat = { ...plain(), digits: [], ground: [128, 128, 128] }
    const deviation = (out: Uint8Array): number => {
      const mean = out.reduce((a, b) => a + b) / out.length
      return Math.sqrt(out.reduce((a, b) => a + (b - mean) ** 2, 0) / out.length)
    }
    expect(Math.abs(deviation(painted({ ...flat, noise: 10, noiseFrom: 2 ** 32 - 5 }, crops)) - 10)).toBeLessThan(0.3)
    // A mean of three, 1 to 2 to 1, of independent numbers has 0.375 of their variance; taken twice, of the rows and of the columns.
    expect(Math.abs(deviation(painted({ ...flat, noise: 20, blur: 0.25 }, crops)) - 7.5)).toBeLessThan(0.4)
    expect(deviation(painted({ ...flat, noise: 10, blur: -0.06 }, crops))).toBeGreaterThan(11)
    // Nothing is lost at the edges.
    expect(new Set(painted({ ...flat, blur: 0.25 }, crops))).toEqual(new Set([128]))
  })
})
