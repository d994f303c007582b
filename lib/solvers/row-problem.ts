// The state of N problems in a box that are minimised together, as variables, and the graphs that start them and carry them on.
import { vjp } from '../autodiff/index.js'
import { expectOptions, is, type Schema } from '../base/index.js'
import { assign, constant, count, type DType, formatShape, OstrichError, read } from '../graph/index.js'
import { ShapeError, type Tensor, Variable } from '../graph/index.js'
import * as ops from '../ops/index.js'
import { type Bounds, makeBox } from './box.js'
import { type Extent, typed } from './compiler.js'
import type { Pair } from './row-direction.js'
import { advance, chosenRows, firstRows, residual, type Rows, type RowSettings, rowStatus } from './row-step.js'

/** Options of a batch of problems. */
export interface RowOptions {
  /** Extents of x for all rows, the number of rows first: [N, ...]. */
  readonly shape: readonly number[]
  /** Limits of x, one number or one for each element of a row. Default: none. */
  readonly bounds?: Bounds
  /** What else f reads, by name, with the extents of all rows, [N, ...]; f32 unless told. Default: nothing. */
  readonly given?: Readonly<Record<string, Extent>>
  /** Pairs of steps and gradient changes that each row keeps; also the evaluations of one run. Default: 5. */
  readonly history?: number
  /** A row ends where its value falls by at most this part of max(|f|, 1). Default: 1e-7, the rounding of f32. */
  readonly valueTolerance?: number
  /** A row ends where no element of its projected gradient is larger. Default: 1e-5. */
  readonly gradientTolerance?: number
  /** Most evaluations of a row. Default: 1000. */
  readonly maxEvaluations?: number
  /** Most shorter steps in turn. Default: 20. */
  readonly maxLineSearch?: number
}

/** The kinds of the options of a batch of problems. */
export const rowOptions: Schema<RowOptions> = {
  shape: is.needed(is.numbers),
  bounds: is.object,
  given: is.object,
  history: is.number,
  valueTolerance: is.number,
  gradientTolerance: is.number,
  maxEvaluations: is.number,
  maxLineSearch: is.number,
}

/** f of each row, f32 [N], from x f32 [N, ...] and what is given; each row must depend on that row alone. */
export type RowObjective = {
  /** Of all rows. */ of(x: Tensor, given: Named<Tensor>): Tensor
}['of']

/** By name. */
type Named<T> = Readonly<Record<string, T>>

const names = [
  'x',
  'value',
  'gradient',
  'trial',
  'step',
  'tries',
  'known',
  'scale',
  'iterations',
  'evaluations',
  'status',
] as const
const wide: readonly string[] = ['x', 'gradient', 'trial']

function scratch(label: string, shape: readonly number[], dtype: DType = 'f32'): Variable {
  return new Variable({ label, dtype, shape, role: 'scratch', init: () => constant(dtype, shape, 0) })
}

/** N problems: variables, and what is traced to start them, to carry them on and to read them. */
export class RowProblem {
  readonly rows: number
  readonly history: number
  readonly #name: string
  readonly #resumes: boolean
  readonly #shape: readonly number[]
  readonly #options: Required<Omit<RowOptions, 'shape' | 'bounds' | 'given'>>
  readonly #lower: Float64Array
  readonly #upper: Float64Array
  readonly #variables: Readonly<Record<keyof Rows, Variable>>
  readonly #pairs: readonly { readonly s: Variable; readonly y: Variable }[]
  readonly #given: Named<Variable>

  /**
   * @param resumes whether a row that has ended may go on from where it is, with its pairs
   * @throws OstrichError `ERR_ARGUMENT` for extents, limits or options out of range
   */
  constructor(name: string, options: RowOptions, { resumes = false } = {}) {
    expectOptions(name, options, rowOptions)
    this.#name = name
    this.#resumes = resumes
    this.#shape = checkShape(name, options.shape)
    this.#options = { ...defaults, ...settingsOf(name, options) }
    const [rows = 1, ...rest] = this.#shape
    const size = count(rest)
    const { lower, upper } = makeBox(name, options.bounds ?? {}, size)
    this.#lower = lower
    this.#upper = upper
    this.rows = rows
    this.history = this.#options.history
    const variable = (label: string) => scratch(`${name}.${label}`, [rows, wide.includes(label) ? size : 1])
    this.#variables = Object.fromEntries(names.map((label) => [label, variable(label)])) as Record<keyof Rows, Variable>
    const whole = (label: string) => scratch(`${name}.${label}`, [rows, size])
    this.#pairs = Array.from({ length: this.history }, (_, k) => ({ s: whole(`s${k + 1}`), y: whole(`y${k + 1}`) }))
    this.#given = Object.fromEntries(
      Object.entries(options.given ?? {}).map(([label, extent]) => [
        label,
        givenVariable(name, label, typed(extent), rows),
      ]),
    )
  }

  /** Extents of the inputs by which the problems start: x, then what is given. */
  get inputs(): Named<Extent> {
    const given = Object.entries(this.#given).map(([label, { dtype, shape }]) => [label, { dtype, shape }] as const)
    return { x: this.#shape, ...Object.fromEntries(given) }
  }

  /** What is given, within a trace. */
  get given(): Named<Tensor> {
    return Object.fromEntries(Object.entries(this.#given).map(([label, variable]) => [label, read(variable)]))
  }

  /** Puts the rows where `fresh`, u8 [N, 1], is 1 at their start: x f32 [N, ...], and what is given. */
  start(x: Tensor, given: Named<Tensor>, fresh: Tensor): void {
    for (const [label, variable] of Object.entries(this.#given)) {
      const mask = ops.reshape(fresh, [this.rows, ...variable.shape.slice(1).map(() => 1)])
      assign(variable, ops.where(mask, given[label]!, read(variable)))
    }
    const none = ({ s, y }: Pair): Pair => ({ s: ops.where(fresh, 0, s), y: ops.where(fresh, 0, y) })
    this.save(chosenRows(fresh, this.first(x), this.#rows()), this.#resumes ? this.#known().map(none) : [])
  }

  /** Rows at a start that has not been evaluated, from x f32 [N, ...]. */
  first(x: Tensor): Rows {
    return firstRows(ops.reshape(x, [this.rows, -1]), this.#settings())
  }

  /** Rows that go on from where they are with their pairs, of a function that has changed. */
  again(rows: Rows): Rows {
    return { ...this.first(rows.x), known: rows.known, scale: rows.scale }
  }

  /** Evaluates f once for each pair of the history, and moves the rows that run; the caller saves them and the pairs. */
  cycle(f: RowObjective): { readonly rows: Rows; readonly pairs: readonly Pair[] } {
    const settings = this.#settings()
    const given = this.given
    const pairs = this.#known()
    let rows = this.#rows()
    // Pair k is replaced in evaluation k: its neighbours below are newer, and then come those above, of the last cycle.
    for (let k = 0; k < this.history; k++) {
      const newestFirst = pairs.map((_, age) => pairs[(k - 1 - age + 2 * this.history) % this.history]!)
      const [next, pair] = advance(rows, this.#evaluate(f, rows.trial, given), newestFirst, settings)
      rows = next
      pairs[k] = pair
    }
    return { rows, pairs }
  }

  /** Assigns where the rows stand, and their pairs where they have changed. */
  save(rows: Rows, pairs: readonly Pair[] = []): void {
    for (const label of names) assign(this.#variables[label], rows[label])
    for (const [k, { s, y }] of pairs.entries()) {
      assign(this.#pairs[k]!.s, s)
      assign(this.#pairs[k]!.y, y)
    }
  }

  #known(): Pair[] {
    return this.#pairs.map(({ s, y }) => ({ s: read(s), y: read(y) }))
  }

  #rows(): Rows {
    return Object.fromEntries(names.map((label) => [label, read(this.#variables[label])])) as unknown as Rows
  }

  /** x of rows in its own extents, [N, ...]. */
  shaped(x: Tensor): Tensor {
    return ops.reshape(x, this.#shape)
  }

  /** u8 [N]: 0 where a row runs. */
  get ended(): Tensor {
    return ops.reshape(ops.less(rowStatus.running, read(this.#variables.status)), [this.rows])
  }

  /** What a caller is told: x [N, ...]; value, residual, iterations, evaluations and status, f32 [N]; and `ended`. */
  results(): Named<Tensor> {
    const [x, gradient] = [read(this.#variables.x), read(this.#variables.gradient)]
    const flat = (tensor: Tensor) => ops.reshape(tensor, [this.rows])
    const counts = ['value', 'iterations', 'evaluations', 'status'] as const
    return {
      ended: this.ended,
      x: this.shaped(x),
      residual: flat(residual(x, gradient, this.#settings())),
      ...Object.fromEntries(counts.map((label) => [label, flat(read(this.#variables[label]))])),
    }
  }

  #evaluate(f: RowObjective, trial: Tensor, given: Named<Tensor>): { value: Tensor; gradient: Tensor } {
    const value = f(this.shaped(trial), given)
    if (value.dtype !== 'f32' || count(value.shape) !== this.rows || value.shape[0] !== this.rows) {
      const got = `${value.dtype}${formatShape(value.shape)}`
      throw new ShapeError(`${this.#name}: expected f to give one value a row, f32[${this.rows}], got ${got}`)
    }
    const gradient = vjp([value], [constant('f32', value.shape, 1)], trial)
    return { value: ops.reshape(value, [this.rows, 1]), gradient }
  }

  #settings(): RowSettings {
    const [lower, upper] = [this.#lower, this.#upper]
    const near = lower.map((low, i) => (Number.isFinite(upper[i]! - low) ? nearPart * (upper[i]! - low) : nearPart))
    const limits = { lower: limit(lower), upper: limit(upper), near: limit(near) }
    return { ...this.#options, ...limits, keepPairs: this.#resumes }
  }
}

/** A variable counts as held within this part of the width of its box, or within this where that is open. */
const nearPart = 1e-3
/** Stands for an open side. */
const open = 3e38

/** Numbers of each variable as f32 [1, D], or [] where all are the same. */
function limit(values: Float64Array): Tensor {
  const finite = Array.from(values, (value) => Math.min(Math.max(value, -open), open))
  return finite.every((value) => value === finite[0])
    ? constant('f32', [], finite[0]!)
    : constant('f32', [1, finite.length], finite)
}

const defaults = {
  history: 5,
  valueTolerance: 1e-7,
  gradientTolerance: 1e-5,
  maxEvaluations: 1000,
  maxLineSearch: 20,
} as const

function settingsOf(name: string, options: RowOptions): Partial<typeof defaults> {
  const whole = (value: number) => Number.isSafeInteger(value) && value >= 1 && value < 2 ** 24
  const positive = (value: number) => value >= 0 && value < Infinity
  const rules = [
    [['history', 'maxEvaluations', 'maxLineSearch'], whole, 'a whole number from 1 to 16777215'],
    [['valueTolerance', 'gradientTolerance'], positive, 'a number of at least 0'],
  ] as const
  const given: Record<string, number> = {}
  for (const [labels, holds, expected] of rules) {
    for (const label of labels) {
      const value = options[label]
      if (value === undefined) continue
      if (!holds(value))
        throw new OstrichError('ERR_ARGUMENT', `${name}: expected ${label} to be ${expected}, got ${value}`)
      given[label] = value
    }
  }
  return given
}

function checkShape(name: string, shape: readonly number[]): readonly number[] {
  if (shape.length >= 2 && shape.every((extent) => Number.isSafeInteger(extent) && extent >= 1)) return shape
  const expected = 'a shape of rows and at least one more extent'
  throw new OstrichError('ERR_ARGUMENT', `${name}[shape]: expected ${expected}, got ${formatShape(shape)}`)
}

function givenVariable(
  name: string,
  label: string,
  { dtype, shape }: { dtype: DType; shape: readonly number[] },
  rows: number,
): Variable {
  if (label !== 'x' && shape[0] === rows) return scratch(`${name}.given.${label}`, shape, dtype)
  const [expected, got] = label === 'x' ? ['names other than x', 'x'] : [`${rows} rows of ${label}`, formatShape(shape)]
  throw new OstrichError('ERR_ARGUMENT', `${name}[given]: expected ${expected}, got ${got}`)
}

/** How many rows still run, f32 []. */
export function runningRows({ status }: Rows): Tensor {
  return ops.sum(ops.cast(ops.equal(status, rowStatus.running), 'f32'))
}
