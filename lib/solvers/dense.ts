// Dense algebra of the small matrices of a limited-memory method, in float64: symmetric saddle matrices by two Cholesky
// factors. Refuses what is not definite: it gives undefined.

/** Rows of a small matrix. */
export type Matrix = readonly Float64Array[]

/** aᵀb */
export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

/** [size] of `entry(i)`. */
export function vector(size: number, entry: (i: number) => number): Float64Array {
  const v = new Float64Array(size)
  for (let i = 0; i < size; i++) v[i] = entry(i)
  return v
}

/** A k x k matrix of `entry(i, j)`. */
export function square(k: number, entry: (i: number, j: number) => number): Matrix {
  return Array.from({ length: k }, (_, i) => vector(k, (j) => entry(i, j)))
}

/** Lower L with L Lᵀ = A [k, k], of which the lower triangle is read; undefined where A is not positive definite. */
export function cholesky(a: Matrix): Matrix | undefined {
  const lower = square(a.length, () => 0)
  for (let i = 0; i < a.length; i++) {
    for (let j = 0; j <= i; j++) {
      let rest = a[i]![j]!
      for (let p = 0; p < j; p++) rest -= lower[i]![p]! * lower[j]![p]!
      if (i !== j) lower[i]![j] = rest / lower[j]![j]!
      else if (rest > 0 && rest < Infinity) lower[i]![i] = Math.sqrt(rest)
      else return undefined
    }
  }
  return lower
}

/** L⁻¹ b */
function forward(lower: Matrix, b: Float64Array): Float64Array {
  const x = Float64Array.from(b)
  for (let i = 0; i < x.length; i++) {
    for (let j = 0; j < i; j++) x[i]! -= lower[i]![j]! * x[j]!
    x[i]! /= lower[i]![i]!
  }
  return x
}

/** L⁻ᵀ b */
function backward(lower: Matrix, b: Float64Array): Float64Array {
  const x = Float64Array.from(b)
  for (let i = x.length - 1; i >= 0; i--) {
    for (let j = i + 1; j < x.length; j++) x[i]! -= lower[j]![i]! * x[j]!
    x[i]! /= lower[i]![i]!
  }
  return x
}

/** Solves with one saddle matrix: [2k] -> [2k]. */
export type SaddleSolver = (b: Float64Array) => Float64Array

/**
 * Solves [[-A, Bᵀ], [B, C]] x = b for A [k, k] positive definite and C [k, k] positive semidefinite, by the Cholesky factors of
 * A = J Jᵀ and of the Schur complement C + B A⁻¹ Bᵀ = K Kᵀ. Undefined where either is not positive definite.
 */
export function saddle(a: Matrix, b: Matrix, c: Matrix): SaddleSolver | undefined {
  const k = a.length
  const upperLeft = cholesky(a)
  if (upperLeft === undefined) return undefined
  // Row i is J⁻¹ times row i of B, so that B A⁻¹ Bᵀ is the product of these rows with each other.
  const half = b.map((row) => forward(upperLeft, row))
  const schur = cholesky(square(k, (i, j) => c[i]![j]! + dot(half[i]!, half[j]!)))
  if (schur === undefined) return undefined
  return (right) => {
    const first = forward(upperLeft, right.subarray(0, k))
    const second = vector(k, (i) => right[k + i]! + dot(half[i]!, first))
    const low = backward(schur, forward(schur, second))
    const top = first.map((value, j) => half.reduce((sum, row, i) => sum + row[j]! * low[i]!, -value))
    const x = new Float64Array(2 * k)
    x.set(backward(upperLeft, top))
    x.set(low, k)
    return x
  }
}
