// Fields brought to mean 0 and deviation 1, by numbers that are kept with the weights.
import { expectOptions, is, OstrichError, type Schema } from '../base/index.js'
import { constant, read, ShapeError, type Tensor, Variable } from '../graph/index.js'
import { cast, div, sub } from '../ops/index.js'
import { typeText } from './check.js'
import { layer, type Layer } from './layer.js'
import type { SameShape } from './types.js'

/** Options of `standardise`: what `moments` of ostrich/data gives. */
export interface StandardiseOptions {
  /** Of mean and deviation: it broadcasts to the extents of an example. */
  readonly shape: readonly number[]
  /** Row-major. Default: zeros, until a checkpoint or a file says otherwise. */
  readonly mean?: ArrayLike<number>
  /** Row-major, above 0. Default: ones, until a checkpoint or a file says otherwise. */
  readonly deviation?: ArrayLike<number>
  /** In paths; default: `standardise1`, `standardise2`, ... */
  readonly name?: string
}

const values = is.kind('a list or an array of numbers', (value) => Array.isArray(value) || ArrayBuffer.isView(value))
const schema: Schema<StandardiseOptions> = {
  shape: is.needed(is.numbers),
  mean: values,
  deviation: values,
  name: is.text,
}

/**
 * (x - mean) / deviation: x of any dtype [N, ...] -> f32 of the same extents. Mean and deviation are carried in checkpoints beside the
 * weights, so that whoever loads the network needs no training data: `nn.standardise({ shape: [13] })` takes them from the file.
 * @throws OstrichError `ERR_OPTION`, also for another number of values than the shape has and for a deviation that is not above 0;
 * ShapeError when traced, for an x that the shape does not broadcast to.
 * @example train.session(net, { inputs: { x: nn.standardise(await moments(train, 'x')) }, ... })
 */
export function standardise(options: StandardiseOptions): Layer<Tensor, SameShape> {
  expectOptions('nn.standardise', options, schema)
  const { shape, name } = options
  const count = shape.reduce((product, extent) => product * extent, 1)
  const kept = (label: 'mean' | 'deviation', usual: number): Variable<'f32', number[]> => {
    const given = Array.from(options[label] ?? new Float32Array(count).fill(usual))
    const good = given.length === count && given.every((value) => Number.isFinite(value) && (usual === 0 || value > 0))
    if (!good) {
      const expected = `${count} finite numbers${usual === 0 ? '' : ' above 0'} for shape [${shape.join(', ')}]`
      const wrong = given.find((value) => !Number.isFinite(value) || (usual === 1 && value <= 0))
      const got = given.length === count ? `${wrong} among them` : given.length
      throw new OstrichError('ERR_OPTION', `standardise[${label}]: expected ${expected}, got ${got}`)
    }
    const own = [...shape]
    return new Variable({ label, dtype: 'f32', shape: own, role: 'statistic', init: () => constant('f32', own, given) })
  }
  const [mean, deviation] = [kept('mean', 0), kept('deviation', 1)]
  return layer<Tensor, SameShape>({
    kind: 'standardise',
    name,
    apply: (x) => {
      const fits = x.rank === shape.length + 1 && shape.every((extent, i) => extent === 1 || extent === x.shape[i + 1])
      if (!fits) throw new ShapeError(`standardise: expected x of [N, ${shape.join(', ')}], got ${typeText(x)}`)
      return div(sub(cast(x, 'f32'), read(mean)), read(deviation))
    },
  })
}
