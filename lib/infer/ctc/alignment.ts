// Where labels stand in time: the likeliest path of connectionist temporal classification (CTC) that gives them (forced alignment).
import { expectKind, is } from '../../base/index.js'
import { type Alphabet, DataError } from '../../data/index.js'
import { type Emissions, emissionsOf } from './emissions.js'

/** Frames times states at most: a byte for each. */
const MOST = 2 ** 31

/** The frames of a label on a path. */
export interface LabelSpan {
  readonly label: number
  /** Its first frame, and the one behind its last. */
  readonly start: number
  readonly end: number
  /** log p of the label, added up over its frames. */
  readonly logProbability: number
}

/**
 * The frames of each label of a known transcript: those of the likeliest path. `logits` are f32 [T, K] of one utterance.
 * Time and memory grow with the product of frames and labels.
 * @throws DataError for labels that so many frames have no room for, or that the alphabet lacks, and for more than 2^30 pairs of frame and label;
 *   OstrichError `ERR_OPTION`, `ERR_NOT_FINITE`
 * @see Graves et al. 2006, "Connectionist temporal classification", 4.1, with the maximum in the place of the sum
 * @example ctcAlignment(alphabet, logits, alphabet.encode('ONE TWO'))[0] // { label: 18, start: 12, end: 15, logProbability: -0.3 }
 */
export function ctcAlignment(alphabet: Alphabet, logits: Float32Array, labels: Int32Array): readonly LabelSpan[] {
  const [emissions] = emissionsOf('ctcAlignment', alphabet, logits, {}) as [Emissions]
  expectKind('ctcAlignment', 'labels', is.instance('an Int32Array', Int32Array), labels)
  const other = labels.find((label) => !(label > 0 && label < alphabet.size))
  if (other !== undefined) {
    throw new DataError(`ctcAlignment[labels]: expected labels from 1 to ${alphabet.size - 1}, got ${other}`)
  }
  return alignLabels(emissions, labels)
}

/** The same of one utterance's log-probabilities. @throws DataError */
export function alignLabels(emissions: Emissions, labels: Int32Array): readonly LabelSpan[] {
  const { frames, classes, values } = emissions
  const repeats = labels.reduce((sum, label, i) => sum + (i > 0 && label === labels[i - 1] ? 1 : 0), 0)
  if (labels.length + repeats > frames) {
    const expected = `at least ${labels.length + repeats} frames for ${labels.length} labels with ${repeats} repeats`
    throw new DataError(`ctcAlignment: expected ${expected}, got ${frames}`)
  }
  if (labels.length === 0) return []
  // States are a blank, a label, a blank, ..., a blank: the label of state s is labels[(s - 1) / 2].
  const states = 2 * labels.length + 1
  if (frames * states > MOST) {
    const got = `${frames} frames and ${labels.length} labels (cut the sound into parts)`
    throw new DataError(`ctcAlignment: expected frames times labels below ${MOST / 2}, got ${got}`)
  }
  /** How many states before it each was reached from: none, one, or two, where a blank between two labels is left out. */
  const steps = new Uint8Array(frames * states)
  let now = new Float64Array(states).fill(-Infinity)
  let next = new Float64Array(states)
  now[0] = values[0]!
  now[1] = values[labels[0]!]!
  for (let t = 1; t < frames; t++) {
    for (let s = 0; s < states; s++) {
      const label = s % 2 === 0 ? 0 : labels[(s - 1) / 2]!
      const most = s > 1 && label !== 0 && label !== labels[(s - 3) / 2] ? 2 : Math.min(s, 1)
      let step = 0
      for (let back = 1; back <= most; back++) if (now[s - back]! > now[s - step]!) step = back
      next[s] = now[s - step]! + values[t * classes + label]!
      steps[t * states + s] = step
    }
    ;[now, next] = [next, now]
  }
  const last = now[states - 1]! >= now[states - 2]! ? states - 1 : states - 2
  if (now[last] === -Infinity) {
    throw new DataError('ctcAlignment: expected labels of probabilities above 0, got some of 0 in every frame')
  }
  return spansOf(emissions, labels, steps, last)
}

/** Follows the steps back from the last state. */
function spansOf({ frames, classes, values }: Emissions, labels: Int32Array, steps: Uint8Array, last: number) {
  const states = 2 * labels.length + 1
  const [starts, ends] = [new Int32Array(labels.length), new Int32Array(labels.length)]
  const sums = new Float64Array(labels.length)
  for (let [t, state] = [frames - 1, last]; t >= 0; t--) {
    if (state % 2 === 1) {
      const i = (state - 1) / 2
      if (ends[i] === 0) ends[i] = t + 1
      starts[i] = t
      sums[i]! += values[t * classes + labels[i]!]!
    }
    state -= steps[t * states + state]!
  }
  return Array.from(labels, (label, i): LabelSpan => {
    return { label, start: starts[i]!, end: ends[i]!, logProbability: sums[i]! }
  })
}
