// Best-path decoding: the likeliest symbol of every frame, repeats and blanks left out.
import type { Alphabet } from '../../data/index.js'
import { type Emissions, emissionsOf, type FrameOptions } from './emissions.js'
import { type Transcript, transcriptOf } from './transcript.js'

/**
 * The labels of the likeliest path of each utterance: logits f32 [T, N, K], K the symbols of the alphabet.
 * @throws DataError for another number of logits, lengths beyond T, more than 2^30 pairs of frame and label;
 *   OstrichError `ERR_OPTION`, `ERR_NOT_FINITE`
 * @see Graves et al. 2006, "Connectionist temporal classification", 3.2, "best path decoding"
 * @example const [{ text }] = ctcGreedy(alphabet, logits, { lengths: Int32Array.of(310) })
 */
export function ctcGreedy(
  alphabet: Alphabet,
  logits: Float32Array,
  options: FrameOptions = {},
): readonly [Transcript, ...Transcript[]] {
  const all = emissionsOf('ctcGreedy', alphabet, logits, options)
  const found = all.map((emissions) => transcriptOf(alphabet, emissions, alphabet.collapse(bestPath(emissions))))
  return found as [Transcript, ...Transcript[]]
}

/** The likeliest symbol of each frame, of several the first. */
function bestPath({ frames, classes, values }: Emissions): Int32Array {
  return Int32Array.from({ length: frames }, (_, t) => {
    const first = t * classes
    let best = 0
    for (let k = 1; k < classes; k++) if (values[first + k]! > values[first + best]!) best = k
    return best
  })
}
