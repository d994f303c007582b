// A part of a data set, by the places of its examples.
import type { Buckets, Dataset, Fields } from './dataset.js'
import { DataError } from './errors.js'

/**
 * The examples `indices` of a data set, in that order; nothing is copied.
 * @throws DataError where there are none, or one is outside the data set
 * @example
 * const half = subset(train, permutation(train.length, seed, 0).subarray(0, train.length / 2))
 */
export function subset<F extends Fields>(dataset: Dataset<F>, indices: ArrayLike<number>): Dataset<F> {
  const places = Uint32Array.from(indices)
  const wrong = Array.from(indices).find((index) => !Number.isInteger(index) || index < 0 || index >= dataset.length)
  if (wrong !== undefined || places.length === 0) {
    const got = wrong === undefined ? 'none' : String(wrong)
    throw new DataError(`subset: expected indices in [0, ${dataset.length}), got ${got}`)
  }
  const { buckets } = dataset
  return {
    ...dataset,
    ...(buckets && { buckets: bucketsOf(buckets, places) }),
    length: places.length,
    gather(wanted, out, key) {
      const inner = Uint32Array.from(wanted, (index) => {
        const place = places[index]
        if (place === undefined) throw new DataError(`gather: expected indices in [0, ${places.length}), got ${index}`)
        return place
      })
      return key === undefined ? dataset.gather(inner, out) : dataset.gather(inner, out, key)
    },
  }
}

function bucketsOf(buckets: Buckets, places: Uint32Array): Buckets {
  const { lengths, each } = buckets
  const part = (all: Int32Array): Int32Array => Int32Array.from(places, (place) => all[place]!)
  const parts = each && Object.fromEntries(Object.entries(each).map(([name, all]) => [name, part(all)]))
  return { ...buckets, lengths: part(lengths), ...(parts && { each: parts }) }
}
