// Masks over spectra, so that a network learns to do without a part of any sound.
import { expectOptions, is, OstrichError, type Schema } from '../../base/index.js'
import { constant, count, type Shape, type Tensor, traceMode } from '../../graph/index.js'
import {
  add,
  cast,
  concat,
  floor,
  less,
  lessEqual,
  logicalAnd,
  logicalOr,
  minimum,
  mul,
  ones,
  randomUniform,
  reshape,
  sub,
  where as select,
} from '../../ops/index.js'
import { type SequenceLayer, sequenceLayer } from './sequence-layer.js'

/** Runs of neighbours that are masked. */
interface Runs {
  readonly masks: number
  /** The longest. */
  readonly most: number
}

/** Options of `specAugment`. */
export interface SpecAugmentOptions {
  /** How many runs of neighbouring channels are masked, and the most channels of one. Default: 2 of at most 27. */
  readonly frequency?: Runs
  /** How many runs of frames are masked, the most frames of one, and the most as a share of a row. Default: 2 of at most 100, and all. */
  readonly time?: Runs & { readonly share?: number }
  /** Features are so many blocks of the same channels (numbers, deltas, deltas of deltas), which are masked alike. Default: 1. */
  readonly blocks?: number
  /** In paths; default: `specAugment1`, `specAugment2`, ... */
  readonly name?: string
}

const schema: Schema<SpecAugmentOptions> = {
  frequency: is.object,
  time: is.object,
  blocks: is.whole(1),
  name: is.text,
}
const runs: Schema<Runs> = { masks: is.needed(is.whole(0, 100)), most: is.needed(is.whole(0)) }

/**
 * In training, sets random runs of channels and of frames to 0, of each row others; otherwise x itself: x f32 [T, N, D] -> the same. A run of f
 * channels, uniform from 0 to the most, begins anywhere that it fits; so do those of frames within the frames that a row has. Features
 * have a mean of 0 by then. Warping of time is left out.
 * @throws OstrichError `ERR_OPTION`, for blocks that do not divide the features too; ShapeError when traced, for an x of other rank.
 * @see Park et al. 2019, "SpecAugment: a simple data augmentation method for automatic speech recognition", 2.
 * @example nn.specAugment({ frequency: { masks: 2, most: 15 }, time: { masks: 2, most: 70, share: 0.2 } })
 */
export function specAugment(options: SpecAugmentOptions = {}): SequenceLayer {
  expectOptions('nn.specAugment', options, schema)
  const { frequency = { masks: 2, most: 27 }, time = { masks: 2, most: 100 }, blocks = 1, name } = options
  expectOptions<Runs>('nn.specAugment[frequency]', frequency, runs)
  expectOptions<NonNullable<SpecAugmentOptions['time']>>('nn.specAugment[time]', time, { ...runs, share: is.share })
  return sequenceLayer({ kind: 'specAugment', name }, ({ x, lengths }) => {
    const [steps = 1, rows = 1, features = 1] = x.shape
    if (features % blocks !== 0) {
      const expected = `expected blocks that divide ${features} features`
      throw new OstrichError('ERR_OPTION', `nn.specAugment[blocks]: ${expected}, got ${blocks}`)
    }
    if (traceMode() === 'eval') return x
    const each = (size: number): Tensor<'f32'> => mul(ones([1, rows, 1]), size)
    const channels = features / blocks
    const some = inRuns(frequency, places([1, 1, channels]), each(channels))
    const own: Tensor<'f32'> = lengths === undefined ? each(steps) : reshape(cast(lengths, 'f32'), [1, rows, 1])
    const bound = time.share === undefined ? own : floor(mul(own, time.share))
    const hidden = [
      some && concat(new Array<Tensor<'u8'>>(blocks).fill(some), -1),
      inRuns(time, places([steps, 1, 1]), own, bound),
    ].filter((mask) => mask !== undefined)
    return hidden.reduce<Tensor<'f32'>>((kept, mask) => select<'f32'>(mask, 0, kept), x)
  })
}

/** 0, 1, 2, ... along the one axis that is longer than 1. */
function places(shape: Shape): Tensor<'f32'> {
  return constant(
    'f32',
    shape,
    Array.from({ length: count(shape) }, (_, i) => i),
  )
}

/**
 * Which places lie in one of several runs, u8 of the extents of both: a run of up to `most` places, and up to `bound` [1, N, 1], within the
 * first `size` [1, N, 1]. Undefined where there are none.
 */
function inRuns(
  { masks, most }: Runs,
  place: Tensor<'f32'>,
  size: Tensor<'f32'>,
  bound = size,
): Tensor<'u8'> | undefined {
  if (masks === 0 || most === 0) return undefined
  /** A whole number from 0 to `last`. */
  const drawn = (last: Tensor<'f32'>) =>
    floor(mul<'f32', Shape, Shape>(randomUniform(size.shape), add<'f32', Shape>(last, 1)))
  const run = (): Tensor<'u8'> => {
    const width = drawn(minimum<'f32', Shape>(bound, most))
    const start = drawn(sub<'f32', Shape, Shape>(size, width))
    const end = add<'f32', Shape, Shape>(start, width)
    return logicalAnd<Shape, Shape>(lessEqual<Shape, Shape>(start, place), less<Shape, Shape>(place, end))
  }
  return Array.from({ length: masks }, run).reduce((a, b) => logicalOr<Shape, Shape>(a, b))
}
