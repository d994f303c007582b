// What the tests of layers over sound and frames share: rows of lengths of their own, run in double precision.
import { feed, Names, type Tensor, trace, type TraceMode } from '../../../../lib/graph/index.js'
import type * as nn from '../../../../lib/nn/index.js'
import { interpret } from '../../../support/interpreter.js'
import { type NDArray, ndarray } from '../../../support/ndarray.js'
import { fixedStates } from '../../../support/sound.js'

interface Run {
  readonly output: NDArray
  readonly lengths?: NDArray
  readonly mask?: NDArray
}

/** A layer over samples [S, N] of these lengths. */
export function heard(layer: nn.FrameLayer, samples: NDArray, lengths?: readonly number[]): Run {
  const graph = trace({ name: 'net', names: new Names() }, () => {
    const x = feed('x', 'f32', samples.shape) as Tensor<'f32', [number, number]>
    const call = lengths && { lengths: feed('lengths', 'i32', [lengths.length]) as Tensor<'i32'> }
    const { output, lengths: frames, mask } = layer.run(x, call)
    return { output, lengths: frames, ...(mask && { mask }) }
  })
  const feeds = { x: samples, ...(lengths && { lengths: ndarray([lengths.length], lengths) }) }
  return interpret(graph, feeds, fixedStates(graph)).fetches as unknown as Run
}

/** A layer over frames [T, N, D] of these lengths; `states` are those of draws. */
export function followed(
  layer: nn.SequenceLayer,
  x: NDArray,
  lengths?: readonly number[],
  mode: TraceMode = 'eval',
  states: Readonly<Record<string, NDArray>> = {},
): NDArray {
  const graph = trace({ name: 'net', mode, names: new Names() }, () => {
    const call = lengths && { lengths: feed('lengths', 'i32', [lengths.length]) as Tensor<'i32'> }
    return layer.run(feed('x', 'f32', x.shape) as nn.Features, call)
  })
  const feeds = { x, ...(lengths && { lengths: ndarray([lengths.length], lengths) }) }
  return interpret(graph, feeds, states).fetches['output']!
}
