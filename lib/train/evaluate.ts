// Measures a data set: every example counts exactly once, so a short last batch has a program of its own size.
import type { CompilePrecision } from '../compile/index.js'
import { type Batch, type FieldSpec, windowFields } from '../data/index.js'
import { count } from '../graph/index.js'
import { type MetricName, type Metrics, unmeasured } from './events.js'
import type { Built, Programs } from './programs.js'
import type { Fields, Source } from './source.js'
import { amongFive, checkFields, correct, forward, taken, type Task } from './task.js'

/** Batches whose results may be outstanding: the device works on one while the next is read. */
const IN_FLIGHT = 2

interface Outcome {
  readonly examples: number
  readonly loss: Float32Array
  readonly correct: Float32Array | undefined
  readonly top5: Float32Array | undefined
  readonly done: Promise<unknown>
}

/** Evaluation programs over the session's state, compiled when they are first needed. */
export class Evaluator {
  readonly #programs: Programs
  readonly #task: Task
  readonly #precision: CompilePrecision
  readonly #trained: FieldSpec
  readonly #built = new Map<string, Promise<Built>>()

  /** @param trained the `x` that the network was trained on */
  constructor(programs: Programs, task: Task, precision: CompilePrecision, trained: FieldSpec) {
    this.#programs = programs
    this.#task = task
    this.#precision = precision
    this.#trained = trained
  }

  /**
   * Mean loss and accuracy over all examples of a source, in runs of `batch` examples, or of so many views of fewer.
   * @throws DataError for other fields than a task has; what the source and the device throw (a label outside the classes: ERR_DATA)
   */
  async measure(source: Source, batch: number): Promise<Metrics> {
    checkFields('evaluate[data]', source.fields, this.#trained)
    const waiting: Outcome[] = []
    const total = { examples: 0, loss: 0, correct: 0, top5: 0 }
    const settle = async (): Promise<void> => {
      const outcome = waiting.shift()
      if (outcome === undefined) return
      await outcome.done
      total.examples += outcome.examples
      total.loss += outcome.loss[0]! * outcome.examples
      total.correct += outcome.correct?.[0] ?? NaN
      total.top5 += outcome.top5?.[0] ?? NaN
    }
    try {
      for await (const one of source.epoch({ batch: Math.max(1, Math.floor(batch / source.views)), epoch: 0 })) {
        waiting.push(await this.#start(source, one))
        if (waiting.length >= IN_FLIGHT) await settle()
      }
      while (waiting.length > 0) await settle()
    } finally {
      await Promise.allSettled(waiting.map((outcome) => outcome.done))
    }
    if (total.examples === 0) return unmeasured
    const { examples } = total
    const asked = (metric: MetricName): boolean => this.#task.metrics?.includes(metric) === true
    const loss = total.loss / examples
    return {
      loss,
      ...(asked('perplexity') && { perplexity: Math.exp(loss) }),
      ...(asked('bits') && { bits: loss / Math.LN2 }),
      accuracy: total.correct / examples,
      ...(asked('top5') && { top5: total.top5 / examples }),
    }
  }

  async #start(source: Source, { count: rows, steps, feeds: all }: Batch): Promise<Outcome> {
    const { views } = source
    // A last window that is short has a program of its own length, so that every token counts once.
    const fields = steps === undefined ? source.fields : windowFields(steps)
    const { program, compiled } = await this.#program(fields, rows, views)
    const examples = rows * (steps ?? 1)
    const loss = new Float32Array(1)
    const fetched = (name: string): Float32Array | undefined =>
      compiled.fetches.some((fetch) => fetch.name === name) ? new Float32Array(1) : undefined
    const [hits, top5] = [fetched('correct'), fetched('top5')]
    const feeds = firstRows(all, fields, rows)
    const done = program.run(feeds, { loss, ...(hits && { correct: hits }), ...(top5 && { top5 }) })
    // Whoever settles it sees the failure; until then it must not count as unhandled.
    done.catch(() => undefined)
    return { examples, loss, correct: hits, top5, done }
  }

  #program(fields: Fields, batch: number, views: number): Promise<Built> {
    const key = JSON.stringify([batch, views, taken(fields).map((name) => [name, fields[name]])])
    let built = this.#built.get(key)
    if (built === undefined) {
      const options = {
        name: views === 1 ? `eval${batch}` : `eval${batch}x${views}`,
        mode: 'eval',
        precision: this.#precision,
      } as const
      built = this.#programs.build(options, () => {
        const passed = forward(this.#task, fields, batch, views)
        const hits = correct(passed)
        const top5 = this.#task.metrics?.includes('top5') === true ? amongFive(passed) : undefined
        return { loss: passed.loss, ...(hits && { correct: hits }), ...(top5 && { top5 }) }
      })
      this.#built.set(key, built)
    }
    return built
  }
}

/** The real examples of a batch, in the fields that a program takes. */
function firstRows(feeds: Batch['feeds'], fields: Fields, rows: number): Batch['feeds'] {
  return Object.fromEntries(
    taken(fields).map((name) => {
      const [spec, values] = [fields[name]!, feeds[name]!]
      return [name, values.subarray(0, rows * count(spec.shape))]
    }),
  )
}
