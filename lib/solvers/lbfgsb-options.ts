// Options and start of `lbfgsb`. Refuses what is out of range.
import { expectOptions, is, OstrichError, type Schema } from '../base/index.js'
import type { Point } from './objective.js'

/** Options of `lbfgsb`; the defaults are those of SciPy. */
export interface LbfgsbOptions {
  /** m, pairs of steps and gradient changes that the model keeps. Default: 10. */
  readonly history?: number
  /** Ends where the value falls by at most this part of max(|f|, 1); `factr` times 2.2e-16. Default: 2.220446049250313e-9. */
  readonly valueTolerance?: number
  /** Ends where no element of the projected gradient is larger; `pgtol`. Default: 1e-5. */
  readonly gradientTolerance?: number
  /** Default: 15000. */
  readonly maxIterations?: number
  /** Looked at after each iteration. Default: 15000. */
  readonly maxEvaluations?: number
  /** Most evaluations along one line. Default: 20. */
  readonly maxLineSearch?: number
  /** Told of each new point, which is a copy; iterations count from 1. */
  readonly onIteration?: (progress: Point & { readonly iteration: number }) => void
}

/** Options with nothing left out but the listener. */
export type Settings = Required<Omit<LbfgsbOptions, 'onIteration'>> & Pick<LbfgsbOptions, 'onIteration'>

const schema: Schema<LbfgsbOptions> = {
  history: is.number,
  valueTolerance: is.number,
  gradientTolerance: is.number,
  maxIterations: is.number,
  maxEvaluations: is.number,
  maxLineSearch: is.number,
  onIteration: is.callable,
}

const defaults = {
  history: 10,
  valueTolerance: 1e7 * Number.EPSILON,
  gradientTolerance: 1e-5,
  maxIterations: 15000,
  maxEvaluations: 15000,
  maxLineSearch: 20,
} as const

/** @throws OstrichError `ERR_OPTION`, `ERR_ARGUMENT` */
export function settingsOf(options: LbfgsbOptions): Settings {
  expectOptions('lbfgsb', options, schema)
  const settings = { ...defaults, ...options }
  for (const name of ['history', 'maxIterations', 'maxEvaluations', 'maxLineSearch'] as const) {
    if (Number.isSafeInteger(settings[name]) && settings[name] >= 1) continue
    refuse(name, 'a whole number above 0', settings[name])
  }
  for (const name of ['valueTolerance', 'gradientTolerance'] as const) {
    if (settings[name] < 0 || !Number.isFinite(settings[name])) refuse(name, 'a number of at least 0', settings[name])
  }
  return settings
}

/** A copy of x0, all of it finite. @throws OstrichError `ERR_ARGUMENT` */
export function checkStart(x0: ArrayLike<number>): Float64Array {
  const x = Float64Array.from(x0)
  if (x.length === 0) throw new OstrichError('ERR_ARGUMENT', 'lbfgsb: expected x0 of at least one number, got none')
  const wrong = x.findIndex((value) => !Number.isFinite(value))
  if (wrong < 0) return x
  throw new OstrichError('ERR_ARGUMENT', `lbfgsb: expected a finite x0[${wrong}], got ${x[wrong]!}`)
}

function refuse(option: string, expected: string, got: number): never {
  throw new OstrichError('ERR_ARGUMENT', `lbfgsb: expected ${option} to be ${expected}, got ${got}`)
}
