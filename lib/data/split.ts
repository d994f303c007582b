// A data set in two parts, drawn by seed: what is trained on, and what is held back to measure by.
import { expectOptions, is, OstrichError, type Schema } from '../base/index.js'
import { permutation, wholeNumber } from './batches.js'
import type { Dataset, Fields } from './dataset.js'
import { subset } from './subset.js'

/** Options of `split`. */
export interface SplitOptions {
  /** Of the examples that are held back, rounded to whole ones: between 0 and 1. */
  readonly share: number
  /** Draws which ones. Default: 1, whatever the seed of a run is, so that runs that are compared hold back the same examples. */
  readonly seed?: number
}

const schema: Schema<SplitOptions> = { share: is.needed(is.number), seed: is.number }

/** The two parts of a data set. */
export interface Split<F extends Fields> {
  readonly train: Dataset<F>
  readonly validation: Dataset<F>
}

/**
 * Draws which of `length` examples are held back: their places, and those of the others, each in order.
 * @throws OstrichError `ERR_OPTION` for a share that leaves nothing on either side
 */
export function drawnShare(
  op: string,
  length: number,
  share: number,
  seed: number,
  stream = 0,
): { readonly train: Uint32Array; readonly validation: Uint32Array } {
  wholeNumber(op, 'seed', seed, 0)
  const held = Math.round(length * share)
  if (!(share > 0 && share < 1 && held > 0 && held < length)) {
    const expected = `expected a share between 0 and 1 that leaves some of ${length} examples on either side`
    throw new OstrichError('ERR_OPTION', `${op}[share]: ${expected}, got ${share}`)
  }
  const order = permutation(length, seed, stream)
  return { train: order.slice(held).sort(), validation: order.slice(0, held).sort() }
}

/**
 * Parts a data set by a share, at random and always alike for one seed; nothing is copied.
 * @throws OstrichError `ERR_OPTION` for a share that leaves nothing on either side; DataError for a seed that is no whole number
 * @example
 * const { train, validation } = split(flowers, { share: 0.2 })
 */
export function split<F extends Fields>(dataset: Dataset<F>, options: SplitOptions): Split<F> {
  expectOptions('split', options, schema)
  const { share, seed = 1 } = options
  const places = drawnShare('split', dataset.length, share, seed)
  return { train: subset(dataset, places.train), validation: subset(dataset, places.validation) }
}
