// Gradients to look at: of the loss on one batch of the training set, by weights as they are. No step is taken.
import { grad } from '../autodiff/index.js'
import { kindOf } from '../data/buckets.js'
import { count, type HostArray, hostArray, OstrichError, read } from '../graph/index.js'
import type { Position } from './loop.js'
import { traced } from './objective.js'
import type { Built } from './programs.js'
import type { SessionParts } from './session-parts.js'

/** Compiles what it needs when it is first asked. */
export class Gradients {
  readonly #parts: SessionParts
  readonly #built = new Map<string, Promise<Built>>()

  constructor(parts: SessionParts) {
    this.#parts = parts
  }

  /** Of the first batch of this epoch, by path. */
  async read({ epoch }: Position): Promise<Record<string, HostArray>> {
    const { sources, options } = this.#parts
    const { batch, seed, shuffle } = options
    const batches = sources.train.epoch({ batch, epoch, startStep: 0, seed, shuffle, augment: true, dropLast: true })
    for await (const { count: rows, steps, extents, feeds } of batches) {
      const { program, feeds: read, fetches } = await this.#program(rows, steps, extents)
      const values = Object.fromEntries(fetches.map(({ name, dtype, shape }) => [name, hostArray(dtype, count(shape))]))
      await program.run(Object.fromEntries(read.map(({ name }) => [name, feeds[name]!])), values)
      return values
    }
    throw new OstrichError('ERR_DATA', 'gradients: expected a batch of training examples, got none')
  }

  #program(
    rows: number,
    steps: number | undefined,
    extents: Readonly<Record<string, number>> | undefined,
  ): Promise<Built> {
    const key = kindOf(rows, steps, extents)
    const known = this.#built.get(key)
    if (known !== undefined) return known
    const { programs, sources, options, trainer, place } = this.#parts
    const shape = sources.train.shapes(options.batch).find((one) => kindOf(one.rows, one.steps, one.extents) === key)!
    const built = programs.build({ name: `gradients${key}`, mode: 'eval', precision: place.precision }, () => {
      const { loss } = traced(options, shape.fields, shape.rows)
      const values = trainer.parameters.map((variable) => read(variable))
      const gradients = grad(loss, values)
      return Object.fromEntries(values.map(({ node }, i) => [node.path, gradients[i]!]))
    })
    this.#built.set(key, built)
    return built
  }
}
