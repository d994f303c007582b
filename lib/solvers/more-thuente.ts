// Line search that ends where value and slope have fallen enough. Moré & Thuente 1994, "Line search algorithms with guaranteed
// sufficient decrease", with the safeguards and constants of MINPACK-2 (dcsrch, dcstep).

/** f and its slope along the line at one step. */
export interface Trial {
  readonly step: number
  readonly value: number
  readonly slope: number
}

/** Conditions of the search, and the steps that it may try. */
export interface SearchLimits {
  /** f(t) <= f(0) + decrease t f'(0) */
  readonly decrease: number
  /** |f'(t)| <= curvature |f'(0)| */
  readonly curvature: number
  /** Ends where the interval is this part of its upper end. */
  readonly interval: number
  readonly largest: number
}

/** Extrapolation takes the step at least and at most this far, in distances from the best one. */
const farther = { least: 1.1, most: 4 } as const
/** An interval that has not shrunk to this part in two steps is halved. */
const shrinkage = 0.66

/** The search along one line, driven from outside: `step` is to be tried, `advance` takes what was found there. */
export class LineSearch {
  /** The step to try, or, once `advance` gave true, the one to take. */
  step: number
  readonly #start: Trial
  readonly #limits: SearchLimits
  /** Whether the auxiliary function still leads: until a step has fallen enough and slopes upwards. */
  #auxiliary = true
  #best: Trial
  #other: Trial
  #bracketed = false
  #lower = 0
  #upper: number
  #width: number
  #widthBefore: number

  /** @param start f and its slope, which must be below 0, at step 0 */
  constructor(start: { readonly value: number; readonly slope: number }, step: number, limits: SearchLimits) {
    this.step = step
    this.#start = { step: 0, ...start }
    this.#limits = limits
    this.#best = this.#start
    this.#other = this.#start
    this.#upper = step + farther.most * step
    this.#width = limits.largest
    this.#widthBefore = 2 * limits.largest
  }

  /** Takes value and slope at `step`: true where the search ends there, else `step` is the next to try. */
  advance(value: number, slope: number): boolean {
    const trial: Trial = { step: this.step, value, slope }
    const { decrease } = this.#limits
    const wanted = this.#start.value + trial.step * decrease * this.#start.slope
    if (this.#auxiliary && value <= wanted && slope >= 0) this.#auxiliary = false
    if (this.#ends(trial, wanted)) return true
    const shifts = this.#auxiliary && value <= this.#best.value && value > wanted
    this.#narrow(trial, shifts ? decrease * this.#start.slope : 0)
    this.#bound()
    return false
  }

  get #exhausted(): boolean {
    const outside = this.step <= this.#lower || this.step >= this.#upper
    return this.#bracketed && (outside || this.#upper - this.#lower <= this.#limits.interval * this.#upper)
  }

  #ends({ step, value, slope }: Trial, wanted: number): boolean {
    const { decrease, curvature, largest } = this.#limits
    const falls = value <= wanted
    if (falls && Math.abs(slope) <= -curvature * this.#start.slope) return true
    if (this.#exhausted) return true
    const stillDown = falls && slope <= decrease * this.#start.slope
    return (step === largest && stillDown) || (step === 0 && !stillDown)
  }

  /** Updates the interval with the trial, all values less `tilt` times their step, and chooses the next step. */
  #narrow(trial: Trial, tilt: number): void {
    const tilted = (at: Trial, by: number): Trial => ({
      step: at.step,
      value: at.value - at.step * by,
      slope: at.slope - by,
    })
    const next = chooseStep({
      best: tilted(this.#best, tilt),
      other: tilted(this.#other, tilt),
      trial: tilted(trial, tilt),
      bracketed: this.#bracketed,
      lower: this.#lower,
      upper: this.#upper,
    })
    this.#best = tilted(next.best, -tilt)
    this.#other = tilted(next.other, -tilt)
    this.#bracketed = next.bracketed
    this.step = next.step
  }

  /** Keeps the next step within the interval, which must shrink. */
  #bound(): void {
    const [best, other] = [this.#best.step, this.#other.step]
    if (this.#bracketed) {
      if (Math.abs(other - best) >= shrinkage * this.#widthBefore) this.step = best + 0.5 * (other - best)
      this.#widthBefore = this.#width
      this.#width = Math.abs(other - best)
      this.#lower = Math.min(best, other)
      this.#upper = Math.max(best, other)
    } else {
      this.#lower = this.step + farther.least * (this.step - best)
      this.#upper = this.step + farther.most * (this.step - best)
    }
    this.step = Math.min(Math.max(this.step, 0), this.#limits.largest)
    if (this.#exhausted) this.step = best
  }
}

interface Interval {
  readonly best: Trial
  readonly other: Trial
  readonly trial: Trial
  readonly bracketed: boolean
  readonly lower: number
  readonly upper: number
}

interface Chosen {
  readonly best: Trial
  readonly other: Trial
  readonly bracketed: boolean
  readonly step: number
}

/** Minimiser of the cubic through two trials, seen from the second: its ratio, and the root that decides. */
function cubic(from: Trial, to: Trial, atLeastZero = false): { ratio: number; gamma: number } {
  const theta = (3 * (from.value - to.value)) / (to.step - from.step) + from.slope + to.slope
  const scale = Math.max(Math.abs(theta), Math.abs(from.slope), Math.abs(to.slope))
  const radicand = (theta / scale) ** 2 - (from.slope / scale) * (to.slope / scale)
  const root = scale * Math.sqrt(atLeastZero ? Math.max(0, radicand) : radicand)
  const gamma = to.step > from.step ? -root : root
  const ratio = (gamma - to.slope + theta) / (gamma - to.slope + gamma + from.slope)
  return { ratio, gamma }
}

/** Minimiser of the line through two slopes. */
function secant(best: Trial, trial: Trial): number {
  return trial.step + (trial.slope / (trial.slope - best.slope)) * (best.step - trial.step)
}

/** The next step, and the interval with the trial taken in: the four cases of section 4 of the paper. */
function chooseStep(interval: Interval): Chosen {
  const { best, other, trial } = interval
  const turned = trial.slope * Math.sign(best.slope) < 0
  const higher = trial.value > best.value
  const step = higher
    ? afterRise(best, trial)
    : turned
      ? afterTurn(best, trial)
      : Math.abs(trial.slope) < Math.abs(best.slope)
        ? afterFlattening(interval)
        : afterSteepening(interval)
  const bracketed = interval.bracketed || higher || turned
  if (higher) return { best, other: trial, bracketed, step }
  return { best: trial, other: turned ? best : other, bracketed, step }
}

/** Case 1, a higher value: the cubic step where it is nearer to the best than the quadratic one, else their mean. */
function afterRise(best: Trial, trial: Trial): number {
  const { step, slope } = best
  const { ratio } = cubic(trial, best)
  const cubicStep = step + ratio * (trial.step - step)
  const mean = (best.value - trial.value) / (trial.step - step)
  const quadraticStep = step + (slope / (mean + slope) / 2) * (trial.step - step)
  const cubicNearer = Math.abs(cubicStep - step) < Math.abs(quadraticStep - step)
  return cubicNearer ? cubicStep : cubicStep + (quadraticStep - cubicStep) / 2
}

/** Case 2, a lower value and a slope of the other sign: the cubic or the secant step, whichever is farther from the trial. */
function afterTurn(best: Trial, trial: Trial): number {
  const cubicStep = trial.step + cubic(best, trial).ratio * (best.step - trial.step)
  const secantStep = secant(best, trial)
  return Math.abs(cubicStep - trial.step) > Math.abs(secantStep - trial.step) ? cubicStep : secantStep
}

/** Case 3, a lower value and a flatter slope: the cubic step where it goes on, guarded by the interval. */
function afterFlattening({ best, other, trial, bracketed, lower, upper }: Interval): number {
  const { ratio, gamma } = cubic(best, trial, true)
  const onward = trial.step > best.step
  const far = onward ? upper : lower
  const cubicStep = ratio < 0 && gamma !== 0 ? trial.step + ratio * (best.step - trial.step) : far
  const secantStep = secant(best, trial)
  const cubicNearer = Math.abs(cubicStep - trial.step) < Math.abs(secantStep - trial.step)
  if (!bracketed) {
    const step = Math.abs(cubicStep - trial.step) > Math.abs(secantStep - trial.step) ? cubicStep : secantStep
    return Math.max(lower, Math.min(upper, step))
  }
  const step = cubicNearer ? cubicStep : secantStep
  const guard = trial.step + shrinkage * (other.step - trial.step)
  return onward ? Math.min(guard, step) : Math.max(guard, step)
}

/** Case 4, a lower value and a slope that is no flatter: the cubic through the other end, or as far as is allowed. */
function afterSteepening({ best, other, trial, bracketed, lower, upper }: Interval): number {
  if (bracketed) return trial.step + cubic(other, trial).ratio * (other.step - trial.step)
  return trial.step > best.step ? upper : lower
}
