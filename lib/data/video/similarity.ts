// How alike two frames are, as scikit-image measures it: structural similarity, and the peak signal-to-noise ratio.
import { expectOptions, is, type Schema } from '../../base/index.js'
import { DataError } from '../errors.js'

/** Options of `structuralSimilarity`. */
export interface StructuralSimilarityOptions {
  /** Of the frames, at least 7 each. */
  readonly height: number
  readonly width: number
  /** From black to white, what scikit-image calls `data_range`. Default: 1. */
  readonly range?: number
}

/** Options of `peakSignalToNoise`. */
export type PeakSignalToNoiseOptions = Pick<StructuralSimilarityOptions, 'range'>

const schema: Schema<StructuralSimilarityOptions> = {
  height: is.needed(is.whole(1)),
  width: is.needed(is.whole(1)),
  range: is.positive,
}

/** Side of the window, and how many numbers it has. */
const SIDE = 7
const COUNT = SIDE ** 2
/** The moments of a window: sums of a, b, a^2, b^2 and a b. */
const MOMENTS = 5

/**
 * Mean structural similarity of two frames of one channel, -1 to 1: of windows of 7 x 7, all alike, with variances of samples, as
 * `skimage.metrics.structural_similarity(a, b, data_range=range)` has it.
 * @param a row-major [height, width]
 * @throws DataError for frames of other extents or below 7 x 7; OstrichError `ERR_OPTION`
 * @see Wang, Bovik, Sheikh & Simoncelli 2004, "Image quality assessment: from error visibility to structural similarity"
 * @example structuralSimilarity(predicted, frame, { height: 64, width: 64 })
 */
export function structuralSimilarity(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  options: StructuralSimilarityOptions,
): number {
  expectOptions('structuralSimilarity', options, schema)
  const { height, width, range = 1 } = options
  if (height < SIDE || width < SIDE) {
    throw new DataError(`structuralSimilarity: expected frames of ${SIDE} x ${SIDE} or more, got ${width} x ${height}`)
  }
  expectAlike('structuralSimilarity', a, b, height * width)
  const [c1, c2] = [(0.01 * range) ** 2, (0.03 * range) ** 2]
  const sample = COUNT / (COUNT - 1)
  // Of each column the sums over the rows of a window; of these the sums over its columns.
  const columns = new Float64Array(MOMENTS * width)
  const window = new Float64Array(MOMENTS)
  let sum = 0
  for (let y = 0; y < height; y++) {
    addRow(columns, a, b, y * width, width, 1)
    if (y >= SIDE) addRow(columns, a, b, (y - SIDE) * width, width, -1)
    if (y < SIDE - 1) continue
    window.fill(0)
    for (let x = 0; x < width; x++) {
      for (let m = 0; m < MOMENTS; m++) {
        window[m]! += columns[m * width + x]! - (x >= SIDE ? columns[m * width + x - SIDE]! : 0)
      }
      if (x < SIDE - 1) continue
      const [ua, ub] = [window[0]! / COUNT, window[1]! / COUNT]
      const va = sample * (window[2]! / COUNT - ua * ua)
      const vb = sample * (window[3]! / COUNT - ub * ub)
      const vab = sample * (window[4]! / COUNT - ua * ub)
      sum += ((2 * ua * ub + c1) * (2 * vab + c2)) / ((ua * ua + ub * ub + c1) * (va + vb + c2))
    }
  }
  return sum / ((height - SIDE + 1) * (width - SIDE + 1))
}

function addRow(
  columns: Float64Array,
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  from: number,
  width: number,
  sign: 1 | -1,
): void {
  for (let x = 0; x < width; x++) {
    const [p, q] = [a[from + x]!, b[from + x]!]
    columns[x]! += sign * p
    columns[width + x]! += sign * q
    columns[2 * width + x]! += sign * p * p
    columns[3 * width + x]! += sign * q * q
    columns[4 * width + x]! += sign * p * q
  }
}

/**
 * Peak signal-to-noise ratio of two frames, in dB: 10 log10(range^2 / mean squared error), infinite where they are the same.
 * @throws DataError for frames of several lengths; OstrichError `ERR_OPTION`
 * @example peakSignalToNoise(predicted, frame)
 */
export function peakSignalToNoise(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  options: PeakSignalToNoiseOptions = {},
): number {
  expectOptions('peakSignalToNoise', options, { range: is.positive })
  expectAlike('peakSignalToNoise', a, b, Math.max(1, b.length))
  let squares = 0
  for (let i = 0; i < a.length; i++) squares += (a[i]! - b[i]!) ** 2
  return 10 * Math.log10(((options.range ?? 1) ** 2 * a.length) / squares)
}

function expectAlike(where: string, a: ArrayLike<number>, b: ArrayLike<number>, count: number): void {
  if (a.length === count && b.length === count) return
  throw new DataError(`${where}: expected two frames of ${count} numbers, got ${a.length} and ${b.length}`)
}
