// Handwritten digits to compose images of: all of a set in one piece of memory, which threads share, and where their ink lies.
import type { MnistSet } from './sources/mnist.js'

/** Side of a digit's image. */
export const GLYPH = 28
/** Levels from which a pixel counts as ink. */
const INK = 64

/** Digits: image i is `images` from 784 i on, its ink lies in the box `boxes` [left, top, width, height] from 4 i on. */
export interface Glyphs {
  readonly count: number
  readonly images: Uint8Array
  readonly labels: Uint8Array
  readonly boxes: Uint8Array
}

/** The digits of a set, in memory that threads can share. */
export async function glyphsOf(set: MnistSet): Promise<Glyphs> {
  const count = set.length
  const target = new Int32Array(count)
  const images = shared(count * GLYPH * GLYPH)
  await set.gather(Array.from(target.keys()), { x: images, target })
  const labels = shared(count)
  labels.set(target)
  const boxes = shared(4 * count)
  for (let i = 0; i < count; i++) boxes.set(inkOf(images, i * GLYPH * GLYPH), 4 * i)
  return { count, images, labels, boxes }
}

/** Memory that threads share. */
export function shared(bytes: number): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(bytes))
}

/** Left, top, width and height of the ink of the image at `at`; of one without ink, all of it. */
function inkOf(images: Uint8Array, at: number): readonly [number, number, number, number] {
  let [left, top, right, bottom] = [GLYPH, GLYPH, -1, -1]
  for (let y = 0; y < GLYPH; y++) {
    for (let x = 0; x < GLYPH; x++) {
      if (images[at + y * GLYPH + x]! < INK) continue
      left = Math.min(left, x)
      right = Math.max(right, x)
      top = Math.min(top, y)
      bottom = y
    }
  }
  return right < 0 ? [0, 0, GLYPH, GLYPH] : [left, top, right - left + 1, bottom - top + 1]
}
