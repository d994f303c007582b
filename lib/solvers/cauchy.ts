// Generalised Cauchy point: the first minimiser of the quadratic model along the projected path of steepest descent.
// Byrd, Lu, Nocedal & Zhu 1995, "A limited memory algorithm for bound constrained optimization", algorithm CP.
import type { Box } from './box.js'
import type { CompactMatrix } from './compact.js'
import { dot } from './dense.js'

/** The Cauchy point; `free` is 1 where a variable is not held at a limit; `c` = Wᵀ(point - x), [2k]. */
export interface Cauchy {
  readonly point: Float64Array
  readonly free: Uint8Array
  readonly c: Float64Array
}

/** A place on the path where variable i meets its limit, at time t. */
interface Break {
  readonly i: number
  readonly t: number
}

/** The path P(x - t g), piecewise linear in t. */
interface Path {
  readonly d: Float64Array
  readonly breaks: readonly Break[]
  /** 1 where the variable does not start at a limit that its gradient pushes it against. */
  readonly free: Uint8Array
  /** Whether some variable never meets a limit. */
  readonly endless: boolean
}

/** Eq. 4.1 and 4.2: where the path bends, and its first direction. */
function pathOf(box: Box, x: Float64Array, gradient: Float64Array): Path {
  const d = new Float64Array(x.length)
  const free = new Uint8Array(x.length).fill(1)
  const breaks: Break[] = []
  let endless = false
  for (let i = 0; i < x.length; i++) {
    const down = -gradient[i]!
    const [below, above] = [x[i]! - box.lower[i]!, box.upper[i]! - x[i]!]
    const fixed = box.lower[i] === box.upper[i]
    if (fixed || (below <= 0 && down <= 0) || (above <= 0 && down >= 0)) {
      free[i] = 0
    } else if (down !== 0) {
      d[i] = down
      const t = (down < 0 ? below : above) / Math.abs(down)
      if (t < Infinity) breaks.push({ i, t })
      else endless = true
    }
  }
  return { d, breaks: breaks.sort((a, b) => a.t - b.t), free, endless }
}

/** Slope and curvature of the model along the current segment; p = Wᵀd, c = Wᵀ(z - x). */
class Segment {
  readonly c: Float64Array
  readonly #p: Float64Array
  readonly #matrix: CompactMatrix
  #slope: number
  #curvature: number
  /** Keeps the curvature above rounding. */
  readonly #least: number

  constructor(matrix: CompactMatrix, d: Float64Array) {
    this.#matrix = matrix
    this.#p = matrix.gather(d)
    this.c = new Float64Array(this.#p.length)
    this.#slope = -dot(d, d)
    const plain = -matrix.theta * this.#slope
    this.#curvature = plain - (matrix.pairs > 0 ? dot(this.#p, matrix.middle(this.#p)) : 0)
    this.#least = Number.EPSILON * plain
  }

  /** Time from the start of the segment to the minimiser along its line. */
  get minimiser(): number {
    return -this.#slope / this.#curvature
  }

  /** Goes on for dt, then on the segment where variable i, which has gone `moved` at speed d_i, stands still. */
  bend(i: number, { dt, d, moved }: { readonly dt: number; readonly d: number; readonly moved: number }): void {
    const { theta, pairs } = this.#matrix
    // The slope along d_i at the bend is g_i + theta z_i - w_i M c, with g_i = -d_i.
    this.#slope += dt * this.#curvature + d * d - theta * d * moved
    this.#curvature -= theta * d * d
    if (pairs > 0) {
      this.advance(dt)
      const w = this.#matrix.row(i)
      const v = this.#matrix.middle(w)
      this.#slope += d * dot(v, this.c)
      this.#curvature += 2 * d * dot(v, this.#p) - d * d * dot(v, w)
      for (let j = 0; j < w.length; j++) this.#p[j]! -= d * w[j]!
    }
    this.#curvature = Math.max(this.#least, this.#curvature)
  }

  /** Goes on for dt along the same segment. */
  advance(dt: number): void {
    for (let j = 0; j < this.c.length; j++) this.c[j]! += dt * this.#p[j]!
  }
}

/** Follows the path from x to the Cauchy point. */
export function cauchyPoint(box: Box, x: Float64Array, gradient: Float64Array, matrix: CompactMatrix): Cauchy {
  const { d, breaks, free, endless } = pathOf(box, x, gradient)
  const point = Float64Array.from(x)
  if (breaks.length === 0 && !endless) return { point, free, c: new Float64Array(2 * matrix.pairs) }
  const segment = new Segment(matrix, d)
  let time = 0
  let left = breaks.length
  for (const { i, t } of breaks) {
    if (segment.minimiser < t - time) break
    const speed = d[i]!
    point[i] = speed > 0 ? box.upper[i]! : box.lower[i]!
    free[i] = 0
    d[i] = 0
    segment.bend(i, { dt: t - time, d: speed, moved: point[i] - x[i]! })
    time = t
    left -= 1
  }
  // Where every variable has met a limit the path ends.
  const rest = left === 0 && !endless ? 0 : Math.max(0, segment.minimiser)
  for (let i = 0; i < x.length; i++) if (d[i] !== 0) point[i] = x[i]! + (time + rest) * d[i]!
  segment.advance(rest)
  return { point, free, c: segment.c }
}
