// The training program: forward, gradient of every parameter that was read, optimiser update, step count; one run per step.
import type { CompilePrecision } from '../compile/index.js'
import { grad } from '../autodiff/index.js'
import type { Batch, Fields } from '../data/index.js'
import { assign, OstrichError, read as readVariable, type Variable, variablesRead } from '../graph/index.js'
import { add, mul, parameterGradient, step as stepVariable } from '../ops/index.js'
import type { Optimizer } from '../optim/index.js'
import type { Built, Programs } from './programs.js'
import { type Task, traced } from './objective.js'
import { readState, type StateStore } from './state.js'

export interface TrainingOptions {
  readonly task: Task
  readonly fields: Fields
  readonly batch: number
  readonly optimizer: Optimizer
  readonly precision: CompilePrecision
}

export class Trainer {
  readonly #built: Built
  /** A loss for each run that may be in flight, and one for the caller. */
  readonly #losses = [0, 1, 2].map(() => new Float32Array(1))

  private constructor(
    built: Built,
    /** The fields that the objective reads. */
    readonly read: ReadonlySet<string>,
    /** What it updates, in the order in which the network reads it. */
    readonly parameters: readonly Variable[],
  ) {
    this.#built = built
  }

  /** @throws OstrichError `ERR_OPTION` where the network has nothing to train */
  static async create(
    programs: Programs,
    { task, fields, batch, optimizer, precision }: TrainingOptions,
  ): Promise<Trainer> {
    let parameters: Variable[] = []
    let read: ReadonlySet<string> = new Set()
    const built = await programs.build({ name: 'train', mode: 'train', precision, brings: true }, () => {
      const outcome = traced(task, fields, batch)
      const { loss } = outcome
      read = outcome.read
      parameters = variablesRead().filter((variable) => variable.role === 'parameter')
      if (parameters.length === 0) {
        throw new OstrichError(
          'ERR_OPTION',
          'session[net]: expected a network that reads parameters, got one that reads none',
        )
      }
      parameters = [...(optimizer.trained?.(parameters) ?? parameters)]
      if (parameters.length === 0) {
        throw new OstrichError(
          'ERR_OPTION',
          'session[optimizer]: expected a parameter to train, got all of them frozen',
        )
      }
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
    return new Trainer(built, read, parameters)
  }

  /** Starts a step; the promise is of the batch's mean loss before the update. */
  async start(batch: Batch, step: number): Promise<number> {
    const loss = this.#losses[step % this.#losses.length]!
    try {
      await this.#built.program.run(Object.fromEntries([...this.read].map((name) => [name, batch.feeds[name]!])), {
        loss,
      })
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'ERR_DEVICE'
      const got = error instanceof Error ? error.message : String(error)
      throw Object.assign(new OstrichError(code, `step ${step}: ${got}`), { cause: error })
    }
    return loss[0]!
  }

  get stats(): ReturnType<Built['program']['stats']> {
    return this.#built.program.stats()
  }
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
