// Training examples that are held back: a network is measured by them while it trains, so that the test examples are measured
// once, when nothing is chosen any more.
import { is, type Schema } from '../base/index.js'
import { permutation, wholeNumber } from './batches.js'
import type { Dataset, Fields } from './dataset.js'
import { subset } from './subset.js'

/** How many training examples are held back, and which. */
export interface HoldBackOptions {
  /** How many; 0: none. */
  readonly validation?: number
  /** Draws which ones. Default 1, whatever the seed of a run is: runs that are compared hold back the same examples. */
  readonly seed?: number
}

/** What `validation` and `seed` may be; their range is checked beside the number of examples. */
export const holdBackOptions: Schema<HoldBackOptions> = { validation: is.anything, seed: is.anything }

/** The places of the examples that are trained on, and of those that are held back, each in their order. */
export interface Places {
  readonly train: Uint32Array
  readonly validation: Uint32Array
}

/**
 * Draws which of `length` examples are held back.
 * @param op names the data set in messages
 * @param usual how many where nothing is said
 * @throws DataError for options that are no whole numbers, or would leave nothing to train on
 */
export function heldBackPlaces(
  op: string,
  length: number,
  { validation: count, seed = 1 }: HoldBackOptions,
  usual: number,
): Places {
  const held = count ?? usual
  wholeNumber(op, 'validation', held, 0, length - 1)
  wholeNumber(op, 'seed', seed, 0)
  const order = permutation(length, seed, 0)
  return { train: order.slice(held).sort(), validation: order.slice(0, held).sort() }
}

/** A training set without what is held back of it, and that, where it is any. */
export function parted<F extends Fields>(
  set: Dataset<F>,
  { train, validation }: Places,
): { readonly train: Dataset<F>; readonly validation?: Dataset<F> } {
  if (validation.length === 0) return { train: set }
  return { train: subset(set, train), validation: subset(set, validation) }
}
