// Paints a composed number: how much ink each pixel has, then colours and noise.
import { GLYPH, type Glyphs } from '../glyphs.js'
import { NOISE_PERIOD, noiseTable } from './noise.js'
import { type Lean, type Placed, STRIP, type Strip } from './strip-layout.js'

const PIXELS = STRIP * STRIP
/** Bytes of a strip: planes of red, green and blue. */
export const STRIP_BYTES = 3 * PIXELS

/** Where the middle of each pixel is, from -1 to 1 over the image. */
const MIDDLES = Float64Array.from({ length: STRIP }, (_, i) => (2 * i + 1) / STRIP - 1)

/** Memory that a painter works in. */
export class Painter {
  /** Ink of each pixel, 0 to 255. */
  readonly #ink = new Float32Array(PIXELS)
  readonly #noise = noiseTable()

  /** Paints a strip to planes u8 [3, 54, 54] at `at`. */
  paint(strip: Strip, glyphs: Glyphs, out: Uint8Array, at: number): void {
    this.#ink.fill(0)
    for (const placed of strip.digits) this.#stamp(placed, strip.lean, glyphs)
    for (const placed of strip.pieces) this.#stamp(placed, strip.lean, glyphs)
    this.#colour(strip, new Uint8ClampedArray(out.buffer, out.byteOffset + at, STRIP_BYTES))
  }

  /** Lays a digit over the ink that is there: the darker wins. Bilinear in the digit's own image. */
  #stamp({ glyph, x, y }: Placed, { scale, cos, sin, slant, narrow }: Lean, { images, boxes }: Glyphs): void {
    const [left, top] = [boxes[4 * glyph]!, boxes[4 * glyph + 1]!]
    const [width, height] = [boxes[4 * glyph + 2]!, boxes[4 * glyph + 3]!]
    const from = glyph * GLYPH * GLYPH
    // Places in the digit's image, whose first pixel has its middle at 0: of the middle of the ink, and as far as ink is seen.
    const [middleX, middleY] = [left + (width - 1) / 2, top + (height - 1) / 2]
    const [leastX, leastY] = [Math.max(0, left - 1), Math.max(0, top - 1)]
    const [mostX, mostY] = [Math.min(GLYPH - 1, left + width), Math.min(GLYPH - 1, top + height)]
    const [halfWidth, halfHeight] = [(width / 2 + 1) * narrow, height / 2 + 1]
    const reachX = scale * (cos * (halfWidth + Math.abs(slant) * halfHeight) + Math.abs(sin) * halfHeight)
    const reachY = scale * (Math.abs(sin) * (halfWidth + Math.abs(slant) * halfHeight) + cos * halfHeight)
    const [firstRow, endRow] = [Math.max(0, Math.floor(y - reachY)), Math.min(STRIP, Math.ceil(y + reachY) + 1)]
    const [first, end] = [Math.max(0, Math.floor(x - reachX)), Math.min(STRIP, Math.ceil(x + reachX) + 1)]
    const ink = this.#ink
    // What a step to the right is in the digit's image.
    const [stepX, stepY] = [(cos - slant * sin) / (scale * narrow), -sin / scale]
    for (let row = firstRow; row < endRow; row++) {
      const [dx, dy] = [(0.5 - x) / scale, (row + 0.5 - y) / scale]
      const v = cos * dy - sin * dx
      const [startX, startY] = [(cos * dx + sin * dy + slant * v) / narrow + middleX, v + middleY]
      for (let column = first; column < end; column++) {
        const sourceX = startX + column * stepX
        const sourceY = startY + column * stepY
        if (sourceX < leastX || sourceX >= mostX || sourceY < leastY || sourceY >= mostY) continue
        const column0 = Math.trunc(sourceX)
        const row0 = Math.trunc(sourceY)
        const place = from + row0 * GLYPH + column0
        const fx = sourceX - column0
        const fy = sourceY - row0
        const above = images[place]! + (images[place + 1]! - images[place]!) * fx
        const below = images[place + GLYPH]! + (images[place + GLYPH + 1]! - images[place + GLYPH]!) * fx
        const level = above + (below - above) * fy
        const to = row * STRIP + column
        if (level > ink[to]!) ink[to] = level
      }
    }
  }

  /** Rounds and clamps as the array does: to the nearest, ties to even. */
  #colour({ ink, ground, noise, noiseFrom }: Strip, out: Uint8ClampedArray): void {
    const [covered, table] = [this.#ink, this.#noise]
    // Of what is added to the background where there is ink: what a level of it is, and how that changes to the right.
    const [fade, fadeMore] = [ground.right, (ink.right - ground.right) / 255]
    for (let channel = 0; channel < 3; channel++) {
      const [inkLevel, groundLevel] = [ink.levels[channel]!, ground.levels[channel]!]
      let place = (noiseFrom + channel * PIXELS) % NOISE_PERIOD
      let pixel = 0
      let to = channel * PIXELS
      for (let row = 0; row < STRIP; row++) {
        const down = MIDDLES[row]!
        const back = groundLevel + ground.down * down
        const more = (inkLevel + ink.down * down - back) / 255
        for (let column = 0; column < STRIP; column++) {
          const right = MIDDLES[column]!
          const level = back + fade * right + noise * table[place]!
          const inked = covered[pixel++]!
          out[to++] = inked === 0 ? level : level + (more + fadeMore * right) * inked
          place = (place + 1) & (NOISE_PERIOD - 1)
        }
      }
    }
  }
}
