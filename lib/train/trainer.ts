// The training programs, one for each kind of batch: forward, gradient of every parameter that was read, optimiser update, step count;
// one run per step. All of them are over the same variables.
import type { CompilePrecision } from '../compile/index.js'
import { grad } from '../autodiff/index.js'
import { kindOf } from '../data/buckets.js'
import type { Batch, BatchShape, Fields } from '../data/index.js'
import { assign, OstrichError, read as readVariable, type Variable, variablesRead } from '../graph/index.js'
import { add, mul, parameterGradient, step as stepVariable } from '../ops/index.js'
import type { Optimizer } from '../optim/index.js'
import { Kept } from './kept.js'
import type { Built, Programs } from './programs.js'
import { type Task, traced } from './objective.js'
import { readState, type StateStore } from './state.js'

export interface TrainingOptions {
  readonly task: Task
  /** The kinds of batches that there may be, that of the most values first: whose program is made at once. */
  readonly shapes: readonly BatchShape[]
  readonly optimizer: Optimizer
  readonly precision: CompilePrecision
  /** Programs that are kept. Default: all. */
  readonly most?: number | undefined
  /** Whether those of all kinds are made at once. Default: each when it is needed. */
  readonly ahead?: boolean | undefined
}

/** A program, and what its trace has found. */
interface Training {
  readonly built: Built
  readonly read: ReadonlySet<string>
  readonly parameters: readonly Variable[]
}

export class Trainer {
  readonly #programs: Programs
  readonly #options: TrainingOptions
  readonly #kept: Kept<Training>
  /** A loss for each run that may be in flight, and one for the caller. */
  readonly #losses = [0, 1, 2].map(() => new Float32Array(1))
  #last: Training

  private constructor(programs: Programs, options: TrainingOptions, kept: Kept<Training>, first: Training) {
    this.#programs = programs
    this.#options = options
    this.#kept = kept
    this.#last = first
  }

  /**
   * Makes the program of the largest batches, and with `ahead` those of all others.
   * @throws OstrichError `ERR_OPTION` where the network has nothing to train
   */
  static async create(programs: Programs, options: TrainingOptions): Promise<Trainer> {
    const { shapes, most = Infinity, ahead = false } = options
    const kept = new Kept<Training>(most, ({ built }) => {
      programs.free(built)
    })
    // The smallest are made first, so that the largest, which is made in any case, is kept.
    let first: Training | undefined
    for (const shape of shapes.slice(0, ahead ? most : 1).reverse()) {
      first = await kept.made(kindOf(shape.rows, shape.steps, shape.extents), () => training(programs, options, shape))
    }
    return new Trainer(programs, options, kept, first!)
  }

  /** The fields that the objective reads. */
  get read(): ReadonlySet<string> {
    return this.#last.read
  }

  /** What it updates, in the order in which the network reads it. */
  get parameters(): readonly Variable[] {
    return this.#last.parameters
  }

  /** Makes the program for batches such as this one; undefined where there is one. */
  prepare({ count, steps, extents }: Batch): Promise<void> | undefined {
    const key = kindOf(count, steps, extents)
    if (this.#kept.get(key) !== undefined) return undefined
    const shape = this.#options.shapes.find((one) => kindOf(one.rows, one.steps, one.extents) === key)
    if (shape === undefined) {
      const got = `${count} rows of ${extents === undefined ? (steps ?? 1) : Object.values(extents).join(' and ')} steps`
      throw new OstrichError('ERR_STATE', `step: expected a batch of a kind that the data has, got ${got}`)
    }
    return this.#made(key, shape)
  }

  async #made(key: string, shape: BatchShape): Promise<void> {
    this.#last = await this.#kept.made(key, () => training(this.#programs, this.#options, shape))
  }

  /** Starts a step on a batch that was prepared for, whose arrays stay as they are until it has ended; the promise is of the batch's mean loss before the update. */
  async start(batch: Batch, step: number): Promise<number> {
    const loss = this.#losses[step % this.#losses.length]!
    this.#last = this.#kept.get(kindOf(batch.count, batch.steps, batch.extents)) ?? this.#last
    const { built, read } = this.#last
    try {
      const feeds = Object.fromEntries([...read].map((name) => [name, batch.feeds[name]!]))
      await built.program.run(feeds, { loss }, { lent: true })
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'ERR_DEVICE'
      const got = error instanceof Error ? error.message : String(error)
      throw Object.assign(new OstrichError(code, `step ${step}: ${got}`), { cause: error })
    }
    return loss[0]!
  }

  /** Of the program that was used last. */
  get stats(): ReturnType<Built['program']['stats']> {
    return this.#last.built.program.stats()
  }
}

/** Traces and builds the program for one kind of batch. */
async function training(
  programs: Programs,
  { task, optimizer, precision, shapes }: TrainingOptions,
  { rows, steps, extents, fields }: BatchShape,
): Promise<Training> {
  let parameters: readonly Variable[] = []
  let read: ReadonlySet<string> = new Set()
  const name = shapes.length === 1 ? 'train' : `train${kindOf(rows, steps, extents)}`
  const built = await programs.build({ name, mode: 'train', precision, brings: true }, () => {
    const outcome = traced(task, fields, rows)
    const { loss } = outcome
    read = outcome.read
    parameters = trainedOf(optimizer)
    const gradients = grad(
      task.overTime === 'sum' ? mul(loss, stepsOf(fields)) : loss,
      parameters.map((variable) => readVariable(variable)),
    )
    const step = readVariable(stepVariable)
    const updates = parameters.map((variable, i) => ({
      variable,
      gradient: parameterGradient(variable, gradients[i]!),
    }))
    optimizer.update(updates, step)
    assign(stepVariable, add(step, 1))
    return { loss }
  })
  return { built, read, parameters }
}

/** What the optimiser trains of the parameters that were read. */
function trainedOf(optimizer: Optimizer): readonly Variable[] {
  const parameters = variablesRead().filter((variable) => variable.role === 'parameter')
  if (parameters.length === 0) {
    const expected = 'expected a network that reads parameters, got one that reads none'
    throw new OstrichError('ERR_OPTION', `session[net]: ${expected}`)
  }
  const trained = optimizer.trained?.(parameters) ?? parameters
  if (trained.length > 0) return trained
  throw new OstrichError('ERR_OPTION', 'session[optimizer]: expected a parameter to train, got all of them frozen')
}

/** Steps of a window, where the data is sequences. */
function stepsOf({ x }: Fields): number {
  return x?.batchAxis === 1 ? (x.shape[0] ?? 1) : 1
}

/** Says where a run went wrong: the first parameter, in the order of the graph, that holds a NaN or an infinity. */
export async function notFinite(store: StateStore, step: number, loss: number): Promise<OstrichError> {
  for (const entry of store.parameters()) {
    const values = await readState(entry)
    const at = (values as Float32Array).findIndex((value) => !Number.isFinite(value))
    if (at < 0) continue
    const where = `the first parameter that is not is ${entry.name} (element ${at})`
    return new OstrichError('ERR_NOT_FINITE', `step ${step}: expected a finite loss, got ${loss}; ${where}`)
  }
  return new OstrichError(
    'ERR_NOT_FINITE',
    `step ${step}: expected a finite loss, got ${loss}; all parameters are finite`,
  )
}
