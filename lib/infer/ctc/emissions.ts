// What a network says of every frame, as decoding takes it: log-probabilities of one utterance, in float64. Refuses extents that do not
// agree, and what is no number.
import { expectKind, expectOptions, is, OstrichError, type Schema } from '../../base/index.js'
import { Alphabet, DataError } from '../../data/index.js'

/** Which frames there are. */
export interface FrameOptions {
  /** Frames of each utterance, i32 [N]. Default: one utterance, of all frames. */
  readonly lengths?: Int32Array
}

const schema: Schema<FrameOptions> = { lengths: is.instance('an Int32Array', Int32Array) }

/** log p of each symbol, and of the blank, in each frame of an utterance: [frames, classes]. */
export interface Emissions {
  readonly frames: number
  readonly classes: number
  readonly values: Float64Array
}

/**
 * Those of each utterance of a batch: logits f32 [T, N, K], or log-probabilities, which are logits too.
 * @throws DataError for another number of them, or lengths beyond T; OstrichError `ERR_OPTION`, `ERR_NOT_FINITE`
 */
export function emissionsOf(
  where: string,
  alphabet: Alphabet,
  logits: Float32Array,
  options: FrameOptions,
): readonly Emissions[] {
  expectKind(where, 'alphabet', is.instance('an Alphabet', Alphabet), alphabet)
  expectKind(where, 'logits', is.instance('a Float32Array', Float32Array), logits)
  expectOptions(where, options, schema)
  const { lengths } = options
  const classes = alphabet.size
  const rows = lengths?.length ?? 1
  const steps = logits.length / (rows * classes)
  if (rows === 0 || !Number.isSafeInteger(steps) || steps === 0) {
    const expected = `logits [T, N, K] of ${rows} utterances and the ${classes} symbols of the alphabet`
    throw new DataError(`${where}: expected ${expected}, got ${logits.length} of them`)
  }
  return Array.from(lengths ?? [steps], (frames, row) => {
    if (frames < 0 || frames > steps) {
      throw new DataError(`${where}[lengths]: expected at most ${steps} frames, got ${frames} in utterance ${row}`)
    }
    const values = new Float64Array(frames * classes)
    for (let t = 0; t < frames; t++) {
      if (logSoftmax(logits, (t * rows + row) * classes, values, t * classes, classes)) continue
      const got = `others in frame ${t} of utterance ${row}`
      throw new OstrichError('ERR_NOT_FINITE', `${where}[logits]: expected numbers, got ${got}`)
    }
    return { frames, classes, values }
  })
}

/** Of `count` logits; false where one is NaN or infinite, but for -Infinity beside others. */
function logSoftmax(from: Float32Array, at: number, to: Float64Array, place: number, count: number): boolean {
  let most = -Infinity
  for (let k = 0; k < count; k++) most = Math.max(most, from[at + k]!)
  let sum = 0
  for (let k = 0; k < count; k++) sum += Math.exp(from[at + k]! - most)
  const shift = most + Math.log(sum)
  if (!Number.isFinite(shift)) return false
  for (let k = 0; k < count; k++) to[place + k] = from[at + k]! - shift
  return true
}

/** log(e^a + e^b) */
export function logAdd(a: number, b: number): number {
  const more = a > b ? a : b
  const less = a > b ? b : a
  return less === -Infinity ? more : more + Math.log1p(Math.exp(less - more))
}
