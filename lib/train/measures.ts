// Public names of `train.measures`: what networks are commonly measured by, and what makes a measure of one's own.
import { constant, formatShape, sameShape, ShapeError, type Tensor } from '../graph/index.js'
import { argmax, cast, equal, less, lessEqual, mul, reshape, sub, sum, where } from '../ops/index.js'
import { type LossMeasure, type MeanMeasure, mean, type MeasureInfo, ofLoss } from './measure.js'

export { host, lossInfo, mean, ofLoss } from './measure.js'
export type { Fetched, HostMeasure, LossMeasure, MeanMeasure, Measure, Pair, Tally } from './measure.js'
export { coverage, type CoverageOutputs, coverageThreshold } from './coverage.js'
export { characterErrorRate, type CtcOutputs, wordErrorRate } from './error-measures.js'
export type { Format, MeasureInfo } from '../report/index.js'

/** A measure of logits f32 [..., K] and labels i32 [...]; a mask f32 [...] of 0 and 1 says which labels count. */
export type OfLogits = MeasureInfo & ((logits: Tensor, labels: Tensor, mask?: Tensor<'f32'>) => MeanMeasure)

/**
 * How often the largest logit is that of the label, 0 to 1: logits f32 [..., K], labels i32 [...], mask f32 [...].
 * @throws ShapeError for extents that do not agree
 * @example ({ x, target }) => { const logits = net(x); return { loss: nn.crossEntropy(logits, target), accuracy: measures.accuracy(logits, target) } }
 */
export const accuracy: OfLogits = ofLogits('accuracy', (logits, labels) =>
  cast(equal(argmax(logits, -1), labels), 'f32'),
)

/**
 * How often the label is among the five largest logits, 0 to 1; extents as those of `accuracy`.
 * @throws ShapeError for extents that do not agree
 */
export const top5: OfLogits = ofLogits('top5', topFive, 'top 5')

function topFive(logits: Tensor, labels: Tensor): Tensor<'f32'> {
  const classes = logits.shape.at(-1) ?? 1
  const places = constant(
    'i32',
    [classes],
    Array.from({ length: classes }, (_, i) => i),
  )
  const own = sum(where(equal(reshape(labels, [...labels.shape, 1]), places), logits, 0), -1, { keepDims: true })
  // What is not known to be at most the label's logit counts as above it: a NaN is never a right answer.
  const above = sum(sub(1, cast(lessEqual(logits, own), 'f32')), -1)
  return cast(less(above, 5), 'f32')
}

/** exp(loss): of so many equally likely words the next one would be as hard to guess. */
export const perplexity: LossMeasure = ofLoss({ ofLoss: Math.exp, better: 'less', format: { digits: 2 } })

/** loss / ln 2: bits for each token, of a character model for each character. */
export const bits: LossMeasure = ofLoss({
  ofLoss: (loss) => loss / Math.LN2,
  better: 'less',
  format: { digits: 3, unit: 'bits' },
})

/** Whether a measure of logits and labels can be taken of these. */
export function isLabelled(logits: Tensor, labels: Tensor): boolean {
  return labels.dtype === 'i32' && logits.rank >= 2 && sameShape(labels.shape, logits.shape.slice(0, -1))
}

function ofLogits(
  name: string,
  hits: (logits: Tensor, labels: Tensor) => Tensor<'f32'>,
  title: string = name,
): OfLogits {
  const share: MeasureInfo = { better: 'more', format: 'percent', title }
  const of = (logits: Tensor, labels: Tensor, mask?: Tensor<'f32'>): MeanMeasure => {
    if (!isLabelled(logits, labels)) {
      const got = [logits, labels].map(({ dtype, shape }) => `${dtype}${formatShape(shape)}`).join(' and ')
      throw new ShapeError(`measures.${name}: expected logits [..., K] and labels i32[...], got ${got}`)
    }
    const right = hits(logits, labels)
    if (mask === undefined) return mean({ ...share, sum: sum(right), count: countOf(labels) })
    if (!sameShape(mask.shape, labels.shape)) {
      const expected = `a mask ${formatShape(labels.shape)}`
      throw new ShapeError(`measures.${name}: expected ${expected}, got ${formatShape(mask.shape)}`)
    }
    return mean({ ...share, sum: sum(mul(right, mask)), count: sum(mask) })
  }
  return Object.assign(of, share)
}

function countOf({ shape }: Tensor): number {
  return shape.reduce((product, extent) => product * extent, 1)
}
