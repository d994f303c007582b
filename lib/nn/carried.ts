// The state of a recurrent layer between runs: zeros, or what the last run left in variables.
import { assign, keptBy, read, ShapeError, type Shape, type Tensor, traceMode, Variable } from '../graph/index.js'
import { mul, reshape, sub, zeros } from '../ops/index.js'
import { freshStreams, streamStates } from '../ops/streams.js'
import { typeText } from './check.js'

/** One state of a layer, [N, ...], for each of its extents: above all for each number of streams N. */
export class CarriedState {
  readonly #label: string

  constructor(label: string) {
    this.#label = label
  }

  /** What the trace that is running starts from. `where` is the layer in messages. */
  start(shape: Shape, where: string): Tensor<'f32'> {
    const [streams = 1, ...rest] = shape
    const before = read(this.#variable(shape))
    const fresh = freshStreams()
    if (fresh === undefined) return before
    if (fresh.shape[0] !== streams) {
      throw new ShapeError(`${where}: expected fresh streams of f32[${streams}], got ${typeText(fresh)}`)
    }
    const old = sub(1, reshape(fresh, [streams, ...rest.map(() => 1)]))
    return mul<'f32', Shape, Shape>(before, old)
  }

  /** Keeps a state [N, ...] for the next run. */
  keep(last: Tensor<'f32'>): void {
    assign(this.#variable(last.shape), last)
  }

  /** Evaluation has states of its own, which no checkpoint holds: it never disturbs those of training. */
  #variable(shape: Shape): Variable<'f32'> {
    const training = traceMode() === 'train'
    const [streams = 1, ...rest] = shape
    const extents = rest.length === 1 ? `${streams}` : shape.join('x')
    const label = `${this.#label}${extents}${training ? '' : '_eval'}`
    const role = training ? 'statistic' : 'scratch'
    const make = () => new Variable<'f32'>({ label, dtype: 'f32', shape, role, init: () => zeros(shape) })
    const own = streamStates()
    const variable = keptBy(own?.ownerOf(this) ?? this, `${shape.join('x')} ${role}`, make)
    own?.variables.add(variable)
    return variable
  }
}
