// The state of a recurrent layer between runs: zeros, or what the last run left in variables.
import { assign, keptBy, read, ShapeError, type Shape, type Tensor, traceMode, Variable } from '../graph/index.js'
import { mul, reshape, slice, sub, zeros } from '../ops/index.js'
import { freshStreams } from '../ops/streams.js'
import { typeText } from './check.js'

/** One state of a layer, [N, units] for each number of streams N. */
export class CarriedState {
  readonly #label: string
  readonly #units: number

  constructor(label: string, units: number) {
    this.#label = label
    this.#units = units
  }

  /** What the trace that is running starts from. `where` is the layer in messages. */
  start(streams: number, where: string): Tensor<'f32'> {
    const before = read(this.#variable(streams)) as Tensor as Tensor<'f32'>
    const fresh = freshStreams()
    if (fresh === undefined) return before
    if (fresh.shape[0] !== streams) {
      throw new ShapeError(`${where}: expected fresh streams of f32[${streams}], got ${typeText(fresh)}`)
    }
    return mul<'f32', Shape, Shape>(before, sub(1, reshape(fresh, [streams, 1]) as Tensor<'f32'>))
  }

  /** Keeps the state after step `t` of [T, N, units] for the next run. */
  keep(states: Tensor<'f32'>, t: number): void {
    const [, streams = 1, units = 1] = states.shape
    assign(this.#variable(streams), reshape(slice(states, [t, 0, 0], [1, streams, units]), [streams, units]))
  }

  /** Evaluation has states of its own, which no checkpoint holds: it never disturbs those of training. */
  #variable(streams: number): Variable<'f32', [number, number]> {
    const training = traceMode() === 'train'
    const label = `${this.#label}${streams}${training ? '' : '_eval'}`
    const shape: [number, number] = [streams, this.#units]
    const role = training ? 'statistic' : 'scratch'
    return keptBy(
      this,
      label,
      () => new Variable<'f32', [number, number]>({ label, dtype: 'f32', shape, role, init: () => zeros(shape) }),
    )
  }
}
