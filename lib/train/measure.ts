// What is told of a network besides its loss. Of most measures the program gives a sum and what it is over, so that their mean
// over a data set is exact however it is cut into batches; of some, outputs that the host reads (an edit distance); and of some
// nothing, as they are the loss in another unit.
import { expectOptions, is, nearest, OstrichError, type Schema } from '../base/index.js'
import type { MeasureInfo } from '../report/index.js'
import { type DType, formatShape, type HostArrays, ShapeError, Tensor } from '../graph/index.js'

/** A sum over a batch, and what it is over: examples, or the tokens that a mask leaves. */
export interface Pair {
  /** f32 []. */
  readonly sum: Tensor<'f32'>
  /** f32 [], or a number where it is known when the program is traced. */
  readonly count: Tensor<'f32'> | number
}

/** The mean over all batches of a data set: their sums by their counts. */
export interface MeanMeasure extends MeasureInfo, Pair {}

/** The loss in another unit. */
export interface LossMeasure extends MeasureInfo {
  /** Of the mean loss over the data set. */
  readonly ofLoss: (loss: number) => number
}

/** Tensors by name as typed arrays. */
export type Fetched<O> = { readonly [K in keyof O]: O[K] extends Tensor<infer D extends DType> ? HostArrays[D] : never }

/** What the host adds up over one data set. */
export interface Tally<O> {
  /** Takes the outputs of one batch, which are valid during the call. */
  add(outputs: Fetched<O>): void
  /** Called after the last batch. */
  value(): number
}

/** What the host makes of outputs that it fetches. */
export interface HostMeasure<
  O extends Readonly<Record<string, Tensor>> = Readonly<Record<string, Tensor>>,
> extends MeasureInfo {
  readonly outputs: O
  /** Called once for each data set that is measured. */
  readonly tally: () => Tally<O>
}

/** What an objective may give besides its loss. */
export type Measure = MeanMeasure | LossMeasure | HostMeasure

export type { MeasureInfo } from '../report/index.js'

const format = is.kind("'percent' or { digits, unit }", (value) => {
  return value === 'percent' || Number.isInteger((value as { readonly digits?: unknown } | null)?.digits)
})
const info: Schema<MeasureInfo> = {
  better: is.needed(is.oneOf('more', 'less')),
  format: is.needed(format),
  title: is.text,
}
const aTensor = is.instance('a tensor', Tensor)

/** Whether this is a tensor of whatever type. */
export function isTensor(value: unknown): value is Tensor {
  return value instanceof Tensor
}

/**
 * A measure that is a mean: `sum` f32 [] of a batch, over `count` f32 [] (or a number).
 * @throws OstrichError `ERR_OPTION`; ShapeError for what is no scalar of f32
 * @example
 * // Share of right labels among the tokens that the mask leaves.
 * measures.mean({ sum: ops.sum(ops.mul(hits, mask)), count: ops.sum(mask), better: 'more', format: 'percent' })
 */
export function mean(options: MeanMeasure): MeanMeasure {
  const { sum, count } = { sum: is.needed(aTensor), count: is.needed(is.either(aTensor, is.number)) }
  expectOptions<MeanMeasure>('measures.mean', options, { ...info, sum, count })
  expectScalar('measures.mean[sum]', options.sum)
  if (isTensor(options.count)) expectScalar('measures.mean[count]', options.count)
  return options
}

/**
 * A measure that the host makes of `outputs`, which are fetched from every batch.
 * @throws OstrichError `ERR_OPTION`
 * @example
 * measures.host({
 *   outputs: { guesses, labels },
 *   better: 'less',
 *   format: { digits: 2, unit: 'edits' },
 *   tally() {
 *     let [edits, rows] = [0, 0]
 *     return { add: ({ guesses, labels }) => { edits += distance(guesses, labels); rows++ }, value: () => edits / rows }
 *   },
 * })
 */
export function host<O extends Readonly<Record<string, Tensor>>>(options: HostMeasure<O>): HostMeasure {
  const tensors = is.kind('tensors by name', (value) => {
    return is.object.accepts(value) && Object.values(value as object).every((one) => one instanceof Tensor)
  })
  const own = { outputs: is.needed(tensors), tally: is.needed(is.callable) }
  expectOptions<HostMeasure<O>>('measures.host', options, { ...info, ...own })
  return options
}

/**
 * A measure that is the loss in another unit.
 * @throws OstrichError `ERR_OPTION`
 * @example measures.ofLoss({ ofLoss: Math.exp, better: 'less', format: { digits: 2 } }) // perplexity
 */
export function ofLoss(options: LossMeasure): LossMeasure {
  expectOptions<LossMeasure>('measures.ofLoss', options, { ...info, ofLoss: is.needed(is.callable) })
  return options
}

/** @throws ShapeError for what is no f32 [] */
export function expectScalar(where: string, tensor: Tensor): asserts tensor is Tensor<'f32', []> {
  const { dtype, shape } = tensor
  if (dtype === 'f32' && shape.length === 0) return
  throw new ShapeError(`${where}: expected an f32 scalar, got ${dtype}${formatShape(shape)}`)
}

/** Whether this is a measure, or makes one of logits and labels. */
export function isMeasure(given: unknown): boolean {
  if (typeof given === 'function') return 'better' in given
  const able = typeof given === 'object' && given !== null && !isTensor(given)
  return able && 'better' in given && ['ofLoss', 'tally', 'sum'].some((key) => key in given)
}

/** Refuses what an objective gives under the name of a measure and is none. @throws OstrichError `ERR_OPTION` */
export function expectMeasure(where: string, given: unknown): asserts given is Measure {
  if (isMeasure(given) && typeof given === 'object') return
  const got = isTensor(given) ? `a tensor, ${given.dtype}${formatShape(given.shape)}` : is.shown(given)
  const expected =
    'a measure, such as measures.accuracy(logits, labels) or measures.mean({ sum, count, better, format })'
  throw new OstrichError('ERR_OPTION', `${where}: expected ${expected}, got ${got}`)
}

/** The measure that is meant. @throws OstrichError `ERR_OPTION` with the nearest name */
export function measureNamed(where: string, name: string, known: Readonly<Record<string, MeasureInfo>>): MeasureInfo {
  const found = Object.hasOwn(known, name) ? known[name] : undefined
  if (found !== undefined) return found
  const names = Object.keys(known)
  const guess = nearest(name, names)
  const hint = guess === undefined ? '' : ` (did you mean ${guess}?)`
  throw new OstrichError('ERR_OPTION', `${where}: expected one of ${names.join(', ')}, got ${name}${hint}`)
}

/** The loss as a measure, which every objective has. */
export const lossInfo: MeasureInfo = { better: 'less', format: { digits: 4 } }
