// A box l <= x <= u in float64. Refuses limits that are not numbers, of another length, or that leave no point between them.
import { expectOptions, is, OstrichError } from '../base/index.js'

/** Limits of the variables: one number for all, or one for each. Infinite ones, or none, leave that side open. */
export interface Bounds {
  readonly lower?: number | ArrayLike<number>
  readonly upper?: number | ArrayLike<number>
}

/** Limits of D variables; `bounded` where any is finite, `closed` where all are. */
export interface Box {
  readonly lower: Float64Array
  readonly upper: Float64Array
  readonly bounded: boolean
  readonly closed: boolean
}

function limits(name: string, side: 'lower' | 'upper', given: Bounds['lower'], size: number): Float64Array {
  const open = side === 'lower' ? -Infinity : Infinity
  if (given === undefined) return new Float64Array(size).fill(open)
  const all = typeof given === 'number' ? new Float64Array(size).fill(given) : Float64Array.from(given)
  if (all.length !== size) {
    throw new OstrichError('ERR_ARGUMENT', `${name}[bounds]: expected ${size} ${side} limits, got ${all.length}`)
  }
  const wrong = all.findIndex((limit) => Number.isNaN(limit) || limit === -open)
  if (wrong < 0) return all
  const expected = `a number or ${open} as ${side}[${wrong}]`
  throw new OstrichError('ERR_ARGUMENT', `${name}[bounds]: expected ${expected}, got ${all[wrong]!}`)
}

/** @throws OstrichError `ERR_ARGUMENT` */
export function makeBox(name: string, bounds: Bounds, size: number): Box {
  const side = is.kind(
    'a number or one for each variable',
    (value) => typeof value === 'number' || is.object.accepts(value),
  )
  expectOptions(`${name}[bounds]`, bounds, { lower: side, upper: side })
  const lower = limits(name, 'lower', bounds.lower, size)
  const upper = limits(name, 'upper', bounds.upper, size)
  const crossed = lower.findIndex((limit, i) => limit > upper[i]!)
  if (crossed >= 0) {
    const got = `${lower[crossed]!} and ${upper[crossed]!}`
    throw new OstrichError('ERR_ARGUMENT', `${name}[bounds]: expected lower <= upper at ${crossed}, got ${got}`)
  }
  const finite = [...lower, ...upper].filter((limit) => Number.isFinite(limit)).length
  return { lower, upper, bounded: finite > 0, closed: finite === 2 * size }
}

/** The nearest point of the box, in place. */
export function project({ lower, upper }: Box, x: Float64Array): Float64Array {
  for (let i = 0; i < x.length; i++) x[i] = Math.min(Math.max(x[i]!, lower[i]!), upper[i]!)
  return x
}

/** Largest |x - P(x - g)|: 0 exactly where x is stationary in the box. Byrd et al. 1995, eq. 6.1. */
export function projectedGradient({ lower, upper }: Box, x: Float64Array, gradient: Float64Array): number {
  let largest = 0
  for (let i = 0; i < x.length; i++) {
    const g = gradient[i]!
    const step = g < 0 ? Math.max(x[i]! - upper[i]!, g) : Math.min(x[i]! - lower[i]!, g)
    largest = Math.max(largest, Math.abs(step))
  }
  return largest
}

/** Largest step t for which x + t d stays in the box; Infinity where it never leaves. */
export function largestStep({ lower, upper }: Box, x: Float64Array, d: Float64Array): number {
  let largest = Infinity
  for (let i = 0; i < x.length; i++) {
    if (d[i] === 0) continue
    const room = (d[i]! < 0 ? lower[i]! : upper[i]!) - x[i]!
    largest = Math.min(largest, Math.max(0, room / d[i]!))
  }
  return largest
}
