// The average of the weights over the steps of training (Polyak & Juditsky 1992, "Acceleration of stochastic approximation by
// averaging"), begun where the validation loss stalls (Merity, Keskar & Socher 2018, "Regularizing and optimizing LSTM language
// models", ICLR, algorithm 1, NT-AvSGD); or their exponential moving average. Graph builders: who trains tells each measurement, and exchanges the weights with their average.
import { expectOptions, is, OstrichError } from '../base/index.js'
import { assign, constant, read, type Tensor, Variable } from '../graph/index.js'
import { add, cast, concat, div, less, maximum, minimum, mul, reshape, slice, sub, where } from '../ops/index.js'
import { Moments } from './moments.js'
import { expectRange } from './ranges.js'
import type { Step } from './schedules.js'

/** Options of averaging. */
export interface AveragingOptions {
  /**
   * It begins when a measurement is worse than the best of those made more than so many measurements before it: the paper's
   * non-monotone interval n. Default: 5, as published.
   */
  readonly patience?: number
  /**
   * In place of that, an exponential moving average from the first update on: each takes average = decay average + (1 - decay) w.
   * Between 0 and 1, such as 0.999.
   */
  readonly decay?: number
}

/** Assigns a state its next value. */
export type Put = (variable: Variable, after: Tensor) => void

/** A step that no training reaches: averaging has not begun. */
const never = 2 ** 31 - 1
/** The largest f32: worse than any loss, as no measurement was made yet. */
export const worst = 3.4028234663852886e38

/** The averages of one optimiser's parameters, and what decides when they begin. */
export class Averaging {
  /** i32 []: finished steps when averaging began, or `never`. */
  readonly #since = new Variable<'i32', []>({
    label: 'averaging.since',
    dtype: 'i32',
    shape: [],
    role: 'statistic',
    init: () => constant('i32', [], never),
  })
  /** f32 [patience + 1]: the best loss of all measurements but the last `patience`, then those, the oldest first. */
  readonly #losses: Variable<'f32', [number]>
  readonly #moments = new Moments()
  readonly #decay: number | undefined

  /** @param count finished updates, at the time of tracing */
  constructor(
    options: AveragingOptions,
    private readonly count: () => Step,
  ) {
    expectOptions<AveragingOptions>('optim[average]', options, { patience: is.number, decay: is.number })
    const { patience = 5, decay } = options
    expectRange('average', 'patience', patience, 'a whole number of at least 1')
    if (decay !== undefined) expectRange('average', 'decay', decay, 'a number between 0 and 1')
    if (decay !== undefined && options.patience !== undefined) {
      throw new OstrichError('ERR_OPTION', 'optim[average]: expected patience or decay, got both')
    }
    this.#decay = decay
    this.#losses = new Variable({
      label: 'averaging.losses',
      dtype: 'f32',
      shape: [patience + 1],
      role: 'statistic',
      init: () => constant('f32', [patience + 1], worst),
    })
  }

  /** Whether measurements decide when it begins. */
  get waits(): boolean {
    return this.#decay === undefined
  }

  /** Whether there is an average, u8 []. */
  #begun(): Tensor<'u8', []> {
    return this.waits ? less(read(this.#since), never) : less(0, this.count())
  }

  /** Weight of the next value within the average, f32 []: 1 until averaging begins, then 1/2, 1/3, ... or 1 - decay. */
  weight(step: Step): Tensor<'f32', []> {
    if (this.#decay !== undefined) return where(less(0, step), 1 - this.#decay, 1)
    const averaged = maximum(sub(step, read(this.#since)), -1)
    return div(1, add(cast(averaged, 'f32'), 2))
  }

  /** Takes the value that a parameter has after this step into its average: average + weight (value - average). */
  take(variable: Variable, path: string, value: Tensor, weight: Tensor<'f32', []>, put: Put): void {
    const average = this.#moments.of(variable, path, 'average')
    // In this form a weight of 1 gives the value itself, to the bit.
    put(average, add(mul(read(average), sub(1, weight)), mul(value, weight)))
  }

  /** Takes the loss of a measurement, f32 [], the largest f32 where it was not finite; gives whether averaging has begun with it, or had before: i32 [], 1 or 0. */
  measured(loss: Tensor<'f32', []>): Tensor<'i32', []> {
    if (!this.waits) return cast(this.#begun(), 'i32')
    const [since, losses] = [read(this.#since), read(this.#losses)]
    const at = (place: number) => slice(losses, [place], [1])
    const one = reshape(loss, [1])
    const begun = where(less(loss, worst), minimum(since, this.count()), since)
    const next = where(less(reshape(at(0), []), loss), begun, since)
    const rest = losses.shape[0] - 2
    assign(this.#since, next)
    assign(this.#losses, concat([minimum(at(0), at(1)), ...(rest > 0 ? [slice(losses, [2], [rest])] : []), one], 0))
    return cast(less(next, never), 'i32')
  }

  /** Exchanges the parameters, which were updated, with their averages, if averaging has begun. */
  exchange(parameters: readonly Variable[]): void {
    const begun = this.#begun()
    for (const variable of parameters) {
      const value = read(variable)
      const average = this.#moments.of(variable, value.node.path, 'average')
      const other = read(average)
      assign(variable, where(begun, other, value))
      assign(average, where(begun, value, other))
    }
  }
}
