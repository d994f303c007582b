// Windows of images and shifts of colour, against loops over single bytes.
import { describe, expect, it } from 'vitest'
import { PhiloxStream } from '../../../lib/data/index.js'
import { cutWindow, shiftPlanes, type Window } from '../../../lib/data/image/crop.js'

const random = new PhiloxStream(11, 0, 0)
const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, () => random.below(256))

/** Pixel by pixel, as it is said: 0 outside, columns from the right where it is mirrored. */
function slow(
  image: Uint8Array,
  [channels, height, width]: readonly [number, number, number],
  { top, left, mirror }: Window,
  size: number,
): Uint8Array {
  const out = new Uint8Array(channels * size * size)
  for (let c = 0; c < channels; c++)
    for (let y = 0; y < size; y++)
      for (let x = 0; x < size; x++) {
        const [row, column] = [top + y, left + (mirror ? size - 1 - x : x)]
        if (row < 0 || column < 0 || row >= height || column >= width) continue
        out[(c * size + y) * size + x] = image[(c * height + row) * width + column]!
      }
  return out
}

describe('cutWindow', () => {
  it.each<[string, readonly [number, number, number], number]>([
    ['inside', [3, 20, 24], 16],
    ['of a size that is no multiple of eight', [3, 20, 20], 7],
    ['of one channel', [1, 9, 9], 4],
    ['larger than the image', [3, 5, 6], 9],
  ])('%s, mirrored or not, at any place', (_, shape, size) => {
    const [channels, height, width] = shape
    const image = bytes(channels * height * width)
    for (let round = 0; round < 200; round++) {
      const window = {
        top: random.below(height + size) - size,
        left: random.below(width + size) - size,
        mirror: round % 2 === 1,
      }
      const length = channels * size * size
      // Old bytes lie there, and what is around the window stays.
      const out = bytes(2 * length + 8)
      const [before, after] = [out.slice(0, length), out.slice(2 * length)]
      const padded = new Uint8Array(5 + image.length)
      padded.set(image, 5)
      cutWindow({ data: padded, at: 5, channels, height, width }, window, size, out, length)
      expect(out.slice(length, 2 * length)).toEqual(slow(image, shape, window, size))
      expect([out.slice(0, length), out.slice(2 * length)]).toEqual([before, after])
    }
  })
})

describe('shiftPlanes', () => {
  it.each([
    ['words', 0, 256],
    ['single bytes', 1, 256],
    ['planes of an odd length', 0, 9],
  ])('adds to %s and stays within 0..255', (_, at, count) => {
    for (let shift = -127; shift <= 127; shift++) {
      const image = Uint8Array.from({ length: at + 3 * count }, (_byte, i) => (i - at) % 256)
      const shifts = [shift, 0, -shift]
      const expected = image.map((value, i) => {
        const plane = i < at ? 1 : Math.floor((i - at) / count)
        return Math.min(255, Math.max(0, value + shifts[plane]!))
      })
      shiftPlanes(image, at, count, shifts)
      expect(image).toEqual(expected)
    }
  })
})
