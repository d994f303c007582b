// What every optimiser shares: options, gradients made ready (clipped, decayed), moments beside their parameters.
import { assign, at, formatShape, read, sameShape, ShapeError, type Tensor, type Variable } from '../graph/index.js'
import { expectKinds, is, type Schema } from '../base/index.js'
import { add, mul, parameterGradient } from '../ops/index.js'
import { Averaging, type AveragingOptions } from './averaging.js'
import { clipByGlobalNorm } from './clip.js'
import { Moments, parentOf } from './moments.js'
import { expectRange } from './ranges.js'
import { rateAt, type Schedule, type Step } from './schedules.js'

/** A parameter and dL/d(parameter), both f32 of one shape. */
export interface Update {
  readonly variable: Variable
  readonly gradient: Tensor
}

/** A parameter as options that choose among parameters see it; `path` such as `lenet/conv1/w`. */
export interface Chosen {
  readonly variable: Variable
  readonly path: string
}

/** Builds the nodes of one update. Its state (moments) lives in variables of its own. */
export interface Optimizer {
  /** Learning rate at a step, for logs. */
  rate(step: Step): Tensor<'f32', []>
  /**
   * Assigns the next value of every parameter and moment.
   * @throws ShapeError where a gradient is not f32 of its parameter's shape.
   */
  update(updates: readonly Update[], step: Step): void
  /** The averages of the weights, where it keeps them. */
  readonly averaging?: Averaging | undefined
}

/** Options of every optimiser. */
export interface OptimizerOptions {
  /** Learning rate, or a schedule of it over steps. */
  readonly rate: number | Schedule
  /** Adds weightDecay * w to the gradient of w; one number, or one for each parameter. Default: 0. */
  readonly weightDecay?: number | ((parameter: Chosen) => number)
  /** Which parameters decay. Default: all, as in PyTorch. */
  readonly decays?: (parameter: Chosen) => boolean
  /** Factor on the rate of single parameters, or a schedule of it. Default: 1 for all. */
  readonly rateFactor?: (parameter: Chosen) => number | Schedule
  /** Largest norm of all gradients together, before decay. Default: they are not clipped. */
  readonly clipNorm?: number
  /**
   * Averages the weights once the validation loss stalls: the network is measured, saved and used with the average, while
   * training goes on with what it had. Default: it does not.
   */
  readonly average?: AveragingOptions
}

const rate = is.either(is.number, is.kind('a schedule', is.callable.accepts))

/** The kinds of the options of every optimiser. */
export const optimizerOptions: Schema<OptimizerOptions> = {
  rate: is.needed(rate),
  weightDecay: is.either(is.number, is.callable),
  decays: is.callable,
  rateFactor: is.callable,
  clipNorm: is.number,
  average: is.object,
}

/** One parameter within an update. All tensors f32. */
export interface Slot {
  /** Value before the step. */
  readonly value: Tensor
  /** Clipped, not decayed. */
  readonly gradient: Tensor
  readonly rate: Tensor
  /** Factor of weight decay, 0 where there is none. */
  readonly decay: number
  /** Replaces a moment (zeros at first) by what `next` makes of it, and gives the new one. */
  moment(name: string, next: (before: Tensor) => Tensor): Tensor
}

/** Makes what the slots of one step share (bias corrections), then the rule: next value of a parameter. */
export type Rule = (step: Step) => (slot: Slot) => Tensor

/** Makes an optimiser of a rule. */
export function optimizer(name: string, options: OptimizerOptions, rule: Rule): Optimizer {
  expectKinds(`optim.${name}`, options, optimizerOptions)
  if (typeof options.rate === 'number') expectRange(name, 'rate', options.rate, 'a number of at least 0')
  if (typeof options.weightDecay !== 'function') {
    expectRange(name, 'weightDecay', options.weightDecay ?? 0, 'a number of at least 0')
  }
  expectRange(name, 'clipNorm', options.clipNorm ?? 1, 'a number above 0')
  const moments = new Moments()
  const averaging = options.average && new Averaging(options.average)
  return {
    averaging,
    rate: (step) => rateAt(options.rate, step),
    update: (updates, step) => {
      for (const update of updates) checkUpdate(name, update)
      const rate = rateAt(options.rate, step)
      const raw = updates.map(({ variable, gradient }) => parameterGradient(variable, gradient))
      const gradients = options.clipNorm === undefined ? raw : clipByGlobalNorm(raw, options.clipNorm)
      const next = rule(step)
      const weight = averaging?.weight(step)
      for (const [i, { variable }] of updates.entries()) {
        const value = read(variable)
        const { path } = value.node
        at({ path: parentOf(path), site: undefined }, () => {
          const after = next(slotOf({ options, moments, variable, value, gradient: gradients[i]!, rate, step }))
          assign(variable, after)
          if (weight !== undefined) averaging?.take(variable, path, after, weight)
        })
      }
    },
  }
}

interface SlotParts {
  readonly options: OptimizerOptions
  readonly moments: Moments
  readonly variable: Variable
  readonly value: Tensor
  readonly gradient: Tensor
  readonly rate: Tensor
  readonly step: Step
}

function slotOf({ options, moments, variable, value, gradient, rate, step }: SlotParts): Slot {
  const path = value.node.path
  const factor = options.rateFactor?.({ variable, path }) ?? 1
  const decays = options.decays?.({ variable, path }) ?? true
  const { weightDecay = 0 } = options
  const decay = typeof weightDecay === 'function' ? weightDecay({ variable, path }) : weightDecay
  return {
    value,
    gradient,
    rate: factor === 1 ? rate : mul(rate, rateAt(factor, step)),
    decay: decays ? decay : 0,
    moment: (name, next) => {
      const moment = moments.of(variable, path, name)
      const after = next(read(moment))
      assign(moment, after)
      return after
    },
  }
}

/** Gradient with weight decay in it: g + decay * w. */
export function decayed({ gradient, value, decay }: Slot): Tensor {
  return decay === 0 ? gradient : add(gradient, mul(value, decay))
}

function checkUpdate(name: string, { variable, gradient }: Update): void {
  const fits = gradient.dtype === 'f32' && variable.dtype === 'f32' && sameShape(gradient.shape, variable.shape)
  if (fits) return
  const path = read(variable).node.path
  const expected = `an f32 parameter and its gradient f32${formatShape(variable.shape)}`
  const got = `${variable.dtype} and ${gradient.dtype}${formatShape(gradient.shape)}`
  throw new ShapeError(`${name}[${path}]: expected ${expected}, got ${got}`)
}
