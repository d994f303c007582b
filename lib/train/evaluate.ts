// Measures a data set: every example counts exactly once, so a short last batch has a program of its own size, as has each kind of
// batch of examples of variable length, and a short last window of a text.
import type { CompilePrecision } from '../compile/index.js'
import type { Batch, Fields } from '../data/index.js'
import { fieldsAt } from '../data/dataset.js'
import { firstRows } from '../data/rows.js'
import { count, hostArray, type HostArray } from '../graph/index.js'
import type { Metrics } from './events.js'
import { Account, fetchesOf, type Making, makingOf } from './account.js'
import { expectFields, readOf } from './fields.js'
import { Kept } from './kept.js'
import { type Task, traced } from './objective.js'
import type { Built, Programs } from './programs.js'
import type { Source } from './source.js'

/** Batches whose results may be outstanding: the device works on one while the next is read. */
const IN_FLIGHT = 2

/** A program that measures a batch of one size, the fields that it reads, and what is made of what it gives. */
interface Measuring {
  readonly built: Built
  readonly read: ReadonlySet<string>
  readonly making: Making
}

interface Flight {
  readonly examples: number
  readonly making: Making
  readonly results: Readonly<Record<string, HostArray>>
  readonly done: Promise<unknown>
}

/** Evaluation programs over the session's state, compiled when they are first needed. */
export class Evaluator {
  readonly #programs: Programs
  readonly #task: Task
  readonly #precision: CompilePrecision
  readonly #trained: Fields
  readonly #kept: Kept<Measuring>

  /**
   * @param trained the fields that the network was trained on
   * @param most programs that are kept
   */
  constructor(programs: Programs, task: Task, precision: CompilePrecision, trained: Fields, most = Infinity) {
    this.#kept = new Kept(most, ({ built }) => {
      programs.free(built)
    })
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
      account.add(flight.making, flight.results, flight.examples)
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

  /** Frees what was compiled; the next measurement compiles anew. */
  clear(): void {
    this.#kept.clear()
  }

  async #start(source: Source, { count: rows, steps, extents, tokens = rows, feeds: all }: Batch): Promise<Flight> {
    const fields = fieldsAt(source.fields, steps, extents)
    const key = JSON.stringify([rows, source.views, fields])
    const { built, read: names, making } = await this.#kept.made(key, () => this.#build(fields, rows, source.views))
    const results = Object.fromEntries(
      built.fetches.map(({ name, dtype, shape }) => [name, hostArray(dtype, count(shape))]),
    )
    const read = Object.entries(readOf(fields, names))
    const feeds = Object.fromEntries(read.map(([name, spec]) => [name, firstRows(spec, all[name]!, rows)]))
    const done = built.program.run(feeds, results)
    // Whoever settles it sees the failure; until then it must not count as unhandled.
    done.catch(() => undefined)
    return { examples: tokens, making, results, done }
  }

  async #build(fields: Fields, batch: number, views: number): Promise<Measuring> {
    const name = views === 1 ? `eval${batch}` : `eval${batch}x${views}`
    let found: Omit<Measuring, 'built'> | undefined
    const built = await this.#programs.build({ name, mode: 'eval', precision: this.#precision }, () => {
      const outcome = traced(this.#task, fields, batch, views)
      found = { read: outcome.read, making: makingOf(outcome) }
      return fetchesOf(outcome)
    })
    return { built, ...found! }
  }
}
