// What a data set is: a random-access collection of examples whose fields are flat typed arrays of a fixed shape, or, in sequences, of
// one for each batch. Every source ends here.
import { is, type Schema } from '../base/index.js'
import type { Tokenizer } from './text/tokenizer.js'

/** The element kinds that can be fed to a program; anything else is converted by whoever owns the data. */
export type FieldDtype = 'u8' | 'i32' | 'f32'

/** A flat array of one field's values. */
export type FieldArray = Uint8Array | Int32Array | Float32Array

/** One field of an example: its element kind, and its shape without the batch extent (`[]` for a scalar). */
export interface FieldSpec {
  readonly dtype: FieldDtype
  readonly shape: readonly number[]
  /** Where the batch extent stands: 1 for sequences, which are time-major. Default 0, before all others. */
  readonly batchAxis?: number
  /** Whether its first extent is steps of time, of which each batch has a number of its own; `shape` has the most. Default: false. */
  readonly varies?: boolean
  /** The field that tells how many of these steps an example has, where examples have several lengths. Default: they have one. */
  readonly lengths?: string
}

/** Steps of time by the field that tells a length, where examples have several. */
export type Extents = Readonly<Record<string, number>>

/** Fields by name. */
export type Fields<Names extends string = string> = Readonly<Record<Names, FieldSpec>>

/** The kinds of what a field is said to be. */
export const fieldOptions: Schema<FieldSpec> = {
  dtype: is.needed(is.oneOf('u8', 'i32', 'f32')),
  shape: is.needed(is.numbers),
  batchAxis: is.oneOf(0, 1),
  varies: is.flag,
  lengths: is.text,
}

/** The extents of a batch of a field. */
export function batched({ shape, batchAxis = 0 }: FieldSpec, batch: number): readonly number[] {
  return [...shape.slice(0, batchAxis), batch, ...shape.slice(batchAxis)]
}

/** The fields of a batch of so many steps of time, of each length where examples have several; those of the data set where it has none. */
export function fieldsAt<F extends Fields>(fields: F, steps: number | undefined, extents?: Extents): F {
  if (steps === undefined) return fields
  const at = Object.entries<FieldSpec>(fields).map(([name, spec]): [string, FieldSpec] => {
    if (spec.varies !== true) return [name, spec]
    const own = (spec.lengths === undefined ? undefined : extents?.[spec.lengths]) ?? steps
    return [name, { ...spec, shape: [own, ...spec.shape.slice(1)] }]
  })
  return Object.fromEntries(at) as Fields as F
}

/** How long the examples of a data set are, and how batches are made of them. */
export interface Buckets {
  /** Steps of each example; where it has several lengths, the longest. */
  readonly lengths: Int32Array
  /** Where examples have several lengths: the steps of each, by the field that tells them. */
  readonly each?: Readonly<Record<string, Int32Array>>
  /** Batches have a multiple of so many steps. */
  readonly multiple: number
  /** Most steps of all rows of a batch together, padding included, of all lengths; undefined: as many as there are. */
  readonly tokens?: number | undefined
  /** Examples that were longer than the longest allowed, and are not in the set. */
  readonly leftOut: number
}

/** One time through a training set: what a set may draw the variations of its examples by. */
export interface EpochKey {
  /** The seed of the run. */
  readonly seed: number
  readonly epoch: number
}

/**
 * A random-access collection of examples.
 *
 * `gather(indices, out)` copies example `indices[i]` of every field that `out` has to row `i` of `out[field]`; it may be
 * synchronous or return a promise. `out[field]` has the extents of a batch, with the batch extent where the field says. It throws
 * `DataError` when an index is outside [0, length).
 */
export interface Dataset<F extends Fields = Fields> {
  readonly length: number
  readonly fields: F
  /** How many views of an example its `x` holds in its first extent, where that is more than one: their outputs are averaged. */
  readonly views?: number
  /** What the numbers of its fields stand for, by a name of each language: a checkpoint keeps it. */
  readonly tokenizers?: Readonly<Record<string, Tokenizer>>
  /** Of examples of variable length: `out` has as many rows as there are indices then, of at least as many steps as the longest of them. */
  readonly buckets?: Buckets
  /** Whether other threads make its examples, straight into arrays over a SharedArrayBuffer: batches of it are such arrays. */
  readonly shared?: boolean
  /**
   * Copies the examples `indices` to the rows of `out`. A set that varies its examples (random windows of images) does so
   * where `key` is given, and draws by seed, epoch and index alone: the same key gives the same examples, in any order.
   */
  gather(
    indices: Uint32Array | readonly number[],
    out: Readonly<Record<keyof F, FieldArray>>,
    key?: EpochKey,
  ): void | Promise<void>
}

/** The number of elements in a shape; 1 for a scalar. */
export function elementsOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1)
}

/** The kind of a typed array as a field dtype, or undefined when it cannot be fed (Float64Array, plain arrays ...). */
export function dtypeOf(array: unknown): FieldDtype | undefined {
  if (array instanceof Uint8Array) return 'u8'
  if (array instanceof Int32Array) return 'i32'
  if (array instanceof Float32Array) return 'f32'
  return undefined
}

/** A zeroed array of `length` elements of a field's kind, in memory that threads share or of this one alone. */
export function allocate(dtype: FieldDtype, length: number, shared = false): FieldArray {
  const bytes = length * BYTES[dtype]
  return viewOf(dtype, shared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes))
}

/** Bytes of one element of each kind. */
export const BYTES: Readonly<Record<FieldDtype, number>> = { u8: 1, i32: 4, f32: 4 }

/** All of a buffer as values of a field's kind. */
export function viewOf(dtype: FieldDtype, bytes: ArrayBufferLike): FieldArray {
  if (dtype === 'u8') return new Uint8Array(bytes)
  return dtype === 'i32' ? new Int32Array(bytes) : new Float32Array(bytes)
}

/** How a value is named in a message: its class, and its length when it has one. */
export function describe(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null || typeof value !== 'object') return value === null ? 'null' : typeof value
  const name = (value.constructor as { name?: string } | undefined)?.name ?? 'an object'
  return 'length' in value && typeof value.length === 'number' ? `${name} of length ${value.length}` : name
}

/** The class that holds a field's kind, for messages. */
export function arrayNameOf(dtype: FieldDtype): string {
  return dtype === 'u8' ? 'Uint8Array' : dtype === 'i32' ? 'Int32Array' : 'Float32Array'
}

/** The field names of a collection, typed. */
export function namesOf<F extends object>(fields: F): (keyof F & string)[] {
  return Object.keys(fields) as (keyof F & string)[]
}
