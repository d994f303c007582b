// Data set -> batches: the seeded order of an epoch, a small ring of reused buffers, and reading ahead.
// A position (epoch, step) is all the state there is, so a run resumes exactly where it stopped.
import { expectOptions, is, type Schema } from '../base/index.js'
import {
  type Buckets,
  allocate,
  elementsOf,
  type Extents,
  fieldsAt,
  type Dataset,
  type FieldArray,
  type Fields,
} from './dataset.js'
import { byBucket, type Cut, cutsOf } from './buckets.js'
import { DataError } from './errors.js'
import { PhiloxStream } from './philox.js'
import { prefetch } from './prefetch.js'
import { clearRows } from './rows.js'

/** Tags of the shuffling streams of examples ('shuf') and of batches ('buck'), which share no random word with another use of the seed. */
const SHUFFLE_DOMAIN = 0x73687566
const BATCHES_DOMAIN = 0x6275636b
/** How many batches are read ahead; the ring holds these, the one in hand and the one before it. */
const READ_AHEAD = 2

/**
 * One batch. `feeds[name]` holds `batch * product(shape)` elements; rows from `count` on are zero (a short last batch). Of a data set of
 * variable length each batch has `count` rows of so many `steps`.
 */
export interface Batch<Names extends PropertyKey = string> {
  /** The epoch that was asked for. */
  readonly epoch: number
  /** Position in the epoch, from 0. */
  readonly step: number
  /** Real examples in the batch, 1 to `batch`. */
  readonly count: number
  /** Steps of time in this batch, of sequences, the most where they have several lengths; absent elsewhere. */
  readonly steps?: number
  /** The steps of each length in this batch, by the field that tells it; absent where sequences have one. */
  readonly extents?: Extents
  /** What its mean loss is a mean over, of windows of a text: tokens. Default: examples. */
  readonly tokens?: number
  readonly feeds: Readonly<Record<Names, FieldArray>>
}

/** Options of `batches`. */
export interface BatchOptions {
  /** Examples per batch; of variable length, at most. */
  readonly batch: number
  /** Visit the examples in the order `permutation(length, seed, epoch)`; otherwise as they lie. Default false. */
  readonly shuffle?: boolean
  /** Let the data set vary its examples by seed and epoch. Default false. */
  readonly augment?: boolean
  /** A non-negative integer, default 0. */
  readonly seed?: number
  /** A non-negative integer, default 0. */
  readonly epoch?: number
  /** Leave out a short last batch. Default false. */
  readonly dropLast?: boolean
  /** First step to make; earlier ones are skipped without reading. Default 0. */
  readonly startStep?: number
}

/** Whole numbers are looked at one by one. */
const schema: Schema<BatchOptions> = {
  batch: is.anything,
  shuffle: is.flag,
  augment: is.flag,
  seed: is.anything,
  epoch: is.anything,
  dropLast: is.flag,
  startStep: is.anything,
}

/**
 * The order of an epoch: a Fisher-Yates shuffle of 0..length-1 whose draw for place i (from the last down to 1) is
 * `PhiloxStream(seed, epoch, 'shuf').below(i + 1)`. The same arguments give the same order on every machine.
 *
 * @throws DataError when an argument is not a non-negative integer (`length` below 2^32)
 * @example
 * permutation(4, 1, 0)  // a Uint32Array holding 0, 1, 2, 3 in some order
 */
export function permutation(length: number, seed: number, epoch: number): Uint32Array {
  wholeNumber('permutation', 'length', length, 0, 0xffffffff)
  wholeNumber('permutation', 'seed', seed, 0)
  wholeNumber('permutation', 'epoch', epoch, 0)
  return shuffled(length, new PhiloxStream(seed, epoch, SHUFFLE_DOMAIN))
}

const inOrder = (length: number): Uint32Array => Uint32Array.from({ length }, (_, index) => index)

/** 0 to length - 1, shuffled by a stream of random words (Fisher and Yates). */
export function shuffled(length: number, stream: PhiloxStream): Uint32Array {
  const order = inOrder(length)
  for (let i = length - 1; i > 0; i--) {
    const j = stream.below(i + 1)
    const moved = order[i] ?? 0
    order[i] = order[j] ?? 0
    order[j] = moved
  }
  return order
}

/**
 * The number of batches in an epoch.
 *
 * @throws DataError when it would be none
 * @example
 * stepsPerEpoch(60_000, 128, true)  // 468
 */
export function stepsPerEpoch(length: number, batch: number, dropLast = false): number {
  wholeNumber('stepsPerEpoch', 'batch', batch, 1)
  const steps = dropLast ? Math.floor(length / batch) : Math.ceil(length / batch)
  if (steps === 0) throw tooFew(length, batch)
  return steps
}

function tooFew(length: number, batch: number): DataError {
  return new DataError(
    `batches[batch]: expected at most ${length} (the number of examples) with dropLast, got ${batch}`,
  )
}

/**
 * The batches of one epoch, read two ahead.
 *
 * The arrays belong to a small ring and are reused: a batch's arrays are valid until two further batches were taken. Copy
 * them to keep them longer.
 *
 * @throws DataError for an option out of range (when called), or whatever the data set's `gather` throws (when iterated)
 * @example
 * for await (const { feeds, count } of batches(train, { batch: 128, shuffle: true, seed: 1, epoch })) ...
 */
export function batches<F extends Fields>(
  dataset: Dataset<F>,
  options: BatchOptions,
): AsyncGenerator<Batch<keyof F>, void, undefined> {
  expectOptions('batches', options, schema)
  const { batch, shuffle = false, augment = false, seed = 0, epoch = 0, dropLast = false, startStep = 0 } = options
  wholeNumber('batches', 'batch', batch, 1)
  wholeNumber('batches', 'seed', seed, 0)
  wholeNumber('batches', 'epoch', epoch, 0)
  if (dataset.length < 1)
    throw new DataError(`batches: expected a data set with examples, got length ${dataset.length}`)
  const own = { batch, shuffle, augment, seed, epoch, dropLast, startStep }
  if (dataset.buckets !== undefined) {
    const { length: steps } = cutsOf(dataset.buckets, batch, dropLast)
    if (steps === 0) throw tooFew(dataset.length, batch)
    wholeNumber('batches', 'startStep', startStep, 0, steps)
    return prefetch(readBuckets(dataset, dataset.buckets, own), READ_AHEAD)
  }
  const steps = stepsPerEpoch(dataset.length, batch, dropLast)
  wholeNumber('batches', 'startStep', startStep, 0, steps)
  return prefetch(readBatches(dataset, own, steps), READ_AHEAD)
}

async function* readBatches<F extends Fields>(
  dataset: Dataset<F>,
  { batch, shuffle, augment, seed, epoch, startStep }: Required<BatchOptions>,
  steps: number,
): AsyncGenerator<Batch<keyof F>, void, undefined> {
  const { length, fields } = dataset
  const order = shuffle ? permutation(length, seed, epoch) : inOrder(length)
  const ring = Array.from({ length: READ_AHEAD + 2 }, () => batchArrays(fields, batch, dataset.shared))
  for (let step = startStep; step < steps; step++) {
    const indices = order.subarray(step * batch, Math.min(length, (step + 1) * batch))
    const feeds = ring[step % ring.length]!
    await (augment ? dataset.gather(indices, feeds, { seed, epoch }) : dataset.gather(indices, feeds))
    const count = indices.length
    if (count < batch) clearRows(fields, feeds, count, batch)
    yield { epoch, step, count, feeds }
  }
}

/** Batches of examples of about one length: each example is in one of them. */
async function* readBuckets<F extends Fields>(
  dataset: Dataset<F>,
  buckets: Buckets,
  { batch, shuffle, augment, seed, epoch, startStep, dropLast }: Required<BatchOptions>,
): AsyncGenerator<Batch<keyof F>, void, undefined> {
  const { length } = dataset
  const order = byBucket(buckets, shuffle ? permutation(length, seed, epoch) : inOrder(length))
  const cuts = cutsOf(buckets, batch, dropLast)
  const turns = shuffle ? shuffled(cuts.length, new PhiloxStream(seed, epoch, BATCHES_DOMAIN)) : inOrder(cuts.length)
  const ring = Array.from({ length: READ_AHEAD + 2 }, () => roomFor(dataset.fields, cuts))
  for (let step = startStep; step < cuts.length; step++) {
    const { steps, extents, from, to } = cuts[turns[step]!]!
    const indices = order.subarray(from, to)
    const fields = fieldsAt(dataset.fields, steps, extents)
    const room = ring[step % ring.length]!
    const feeds = Object.fromEntries(
      Object.entries(fields).map(([name, { shape }]) => [
        name,
        room[name]!.subarray(0, (to - from) * elementsOf(shape)),
      ]),
    ) as Record<keyof F, FieldArray>
    await (augment ? dataset.gather(indices, feeds, { seed, epoch }) : dataset.gather(indices, feeds))
    yield { epoch, step, count: to - from, steps, ...(extents && { extents }), feeds }
  }
}

/** For each field an array that any of these batches fits in. */
function roomFor(fields: Fields, cuts: readonly Cut[]): Record<string, FieldArray> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, spec]) => {
      const most = cuts.reduce((most, { steps, extents, from, to }) => {
        return Math.max(most, (to - from) * elementsOf(fieldsAt({ [name]: spec }, steps, extents)[name]!.shape))
      }, 0)
      return [name, allocate(spec.dtype, most)]
    }),
  )
}

/** Zeroed arrays for one batch of a data set's fields. */
export function batchArrays<F extends Fields>(fields: F, batch: number, shared = false): Record<keyof F, FieldArray> {
  const entries = Object.entries(fields).map(([name, { dtype, shape }]): [string, FieldArray] => [
    name,
    allocate(dtype, batch * elementsOf(shape), shared),
  ])
  return Object.fromEntries(entries) as Record<keyof F, FieldArray>
}

/** Refuses an option that is not an integer in [least, most]. */
export function wholeNumber(
  op: string,
  name: string,
  value: unknown,
  least: number,
  most = Number.MAX_SAFE_INTEGER,
): void {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most) return
  const range =
    most === Number.MAX_SAFE_INTEGER ? `an integer of ${least} or more` : `an integer from ${least} to ${most}`
  throw new DataError(`${op}[${name}]: expected ${range}, got ${String(value)}`)
}
