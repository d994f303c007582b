// A session's parameters as steps and lookers take turns at them: no step runs while someone looks. Where the optimiser averages
// them, steps find the weights that are trained, and lookers (measuring, saving, reading) the average once it has begun.
import { feed } from '../graph/index.js'
import type { Averaging } from '../optim/index.js'
import type { Built, Programs } from './programs.js'

interface AveragePrograms {
  readonly exchange: Built
  readonly measured: Built
}

export class Weights {
  readonly #programs: Programs
  /** Where the optimiser keeps averages. */
  readonly #average: AveragePrograms | undefined
  #training = false
  /** What looks at the weights does so one after the other, and steps wait for it. */
  #turn: Promise<unknown> = Promise.resolve()

  private constructor(programs: Programs, average: AveragePrograms | undefined) {
    this.#programs = programs
    this.#average = average
  }

  /** Made once the training program is: that says which parameters there are. */
  static async create(programs: Programs, averaging: Averaging | undefined): Promise<Weights> {
    if (averaging === undefined) return new Weights(programs, undefined)
    const exchange = await programs.build({ name: 'exchange', mode: 'eval', precision: 'f32' }, () => {
      averaging.exchange()
      return {}
    })
    const measured = await programs.build({ name: 'measured', mode: 'eval', precision: 'f32' }, () => ({
      begun: averaging.measured(feed('loss', 'f32', [])),
    }))
    return new Weights(programs, { exchange, measured })
  }

  /** Resolves when no one looks at the weights. */
  async ready(): Promise<void> {
    let turn: Promise<unknown>
    do {
      turn = this.#turn
      await turn
    } while (turn !== this.#turn)
  }

  /** Puts the weights that are trained in place. */
  begin(): Promise<void> {
    return this.#next(() => this.#put(true))
  }

  /** Puts back what lookers find. */
  end(): Promise<void> {
    return this.#next(() => this.#put(false))
  }

  /** Calls `look` after the steps that are `running`, with what lookers find in place, and puts back what was there. */
  atRest<T>(running: Promise<void> | undefined, look: () => Promise<T>): Promise<T> {
    return this.#next(async () => {
      await running
      const training = this.#training
      await this.#put(false)
      try {
        return await look()
      } finally {
        await this.#put(training)
      }
    })
  }

  /** Tells the loss of a measurement, which may begin the average; gives whether there is one now, where there may be. */
  async measured(loss: number): Promise<boolean | undefined> {
    if (this.#average === undefined) return undefined
    const begun = new Int32Array(1)
    await this.#average.measured.program.run({ loss: Float32Array.of(loss) }, { begun })
    return begun[0] === 1
  }

  async #put(training: boolean): Promise<void> {
    if (this.#average === undefined || this.#training === training) return
    await this.#average.exchange.program.run({}, {})
    await this.#programs.refreshShadows()
    this.#training = training
  }

  #next<T>(act: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(act)
    this.#turn = result.catch(() => undefined)
    return result
  }
}
