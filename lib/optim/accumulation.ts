// Gradients of several batches as one: their mean is what an update sees, at every k-th batch. Sums and counters are variables,
// so that a checkpoint within a sum goes on to the bit; a sum that is begun in one epoch goes on in the next.
import { assign, constant, read, type Tensor, Variable } from '../graph/index.js'
import { add, equal, mul, where } from '../ops/index.js'
import { Moments } from './moments.js'
import type { Step } from './schedules.js'

function counter(label: string): Variable<'i32', []> {
  return new Variable({ label, dtype: 'i32', shape: [], role: 'statistic', init: () => constant('i32', [], 0) })
}

export class Accumulation {
  /** Batches in the sum, 0 to k - 1. */
  readonly #batches = counter('accumulation.batches')
  readonly #updates = counter('accumulation.updates')
  readonly #sums = new Moments()

  constructor(private readonly batches: number) {}

  /** Finished updates. */
  get updates(): Step {
    return read(this.#updates)
  }

  /** Counts a batch; gives whether it is the last of a sum, u8 []. */
  count(): Tensor<'u8', []> {
    const [batches, updates] = [read(this.#batches), read(this.#updates)]
    const due = equal(batches, this.batches - 1)
    assign(this.#batches, where(due, 0, add(batches, 1)))
    assign(this.#updates, where(due, add(updates, 1), updates))
    return due
  }

  /** Adds a gradient to its sum; gives the mean of those so far over k, which is right where the batch is due. */
  mean(variable: Variable, path: string, gradient: Tensor, due: Tensor<'u8', []>): Tensor {
    const sum = this.#sums.of(variable, path, 'gradients')
    const total = add(read(sum), gradient)
    assign(sum, where(due, 0, total))
    return mul(total, 1 / this.batches)
  }
}
