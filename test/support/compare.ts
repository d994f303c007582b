// Comparison of arrays that says where they differ.
import type { NDArray } from './ndarray.js'

export interface Bound {
  readonly tolerance: number
  /** The tolerance is a share of each element, or of the largest one. */
  readonly relativeTo: 'element' | 'tensor'
}

/** The worst disagreement in words; undefined where all elements are within the bound. NaN never is. */
export function difference(got: NDArray, want: NDArray, { tolerance, relativeTo }: Bound): string | undefined {
  if (got.shape.join() !== want.shape.join()) return `expected [${want.shape.join()}], got [${got.shape.join()}]`
  const largest = want.data.reduce((most, x) => Math.max(most, Math.abs(x)), 0)
  let worst = 0
  let text: string | undefined
  want.data.forEach((x, i) => {
    const y = got.data[i]!
    const allowed = tolerance * (relativeTo === 'element' ? Math.abs(x) : largest)
    const error = Math.abs(x - y)
    if (error <= allowed || Object.is(x, y)) return
    const excess = Number.isNaN(error) ? Infinity : error / Math.max(allowed, Number.MIN_VALUE)
    if (text !== undefined && excess <= worst) return
    worst = excess
    text = `element ${i}: expected ${x} +- ${allowed}, got ${y}`
  })
  return text
}
