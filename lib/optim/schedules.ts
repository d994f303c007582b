// Learning rates over steps, computed in the graph from the step counter, so that one program serves the whole run.
import { expectKind, expectOptions, is, OstrichError, type Schema } from '../base/index.js'
import { constant, Tensor } from '../graph/index.js'
import { add, cast, cos, div, exp, floor, less, maximum, minimum, mul, sub, where } from '../ops/index.js'

type Scalar = Tensor<'f32', []>

/** Step counter: i32 [], 0 at the first step. Whoever trains raises it. */
export type Step = Tensor<'i32', []>

/** Learning rate at a step: f32 [] to f32 []; steps count from 0. Any function of this form is a schedule. */
export type Schedule = (step: Scalar) => Scalar

/** The rate at a step, for a schedule or one number. */
export function rateAt(rate: number | Schedule, step: Step): Scalar {
  return typeof rate === 'number' ? constant('f32', [], rate) : rate(cast(step, 'f32'))
}

function expectAbove(schedule: string, options: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(options)) {
    expectKind(`optim.${schedule}`, name, is.number, value)
    if (Number.isFinite(value) && value > 0) continue
    throw new OstrichError('ERR_OPTION', `${schedule}: expected ${name} to be a number above 0, got ${value}`)
  }
}

/** Options of `stepDecay` and `exponential`. */
export interface DecayOptions {
  /** Steps. */
  readonly every: number
  readonly factor: number
}

const decay: Schema<DecayOptions> = { every: is.needed(is.number), factor: is.needed(is.number) }

/** Options of `stepDecay`. */
export interface StepDecayOptions extends DecayOptions {
  /** So many times `every` steps have the full rate. Default: 1. */
  readonly hold?: number
}

/**
 * rate * factor^max(0, floor(step / every) - (hold - 1))
 * @throws OstrichError `ERR_OPTION` for numbers that are not above 0.
 * @example optim.stepDecay(1, { every: stepsPerEpoch, factor: 1 / 2, hold: 4 }) // four epochs at 1, then half of it each epoch
 */
export function stepDecay(rate: number, options: StepDecayOptions): Schedule {
  expectOptions<StepDecayOptions>('optim.stepDecay', options, { ...decay, hold: is.number })
  const { every, factor, hold = 1 } = options
  expectAbove('stepDecay', { rate, every, factor, hold })
  const falls = (step: Scalar): Scalar => {
    const whole = floor(div(step, every))
    return hold === 1 ? whole : maximum(sub(whole, hold - 1), 0)
  }
  return (step) => mul(exp(mul(falls(step), Math.log(factor))), rate)
}

/**
 * rate * factor^(step / every)
 * @throws OstrichError `ERR_OPTION` for numbers that are not above 0.
 */
export function exponential(rate: number, options: DecayOptions): Schedule {
  expectOptions('optim.exponential', options, decay)
  const { every, factor } = options
  expectAbove('exponential', { rate, every, factor })
  return (step) => mul(exp(mul(step, Math.log(factor) / every)), rate)
}

/** Half a cosine wave from `from` to `to` while `progress` goes from 0 to 1, and `to` from there on. */
function halfCosine(from: number, to: number, progress: Scalar): Scalar {
  const angle = mul(minimum(progress, 1), Math.PI)
  return add(mul(add(cos(angle), 1), (from - to) / 2), to)
}

/**
 * Half a cosine wave from `rate` down to `floor` over `total` steps, and `floor` from there on.
 * Loshchilov & Hutter 2017, "SGDR: stochastic gradient descent with warm restarts", eq. 5, without restarts.
 * @throws OstrichError `ERR_OPTION` for a rate or total that is not above 0.
 */
export function cosine(rate: number, options: { readonly total: number; readonly floor?: number }): Schedule {
  expectOptions('optim.cosine', options, { total: is.needed(is.number), floor: is.finite })
  expectAbove('cosine', { rate, total: options.total })
  return (step) => halfCosine(rate, options.floor ?? 0, div(step, options.total))
}

/** Options of `oneCycle`. */
export interface OneCycleOptions {
  /** Steps of the whole run. */
  readonly total: number
  /** Share of the run in which the rate rises. Default: 0.3. */
  readonly rise?: number
  /** The rate begins at peak / start. Default: 25. */
  readonly start?: number
  /** It ends at its beginning / end. Default: 10000. */
  readonly end?: number
}

const oneCycleOptions: Schema<OneCycleOptions> = {
  total: is.needed(is.number),
  rise: is.number,
  start: is.number,
  end: is.number,
}

/**
 * Rises along half a cosine wave to `peak`, then falls along another: the step before `total` has the lowest rate.
 * Smith & Topin 2019, "Super-convergence"; extents of the two phases as in PyTorch's OneCycleLR.
 * @throws OstrichError `ERR_OPTION` for numbers that are not above 0, and where either phase would be empty.
 */
export function oneCycle(peak: number, options: OneCycleOptions): Schedule {
  expectOptions('optim.oneCycle', options, oneCycleOptions)
  const { total, rise = 0.3, start = 25, end = 1e4 } = options
  expectAbove('oneCycle', { peak, total, rise, start, end })
  const top = rise * total - 1
  if (!(top > 0 && top < total - 1)) {
    throw new OstrichError(
      'ERR_OPTION',
      `oneCycle: expected a rise of more than 1 and less than ${total} steps, got ${rise * total}`,
    )
  }
  const low = peak / start
  return (step) => {
    const falling = halfCosine(peak, low / end, div(sub(step, top), total - 1 - top))
    return where(less(step, top), halfCosine(low, peak, div(step, top)), falling)
  }
}

/**
 * Rises in a straight line over the first `steps` steps to what `rate` says: times min(1, (step + 1) / steps).
 * @throws OstrichError `ERR_OPTION` for steps that are not above 0.
 * @example optim.warmup(optim.cosine(0.1, { total: 5000 }), 200)
 */
export function warmup(rate: number | Schedule, steps: number): Schedule {
  expectKind('optim.warmup', 'rate', is.either(is.number, is.kind('a schedule', is.callable.accepts)), rate)
  expectAbove('warmup', { steps })
  return (step) => {
    const full = typeof rate === 'number' ? rate : rate(step)
    const share = minimum(div(add(step, 1), steps), 1)
    return full instanceof Tensor ? mul(share, full) : mul(share, full)
  }
}
