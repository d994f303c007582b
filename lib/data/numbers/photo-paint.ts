// Paints a number composed of crops: each over the others as far as its box goes, what is around it where nothing else is, and the background where
// there is no crop at all; then noise, and blurred or sharpened.
import { CROP_BYTES, type Crops } from './crops.js'
import { NOISE_PERIOD, noiseTable } from './noise.js'
import { CROP_SIDE, NUMBER_SIDE } from './packed-crops.js'
import type { PhotoStrip, PlacedCrop } from './photo-layout.js'

const PIXELS = NUMBER_SIDE * NUMBER_SIDE
/** Bytes of an image: planes of red, green and blue. */
export const PHOTO_BYTES = 3 * PIXELS
const PLANE = CROP_SIDE * CROP_SIDE
const LAST = CROP_SIDE - 1

/** Pixels of a crop: half of the width over which two digits that touch become each other; over which a crop ends at a neighbour, and above and below. */
const [SEAM, END, EDGE] = [1.5, 1, 1.5]
/** Weights of what a crop has beside its digit's box, and of the background, where the box weighs 1. */
const [AROUND, GROUND] = [0.03, 0.004]

/** Memory that a painter works in. */
export class PhotoPainter {
  /** Levels times weights, planes of red, green and blue; and the weights. */
  readonly #levels = new Float32Array(PHOTO_BYTES)
  readonly #weights = new Float32Array(PIXELS)
  readonly #above = new Float32Array(NUMBER_SIDE)
  readonly #noise = noiseTable()

  /** Paints an image to planes u8 [3, 54, 54] at `at`. */
  paint(strip: PhotoStrip, crops: Crops, out: Uint8Array, at: number): void {
    this.#weights.fill(GROUND)
    for (let channel = 0; channel < 3; channel++) {
      this.#levels.fill(GROUND * strip.ground[channel]!, channel * PIXELS, (channel + 1) * PIXELS)
    }
    for (const placed of strip.digits) this.#lay(placed, strip, crops)
    this.#weigh(strip)
    this.#blur(strip.blur)
    new Uint8ClampedArray(out.buffer, out.byteOffset + at, PHOTO_BYTES).set(this.#levels)
  }

  /** Adds a crop where it is seen. Bilinear in its pixels. */
  #lay({ crop, x, y, scale, matrix, offset }: PlacedCrop, { across, down }: PhotoStrip, crops: Crops): void {
    const { images, boxes, clear } = crops
    const [left, top] = [boxes[4 * crop]!, boxes[4 * crop + 1]!]
    const [right, bottom] = [left + boxes[4 * crop + 2]!, top + boxes[4 * crop + 3]!]
    const [from, end] = [clear[2 * crop]!, clear[2 * crop + 1]!]
    const [middleX, middleY] = [(left + right) / 2, (top + bottom) / 2]
    const [m0, m1, m2, m3, m4, m5, m6, m7, m8] = matrix as [
      ...[number, number, number, number, number],
      ...[number, number, number, number],
    ]
    const [o0, o1, o2] = offset as [number, number, number]
    const [levels, weights] = [this.#levels, this.#weights]
    const at = crop * CROP_BYTES
    const [stepU, stepV] = [scale * across[1], scale * down[1]]
    for (let row = 0; row < NUMBER_SIDE; row++) {
      // Places in the crop, whose first pixel has its middle at 0.5.
      const startU = middleX + scale * (across[0] + across[2] * row - x)
      const startV = middleY + scale * (down[0] + down[2] * row - y)
      const first = Math.max(0, Math.ceil((from - END - startU) / stepU))
      const last = Math.min(NUMBER_SIDE - 1, Math.floor((end + END - startU) / stepU))
      for (let column = first; column <= last; column++) {
        const u = startU + stepU * column
        const v = startV + stepV * column
        const outside = v < 0 ? -v : v > CROP_SIDE ? v - CROP_SIDE : 0
        if (outside >= EDGE) continue
        const inside = u - left < right - u ? u - left : right - u
        const seam = inside >= SEAM ? 1 : inside <= -SEAM ? 0 : (inside + SEAM) / (2 * SEAM)
        const beyond = u < from ? from - u : u > end ? u - end : 0
        const weight = (seam + AROUND) * (1 - beyond / END) * (1 - outside / EDGE)
        if (weight <= 0) continue
        const sourceX = u < 0.5 ? 0 : u > LAST + 0.5 ? LAST : u - 0.5
        const sourceY = v < 0.5 ? 0 : v > LAST + 0.5 ? LAST : v - 0.5
        const column0 = sourceX >= LAST ? LAST - 1 : Math.trunc(sourceX)
        const row0 = sourceY >= LAST ? LAST - 1 : Math.trunc(sourceY)
        const [fx, fy] = [sourceX - column0, sourceY - row0]
        const place = at + row0 * CROP_SIDE + column0
        const w11 = fx * fy
        const [w00, w01, w10] = [1 - fx - fy + w11, fx - w11, fy - w11]
        const red =
          w00 * images[place]! +
          w01 * images[place + 1]! +
          w10 * images[place + CROP_SIDE]! +
          w11 * images[place + CROP_SIDE + 1]!
        const second = place + PLANE
        const green =
          w00 * images[second]! +
          w01 * images[second + 1]! +
          w10 * images[second + CROP_SIDE]! +
          w11 * images[second + CROP_SIDE + 1]!
        const third = second + PLANE
        const blue =
          w00 * images[third]! +
          w01 * images[third + 1]! +
          w10 * images[third + CROP_SIDE]! +
          w11 * images[third + CROP_SIDE + 1]!
        const to = row * NUMBER_SIDE + column
        weights[to]! += weight
        levels[to]! += weight * (o0 + m0 * red + m1 * green + m2 * blue)
        levels[to + PIXELS]! += weight * (o1 + m3 * red + m4 * green + m5 * blue)
        levels[to + 2 * PIXELS]! += weight * (o2 + m6 * red + m7 * green + m8 * blue)
      }
    }
  }

  /** Divides by the weights, and adds noise. */
  #weigh({ noise, noiseFrom }: PhotoStrip): void {
    const [levels, weights, table] = [this.#levels, this.#weights, this.#noise]
    let place = noiseFrom % NOISE_PERIOD
    for (let channel = 0; channel < 3; channel++) {
      let to = channel * PIXELS
      for (let i = 0; i < PIXELS; i++, to++) {
        levels[to] = levels[to]! / weights[i]! + noise * table[place]!
        place = (place + 1) & (NOISE_PERIOD - 1)
      }
    }
  }

  /** Gives a share of each pixel to its neighbours at the left and the right, then to those above and below; at the edges it keeps what has nowhere to go. */
  #blur(share: number): void {
    const levels = this.#levels
    const keep = 1 - 2 * share
    for (let line = 0; line < 3 * NUMBER_SIDE; line++) {
      const at = line * NUMBER_SIDE
      let before = levels[at]!
      for (let i = at; i < at + NUMBER_SIDE; i++) {
        const level = levels[i]!
        const after = i === at + NUMBER_SIDE - 1 ? level : levels[i + 1]!
        levels[i] = keep * level + share * (before + after)
        before = level
      }
    }
    const above = this.#above
    for (let channel = 0; channel < 3; channel++) {
      const at = channel * PIXELS
      above.set(levels.subarray(at, at + NUMBER_SIDE))
      let i = at
      for (let row = 1; row <= NUMBER_SIDE; row++) {
        const step = row === NUMBER_SIDE ? 0 : NUMBER_SIDE
        for (let column = 0; column < NUMBER_SIDE; column++, i++) {
          const level = levels[i]!
          levels[i] = keep * level + share * (above[column]! + levels[i + step]!)
          above[column] = level
        }
      }
    }
  }
}
