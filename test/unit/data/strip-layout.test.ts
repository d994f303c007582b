// Where the digits of a composed house number come to lie: scales, angles, gaps, pieces at the edges, and contrasts.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PhiloxStream } from '../../../lib/data/index.js'
import type { Glyphs } from '../../../lib/data/glyphs.js'
import {
  drawStrip,
  type Lean,
  type Placed,
  type Strip,
  STRIP,
  STRIP_DOMAIN,
} from '../../../lib/data/numbers/strip-layout.js'
import { writeGlyphs } from './strips.js'

let folder = ''
let glyphs: Glyphs
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-test-'))
  glyphs = await writeGlyphs(folder)
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

const strips = (from: Glyphs, count: number): Strip[] =>
  Array.from({ length: count }, (_, i) => drawStrip(from, 1 + (i % 5), new PhiloxStream(3, i, STRIP_DOMAIN)))

/** The corners of a digit's ink in the image. */
function cornersOf(
  from: Glyphs,
  { glyph, x, y }: Placed,
  { scale, cos, sin, slant, narrow }: Lean,
): [number, number][] {
  const [width, height] = [from.boxes[4 * glyph + 2]!, from.boxes[4 * glyph + 3]!]
  return [-1, 1].flatMap((a) =>
    [-1, 1].map((b): [number, number] => {
      const [u, v] = [(a * width) / 2, (b * height) / 2]
      const along = narrow * u - slant * v
      return [x + scale * (cos * along - sin * v), y + scale * (sin * along + cos * v)]
    }),
  )
}

describe('drawStrip', () => {
  it('lays one to five digits into the image, with a pixel around them, at scales of 0.6 to 1.2', () => {
    let [outside, scales] = [0, 0]
    const of = [0, 0, 0, 0, 0, 0]
    for (const strip of strips(glyphs, 2000)) {
      of[strip.digits.length]!++
      const corners = strip.digits.flatMap((placed) => cornersOf(glyphs, placed, strip.lean))
      if (corners.some((places) => places.some((place) => place < 1 - 1e-9 || place > STRIP - 1 + 1e-9))) outside++
      // A number that is too long at 0.6 is narrower; turned, it may then be a little smaller.
      if (strip.lean.scale < 0.56 || strip.lean.scale > 1.2) scales++
      if (strip.lean.narrow === 1) expect(strip.lean.scale).toBeGreaterThanOrEqual(0.6 - 1e-6)
    }
    expect([outside, scales]).toEqual([0, 0])
    expect(of).toEqual([0, 400, 400, 400, 400, 400])
  })

  it('leans by up to 20 degrees either way, and spaces digits from overlap to wide gaps', () => {
    const all = strips(glyphs, 3000)
    const degrees = all.map(({ lean }) => (Math.atan2(lean.sin, lean.cos) * 180) / Math.PI)
    const slants = all.map(({ lean }) => (Math.atan(lean.slant) * 180) / Math.PI)
    for (const angles of [degrees, slants]) {
      expect([Math.round(Math.min(...angles)), Math.round(Math.max(...angles))]).toEqual([-20, 20])
      expect(Math.abs(angles.reduce((a, b) => a + b) / angles.length)).toBeLessThan(1)
    }
    for (const { lean } of all) expect(Math.abs(lean.cos ** 2 + lean.sin ** 2 - 1)).toBeLessThan(1e-12)
    const gaps = all
      .filter(({ digits }) => digits.length === 2)
      .map(({ digits: [a, b], lean }) => {
        const apart = Math.hypot(b!.x - a!.x, b!.y - a!.y) / lean.scale
        return apart - (glyphs.boxes[4 * a!.glyph + 2]! + glyphs.boxes[4 * b!.glyph + 2]!) / 2
      })
    expect(Math.min(...gaps)).toBeLessThan(-1.5)
    expect(Math.min(...gaps)).toBeGreaterThan(-2.6)
    expect(Math.max(...gaps)).toBeGreaterThan(8)
  })

  it('squeezes what is too long', () => {
    // Five bars of 13 pixels are 65 wide; of twice that they do not fit at 0.6.
    const wide = { ...glyphs, boxes: glyphs.boxes.map((value, i) => (i % 4 === 2 ? 26 : value)) }
    const long = Array.from({ length: 300 }, (_, i) => drawStrip(wide, 5, new PhiloxStream(1, i, STRIP_DOMAIN)))
    expect(long.every(({ lean }) => lean.narrow < 0.8 && lean.narrow > 0.5)).toBe(true)
    for (const strip of long) {
      const xs = strip.digits.flatMap((placed) => cornersOf(wide, placed, strip.lean).map(([x]) => x))
      expect([Math.min(...xs) > 1 - 1e-9, Math.max(...xs) < STRIP - 1 + 1e-9]).toEqual([true, true])
    }
  })

  it('puts pieces of other digits at the edges, apart from the number and seen by less than half', () => {
    const counts = [0, 0, 0]
    for (const strip of strips(glyphs, 3000)) {
      counts[strip.pieces.length]!++
      const number = strip.digits.flatMap((placed) => cornersOf(glyphs, placed, strip.lean))
      const box = (corners: [number, number][]) => {
        const [xs, ys] = [corners.map(([x]) => x), corners.map(([, y]) => y)]
        return [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)] as const
      }
      const [left, right, top, bottom] = box(number)
      for (const piece of strip.pieces) {
        const [l, r, t, b] = box(cornersOf(glyphs, piece, strip.lean))
        expect(l > right + 1.99 || r < left - 1.99 || t > bottom + 1.99 || b < top - 1.99).toBe(true)
        const seen = Math.min(
          (Math.min(r, STRIP) - Math.max(l, 0)) / (r - l),
          (Math.min(b, STRIP) - Math.max(t, 0)) / (b - t),
        )
        expect(seen).toBeLessThan(0.41)
        expect(Math.max((Math.min(r, STRIP) - Math.max(l, 0)) / (r - l), 0)).toBeGreaterThan(0)
      }
    }
    for (const count of counts) expect(count).toBeGreaterThan(100)
  })

  it('keeps digits and background apart everywhere', () => {
    const contrasts: number[] = []
    let [dark, light] = [0, 0]
    for (const { ink, ground, noise } of strips(glyphs, 2000)) {
      const grey = (of: typeof ink): number => (of.levels[0] + of.levels[1] + of.levels[2]) / 3
      const contrast = Math.abs(grey(ink) - grey(ground))
      const faded = [ink, ground].reduce((sum, of) => sum + Math.abs(of.right) + Math.abs(of.down), 0)
      contrasts.push(contrast)
      if (grey(ink) > grey(ground)) light++
      else dark++
      expect(contrast - faded).toBeGreaterThan(0.59 * contrast)
      expect(noise).toBeLessThanOrEqual(Math.min(16, 0.15 * contrast) + 1e-9)
    }
    expect(Math.min(...contrasts)).toBeGreaterThan(39.9)
    expect([Math.min(...contrasts) < 45, Math.max(...contrasts) > 210]).toEqual([true, true])
    expect(Math.min(dark, light)).toBeGreaterThan(800)
  })
})
