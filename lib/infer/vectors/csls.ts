// Cross-domain similarity local scaling (Conneau et al. 2017, arXiv:1710.04087, 2.3) as one product of matrices: 2 cos(x, y) - r(y), less an r(x) that
// changes no order of the y.
import type { VectorTable } from './table.js'

/** Means of rows of `count` numbers. */
export function meansOf(rows: Float32Array, count: number): Float64Array {
  const means = new Float64Array(rows.length / count)
  for (const [i, x] of rows.entries()) means[Math.floor(i / count)]! += x / count
  return means
}

/** Rows (2 y, -r) of targets y of length 1: their product with (x, 1) is 2 cos(x, y) - r. */
export function withHubs({ words, vectors, dimension, scales }: VectorTable, hubs: Float64Array): VectorTable {
  const width = dimension + 1
  const rows = new Float32Array(hubs.length * width)
  for (const [row, hub] of hubs.entries()) {
    for (let i = 0; i < dimension; i++) rows[row * width + i] = 2 * vectors[row * dimension + i]! * scales[row]!
    rows[row * width + dimension] = -hub
  }
  const some = words.slice(0, hubs.length)
  return {
    words: some,
    numbers: new Map(),
    vectors: rows,
    dimension: width,
    scales: new Float64Array(some.length).fill(1),
  }
}

/** Rows (x, 1) of vectors x of `width` numbers. */
export function withOnes(vectors: Float32Array, width: number): Float32Array {
  const rows = vectors.length / width
  const longer = new Float32Array(rows * (width + 1)).fill(1)
  for (let i = 0; i < rows; i++) longer.set(vectors.subarray(i * width, (i + 1) * width), i * (width + 1))
  return longer
}
