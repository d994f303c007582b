// Batches that the user makes: any iterable of { field: typed array } objects, checked field by field against what the
// program expects before a number of it reaches a device.
import { expectOptions, is, type Schema } from '../base/index.js'
import {
  allocate,
  arrayNameOf,
  describe,
  dtypeOf,
  elementsOf,
  namesOf,
  type FieldArray,
  type FieldSpec,
} from './dataset.js'
import { wholeNumber, type Batch } from './batches.js'
import { DataError } from './errors.js'
import { prefetch } from './prefetch.js'
import { padRows } from './rows.js'

/** What a user's iterable yields: one flat typed array per field, all with the same number of examples. */
export type UserBatch<Names extends string = string> = Readonly<Record<Names, FieldArray>>

/** Options of `fromBatches`. */
export interface UserBatchOptions<Names extends string = string> {
  /** What every batch must hold: element kind and shape of one example, per field. */
  readonly fields: Readonly<Record<Names, FieldSpec>>
  /** Examples per batch; a shorter one is padded with zeros and says so in `count`. */
  readonly batch: number
  /** The epoch number to put on the batches. Default 0. */
  readonly epoch?: number
  /** Batches of the iterable to take and throw away first (the way to resume). Default 0. */
  readonly startStep?: number
}

/** Whole numbers are looked at one by one. */
const schema: Schema<UserBatchOptions> = {
  fields: is.needed(is.object),
  batch: is.anything,
  epoch: is.number,
  startStep: is.anything,
}

/**
 * Checked batches from an iterable or async iterable of `{ field: typed array }`, read two ahead.
 *
 * Full batches are passed on without a copy, so the iterable must not change an array until two further batches were taken.
 *
 * @throws DataError naming the batch number and the field: missing or unknown field, wrong kind of array, a length that is
 *   not a whole number of examples, more examples than `batch`, or fields that disagree on their number
 * @example
 * fromBatches(camera(), { fields: { x: { dtype: 'u8', shape: [1, 28, 28] } }, batch: 32 })
 */
export function fromBatches<Names extends string>(
  source: Iterable<UserBatch<Names>> | AsyncIterable<UserBatch<Names>>,
  options: UserBatchOptions<Names>,
): AsyncGenerator<Batch<Names>, void, undefined> {
  const given: unknown = source
  if (typeof given !== 'object' || given === null || !(Symbol.iterator in given || Symbol.asyncIterator in given)) {
    throw new DataError(`batches: expected an iterable or async iterable of batches, got ${describe(given)}`)
  }
  expectOptions('fromBatches', options, schema)
  wholeNumber('batches', 'batch', options.batch, 1)
  wholeNumber('batches', 'startStep', options.startStep ?? 0, 0)
  return prefetch(check(source, options), 2)
}

async function* check<Names extends string>(
  source: Iterable<UserBatch<Names>> | AsyncIterable<UserBatch<Names>>,
  { fields, batch, epoch = 0, startStep = 0 }: UserBatchOptions<Names>,
): AsyncGenerator<Batch<Names>, void, undefined> {
  let step = 0
  for await (const item of source) {
    if (step >= startStep) {
      const count = countOf(item, fields, batch, step)
      yield { epoch, step, count, feeds: count === batch ? item : padded(item, fields, batch) }
    }
    step++
  }
}

function countOf<Names extends string>(
  item: unknown,
  fields: Readonly<Record<Names, FieldSpec>>,
  batch: number,
  step: number,
): number {
  const names = namesOf(fields)
  if (typeof item !== 'object' || item === null || Array.isArray(item)) {
    throw new DataError(`batch ${step}: expected an object with fields ${names.join(', ')}, got ${describe(item)}`)
  }
  const extra = Object.keys(item).find((name) => !Object.hasOwn(fields, name))
  if (extra !== undefined) {
    throw new DataError(`batch ${step}: expected only fields ${names.join(', ')}, got '${extra}' as well`)
  }
  let first: { name: Names; count: number } | undefined
  for (const name of names) {
    const count = rowsOf((item as Record<Names, unknown>)[name], fields[name], batch, `batch ${step}[${name}]`)
    first ??= { name, count }
    if (count !== first.count) {
      throw new DataError(
        `batch ${step}[${name}]: expected ${first.count} examples, as in '${first.name}', got ${count}`,
      )
    }
  }
  return first?.count ?? 0
}

function rowsOf(array: unknown, { dtype, shape }: FieldSpec, batch: number, where: string): number {
  const kind = arrayNameOf(dtype)
  if (dtypeOf(array) !== dtype) throw new DataError(`${where}: expected ${kind}, got ${describe(array)}`)
  const { length } = array as FieldArray
  const stride = elementsOf(shape)
  const rows = length / stride
  if (!Number.isInteger(rows) || rows < 1 || rows > batch) {
    const each = `${stride} elements per example (shape [${shape.join(', ')}])`
    throw new DataError(`${where}: expected ${batch * stride} elements, ${batch} examples of ${each}, got ${length}`)
  }
  return rows
}

function padded<Names extends string>(
  item: UserBatch<Names>,
  fields: Readonly<Record<Names, FieldSpec>>,
  batch: number,
): Record<Names, FieldArray> {
  const entries = namesOf(fields).map((name): [Names, FieldArray] => {
    const whole = allocate(fields[name].dtype, batch * elementsOf(fields[name].shape))
    padRows(fields[name], item[name], whole)
    return [name, whole]
  })
  return Object.fromEntries(entries) as Record<Names, FieldArray>
}
