// Networks that guess together: the mean of their probabilities. Their states stand side by side, so that one compiled step asks them all.
import { expectKind, is } from '../base/index.js'
import { formatShape, sameShape, ShapeError, type Tensor } from '../graph/index.js'
import { add, cast, div, exp, log, logSoftmax, maximum, sub } from '../ops/index.js'
import { ownedBy, prefixed, type States, type Writer } from './writer.js'

const able = is.withMethods('a network that reads and writes', 'read', 'write')
/** What is averaged. */
const some = is.kind('a list of networks that read and write', (value) => {
  return Array.isArray(value) && value.length > 0 && value.every(able.accepts)
})

/**
 * Several networks that read the same sentences as one, which takes each word to be as probable as they do in the mean; what they looked at
 * is averaged over those that look. Their weights are of one session or model, such as `loadEnsemble` gives.
 * @throws OstrichError `ERR_OPTION`; ShapeError where they do not write the same number of words
 * @see Sutskever, Vinyals & Le 2014, 3.6, for ensembles in a beam search.
 * @example const search = await train.beamSearch(model, train.ensembleOf([first, second]), { sentences: 16, steps: 40 })
 */
export function ensembleOf(writers: readonly Writer[]): Writer {
  expectKind('ensembleOf', 'writers', some, writers)
  return {
    read: (source, lengths) => {
      const all = writers.map((one) => one.read(source, lengths))
      return { states: together(all.map(({ states }) => states)), memory: together(all.map(({ memory }) => memory)) }
    },
    write: (word, states, memory) => {
      const all = writers.map((one, i) => one.write(word, ownedBy(member(i), states), ownedBy(member(i), memory)))
      const looks = all.flatMap(({ alignment }) => alignment ?? [])
      return {
        logits: meanProbability(all.map(({ logits }) => logits)),
        states: together(all.map((one) => one.states)),
        ...(looks.length > 0 && {
          alignment: div<'f32'>(
            looks.reduce((a, b) => add(a, b)),
            looks.length,
          ),
        }),
      }
    },
  }
}

/** What the networks of an ensemble are called, from 0. */
export const member = (i: number): string => `member${i + 1}`

const together = (all: readonly States[]): States =>
  all.reduce<States>((known, states, i) => ({ ...known, ...prefixed(member(i), states) }), {})

/**
 * The logarithm of the mean of the probabilities that several networks give, of their logits [..., K].
 * @throws ShapeError for other extents
 */
export function meanProbability(logits: readonly Tensor[]): Tensor<'f32'> {
  const each = logits.map((x) => logSoftmax(cast(x, 'f32')))
  const [first, ...others] = each as [Tensor<'f32'>, ...Tensor<'f32'>[]]
  const other = others.findIndex(({ shape }) => !sameShape(shape, first.shape))
  if (other >= 0) {
    const got = `${formatShape(others[other]!.shape)} from ${member(other + 1)}`
    throw new ShapeError(`ensemble: expected logits ${formatShape(first.shape)}, got ${got}`)
  }
  const top = each.reduce((a, b) => maximum(a, b))
  const sums = each.map((x) => exp(sub(x, top))).reduce((a, b) => add(a, b))
  return sub(add(log(sums), top), Math.log(each.length))
}
