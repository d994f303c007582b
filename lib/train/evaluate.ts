// Measures a data set: every example counts exactly once, so a short last batch has a program of its own size.
import type { CompilePrecision } from '../compile/index.js'
import { type Batch, type Fields, windowFields } from '../data/index.js'
import { count, hostArray, type HostArray } from '../graph/index.js'
import type { Metrics } from './events.js'
import { Account, fetchesOf } from './account.js'
import { expectFields, readOf } from './fields.js'
import { type Task, traced, type Traced } from './objective.js'
import type { Built, Programs } from './programs.js'
import type { Source } from './source.js'

/** Batches whose results may be outstanding: the device works on one while the next is read. */
const IN_FLIGHT = 2

/** A program that measures a batch of one size, and what it gives. */
interface Measuring {
  readonly built: Built
  readonly outcome: Traced
}

interface Flight {
  readonly examples: number
  readonly outcome: Traced
  readonly results: Readonly<Record<string, HostArray>>
  readonly done: Promise<unknown>
}

/** Evaluation programs over the session's state, compiled when they are first needed. */
export class Evaluator {
  readonly #programs: Programs
  readonly #task: Task
  readonly #precision: CompilePrecision
  readonly #trained: Fields
  readonly #built = new Map<string, Promise<Measuring>>()

  /** @param trained the fields that the network was trained on */
  constructor(programs: Programs, task: Task, precision: CompilePrecision, trained: Fields) {
    this.#programs = programs
    this.#task = task
    this.#precision = precision
    this.#trained = trained
  }

  /**
   * Loss and measures over all examples of a source, in runs of `batch` examples, or of so many views of fewer.
   * @throws DataError for other fields than those of training; what the source and the device throw (a label outside the classes: ERR_DATA)
   */
  async measure(source: Source, batch: number): Promise<Metrics> {
    expectFields('evaluate[data]', source.fields, this.#trained)
    const waiting: Flight[] = []
    const account = new Account()
    const settle = async (): Promise<void> => {
      const flight = waiting.shift()
      if (flight === undefined) return
      await flight.done
      account.add(flight.outcome, flight.results, flight.examples)
    }
    try {
      for await (const one of source.epoch({ batch: Math.max(1, Math.floor(batch / source.views)), epoch: 0 })) {
        waiting.push(await this.#start(source, one))
        if (waiting.length >= IN_FLIGHT) await settle()
      }
      while (waiting.length > 0) await settle()
    } finally {
      await Promise.allSettled(waiting.map((flight) => flight.done))
    }
    return account.metrics()
  }

  async #start(source: Source, { count: rows, steps, feeds: all }: Batch): Promise<Flight> {
    // A last window that is short has a program of its own length, so that every token counts once.
    const fields = steps === undefined ? source.fields : windowFields(steps)
    const { built, outcome } = await this.#program(fields, rows, source.views)
    const results = Object.fromEntries(
      built.compiled.fetches.map(({ name, dtype, shape }) => [name, hostArray(dtype, count(shape))]),
    )
    const done = built.program.run(firstRows(all, readOf(fields, outcome.read), rows), results)
    // Whoever settles it sees the failure; until then it must not count as unhandled.
    done.catch(() => undefined)
    return { examples: rows * (steps ?? 1), outcome, results, done }
  }

  #program(fields: Fields, batch: number, views: number): Promise<Measuring> {
    const key = JSON.stringify([batch, views, fields])
    let measuring = this.#built.get(key)
    if (measuring === undefined) {
      measuring = this.#build(fields, batch, views)
      this.#built.set(key, measuring)
    }
    return measuring
  }

  async #build(fields: Fields, batch: number, views: number): Promise<Measuring> {
    const name = views === 1 ? `eval${batch}` : `eval${batch}x${views}`
    let outcome: Traced | undefined
    const built = await this.#programs.build({ name, mode: 'eval', precision: this.#precision }, () => {
      outcome = traced(this.#task, fields, batch, views)
      return fetchesOf(outcome)
    })
    return { built, outcome: outcome! }
  }
}

/** The real examples of a batch. */
function firstRows(feeds: Batch['feeds'], fields: Fields, rows: number): Batch['feeds'] {
  return Object.fromEntries(
    Object.entries(fields).map(([name, { shape }]) => [name, feeds[name]!.subarray(0, rows * count(shape))]),
  )
}
