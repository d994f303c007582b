// Frames of sound put together, so that layers over time have fewer steps.
import type { Shape, Tensor } from '../graph/index.js'
import type { Framed } from '../nn/index.js'
import {
  add,
  cast,
  concat,
  div,
  floor,
  reshape,
  sequenceMask,
  transpose,
  where as select,
  zeros,
} from '../ops/index.js'

/**
 * So many frames that follow each other as one, without overlap: [T, N, D] -> [ceil(T / count), N, count D]. Behind a row's last frame stand
 * zeros, so that what it is padded with changes nothing.
 * @see Sak, Senior, Rao & Beaufays 2015, "Fast and accurate recurrent neural network acoustic models for speech recognition", 3.2
 */
export function stackFrames(framed: Framed, count: number): Framed {
  if (count === 1) return framed
  const { output, lengths, mask } = framed
  const [steps = 1, rows = 1, features = 1] = output.shape
  const own = mask === undefined ? output : select<'f32'>(reshape(mask, [...mask.shape, 1]), output, 0)
  const after = Math.ceil(steps / count)
  const missing = after * count - steps
  const whole = missing === 0 ? own : concat([own, zeros([missing, rows, features])], 0)
  const stacked = transpose(reshape(whole, [after, count, rows, features]), [0, 2, 1, 3])
  const fewer = floor(div<'f32', Shape>(add<'f32', Shape>(cast(lengths, 'f32'), count - 1), count))
  const known: Tensor<'i32'> = cast(fewer, 'i32')
  return {
    output: reshape(stacked, [after, rows, count * features]),
    lengths: known,
    mask: mask === undefined ? undefined : sequenceMask(known, after),
  }
}
