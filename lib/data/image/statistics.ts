// Mean and principal components of colour over a set of images, from sums that are exact: every one is a whole number below
// 2^53 for as many as 2 million images of 256 x 256.

/** Sums over pixels: how many, of each channel, and of products rr, rg, rb, gg, gb, bb. */
export interface ColourSums {
  readonly pixels: number
  readonly sum: readonly number[]
  readonly products: readonly number[]
}

/** Principal components of colour: unit vectors over (r, g, b), and the standard deviation along each, the largest first. */
export interface Colours {
  readonly deviations: readonly number[]
  readonly components: readonly (readonly number[])[]
}

/** What is known of the colours of a training set, in levels 0..255. */
export interface ImageStatistics extends Colours {
  /** Mean and standard deviation of each channel. */
  readonly mean: readonly number[]
  readonly std: readonly number[]
}

/** The pairs of channels whose products are summed. */
const PAIRS = [
  [0, 0],
  [0, 1],
  [0, 2],
  [1, 1],
  [1, 2],
  [2, 2],
] as const

/** Sums over images u8 [3, count], one after the other. */
export class ColourCounter {
  readonly #sums = new Float64Array(9)
  #pixels = 0

  /** Adds the image at `at` of `planes`. */
  add(planes: Uint8Array, at: number, count: number): void {
    // Of one image the sums stay below 2^53 by far; whole numbers of this size are exact in a double.
    let [r1, g1, b1, rr, rg, rb, gg, gb, bb] = [0, 0, 0, 0, 0, 0, 0, 0, 0]
    for (let i = at; i < at + count; i++) {
      const [r, g, b] = [planes[i]!, planes[i + count]!, planes[i + 2 * count]!]
      r1 += r
      g1 += g
      b1 += b
      rr += r * r
      rg += r * g
      rb += r * b
      gg += g * g
      gb += g * b
      bb += b * b
    }
    for (const [i, value] of [r1, g1, b1, rr, rg, rb, gg, gb, bb].entries()) this.#sums[i]! += value
    this.#pixels += count
  }

  get sums(): ColourSums {
    return { pixels: this.#pixels, sum: [...this.#sums.subarray(0, 3)], products: [...this.#sums.subarray(3)] }
  }
}

/** Sums of several parts together. */
export function addSums(parts: readonly ColourSums[]): ColourSums {
  const total = (of: (part: ColourSums) => number): number => parts.reduce((sum, part) => sum + of(part), 0)
  return {
    pixels: total(({ pixels }) => pixels),
    sum: [0, 1, 2].map((i) => total(({ sum }) => sum[i]!)),
    products: PAIRS.map((_, i) => total(({ products }) => products[i]!)),
  }
}

/** Mean, deviation and principal components of what was summed. */
export function statisticsOf({ pixels, sum, products }: ColourSums): ImageStatistics {
  const mean = sum.map((value) => value / Math.max(1, pixels))
  const covariance = [0, 1, 2].map(() => [0, 0, 0])
  for (const [i, [row, column]] of PAIRS.entries()) {
    const value = products[i]! / Math.max(1, pixels) - mean[row]! * mean[column]!
    covariance[row]![column] = covariance[column]![row] = value
  }
  const { values, vectors } = eigen(covariance)
  const std = covariance.map((row, i) => Math.sqrt(Math.max(0, row[i]!)))
  return { mean, std, deviations: values.map((value) => Math.sqrt(Math.max(0, value))), components: vectors }
}

/** Eigenvalues of a symmetric matrix, the largest first, and their unit vectors; Jacobi's rotations (1846). */
export function eigen(matrix: readonly (readonly number[])[]): { values: number[]; vectors: number[][] } {
  const n = matrix.length
  const a = matrix.map((row) => [...row])
  const v = a.map((_, i) => a.map((_row, j) => Number(i === j)))
  for (let sweep = 0; sweep < 50; sweep++) {
    let off = 0
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) off += a[p]![q]! ** 2
    if (off < 1e-24) break
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) rotate(a, v, p, q)
  }
  const order = a.map((_, i) => i).sort((i, j) => a[j]![j]! - a[i]![i]!)
  const vectors = order.map((column) => {
    const vector = v.map((row) => row[column]!)
    // Of the two signs the one with a positive sum, so that the same data gives the same numbers.
    return vector.reduce((total, value) => total + value, 0) < 0 ? vector.map((value) => -value) : vector
  })
  return { values: order.map((i) => a[i]![i]!), vectors }
}

/** One rotation that makes a[p][q] zero; `v` collects the rotations. */
function rotate(a: number[][], v: number[][], p: number, q: number): void {
  const apq = a[p]![q]!
  if (apq === 0) return
  const theta = (a[q]![q]! - a[p]![p]!) / (2 * apq)
  const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1))
  const c = 1 / Math.sqrt(t * t + 1)
  const s = t * c
  for (let k = 0; k < a.length; k++) {
    const [akp, akq] = [a[k]![p]!, a[k]![q]!]
    a[k]![p] = c * akp - s * akq
    a[k]![q] = s * akp + c * akq
  }
  for (let k = 0; k < a.length; k++) {
    const [apk, aqk, vkp, vkq] = [a[p]![k]!, a[q]![k]!, v[k]![p]!, v[k]![q]!]
    a[p]![k] = c * apk - s * aqk
    a[q]![k] = s * apk + c * aqk
    v[k]![p] = c * vkp - s * vkq
    v[k]![q] = s * vkp + c * vkq
  }
}
