// Examples of variable length -> batches of examples of about one length. How an epoch is cut depends on the lengths alone, so
// that each has the same shapes of batches, and few of them; which examples a batch has, and the order of batches, are drawn by seed
// and epoch.
import { type Buckets, type Dataset, fieldsAt, type Fields } from './dataset.js'

/** The examples `from` to `to` of an epoch, sorted by bucket, in a batch of so many steps. */
export interface Cut {
  readonly steps: number
  readonly from: number
  readonly to: number
}

/** The steps of a batch in which an example goes. */
export function bucketOf(length: number, multiple: number): number {
  return Math.ceil(length / multiple) * multiple
}

/**
 * How an epoch is cut, from the shortest bucket to the longest. A batch has `batch` examples, or fewer where `tokens` says so; what
 * does not fill the last batch of a bucket goes into the next longer one, so that only the last batch of all may be short, which
 * `dropLast` leaves out.
 */
export function cutsOf({ lengths, multiple, tokens }: Buckets, batch: number, dropLast = false): readonly Cut[] {
  const cuts: Cut[] = []
  let [from, end] = [0, 0]
  const sizes = sizesOf(lengths, multiple)
  for (const [steps, size] of sizes) {
    end += size
    const rows = tokens === undefined ? batch : Math.min(batch, Math.floor(tokens / steps))
    for (; from + rows <= end; from += rows) cuts.push({ steps, from, to: from + rows })
  }
  if (from < end && !dropLast) cuts.push({ steps: sizes.at(-1)![0], from, to: end })
  return cuts
}

/** Examples in each bucket, by its steps, the shortest first. */
function sizesOf(lengths: Int32Array, multiple: number): readonly (readonly [number, number])[] {
  const sizes = new Map<number, number>()
  for (const length of lengths) {
    const steps = bucketOf(length, multiple)
    sizes.set(steps, (sizes.get(steps) ?? 0) + 1)
  }
  return [...sizes].sort(([a], [b]) => a - b)
}

/** The examples sorted by bucket, those of one bucket in the order in which they are given. */
export function byBucket({ lengths, multiple }: Buckets, order: Uint32Array): Uint32Array {
  const places = new Map<number, number>()
  let next = 0
  for (const [steps, size] of sizesOf(lengths, multiple)) {
    places.set(steps, next)
    next += size
  }
  const sorted = new Uint32Array(order.length)
  for (const index of order) {
    const steps = bucketOf(lengths[index]!, multiple)
    const place = places.get(steps)!
    sorted[place] = index
    places.set(steps, place + 1)
  }
  return sorted
}

/** What a program of one kind of batch is made for. */
export interface BatchShape {
  readonly rows: number
  /** Of time; undefined where examples have none. */
  readonly steps: number | undefined
  readonly fields: Fields
}

/** The kinds of batches of a data set of variable length, that of the most values first. */
export function shapesOf({ fields }: Dataset, buckets: Buckets, batch: number): readonly BatchShape[] {
  const shapes = new Map<string, BatchShape>()
  for (const { steps, from, to } of cutsOf(buckets, batch)) {
    const rows = to - from
    shapes.set(`${rows}x${steps}`, { rows, steps, fields: fieldsAt(fields, steps) })
  }
  return [...shapes.values()].sort((a, b) => b.rows * b.steps! - a.rows * a.steps!)
}

/** The share of steps of an epoch that are padding. */
export function paddingOf(buckets: Buckets, batch: number): number {
  const all = cutsOf(buckets, batch).reduce((sum, { steps, from, to }) => sum + steps * (to - from), 0)
  return 1 - buckets.lengths.reduce((sum, length) => sum + length, 0) / all
}
