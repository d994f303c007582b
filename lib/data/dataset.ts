// What a data set is: a random-access collection of examples whose fields are flat typed arrays of a fixed shape.
// Every source ends here. `arrays` makes one from the user's own arrays; it refuses kinds that no program can be fed.
import { expectKind, expectOptions, is, type Schema } from '../base/index.js'
import { DataError } from './errors.js'

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
}

/** Fields by name. */
export type Fields<Names extends string = string> = Readonly<Record<Names, FieldSpec>>

/** The kinds of what a field is said to be. */
export const fieldOptions: Schema<FieldSpec> = {
  dtype: is.needed(is.oneOf('u8', 'i32', 'f32')),
  shape: is.needed(is.numbers),
  batchAxis: is.oneOf(0, 1),
}

/** The extents of a batch of a field. */
export function batched({ shape, batchAxis = 0 }: FieldSpec, batch: number): readonly number[] {
  return [...shape.slice(0, batchAxis), batch, ...shape.slice(batchAxis)]
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
 * `gather(indices, out)` copies example `indices[i]` of every field that `out` has to rows `i` of `out[field]`; it may be
 * synchronous or return a promise. It throws `DataError` when an index is outside [0, length).
 */
export interface Dataset<F extends Fields = Fields> {
  readonly length: number
  readonly fields: F
  /** How many views of an example its `x` holds in its first extent, where that is more than one: their outputs are averaged. */
  readonly views?: number
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

/** Values of one field of `arrays`: a flat array with the shape of one example, or a bare array of scalars. */
export type FieldData = FieldArray | { readonly data: FieldArray; readonly shape: readonly number[] }

type DtypeOf<A> = A extends Uint8Array ? 'u8' : A extends Int32Array ? 'i32' : A extends Float32Array ? 'f32' : never

/** What a field of `arrays` is, as far as its type says. */
type SpecOf<A> = A extends { readonly data: infer D; readonly shape: infer S extends readonly number[] }
  ? { readonly dtype: DtypeOf<D>; readonly shape: S }
  : { readonly dtype: DtypeOf<A>; readonly shape: readonly [] }

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

/** A zeroed array of `length` elements of a field's kind. */
export function allocate(dtype: FieldDtype, length: number): FieldArray {
  if (dtype === 'u8') return new Uint8Array(length)
  return dtype === 'i32' ? new Int32Array(length) : new Float32Array(length)
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

interface Column {
  readonly data: FieldArray
  readonly spec: FieldSpec
  readonly stride: number
}

/**
 * A data set over typed arrays that are already in memory; they are kept, not copied.
 *
 * @param fields per field a flat array of `length * product(shape)` elements and the shape of one example
 * @throws DataError when a field is not a Uint8Array, Int32Array or Float32Array, has a length that is not a whole number
 *   of examples, or fields disagree on the number of examples
 * @example
 * const points = arrays({ x: { data: new Float32Array(200), shape: [2] }, target: new Int32Array(100) })
 */
export function arrays<const A extends Readonly<Record<string, FieldData>>>(
  fields: A,
): Dataset<{ readonly [K in keyof A]: SpecOf<A[K]> }> {
  expectKind('arrays', 'fields', is.object, fields)
  const names = namesOf(fields)
  if (names.length === 0) throw new DataError('arrays: expected at least one field, got none')
  const columns = new Map(names.map((name): [string, Column] => [name, columnOf(name, fields[name])]))
  const specs = Object.fromEntries([...columns].map(([name, column]) => [name, column.spec]))
  const length = commonLength(columns)
  return {
    length,
    fields: specs as { readonly [K in keyof A]: SpecOf<A[K]> },
    gather(indices, out: Readonly<Record<string, FieldArray>>) {
      checkIndices(indices, length)
      for (const [name, column] of columns) if (name in out) copyRows(column, indices, out[name]!, name)
    },
  }
}

function columnOf(name: string, field: unknown): Column {
  const wrapped = typeof field === 'object' && field !== null && 'data' in field
  if (wrapped)
    expectOptions<{ data?: unknown; shape?: unknown }>(`arrays[${name}]`, field, {
      data: is.anything,
      shape: is.anything,
    })
  const data: unknown = wrapped ? field.data : field
  const shape: unknown = wrapped ? ('shape' in field ? field.shape : undefined) : []
  const dtype = dtypeOf(data)
  if (dtype === undefined) {
    throw new DataError(
      `arrays[${name}]: expected a Uint8Array, Int32Array or Float32Array (alone or as { data, shape }), got ${describe(data)}`,
    )
  }
  if (!isShape(shape)) {
    const got = shape === undefined ? 'nothing' : JSON.stringify(shape)
    throw new DataError(`arrays[${name}]: expected a shape of positive integers, got ${got}`)
  }
  const stride = elementsOf(shape)
  const values = data as FieldArray
  if (values.length === 0 || values.length % stride !== 0) {
    throw new DataError(
      `arrays[${name}]: expected a positive multiple of ${stride} elements (shape [${shape.join(', ')}]), got ${values.length}`,
    )
  }
  return { data: values, spec: { dtype, shape: [...shape] }, stride }
}

function isShape(shape: unknown): shape is number[] {
  return Array.isArray(shape) && shape.every((extent) => Number.isSafeInteger(extent) && extent > 0)
}

function commonLength(columns: ReadonlyMap<string, Column>): number {
  let first: { name: string; length: number } | undefined
  for (const [name, { data, stride }] of columns) {
    const length = data.length / stride
    first ??= { name, length }
    if (length !== first.length) {
      throw new DataError(`arrays[${name}]: expected ${first.length} examples, as in '${first.name}', got ${length}`)
    }
  }
  return first?.length ?? 0
}

function checkIndices(indices: Uint32Array | readonly number[], length: number): void {
  for (const index of indices) {
    if (!Number.isInteger(index) || index < 0 || index >= length) {
      throw new DataError(`gather: expected indices in [0, ${length}), got ${index}`)
    }
  }
}

function copyRows(column: Column, indices: Uint32Array | readonly number[], out: FieldArray, name: string): void {
  const { data, stride, spec } = column
  if (dtypeOf(out) !== spec.dtype || out.length < indices.length * stride) {
    const expected = `${arrayNameOf(spec.dtype)} of length ${indices.length * stride} or more`
    throw new DataError(`gather[${name}]: expected ${expected}, got ${describe(out)}`)
  }
  let to = 0
  for (const from of indices) {
    if (stride === 1) out[to] = data[from] ?? 0
    else out.set(data.subarray(from * stride, from * stride + stride), to)
    to += stride
  }
}
