// One evaluation of a projected limited-memory BFGS method for N problems at once, as graph. Each row has its own history,
// line search and end; no row reads another. Byrd et al. 1995 for the tests of the end, Armijo's condition along the projected
// path (Bertsekas 1982) for the steps.
import { constant, type Tensor } from '../graph/index.js'
import * as ops from '../ops/index.js'
import { direction, type Pair, rowDot } from './row-direction.js'

/** Where each row stands: f32, [N, D] or, one value a row, [N, 1]. */
export interface Rows {
  /** [N, D], the best point so far; f there, [N, 1], and its gradient, [N, D]. */
  readonly x: Tensor
  readonly value: Tensor
  readonly gradient: Tensor
  /** [N, D], where f is evaluated next. */
  readonly trial: Tensor
  /** Length of the step to the trial, in directions. */
  readonly step: Tensor
  /** Trials since the last step that was taken. */
  readonly tries: Tensor
  /** How many of the newest pairs count; 0 only where no step was taken since the start, or since the pairs misled. */
  readonly known: Tensor
  /** sᵀy / yᵀy of the newest pair, 0 where there is none. */
  readonly scale: Tensor
  readonly iterations: Tensor
  readonly evaluations: Tensor
  /** One of `rowStatus`. */
  readonly status: Tensor
}

/** How a row stands. */
export const rowStatus = { running: 0, converged: 1, stalled: 2, evaluations: 3, notFinite: 4 } as const

/** f, [N, 1], and its gradient, [N, D], at the trials. */
export interface Found {
  readonly value: Tensor
  readonly gradient: Tensor
}

/** Limits and tolerances of all rows. */
export interface RowSettings {
  /** Limits, f32 [] or [1, D]. */
  readonly lower: Tensor
  readonly upper: Tensor
  /** A variable this near to a limit and pushed against it counts as held, f32 [] or [1, D]. */
  readonly near: Tensor
  readonly history: number
  readonly valueTolerance: number
  readonly gradientTolerance: number
  readonly maxEvaluations: number
  readonly maxLineSearch: number
  /** Whether a row that has ended keeps the pair that would be replaced: it may go on. */
  readonly keepPairs: boolean
}

/** Stands for f where it is not known yet: not far below the largest f32. */
export const unknown = 3e38

/** Armijo's condition: the part of the predicted fall that a step must bring. */
const decrease = 1e-4
/** A step that fails is followed by one of at least and at most this part of it. */
const shorter = { least: 0.1, most: 0.5 } as const
/** Curvature must be more than this part of the slope: above the rounding of f32. */
const rounding = 1e-7

const and = (...conditions: Tensor[]): Tensor => conditions.reduce((a, b) => ops.minimum(a, b))
const or = (...conditions: Tensor[]): Tensor => conditions.reduce((a, b) => ops.maximum(a, b))
const not = (condition: Tensor): Tensor => ops.equal(condition, 0)

/** The nearest point of the box. NaN stays NaN. */
export function clamp(x: Tensor, { lower, upper }: Pick<RowSettings, 'lower' | 'upper'>): Tensor {
  return ops.where(ops.equal(x, x), ops.minimum(ops.maximum(x, lower), upper), x)
}

/** Largest |x - P(x - g)| of each row, [N, 1]. */
export function residual(x: Tensor, gradient: Tensor, settings: RowSettings): Tensor {
  return ops.max(ops.abs(ops.sub(clamp(ops.sub(x, gradient), settings), x)), 1, { keepDims: true })
}

/** All rows before their first evaluation, from x0 f32 [N, D] moved into the box. */
export function firstRows(x0: Tensor, settings: RowSettings): Rows {
  const row = (value: number) => constant('f32', [x0.shape[0] ?? 1, 1], value)
  const x = clamp(x0, settings)
  const counts = { tries: row(0), known: row(0), iterations: row(0), evaluations: row(0) }
  const gradient = constant('f32', x0.shape, 0)
  return { x, trial: x, gradient, value: row(unknown), step: row(1), scale: row(0), status: row(0), ...counts }
}

/** Rows of `a` where the mask, u8 [N, 1], is 1, of `b` elsewhere. */
export function chosenRows(mask: Tensor, a: Rows, b: Rows): Rows {
  const entries = Object.entries(a) as [keyof Rows, Tensor][]
  return Object.fromEntries(entries.map(([label, own]) => [label, ops.where(mask, own, b[label])])) as unknown as Rows
}

/** Takes what was found at the trials in: where the rows stand then, and the newest pair. `pairs` are newest first. */
export function advance(rows: Rows, found: Found, pairs: readonly Pair[], settings: RowSettings): [Rows, Pair] {
  const running = ops.equal(rows.status, rowStatus.running)
  const s = ops.sub(rows.trial, rows.x)
  const y = ops.sub(found.gradient, rows.gradient)
  // The slope towards the trial; where the projection turned it upwards nothing but a fall will do.
  const slope = ops.minimum(rowDot(rows.gradient, s), 0)
  const change = rowDot(y, y)
  const falls = ops.lessEqual(found.value, ops.add(rows.value, ops.mul(slope, decrease)))
  const taken = and(running, falls, ops.less(change, unknown))
  const curvature = rowDot(s, y)
  const bends = and(taken, ops.less(ops.mul(slope, -rounding), curvature))
  const kept = settings.keepPairs ? pairs.at(-1)! : undefined
  const other = (side: 's' | 'y'): Tensor | number => (kept === undefined ? 0 : ops.where(running, 0, kept[side]))
  const pair = { s: ops.where(bends, s, other('s')), y: ops.where(bends, y, other('y')) }

  const x = ops.where(taken, rows.trial, rows.x)
  const value = ops.where(taken, found.value, rows.value)
  const gradient = ops.where(taken, found.gradient, rows.gradient)
  const scale = ops.where(bends, ops.div(curvature, change), rows.scale)
  const iterations = ops.add(rows.iterations, ops.cast(taken, 'f32'))
  const evaluations = ops.add(rows.evaluations, ops.cast(running, 'f32'))

  const line = nextStep(rows, { running, taken, slope, value: found.value }, settings)
  const rest = residual(x, gradient, settings)
  const settled = or(ops.lessEqual(rest, settings.gradientTolerance), barelyFalls(rows, found, settings))
  const status = nextStatus(rows, { running, taken, settled, stalled: line.stalled, evaluations }, settings)
  const { step, tries, known } = line
  const before = { ...rows, x, gradient, scale, step, known }
  // Rows that have ended look on, and what is found there is not taken.
  const trial = target(before, [pair, ...pairs.slice(0, settings.history - 1)], rest, settings)
  return [{ x, value, gradient, trial, step, tries, known, scale, iterations, evaluations, status }, pair]
}

/** Whether f falls by no more than its tolerance, u8 [N, 1]. */
function barelyFalls(rows: Rows, found: Found, { valueTolerance }: RowSettings): Tensor {
  const size = ops.maximum(ops.maximum(ops.abs(rows.value), ops.abs(found.value)), 1)
  return ops.lessEqual(ops.sub(rows.value, found.value), ops.mul(size, valueTolerance))
}

interface Judged {
  readonly running: Tensor
  readonly taken: Tensor
  readonly slope: Tensor
  readonly value: Tensor
}

interface NextStep {
  readonly step: Tensor
  readonly tries: Tensor
  readonly known: Tensor
  readonly stalled: Tensor
}

/** A whole step after one that was taken, else a shorter one; after too many, a whole one along the gradient, or none. */
function nextStep(rows: Rows, { running, taken, slope, value }: Judged, settings: RowSettings): NextStep {
  const tries: Tensor = ops.where(taken, 0, ops.add(rows.tries, 1))
  const failing = and(running, ops.less(settings.maxLineSearch, tries))
  const stalled = and(failing, ops.equal(rows.known, 0))
  const counted = ops.minimum(ops.add(rows.known, 1), settings.history)
  const kept = and(or(taken, ops.less(0, rows.known)), not(failing))
  const known: Tensor = ops.where(kept, counted, 0)
  // Minimum of the parabola through both values and the first slope, in steps; NaN fails the comparison.
  const parabola = ops.div(slope, ops.mul(ops.sub(ops.add(rows.value, slope), value), 2))
  const part = ops.where(ops.less(shorter.least, parabola), ops.minimum(parabola, shorter.most), shorter.least)
  const step: Tensor = ops.where(or(taken, failing), 1, ops.mul(rows.step, part))
  return { step, tries: ops.where(failing, 0, tries), known, stalled }
}

interface Ends {
  readonly running: Tensor
  readonly taken: Tensor
  readonly settled: Tensor
  readonly stalled: Tensor
  readonly evaluations: Tensor
}

function nextStatus({ value, status }: Rows, ends: Ends, { maxEvaluations }: RowSettings): Tensor {
  const { running, taken, settled, stalled, evaluations } = ends
  const spent = and(running, ops.lessEqual(maxEvaluations, evaluations))
  const broken = and(running, not(taken), ops.lessEqual(unknown, value))
  const set = (before: Tensor, condition: Tensor, code: number): Tensor => ops.where(condition, code, before)
  const late = set(set(status, spent, rowStatus.evaluations), stalled, rowStatus.stalled)
  return set(set(late, and(taken, settled), rowStatus.converged), broken, rowStatus.notFinite)
}

/** Where the next step leads, inside the box, [N, D]. `rest` is the residual of each row. */
function target(rows: Rows, pairs: readonly Pair[], rest: Tensor, settings: RowSettings): Tensor {
  const { x, gradient, known, step } = rows
  // Held: at a limit, or about to be; the nearer to the end, the nearer it must be (Bertsekas 1982, eq. 32).
  const near = ops.minimum(settings.near, rest)
  const low = and(ops.lessEqual(x, ops.add(settings.lower, near)), ops.less(0, gradient))
  const high = and(ops.lessEqual(ops.sub(settings.upper, near), x), ops.less(gradient, 0))
  const free = not(or(low, high))
  const cautious = ops.div(1, ops.maximum(ops.sqrt(rowDot(gradient, gradient)), 1))
  const curved = and(ops.less(0, known), ops.less(0, rows.scale))
  const scale = ops.where(curved, rows.scale, cautious)
  const d = direction({ gradient, free, pairs, known, scale })
  return clamp(ops.add(x, ops.mul(step, d)), settings)
}
