// What every optimiser shares: options, gradients made ready (summed over batches, clipped, decayed), moments beside their parameters.
import { at, formatShape, read, sameShape, ShapeError, type Tensor, type Variable } from '../graph/index.js'
import { expectKinds, is, type Schema } from '../base/index.js'
import {
  add,
  div,
  maximum,
  minimum,
  mul,
  parameterGradient,
  sqrt,
  square,
  step as stepVariable,
  sub,
  sum,
  where,
} from '../ops/index.js'
import { Accumulation } from './accumulation.js'
import { Averaging, type AveragingOptions, type Put } from './averaging.js'
import { clipByGlobalNorm } from './clip.js'
import { type Group, Groups, type Settings } from './groups.js'
import { Moments, parentOf } from './moments.js'
import { Plateau, type PlateauOptions } from './plateau.js'
import { expectRange } from './ranges.js'
import { expectOfRows, putRows, rowsOf, type Touched, touchedRows } from './rows.js'
import { rateAt, type Schedule, type Step } from './schedules.js'

/** A parameter and dL/d(parameter), both f32 of one shape. */
export interface Update {
  readonly variable: Variable
  readonly gradient: Tensor
}

/** Builds the nodes of one update. Its state (moments) lives in variables of its own. */
export interface Optimizer {
  /** Learning rate at a step, for logs. */
  rate(step: Step): Tensor<'f32', []>
  /**
   * Those of a network's parameters that it updates; the others are frozen, and need no gradient.
   * @throws OstrichError `ERR_OPTION` where a group has no parameter
   */
  trained?(parameters: readonly Variable[]): readonly Variable[]
  /**
   * Assigns the next value of every parameter and moment, but of those that are frozen.
   * @throws ShapeError where a gradient is not f32 of its parameter's shape; OstrichError `ERR_OPTION` where a group has no parameter.
   */
  update(updates: readonly Update[], step: Step): void
  /** The averages of the weights, where it keeps them. */
  readonly averaging?: Averaging | undefined
  /** The factor on the rate, where it falls on plateaus. */
  readonly plateau?: Plateau | undefined
}

/** Options of every optimiser. */
export interface OptimizerOptions {
  /** Learning rate, or a schedule of it over steps. */
  readonly rate: number | Schedule
  /** lambda, in the form that `decay` says; of all parameters, as in PyTorch, but where a group says otherwise. Default: 0. */
  readonly weightDecay?: number
  /**
   * `l2`: lambda w is added to the gradient of w. `decoupled`: w shrinks by rate * lambda w beside the step, which does not see it
   * (Loshchilov & Hutter 2019, "Decoupled weight decay regularization"). Default: `l2`.
   */
  readonly decay?: 'l2' | 'decoupled'
  /** Options of single parameters; of several groups that give an option, the last decides. Default: none. */
  readonly groups?: readonly Group[]
  /** Largest norm of all gradients together, before decay. Default: they are not clipped. */
  readonly clipNorm?: number
  /**
   * Batches whose mean gradient is that of one update, as if they were one large batch. Steps of a session are batches; schedules and
   * corrections count updates. A sum that an epoch ends in goes on in the next; what is left at the end of training is not applied.
   * Default: 1.
   */
  readonly accumulate?: number
  /**
   * Averages the weights, once the validation loss stalls or exponentially: the network is measured, saved and used with the average,
   * while training goes on with what it had. Default: it does not.
   */
  readonly average?: AveragingOptions
  /** The rate, or its schedule, is multiplied by a factor that falls where what the session monitors becomes no better. Default: it is not. */
  readonly plateau?: PlateauOptions
}

const rate = is.either(is.number, is.kind('a schedule', is.callable.accepts))

/** The kinds of the options of every optimiser. */
export const optimizerOptions: Schema<OptimizerOptions> = {
  rate: is.needed(rate),
  weightDecay: is.number,
  decay: is.oneOf('l2', 'decoupled'),
  groups: is.listOf(is.object, 'groups'),
  clipNorm: is.number,
  accumulate: is.whole(1),
  average: is.object,
  plateau: is.object,
}

/** One parameter within an update, or the rows of it that a batch touched. All tensors f32. */
export interface Slot {
  /** Value before the step; with decoupled decay, shrunk by it. */
  readonly value: Tensor
  /** Clipped; with L2 decay, that of w in it. */
  readonly gradient: Tensor
  readonly rate: Tensor
  /** Replaces a moment (zeros at first) by what `next` makes of it, and gives the new one. */
  moment(name: string, next: (before: Tensor) => Tensor): Tensor
}

/** Makes what the slots of one step share (bias corrections), then the rule: next value of a parameter. */
export type Rule = (step: Step) => (slot: Slot) => Tensor

/** A parameter that is not frozen. */
interface Moving {
  readonly variable: Variable
  readonly path: string
  readonly settings: Settings
  readonly decay: number
  /** Of a sparse table, the rows that the gradient is of. */
  readonly touched: Touched | undefined
  readonly gradient: Tensor
}

/** Makes an optimiser of a rule. */
export function optimizer(name: string, options: OptimizerOptions, rule: Rule): Optimizer {
  expectKinds(`optim.${name}`, options, optimizerOptions)
  const { accumulate = 1, weightDecay = 0, decay: form = 'l2' } = options
  if (typeof options.rate === 'number') expectRange(name, 'rate', options.rate, 'a number of at least 0')
  expectRange(name, 'weightDecay', weightDecay, 'a number of at least 0')
  expectRange(name, 'clipNorm', options.clipNorm ?? 1, 'a number above 0')
  const moments = new Moments()
  const groups = new Groups(name, options.groups ?? [])
  const accumulation = accumulate === 1 ? undefined : new Accumulation(accumulate)
  const averaging = options.average && new Averaging(options.average, () => accumulation?.updates ?? read(stepVariable))
  const plateau = options.plateau && new Plateau(options.plateau)
  const rateOf = (step: Step): Tensor<'f32', []> => {
    const rate = rateAt(options.rate, step)
    return plateau === undefined ? rate : plateau.fallen(rate)
  }
  return {
    averaging,
    plateau,
    rate: rateOf,
    trained: (parameters) => {
      const chosen = parameters.map((variable) => ({ variable, path: read(variable).node.path }))
      groups.meet(chosen)
      return chosen.filter((one) => groups.of(one).frozen !== true).map(({ variable }) => variable)
    },
    update: (updates, count) => {
      for (const update of updates) checkUpdate(name, update)
      groups.meet(updates.map(({ variable }) => ({ variable, path: read(variable).node.path })))
      const step = accumulation?.updates ?? count
      const due = accumulation?.count()
      const rate = rateOf(step)
      const moving = updates.flatMap(({ variable, gradient }): Moving[] => {
        const { path } = read(variable).node
        const settings = groups.of({ variable, path })
        if (settings.frozen === true) return []
        const one = { variable, path, settings, decay: settings.weightDecay ?? weightDecay }
        if (!variable.sparse) return [{ ...one, touched: undefined, gradient: parameterGradient(variable, gradient) }]
        const label = `optim.${name}[${path}]`
        expectOfRows(label, path, { weightDecay: one.decay, accumulate, average: options.average })
        const touched = at({ path: parentOf(path), site: undefined }, () => touchedRows(label, gradient))
        return touched ? [{ ...one, touched, gradient: parameterGradient(variable, touched.gradient) }] : []
      })
      const raw = moving.map(({ variable, path, gradient }) =>
        accumulation && due ? accumulation.mean(variable, path, gradient, due) : gradient,
      )
      const gradients = options.clipNorm === undefined ? raw : clipByGlobalNorm(raw, options.clipNorm)
      const next = rule(step)
      const weight = averaging?.weight(step)
      for (const [i, { variable, path, settings, decay, touched }] of moving.entries()) {
        /** Assigns a state its next value, where the batch is the last of a sum. */
        const put: Put = (state, after) => {
          putRows(state, due === undefined ? after : where(due, after, rowsOf(state, touched)), touched)
        }
        at({ path: parentOf(path), site: undefined }, () => {
          const factor = settings.rateFactor ?? 1
          const rated = factor === 1 ? rate : mul(rate, rateAt(factor, step))
          const moment: Slot['moment'] = (label, replaced) => {
            const one = moments.of(variable, path, label)
            const after = replaced(rowsOf(one, touched))
            put(one, after)
            return after
          }
          const value = rowsOf(variable, touched)
          const slot = decayed({ value, gradient: gradients[i]!, rate: rated, moment }, decay, form)
          const after = limited(next(slot), settings.maxNorm)
          put(variable, after)
          if (weight !== undefined) averaging?.take(variable, path, after, weight, put)
        })
      }
    },
  }
}

/** With weight decay: g + lambda w, or w (1 - rate lambda). */
function decayed(slot: Slot, lambda: number, form: 'l2' | 'decoupled'): Slot {
  if (lambda === 0) return slot
  const { value, gradient, rate } = slot
  if (form === 'l2') return { ...slot, gradient: add(gradient, mul(value, lambda)) }
  return { ...slot, value: mul(value, sub(1, mul(rate, lambda))) }
}

/** The smallest number of f32 that has its full precision: keeps the factor finite where all weights of a unit are zero. */
const smallest = 2 ** -126

/** w[o, ...] with norms of at most `limit`. */
function limited(w: Tensor, limit: number | undefined): Tensor {
  if (limit === undefined || w.rank < 2) return w
  const axes = w.shape.slice(1).map((_, i) => i + 1)
  const norms: Tensor = sqrt(sum(square(w), axes, { keepDims: true }))
  return mul(w, minimum(div(limit, maximum(norms, smallest)), 1))
}

function checkUpdate(name: string, { variable, gradient }: Update): void {
  const fits = gradient.dtype === 'f32' && variable.dtype === 'f32' && sameShape(gradient.shape, variable.shape)
  if (fits) return
  const path = read(variable).node.path
  const expected = `an f32 parameter and its gradient f32${formatShape(variable.shape)}`
  const got = `${variable.dtype} and ${gradient.dtype}${formatShape(gradient.shape)}`
  throw new ShapeError(`${name}[${path}]: expected ${expected}, got ${got}`)
}
