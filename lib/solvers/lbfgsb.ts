// L-BFGS-B, a limited-memory quasi-Newton method for smooth functions in a box, in float64: the oracle of every batched
// solver, and of use alone where one problem is solved. Byrd, Lu, Nocedal & Zhu 1995, "A limited memory algorithm for bound
// constrained optimization", SIAM J. Sci. Comput. 16(5); Morales & Nocedal 2011 for the subspace step; with the tests and
// constants of L-BFGS-B 3.0. Refuses boxes without a point, and functions that give what is not finite.
import { type Bounds, type Box, largestStep, makeBox, project, projectedGradient } from './box.js'
import { cauchyPoint } from './cauchy.js'
import { CompactMatrix } from './compact.js'
import { dot } from './dense.js'
import { Evaluator, type Objective, type Point } from './objective.js'
import { checkStart, type LbfgsbOptions, type Settings, settingsOf } from './lbfgsb-options.js'
import { LineSearch } from './more-thuente.js'
import { subspaceMinimum } from './subspace.js'

/** How `lbfgsb` ended: `converged`, at a limit on `iterations` or `evaluations`, or `stalled` where no step lowers f. */
export type LbfgsbStatus = 'converged' | 'iterations' | 'evaluations' | 'stalled'

/** What `lbfgsb` found: x [D], f and its gradient there. */
export interface LbfgsbResult {
  readonly x: Float64Array
  readonly value: number
  readonly gradient: Float64Array
  readonly iterations: number
  /** Calls of f. */
  readonly evaluations: number
  readonly status: LbfgsbStatus
  /** The status in words. */
  readonly message: string
}

/** Conditions of the line search, those of L-BFGS-B. */
const search = { decrease: 1e-3, curvature: 0.9, interval: 0.1, largest: 1e10 } as const

/**
 * Minimises f over the box lower <= x <= upper from x0 [D], which is first moved into it.
 * @param f value and gradient [D] at x, at once or as a promise; x is its own copy at each call
 * @param bounds one number for all variables or one for each; without them, none
 * @throws OstrichError `ERR_ARGUMENT` for x0, bounds or options that are out of range or of another length; NotFiniteError
 *   (`ERR_NOT_FINITE`), with the last good point, where f gives NaN or an infinity
 * @example const { x } = await optim.lbfgsb(([a, b]) => ({ value: a * a + b * b, gradient: [2 * a, 2 * b] }), [3, 4], { lower: 1 })
 */
export async function lbfgsb(
  f: Objective,
  x0: ArrayLike<number>,
  bounds: Bounds = {},
  options: LbfgsbOptions = {},
): Promise<LbfgsbResult> {
  const settings = settingsOf(options)
  const box = makeBox('lbfgsb', bounds, x0.length)
  const evaluator = new Evaluator('lbfgsb', f)
  const first = await evaluator.at(project(box, checkStart(x0)))
  return new Solver(box, settings, evaluator, first).run()
}

interface Ending {
  readonly status: LbfgsbStatus
  readonly message: string
}

class Solver {
  readonly #box: Box
  readonly #settings: Settings
  readonly #evaluator: Evaluator
  readonly #matrix: CompactMatrix
  #point: Point
  #iterations = 0

  constructor(box: Box, settings: Settings, evaluator: Evaluator, first: Point) {
    this.#box = box
    this.#settings = settings
    this.#evaluator = evaluator
    this.#matrix = new CompactMatrix(settings.history)
    this.#point = first
  }

  async run(): Promise<LbfgsbResult> {
    let ending = this.#stationary()
    while (ending === undefined) ending = await this.#iterate()
    const { x, value, gradient } = this.#point
    return { x, value, gradient, iterations: this.#iterations, evaluations: this.#evaluator.calls, ...ending }
  }

  async #iterate(): Promise<Ending | undefined> {
    const before = this.#point
    const target = this.#target()
    const d = target.map((value, i) => value - before.x[i]!)
    const found = dot(d, before.gradient) < 0 ? await this.#search(d, target) : undefined
    if (found === undefined) {
      if (this.#matrix.pairs === 0) return { status: 'stalled', message: 'the line search found no lower value' }
      // The model misleads: once more, along the gradient.
      this.#matrix.reset()
      return undefined
    }
    this.#point = found
    this.#iterations += 1
    this.#evaluator.iteration = this.#iterations
    this.#settings.onIteration?.({ iteration: this.#iterations, ...this.#copy() })
    this.#learn(before)
    return this.#stationary() ?? this.#settled(before) ?? this.#spent()
  }

  /** Where the model has its minimum: the Cauchy point, improved over the variables that it leaves free. */
  #target(): Float64Array {
    const matrix = this.#matrix
    const { x, gradient } = this.#point
    const cauchy = cauchyPoint(this.#box, x, gradient, matrix)
    if (matrix.pairs === 0 || cauchy.free.every((free) => free === 0)) return cauchy.point
    const target = subspaceMinimum(this.#box, this.#point, cauchy, matrix)
    if (target !== undefined) return target
    matrix.reset()
    return this.#target()
  }

  /** Along d from the point to the target and perhaps on; undefined where no step lowers f. */
  async #search(d: Float64Array, target: Float64Array): Promise<Point | undefined> {
    const { x, value, gradient } = this.#point
    const { bounded, closed } = this.#box
    const first = this.#iterations === 0
    const room = first && bounded ? 1 : largestStep(this.#box, x, d)
    const largest = Math.min(search.largest, room)
    const start = Math.min(first && !closed ? 1 / Math.sqrt(dot(d, d)) : 1, largest)
    const line = new LineSearch({ value, slope: dot(d, gradient) }, start, { ...search, largest })
    for (let trial = 0; trial < this.#settings.maxLineSearch; trial++) {
      const { step } = line
      const next = step === 1 ? target : x.map((value, i) => value + step * d[i]!)
      const found = await this.#evaluator.at(project(this.#box, next), this.#point)
      if (!line.advance(found.value, dot(d, found.gradient))) continue
      // It also ends where its interval vanishes, which may be where it began.
      return step > 0 && found.value <= value ? found : undefined
    }
    return undefined
  }

  #stationary(): Ending | undefined {
    const { gradientTolerance } = this.#settings
    if (projectedGradient(this.#box, this.#point.x, this.#point.gradient) > gradientTolerance) return undefined
    return { status: 'converged', message: `the projected gradient is at most ${gradientTolerance}` }
  }

  #settled(before: Point): Ending | undefined {
    const { valueTolerance } = this.#settings
    const scale = Math.max(Math.abs(before.value), Math.abs(this.#point.value), 1)
    if (before.value - this.#point.value > valueTolerance * scale) return undefined
    return { status: 'converged', message: `the value falls by at most ${valueTolerance} of itself` }
  }

  #spent(): Ending | undefined {
    const { maxIterations, maxEvaluations } = this.#settings
    if (this.#iterations >= maxIterations) return { status: 'iterations', message: `after ${maxIterations} iterations` }
    if (this.#evaluator.calls < maxEvaluations) return undefined
    return { status: 'evaluations', message: `after ${this.#evaluator.calls} evaluations of f` }
  }

  /** Takes the step into the model, where its curvature is positive by more than rounding. */
  #learn(before: Point): void {
    const s = this.#point.x.map((value, i) => value - before.x[i]!)
    const y = this.#point.gradient.map((value, i) => value - before.gradient[i]!)
    if (dot(s, y) > Number.EPSILON * -dot(s, before.gradient)) this.#matrix.update(s, y)
  }

  #copy(): Point {
    const { x, value, gradient } = this.#point
    return { x: Float64Array.from(x), value, gradient: Float64Array.from(gradient) }
  }
}
