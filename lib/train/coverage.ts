// Coverage: the share of examples that may be left to a network which is to be right so often, and how sure it has to be of them.
import { expectOptions, is, type Schema } from '../base/index.js'
import { formatShape, sameShape, ShapeError, Tensor } from '../graph/index.js'
import { host, type HostMeasure, type MeasureInfo, type Tally } from './measure.js'

/** What coverage is measured of. */
export interface CoverageOutputs {
  /** How sure the network is of each example, f32 [N]. */
  readonly confidence: Tensor<'f32'>
  /** 1 where it is right, 0 elsewhere, f32 [N]. */
  readonly right: Tensor<'f32'>
  /** How often it is to be right, above 0 and at most 1. Default: 0.98. */
  readonly accuracy?: number
}

/** How much is left to a network at an accuracy. */
export interface Coverage {
  /** Share of the examples, 0 to 1. */
  readonly coverage: number
  /** The least confidence of these; 1 where there are none. */
  readonly threshold: number
}

const aTensor = is.needed(is.instance('a tensor', Tensor))
const accuracyKind = is.kind('a number above 0, at most 1', (value) => is.positive.accepts(value) && Number(value) <= 1)
const schema: Schema<CoverageOutputs> = { confidence: aTensor, right: aTensor, accuracy: accuracyKind }

/**
 * The largest share of examples, the surest first, of which at least `accuracy` are right. Those that are equally sure are taken together.
 * @param right 1 where an example is right, 0 elsewhere
 * @example coverageOf([0.9, 0.8, 0.7], [1, 1, 0], 0.98) // { coverage: 2 / 3, threshold: 0.8 }
 */
export function coverageOf(confidence: readonly number[], right: readonly number[], accuracy: number): Coverage {
  const order = [...confidence.keys()].sort((a, b) => confidence[b]! - confidence[a]!)
  let [found, hits] = [0, 0]
  for (const [i, place] of order.entries()) {
    hits += right[place]!
    const next = order[i + 1]
    const isLast = next === undefined || confidence[next]! < confidence[place]!
    if (isLast && hits >= accuracy * (i + 1)) found = i + 1
  }
  if (found === 0) return { coverage: 0, threshold: 1 }
  return { coverage: found / order.length, threshold: confidence[order[found - 1]!]! }
}

/**
 * The share of examples, the surest first, of which `accuracy` are right.
 * @throws OstrichError `ERR_OPTION`; ShapeError for what is not f32 [N]
 * @see Goodfellow et al. 2014, arXiv:1312.6082, section 5.1: 95.64 % of SVHN's numbers at 98 % accuracy
 * @example measures.coverage({ confidence, right, accuracy: 0.98 })
 */
export function coverage(outputs: CoverageOutputs): HostMeasure {
  const info = (percent: string): MeasureInfo => {
    return { better: 'more', format: 'percent', title: `coverage at ${percent} %` }
  }
  return ofCoverage('coverage', outputs, info, (found) => found.coverage)
}

/**
 * The confidence of the last example that `coverage` takes: those below it are left to people.
 * @throws as `coverage`
 * @example measures.coverageThreshold({ confidence, right, accuracy: 0.98 })
 */
export function coverageThreshold(outputs: CoverageOutputs): HostMeasure {
  const info = (percent: string): MeasureInfo => {
    return { better: 'less', format: { digits: 3 }, title: `confidence for ${percent} %` }
  }
  return ofCoverage('coverageThreshold', outputs, info, (found) => found.threshold)
}

function ofCoverage(
  name: string,
  outputs: CoverageOutputs,
  infoOf: (percent: string) => MeasureInfo,
  valueOf: (found: Coverage) => number,
): HostMeasure {
  const where = `measures.${name}`
  expectOptions(where, outputs, schema)
  const { confidence, right, accuracy = 0.98 } = outputs
  const good = confidence.rank === 1 && sameShape(confidence.shape, right.shape)
  const dtypes: readonly string[] = [confidence.dtype, right.dtype]
  if (!good || dtypes.some((dtype) => dtype !== 'f32')) {
    const got = [confidence, right].map(({ dtype, shape }) => `${dtype}${formatShape(shape)}`).join(' and ')
    throw new ShapeError(`${where}: expected confidence and right of f32[N], got ${got}`)
  }
  return host({
    ...infoOf(`${Number((100 * accuracy).toFixed(2))}`),
    outputs: { confidence, right },
    tally: (): Tally<{ readonly confidence: Tensor<'f32'>; readonly right: Tensor<'f32'> }> => {
      const [sure, hits]: [number[], number[]] = [[], []]
      return {
        add(batch) {
          sure.push(...batch.confidence)
          hits.push(...batch.right)
        },
        value: () => valueOf(coverageOf(sure, hits, accuracy)),
      }
    },
  })
}
