// A layer that gives more than its output where it is run, and may be told more than its input then.
import { Tensor } from '../graph/index.js'
import { layer, type LayerOptions } from './layer.js'

/** What `runnable` makes a layer of. `C` is what a call may say besides x; `R` all that comes of it. */
export interface RunnableOptions<C, R> extends Omit<LayerOptions<Tensor, Tensor>, 'apply'> {
  /** All that the layer gives in a run with `call`; its output alone where there is none, as it is used as a plain function. */
  readonly compute: (x: Tensor, call: Partial<C> | undefined) => R | Tensor
  /** Refuses what no call may say. */
  readonly expectCall: (call: Partial<C>) => void
}

/** A layer with a method `run`, which runs in the layer's own place: its weights, and its path. */
export function runnable<C, R extends { readonly output: Tensor }>({
  compute,
  expectCall,
  ...options
}: RunnableOptions<C, R>) {
  let call: Partial<C> | undefined
  let all: R | undefined
  const own = layer<Tensor, Tensor>({
    ...options,
    apply: (x) => {
      const given = compute(x, call)
      if (given instanceof Tensor) return given
      all = given
      return given.output
    },
  })
  const run = (x: Tensor, given: Partial<C> = {}): R => {
    expectCall(given)
    call = given
    try {
      own(x)
      return all!
    } finally {
      call = undefined
      all = undefined
    }
  }
  return Object.defineProperty(own, 'run', { value: run, enumerable: true })
}
