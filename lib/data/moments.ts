// Mean and deviation of a field over a data set, to standardise it by.
import { expectOptions, is, type Schema } from '../base/index.js'
import { allocate, type Dataset, elementsOf, type FieldArray, type Fields } from './dataset.js'
import { DataError } from './errors.js'
import { expectRows } from './map.js'

/** Mean and deviation of a field: row-major, of a shape that broadcasts to that of an example. */
export interface Moments {
  readonly shape: readonly number[]
  readonly mean: Float32Array
  /** 1 where all values are alike. */
  readonly deviation: Float32Array
}

/** Options of `moments`. */
export interface MomentsOptions {
  /** What has a mean of its own: every element of an example, or every channel, the first extent of its shape. Default: `element`. */
  readonly of?: 'element' | 'channel'
}

const schema: Schema<MomentsOptions> = { of: is.oneOf('element', 'channel') }
/** Examples that are read together. */
const CHUNK = 256

/**
 * Counts mean and deviation of a field over all examples of a data set, in double precision and in one pass: those of the training set
 * belong into `nn.standardise`.
 * @throws DataError where the data set has no such field, or a value is not finite; OstrichError `ERR_OPTION`
 * @see Chan, Golub & LeVeque 1983, "Algorithms for computing the sample variance", eq. 2.1.
 * @example
 * const { mean, deviation } = await moments(train, 'x')
 */
export async function moments<F extends Fields>(
  dataset: Dataset<F>,
  field: keyof F & string,
  options: MomentsOptions = {},
): Promise<Moments> {
  expectOptions('moments', options, schema)
  const spec = Object.hasOwn(dataset.fields, field) ? dataset.fields[field] : undefined
  if (spec === undefined) {
    throw new DataError(`moments: expected a field of ${Object.keys(dataset.fields).join(', ')}, got ${field}`)
  }
  expectRows('moments', { [field]: spec })
  const size = elementsOf(spec.shape)
  const channels = options.of === 'channel' ? (spec.shape[0] ?? 1) : size
  const shape = options.of === 'channel' ? spec.shape.map((extent, i) => (i === 0 ? extent : 1)) : [...spec.shape]
  const [mean, squares] = [new Float64Array(channels), new Float64Array(channels)]
  let before = 0
  for (let from = 0; from < dataset.length; from += CHUNK) {
    const count = Math.min(CHUNK, dataset.length - from)
    const values = allocate(spec.dtype, count * size)
    const indices = Uint32Array.from({ length: count }, (_, i) => from + i)
    await dataset.gather(indices, { [field]: values } as Readonly<Record<keyof F, FieldArray>>)
    const each = (count * size) / channels
    for (let c = 0; c < channels; c++) {
      const part = momentsOf(values, c * (size / channels), size / channels, size, count)
      if (!Number.isFinite(part.mean)) throw new DataError(`moments[${field}]: expected finite values, got others`)
      const apart = part.mean - mean[c]!
      mean[c]! += (apart * each) / (before + each)
      squares[c]! += part.squares + (apart * apart * before * each) / (before + each)
    }
    before += each
  }
  const deviation = Float32Array.from(squares, (sum) => (sum > 0 ? Math.sqrt(sum / before) : 1))
  return { shape, mean: Float32Array.from(mean), deviation }
}

/** Mean of `width` values from `start` on in each of `count` rows, and the sum of the squares of what they are apart from it. */
function momentsOf(values: FieldArray, start: number, width: number, stride: number, count: number) {
  let [sum, squares] = [0, 0]
  for (let row = 0; row < count; row++) for (let i = 0; i < width; i++) sum += values[row * stride + start + i]!
  const mean = sum / (count * width)
  for (let row = 0; row < count; row++) {
    for (let i = 0; i < width; i++) squares += (values[row * stride + start + i]! - mean) ** 2
  }
  return { mean, squares }
}
