// Streams of a batch that go on from run to run, and which of them start anew.
import { formatShape, ShapeError, type Tensor, type Variable } from '../graph/index.js'

let fresh: Tensor<'f32'> | undefined

/**
 * Traces `body` so that its recurrent layers with `carry` take the state of stream n as 0 where `fresh` [N] is 1, and go on
 * where it is 0. Without it every stream goes on.
 * @throws ShapeError for anything but f32 [N].
 * @example nn.withFreshStreams(feed('fresh', 'f32', [20]), () => net(x))
 */
export function withFreshStreams<R>(starts: Tensor<'f32'>, body: () => R): R {
  expectStarts(starts)
  const outer = fresh
  fresh = starts
  try {
    return body()
  } finally {
    fresh = outer
  }
}

function expectStarts({ dtype, rank, shape }: Tensor): void {
  if (dtype === 'f32' && rank === 1) return
  throw new ShapeError(`withFreshStreams: expected f32[N], got ${dtype}${formatShape(shape)}`)
}

/** What the innermost `withFreshStreams` that is running was given. */
export function freshStreams(): Tensor<'f32'> | undefined {
  return fresh
}

/** The states that recurrent layers with `carry` leave for one user of a network, apart from those of all others. */
export class StreamStates {
  /** Every variable of theirs, in the order in which traces met them. */
  readonly variables = new Set<Variable>()
  readonly #owners = new Map<object, object>()

  /** What keeps the variables of one layer's state here. */
  ownerOf(state: object): object {
    const owner = this.#owners.get(state) ?? {}
    this.#owners.set(state, owner)
    return owner
  }
}

let states: StreamStates | undefined

/** Traces `body` so that its recurrent layers with `carry` go on from these states, and leave theirs there. */
export function withStreamStates<R>(own: StreamStates, body: () => R): R {
  const outer = states
  states = own
  try {
    return body()
  } finally {
    states = outer
  }
}

/** What the innermost `withStreamStates` that is running was given. */
export function streamStates(): StreamStates | undefined {
  return states
}
