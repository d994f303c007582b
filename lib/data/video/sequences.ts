// Sequences of frames as a data set.
import type { Dataset } from '../dataset.js'

interface FrameField {
  readonly dtype: 'u8'
  readonly shape: readonly [number, number, number, number]
  readonly batchAxis: 1
}

/**
 * Sequences of frames. `x`: u8 [given, channels, height, width], the frames that a network sees; `target`: u8 [future, channels, height,
 * width], those that follow. Time is the first extent of a batch, the batch the second.
 */
export type FrameSequences = Dataset<{ readonly x: FrameField; readonly target: FrameField }>

/** The fields of sequences of frames of [channels, height, width]. */
export function frameFields(
  given: number,
  future: number,
  frame: readonly [number, number, number],
): FrameSequences['fields'] {
  return {
    x: { dtype: 'u8', shape: [given, ...frame], batchAxis: 1 },
    target: { dtype: 'u8', shape: [future, ...frame], batchAxis: 1 },
  }
}

/** Where the frames of each field of a sequence come from: those from `first` on, `count` of them. */
export function partsOf({ x, target }: FrameSequences['fields']) {
  return [
    { name: 'x', spec: x, first: 0, count: x.shape[0] },
    { name: 'target', spec: target, first: x.shape[0], count: target.shape[0] },
  ] as const
}
