// Error rates of networks that are trained by connectionist temporal classification, measured while they are: the likeliest path of each
// utterance, its repeats and blanks left out, beside its labels.
import { expectOptions, is, type Schema } from '../base/index.js'
import { Alphabet } from '../data/index.js'
import { charactersOf, ErrorCount } from '../data/text/error-rates.js'
import { wordsOf } from '../data/text/scored.js'
import { formatShape, sameShape, ShapeError, Tensor } from '../graph/index.js'
import { argmax } from '../ops/index.js'
import { host, type HostMeasure } from './measure.js'

/** What an error rate is measured of. */
export interface CtcOutputs {
  /** f32 [T, N, K], K the symbols of the alphabet; probabilities and their logarithms do as well. */
  readonly logits: Tensor
  /** Frames of each utterance, i32 [N]. */
  readonly frames: Tensor<'i32'>
  /** i32 [N, L], padded with whatever. */
  readonly labels: Tensor<'i32'>
  /** Labels of each utterance, i32 [N]. */
  readonly labelLengths: Tensor<'i32'>
  readonly alphabet: Alphabet
}

const aTensor = is.needed(is.instance('a tensor', Tensor))
const schema: Schema<CtcOutputs> = {
  logits: aTensor,
  frames: aTensor,
  labels: aTensor,
  labelLengths: aTensor,
  alphabet: is.needed(is.instance('an Alphabet', Alphabet)),
}

/**
 * The word error rate of the likeliest path; of an alphabet of words, such as phonemes, the rate of its symbols.
 * @throws OstrichError `ERR_OPTION`; ShapeError for extents that do not agree
 * @see Graves et al. 2006, "Connectionist temporal classification", 3.2, for best path decoding
 * @example ({ x, frames, labels, labelLengths }) => {
 *   const logits = net(x)
 *   return { loss: nn.ctcLoss(...), errors: measures.wordErrorRate({ logits, frames, labels, labelLengths, alphabet }) }
 * }
 */
export function wordErrorRate(outputs: CtcOutputs): HostMeasure {
  return errorRate('wordErrorRate', 'word error rate', outputs, wordsOf)
}

/**
 * The character error rate of the likeliest path, spaces among the characters.
 * @throws as `wordErrorRate`
 * @example measures.characterErrorRate({ logits, frames, labels, labelLengths, alphabet })
 */
export function characterErrorRate(outputs: CtcOutputs): HostMeasure {
  return errorRate('characterErrorRate', 'character error rate', outputs, charactersOf)
}

function errorRate(
  name: string,
  title: string,
  outputs: CtcOutputs,
  symbolsOf: (line: string) => readonly string[],
): HostMeasure {
  const where = `measures.${name}`
  expectOptions(where, outputs, schema)
  const { logits, frames, labels, labelLengths, alphabet } = outputs
  expectExtents(where, outputs)
  return host({
    outputs: { path: argmax(logits, -1), frames, labels, labelLengths },
    ...{ better: 'less', format: 'percent', title },
    tally() {
      const errors = new ErrorCount(title)
      return {
        add({ path, frames, labels, labelLengths }) {
          const rows = frames.length
          const most = labels.length / rows
          for (let row = 0; row < rows; row++) {
            const own = Int32Array.from({ length: frames[row]! }, (_, t) => path[t * rows + row]!)
            const wanted = labels.subarray(row * most, row * most + labelLengths[row]!)
            errors.add(symbolsOf(alphabet.decode(alphabet.collapse(own))), symbolsOf(alphabet.decode(wanted)))
          }
        },
        value: () => errors.total().rate,
      }
    },
  })
}

function expectExtents(where: string, { logits, frames, labels, labelLengths, alphabet }: CtcOutputs): void {
  const [, rows = 0] = logits.shape
  const whole: readonly Tensor[] = [frames, labels, labelLengths]
  const good =
    logits.rank === 3 &&
    logits.shape[2] === alphabet.size &&
    labels.rank === 2 &&
    labels.shape[0] === rows &&
    [frames, labelLengths].every((lengths) => sameShape(lengths.shape, [rows])) &&
    whole.every(({ dtype }) => dtype === 'i32')
  if (good) return
  const got = [logits, ...whole].map(({ dtype, shape }) => `${dtype}${formatShape(shape)}`)
  const expected = `logits [T, N, ${alphabet.size}], frames i32[N], labels i32[N, L], labelLengths i32[N]`
  throw new ShapeError(`${where}: expected ${expected}, got ${got.join(', ')}`)
}
