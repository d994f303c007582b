// Measures a data set: every example counts exactly once, so a short last batch has a program of its own size.
import type { CompilePrecision } from '../compile/index.js'
import type { Batch } from '../data/index.js'
import { count } from '../graph/index.js'
import { type Metrics, unmeasured } from './events.js'
import type { Built, Programs } from './programs.js'
import type { Fields, Source } from './source.js'
import { correct, forward, taken, type Task } from './task.js'

/** Batches whose results may be outstanding: the device works on one while the next is read. */
const IN_FLIGHT = 2

interface Outcome {
  readonly examples: number
  readonly loss: Float32Array
  readonly correct: Float32Array | undefined
  readonly done: Promise<unknown>
}

/** Evaluation programs over the session's state, compiled when they are first needed. */
export class Evaluator {
  readonly #programs: Programs
  readonly #task: Task
  readonly #precision: CompilePrecision
  readonly #built = new Map<number, Promise<Built>>()

  constructor(programs: Programs, task: Task, precision: CompilePrecision) {
    this.#programs = programs
    this.#task = task
    this.#precision = precision
  }

  /**
   * Mean loss and accuracy over all examples of a source.
   * @throws what the source and the device throw (a label outside the classes: ERR_DATA)
   */
  async measure(source: Source, batch: number): Promise<Metrics> {
    const waiting: Outcome[] = []
    const total = { examples: 0, loss: 0, correct: 0 }
    const settle = async (): Promise<void> => {
      const outcome = waiting.shift()
      if (outcome === undefined) return
      await outcome.done
      total.examples += outcome.examples
      total.loss += outcome.loss[0]! * outcome.examples
      total.correct += outcome.correct?.[0] ?? NaN
    }
    try {
      for await (const one of source.epoch({ batch, epoch: 0 })) {
        waiting.push(await this.#start(source.fields, one))
        if (waiting.length >= IN_FLIGHT) await settle()
      }
      while (waiting.length > 0) await settle()
    } finally {
      await Promise.allSettled(waiting.map((outcome) => outcome.done))
    }
    if (total.examples === 0) return unmeasured
    return { loss: total.loss / total.examples, accuracy: total.correct / total.examples }
  }

  async #start(fields: Fields, { count: examples, feeds }: Batch): Promise<Outcome> {
    const { program, compiled } = await this.#program(fields, examples)
    const loss = new Float32Array(1)
    const counted = compiled.fetches.some(({ name }) => name === 'correct')
    const hits = counted ? new Float32Array(1) : undefined
    const rows = firstRows(feeds, fields, examples)
    const done = program.run(rows, { loss, ...(hits && { correct: hits }) })
    // Whoever settles it sees the failure; until then it must not count as unhandled.
    done.catch(() => undefined)
    return { examples, loss, correct: hits, done }
  }

  #program(fields: Fields, batch: number): Promise<Built> {
    let built = this.#built.get(batch)
    if (built === undefined) {
      const options = { name: `eval${batch}`, mode: 'eval', precision: this.#precision } as const
      built = this.#programs.build(options, () => {
        const passed = forward(this.#task, fields, batch)
        const hits = correct(passed)
        return { loss: passed.loss, ...(hits && { correct: hits }) }
      })
      this.#built.set(batch, built)
    }
    return built
  }
}

/** The real examples of a batch, in the two fields that a program takes. */
function firstRows(feeds: Batch['feeds'], fields: Fields, rows: number): Batch['feeds'] {
  return Object.fromEntries(
    taken.map((name) => {
      const [spec, values] = [fields[name]!, feeds[name]!]
      return [name, values.subarray(0, rows * count(spec.shape))]
    }),
  )
}
