// Words in the plane: the two directions along which their vectors differ most (principal components).
import { OstrichError } from '../../base/index.js'
import { numberOf, unitRow, type VectorTable } from './table.js'

/** A word and its place. */
export interface PlacedWord {
  readonly word: string
  readonly x: number
  readonly y: number
}

/** Words in the plane. */
export interface WordPlane {
  readonly words: readonly PlacedWord[]
  /** Shares of all that the vectors differ by which lie along x and along y. */
  readonly shares: readonly [number, number]
}

/** Turns of the two directions; each brings them nearer by the ratio of two singular values. */
const TURNS = 500

/** @throws OstrichError `ERR_OPTION` for fewer than three different words; DataError for unknown ones */
export function planeOf(table: VectorTable, words: readonly string[]): WordPlane {
  const different = [...new Set(words)]
  if (different.length < 3) {
    throw new OstrichError(
      'ERR_OPTION',
      `plane[words]: expected three different words or more, got ${different.length}`,
    )
  }
  const rows = centred(different.map((word) => unitRow(table, numberOf(table, 'plane', word))))
  const total = rows.reduce((sum, row) => sum + dot(row, row), 0)
  const directions: Float64Array[] = []
  const shares = [0, 1].map(() => {
    const direction = strongest(rows, directions)
    directions.push(direction)
    return rows.reduce((sum, row) => sum + dot(row, direction) ** 2, 0) / total
  })
  const placed = rows.map((row, i) => ({
    word: different[i]!,
    x: dot(row, directions[0]!),
    y: dot(row, directions[1]!),
  }))
  return { words: placed, shares: shares as [number, number] }
}

function centred(rows: readonly Float64Array[]): readonly Float64Array[] {
  const mean = rows[0]!.map((_, k) => rows.reduce((sum, row) => sum + row[k]!, 0) / rows.length)
  return rows.map((row) => row.map((x, k) => x - mean[k]!))
}

/** The direction along which rows differ most, at right angles to those that are taken (power iteration). */
function strongest(rows: readonly Float64Array[], taken: readonly Float64Array[]): Float64Array {
  // From the longest row, which is no combination of the others alone.
  const longest = rows.reduce((best, row) => (dot(row, row) > dot(best, best) ? row : best))
  let direction = unit(
    apart(
      longest.map((x, k) => x + 1e-3 * Math.cos(k)),
      taken,
    ),
  )
  for (let turn = 0; turn < TURNS; turn++) {
    const next = new Float64Array(direction.length)
    for (const row of rows) {
      const share = dot(row, direction)
      for (const [k, x] of row.entries()) next[k]! += share * x
    }
    direction = unit(apart(next, taken))
  }
  // Of the two signs that which makes its largest number positive, so that a picture is the same at each run.
  const largest = direction.reduce((best, x) => (Math.abs(x) > Math.abs(best) ? x : best), 0)
  return largest < 0 ? direction.map((x) => -x) : direction
}

function apart(vector: Float64Array, taken: readonly Float64Array[]): Float64Array {
  return taken.reduce((left, direction) => {
    const share = dot(left, direction)
    return left.map((x, k) => x - share * direction[k]!)
  }, vector)
}

function unit(vector: Float64Array): Float64Array {
  const length = Math.sqrt(dot(vector, vector))
  return length > 0 ? vector.map((x) => x / length) : vector
}

const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, x, k) => sum + x * b[k]!, 0)
