// How the digits of Moving MNIST move, as its authors' generator has it (Srivastava, Mansimov & Salakhutdinov 2015, arXiv:1502.04681;
// BouncingMNISTDataHandler): from anywhere in the room that a digit leaves free, in any direction, a tenth of the room at each frame. A
// digit that would leave is put on the edge and goes back. It takes its first step before the first frame.
//
// Directions are points of the unit disc, not sines of angles, which engines round differently: the sequences are a benchmark.
import type { PhiloxStream } from '../philox.js'

/** Side of a frame, and of a digit. */
export const FRAME = 64
/** Pixels that a digit leaves free in a frame: its top left corner is at 0 to 36. */
export const FREE = FRAME - 28
/** Of the free pixels, at each frame. */
const STEP = 0.1

/** Draws the path of a digit: left and top of each frame, to `out` from `at` on. */
export function drawPath(frames: number, draws: PhiloxStream, out: Uint8Array, at: number): void {
  let x = draws.next() / 2 ** 32
  let y = draws.next() / 2 ** 32
  let [dx, dy] = direction(draws)
  for (let frame = 0; frame < frames; frame++) {
    x += STEP * dx
    y += STEP * dy
    if (x <= 0 || x >= 1) {
      x = x <= 0 ? 0 : 1
      dx = -dx
    }
    if (y <= 0 || y >= 1) {
      y = y <= 0 ? 0 : 1
      dy = -dy
    }
    out[at + 2 * frame] = Math.floor(FREE * x)
    out[at + 2 * frame + 1] = Math.floor(FREE * y)
  }
}

/** A unit vector, uniform over all directions: a point of the unit disc, put on its edge. */
function direction(draws: PhiloxStream): readonly [number, number] {
  for (;;) {
    const x = (2 * draws.next()) / 2 ** 32 - 1
    const y = (2 * draws.next()) / 2 ** 32 - 1
    const square = x * x + y * y
    if (square > 1 || square < 1e-12) continue
    const length = Math.sqrt(square)
    return [x / length, y / length]
  }
}
