// Compact limited-memory BFGS matrix, B = θI - W M Wᵀ. Byrd, Nocedal & Schnabel 1994, "Representations of quasi-Newton
// matrices and their use in limited memory methods", theorem 2.3, with the letters of Byrd, Lu, Nocedal & Zhu 1995, eq. 3.2:
//   W = [Y, θS] [D, 2k],  M = [[-diag(sᵀy), Lᵀ], [L, θSᵀS]]⁻¹ [2k, 2k],  L = strict lower triangle of SᵀY.
import { dot, type Matrix, saddle, type SaddleSolver, square, vector } from './dense.js'

/** The last pairs s = x₊ - x and y = g₊ - g, and B made of them: B is the identity while there are none. */
export class CompactMatrix {
  /** Scale of B: yᵀy / sᵀy of the newest pair. */
  theta = 1
  readonly #most: number
  #s: Float64Array[] = []
  #y: Float64Array[] = []
  #ss: Matrix = []
  #sy: Matrix = []
  #middle: SaddleSolver | undefined

  constructor(most: number) {
    this.#most = most
  }

  /** k, the number of pairs. */
  get pairs(): number {
    return this.#s.length
  }

  /** Forgets all pairs. */
  reset(): void {
    this.theta = 1
    this.#s = []
    this.#y = []
    this.#ss = []
    this.#sy = []
  }

  /** Takes a pair with sᵀy > 0 in, and drops the oldest above the limit; forgets all where B is then not positive definite. */
  update(s: Float64Array, y: Float64Array): void {
    const old = this.pairs < this.#most ? 0 : 1
    this.#s = [...this.#s.slice(old), s]
    this.#y = [...this.#y.slice(old), y]
    const newest = this.pairs - 1
    const [ss, sy] = [this.#ss, this.#sy]
    const kept = (i: number, j: number) => Math.max(i, j) < newest
    this.#ss = square(this.pairs, (i, j) => (kept(i, j) ? ss[i + old]![j + old]! : dot(this.#s[i]!, this.#s[j]!)))
    this.#sy = square(this.pairs, (i, j) => (kept(i, j) ? sy[i + old]![j + old]! : dot(this.#s[i]!, this.#y[j]!)))
    this.theta = dot(y, y) / this.#sy[newest]![newest]!
    this.#middle = saddle(
      square(this.pairs, (i, j) => (i === j ? this.#sy[i]![i]! : 0)),
      square(this.pairs, (i, j) => this.#below(i, j)),
      square(this.pairs, (i, j) => this.theta * this.#ss[i]![j]!),
    )
    if (this.#middle === undefined) this.reset()
  }

  /** Entry of L. */
  #below(i: number, j: number): number {
    return i > j ? this.#sy[i]![j]! : 0
  }

  /** Row i of W: [2k]. */
  row(i: number): Float64Array {
    const k = this.pairs
    return vector(2 * k, (p) => (p < k ? this.#y[p]![i]! : this.theta * this.#s[p - k]![i]!))
  }

  /** Wᵀv: [D] -> [2k]. */
  gather(v: Float64Array): Float64Array {
    const k = this.pairs
    return vector(2 * k, (p) => (p < k ? dot(this.#y[p]!, v) : this.theta * dot(this.#s[p - k]!, v)))
  }

  /** W v: [2k] -> [D]. */
  scatter(v: Float64Array, size: number): Float64Array {
    const sum = new Float64Array(size)
    for (let p = 0; p < this.pairs; p++) {
      const [y, s, a, b] = [this.#y[p]!, this.#s[p]!, v[p]!, this.theta * v[this.pairs + p]!]
      for (let i = 0; i < size; i++) sum[i]! += a * y[i]! + b * s[i]!
    }
    return sum
  }

  /** M v: [2k] -> [2k]. */
  middle(v: Float64Array): Float64Array {
    return this.#middle === undefined ? v : this.#middle(v)
  }

  /**
   * Solves with M⁻¹ - WᵀZZᵀW / θ [2k, 2k], where Z picks the `free` of D variables (eq. 5.11 multiplied out): its blocks are
   * -(diag(sᵀy) + YᵀZZᵀY / θ), L - SᵀZZᵀY and θ SᵀAAᵀS, where A picks the others. Undefined where it is singular.
   */
  reduced(free: Uint8Array): SaddleSolver | undefined {
    const inner = (a: Float64Array, b: Float64Array, wanted: number) => {
      let sum = 0
      for (let i = 0; i < a.length; i++) if (free[i] === wanted) sum += a[i]! * b[i]!
      return sum
    }
    const [s, y] = [this.#s, this.#y]
    return saddle(
      square(s.length, (i, j) => (i === j ? this.#sy[i]![i]! : 0) + inner(y[i]!, y[j]!, 1) / this.theta),
      square(s.length, (i, j) => this.#below(i, j) - inner(s[i]!, y[j]!, 1)),
      square(s.length, (i, j) => this.theta * inner(s[i]!, s[j]!, 0)),
    )
  }
}
