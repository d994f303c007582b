// The mean of the frames of a data set: what whoever knows nothing of a sequence predicts.
import type { FrameSequences } from './sequences.js'

/** Options of `meanFrame`. */
export interface MeanFrameOptions {
  /** How many sequences, the first ones. Default: 1,000, or all where there are fewer. */
  readonly sequences?: number
}

/** As `meanFrame` of the room says. */
export async function meanFrame(set: FrameSequences, { sequences = 1000 }: MeanFrameOptions): Promise<Float32Array> {
  const [future, ...extents] = set.fields.target.shape
  const pixels = extents.reduce((product, extent) => product * extent, 1)
  const count = Math.min(sequences, set.length)
  const sums = new Float64Array(pixels)
  const target = new Uint8Array(future * pixels)
  const x = new Uint8Array(set.fields.x.shape[0] * pixels)
  for (let index = 0; index < count; index++) {
    await set.gather(Uint32Array.of(index), { x, target })
    for (let i = 0; i < target.length; i++) sums[i % pixels]! += target[i]!
  }
  return Float32Array.from(sums, (sum) => sum / (255 * count * future))
}
