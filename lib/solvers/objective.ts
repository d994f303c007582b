// A function with its gradient, called and checked in float64.
import { OstrichError } from '../graph/index.js'

/** f and its gradient [D] at x [D]. */
export type Objective = (x: Float64Array) => Evaluation | Promise<Evaluation>

/** What an objective gives. */
export interface Evaluation {
  readonly value: number
  readonly gradient: ArrayLike<number>
}

/** A point [D] with the value and gradient [D] that were found there. */
export interface Point {
  readonly x: Float64Array
  readonly value: number
  readonly gradient: Float64Array
}

/** A function gave NaN or an infinity (`ERR_NOT_FINITE`). */
export class NotFiniteError extends OstrichError {
  /** Finished iterations. */
  readonly iteration: number
  /** Where the iteration started from; undefined where it was the first call. */
  readonly last: Point | undefined

  constructor(message: string, iteration: number, last: Point | undefined) {
    super('ERR_NOT_FINITE', message)
    this.iteration = iteration
    this.last = last
  }
}

/** Calls an objective and counts the calls. */
export class Evaluator {
  calls = 0
  iteration = 0
  readonly #name: string
  readonly #f: Objective

  constructor(name: string, f: Objective) {
    this.#name = name
    this.#f = f
  }

  /** @throws NotFiniteError with `last`; OstrichError `ERR_ARGUMENT` for no value or gradient, or one of another length */
  async at(x: Float64Array, last?: Point): Promise<Point> {
    this.calls += 1
    const { value, gradient } = this.#checked(await this.#f(Float64Array.from(x)))
    const point = { x, value, gradient: Float64Array.from(gradient) }
    if (point.gradient.length !== x.length) {
      const expected = `a gradient of ${x.length} numbers`
      throw new OstrichError('ERR_ARGUMENT', `${this.#name}: expected ${expected}, got ${point.gradient.length}`)
    }
    const wrong = point.gradient.findIndex((part) => !Number.isFinite(part))
    if (Number.isFinite(value) && wrong < 0) return point
    const [what, got] = wrong < 0 ? ['value', value] : [`gradient[${wrong}]`, point.gradient[wrong]!]
    const message = `${this.#name}: expected a finite ${what} in iteration ${this.iteration + 1}, got ${got}`
    throw new NotFiniteError(message, this.iteration, last)
  }

  #checked(found: unknown): Evaluation {
    const { value, gradient } = Object(found) as Partial<Record<keyof Evaluation, unknown>>
    const isList = Array.isArray(gradient) || ArrayBuffer.isView(gradient)
    if (typeof value === 'number' && isList) return found as Evaluation
    const given = kindOf(found) === 'object' ? `value ${kindOf(value)}, gradient ${kindOf(gradient)}` : kindOf(found)
    const expected = 'a function that gives { value, gradient }, a number and a list of numbers'
    throw new OstrichError('ERR_ARGUMENT', `${this.#name}: expected ${expected}, got ${given}`)
  }
}

/** `undefined`, `null`, `number`, `array`, `float64array`, `object` ... */
function kindOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1).toLowerCase()
}
