// Streams of a batch that go on from run to run, and which of them start anew.
import { formatShape, ShapeError, type Tensor } from '../graph/index.js'

let fresh: Tensor<'f32'> | undefined

/**
 * Traces `body` so that its recurrent layers with `carry` take the state of stream n as 0 where `fresh` [N] is 1, and go on
 * where it is 0. Without it every stream goes on.
 * @throws ShapeError for anything but f32 [N].
 * @example nn.withFreshStreams(feed('fresh', 'f32', [20]), () => net(x))
 */
export function withFreshStreams<R>(starts: Tensor<'f32'>, body: () => R): R {
  if ((starts as Tensor).dtype !== 'f32' || starts.rank !== 1) {
    throw new ShapeError(`withFreshStreams: expected f32[N], got ${starts.dtype}${formatShape(starts.shape)}`)
  }
  const outer = fresh
  fresh = starts
  try {
    return body()
  } finally {
    fresh = outer
  }
}

/** What the innermost `withFreshStreams` that is running was given. */
export function freshStreams(): Tensor<'f32'> | undefined {
  return fresh
}
