// Examples of variable length -> batches of examples of about one length. How an epoch is cut depends on the lengths alone, so
// that each has the same shapes of batches, and few of them; which examples a batch has, and the order of batches, are drawn by seed
// and epoch. An example may have several lengths, such as those of a sentence and its translation: a bucket then has an extent for each.
import { type Buckets, type Dataset, type Extents, fieldsAt, type Fields } from './dataset.js'

/** What a batch of examples of variable length measures. */
interface Measured {
  /** Steps of time; where examples have several lengths, those of the longest. */
  readonly steps: number
  /** The steps of each length, where examples have several, by the field that tells it. */
  readonly extents?: Extents
}

/** The examples `from` to `to` of an epoch, sorted by bucket, in a batch of so many steps. */
export interface Cut extends Measured {
  readonly from: number
  readonly to: number
}

/** The steps of a batch in which an example goes. */
export function bucketOf(length: number, multiple: number): number {
  return Math.ceil(length / multiple) * multiple
}

const total = (extents: readonly number[]): number => extents.reduce((sum, steps) => sum + steps, 0)
const longest = (extents: readonly number[]): number => extents.reduce((most, steps) => Math.max(most, steps), 0)

/** The buckets of all examples, in the order in which an epoch is cut. */
interface Sorted {
  /** The extents of each bucket, and how many examples it has. */
  readonly buckets: readonly { readonly extents: readonly number[]; readonly size: number }[]
  /** The bucket of each example. */
  readonly places: Int32Array
}

/** By the longest extent, then by each in turn: neighbours then differ little, so that what one leaves over goes well into the next. */
function inOrder(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((steps, i) => steps !== b[i])
  return longest(a) - longest(b) || (at < 0 ? 0 : a[at]! - b[at]!)
}

const columnsOf = ({ lengths, each }: Buckets): readonly Int32Array[] =>
  each === undefined ? [lengths] : Object.values(each)

function sorted(buckets: Buckets): Sorted {
  let places = new Int32Array(buckets.lengths.length)
  let found: readonly (readonly number[])[] = [[]]
  for (const lengths of columnsOf(buckets)) {
    const numbers = new Map<number, number>()
    const next: (readonly number[])[] = []
    places = places.map((place, example) => {
      const steps = bucketOf(lengths[example]!, buckets.multiple)
      const key = place * 2 ** 32 + steps
      let number = numbers.get(key)
      if (number === undefined) numbers.set(key, (number = next.push([...found[place]!, steps]) - 1))
      return number
    })
    found = next
  }
  const order = [...found.keys()].sort((a, b) => inOrder(found[a]!, found[b]!))
  const turn = new Int32Array(order.length)
  for (const [at, place] of order.entries()) turn[place] = at
  places = places.map((place) => turn[place]!)
  const sizes = new Int32Array(order.length)
  for (const place of places) sizes[place]!++
  return { buckets: order.map((place, at) => ({ extents: found[place]!, size: sizes[at]! })), places }
}

function measured(each: Buckets['each'], extents: readonly number[]): Measured {
  if (each === undefined) return { steps: extents[0]! }
  return {
    steps: longest(extents),
    extents: Object.fromEntries(Object.keys(each).map((name, i) => [name, extents[i]!])),
  }
}

/**
 * How an epoch is cut, from the shortest bucket to the longest. A batch has `batch` examples, or fewer where `tokens` says so; what
 * does not fill the last batch of a bucket goes into the next longer one, so that only the last batch of all may be short, which
 * `dropLast` leaves out. A batch of examples of several buckets has the longest of each of their extents.
 */
export function cutsOf(all: Buckets, batch: number, dropLast = false): readonly Cut[] {
  const { each, tokens } = all
  const cuts: Cut[] = []
  let [from, end] = [0, 0]
  let waiting: readonly number[] | undefined
  for (const { extents, size } of sorted(all).buckets) {
    const start = end
    end += size
    for (;;) {
      const wide: readonly number[] =
        waiting === undefined || from >= start ? extents : extents.map((steps, i) => Math.max(steps, waiting![i]!))
      const rows = tokens === undefined ? batch : Math.min(batch, Math.floor(tokens / total(wide)))
      if (from + rows > end) {
        waiting = from < end ? wide : undefined
        break
      }
      cuts.push({ ...measured(each, wide), from, to: from + rows })
      from += rows
    }
  }
  if (waiting !== undefined && !dropLast) cuts.push({ ...measured(each, waiting), from, to: end })
  return cuts
}

/** The examples sorted by bucket, those of one bucket in the order in which they are given. */
export function byBucket(all: Buckets, order: Uint32Array): Uint32Array {
  const { buckets, places } = sorted(all)
  let first = 0
  const next = buckets.map(({ size }) => (first += size) - size)
  const result = new Uint32Array(order.length)
  for (const index of order) result[next[places[index]!]!++] = index
  return result
}

/** What a program of one kind of batch is made for. */
export interface BatchShape {
  readonly rows: number
  /** Of time; undefined where examples have none, the most where they have several lengths. */
  readonly steps: number | undefined
  /** The steps of each length, where examples have several. */
  readonly extents?: Extents
  readonly fields: Fields
}

/** The name of a kind of batch: its rows and its steps. */
export function kindOf(rows: number, steps: number | undefined, extents?: Extents): string {
  return [rows, ...(extents === undefined ? [steps ?? 1] : Object.values(extents))].join('x')
}

/** The kinds of batches of a data set of variable length, that of the most values first. */
export function shapesOf({ fields }: Dataset, buckets: Buckets, batch: number): readonly BatchShape[] {
  const shapes = new Map<string, BatchShape>()
  for (const { from, to, ...own } of cutsOf(buckets, batch)) {
    const rows = to - from
    shapes.set(kindOf(rows, own.steps, own.extents), { rows, ...own, fields: fieldsAt(fields, own.steps, own.extents) })
  }
  return [...shapes.values()].sort((a, b) => valuesOf(b) - valuesOf(a))
}

const valuesOf = ({ rows, steps, extents }: BatchShape): number =>
  rows * (extents === undefined ? steps! : total(Object.values(extents)))

/** The share of steps of an epoch that are padding; of several lengths, of the steps of all. */
export function paddingOf(buckets: Buckets, batch: number): number {
  const all = cutsOf(buckets, batch).reduce((sum, { steps, extents, from, to }) => {
    return sum + (to - from) * (extents === undefined ? steps : total(Object.values(extents)))
  }, 0)
  return 1 - columnsOf(buckets).reduce((sum, lengths) => sum + total(Array.from(lengths)), 0) / all
}
