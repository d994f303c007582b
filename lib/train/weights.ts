// A session's parameters as steps and lookers take turns at them: no step starts while someone looks, and who looks waits for the
// steps in flight. Where the optimiser averages them, steps find the weights that are trained, and lookers (measuring, saving,
// reading) the average once it has begun.
import { AsyncLocalStorage } from 'node:async_hooks'
import { feed, OstrichError, type Variable } from '../graph/index.js'
import { worst } from '../optim/averaging.js'
import type { Averaging } from '../optim/index.js'
import type { Built, Programs } from './programs.js'

interface AveragePrograms {
  readonly exchange: Built
  readonly measured: Built
}

/** Whose turn the code that runs is part of: it would wait for itself if it asked for another. */
const turns = new AsyncLocalStorage<Weights>()

export class Weights {
  readonly #programs: Programs
  /** Where the optimiser keeps averages. */
  readonly #average: AveragePrograms | undefined
  #training = false
  #last: Promise<unknown> = Promise.resolve()

  private constructor(programs: Programs, average: AveragePrograms | undefined) {
    this.#programs = programs
    this.#average = average
  }

  /** @param parameters what the optimiser updates */
  static async create(
    programs: Programs,
    averaging: Averaging | undefined,
    parameters: readonly Variable[],
  ): Promise<Weights> {
    if (averaging === undefined) return new Weights(programs, undefined)
    const exchange = await programs.build({ name: 'exchange', mode: 'eval', precision: 'f32' }, () => {
      averaging.exchange(parameters)
      return {}
    })
    const measured = await programs.build({ name: 'measured', mode: 'eval', precision: 'f32' }, () => ({
      begun: averaging.measured(feed('loss', 'f32', [])),
    }))
    return new Weights(programs, { exchange, measured })
  }

  /** Calls `start`, which starts a step, when no one looks. */
  step(start: () => void): Promise<void> {
    return this.#next(() => {
      start()
      return Promise.resolve()
    })
  }

  /** Puts the weights that are trained in place. */
  begin(): Promise<void> {
    return this.#next(() => this.#put(true))
  }

  /** Puts back what lookers find. */
  end(): Promise<void> {
    return this.#next(() => this.#put(false))
  }

  /**
   * Calls `look` after the steps in flight, which `settled` waits for, with what lookers find in place, and puts back what was there.
   * @throws OstrichError `ERR_STATE` within another look, whose end it would wait for
   */
  atRest<T>(settled: () => Promise<void>, look: () => Promise<T>): Promise<T> {
    if (turns.getStore() === this) {
      const expected = 'expected the weights to be measured, saved or read by one call at a time'
      return Promise.reject(new OstrichError('ERR_STATE', `session: ${expected}, got one within another`))
    }
    return this.#next(async () => {
      await settled()
      const training = this.#training
      await this.#put(false)
      try {
        return await turns.run(this, look)
      } finally {
        await this.#put(training)
      }
    })
  }

  /** Waits for everyone's turn, unless this is within one. */
  async idle(): Promise<void> {
    if (turns.getStore() !== this) await this.#last
  }

  /** Tells the loss of a measurement, which may begin the average; gives whether there is one now, where there may be. */
  async measured(loss: number): Promise<boolean | undefined> {
    if (this.#average === undefined) return undefined
    const begun = new Int32Array(1)
    const told = Float32Array.of(Number.isFinite(loss) ? loss : worst)
    await this.#average.measured.program.run({ loss: told }, { begun })
    return begun[0] === 1
  }

  async #put(training: boolean): Promise<void> {
    if (this.#average === undefined || this.#training === training) return
    this.#training = training
    // Nothing that others run may come between the two: it would find copies of other weights.
    await Promise.all([this.#average.exchange.program.run({}, {}), this.#programs.refreshShadows()])
  }

  #next<T>(act: () => Promise<T>): Promise<T> {
    const result = this.#last.then(act)
    this.#last = result.catch(() => undefined)
    return result
  }
}
