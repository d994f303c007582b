// A data set of the user's own arrays; refuses kinds that no program can be fed.
import { expectKind, expectOptions, is } from '../base/index.js'
import { type Dataset, describe, dtypeOf, elementsOf, type FieldArray, type FieldSpec, namesOf } from './dataset.js'
import { DataError } from './errors.js'
import { expectRoom, putRow } from './rows.js'

/** Values of one field of `arrays`: a flat array with the shape of one example, or a bare array of scalars. */
export type FieldData =
  | FieldArray
  | {
      /** Example after example, whatever `batchAxis` is. */
      readonly data: FieldArray
      readonly shape: readonly number[]
      /** Where the batch extent stands in a batch. Default 0. */
      readonly batchAxis?: 0 | 1
    }

/** The dtype of a typed array. */
export type DtypeOf<A> = A extends Uint8Array
  ? 'u8'
  : A extends Int32Array
    ? 'i32'
    : A extends Float32Array
      ? 'f32'
      : never

/** What a field of `arrays` is, as far as its type says. */
export type SpecOf<A> = A extends { readonly data: infer D; readonly shape: infer S extends readonly number[] }
  ? A extends { readonly batchAxis: 1 }
    ? { readonly dtype: DtypeOf<D>; readonly shape: S; readonly batchAxis: 1 }
    : { readonly dtype: DtypeOf<D>; readonly shape: S }
  : { readonly dtype: DtypeOf<A>; readonly shape: readonly [] }

/** A field in memory, example after example. */
export interface Column {
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
  const columns = new Map(names.map((name): [string, Column] => [name, columnOf('arrays', name, fields[name])]))
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

/** Takes one field, in the name of `op`. @throws DataError, OstrichError `ERR_OPTION` */
export function columnOf(op: string, name: string, field: unknown): Column {
  const wrapped = typeof field === 'object' && field !== null && 'data' in field
  const known = { data: is.anything, shape: is.anything, batchAxis: is.oneOf(0, 1) }
  if (wrapped) expectOptions<{ data?: unknown; shape?: unknown; batchAxis?: unknown }>(`${op}[${name}]`, field, known)
  const data: unknown = wrapped ? field.data : field
  const shape: unknown = wrapped ? ('shape' in field ? field.shape : undefined) : []
  const dtype = dtypeOf(data)
  if (dtype === undefined) {
    throw new DataError(
      `${op}[${name}]: expected a Uint8Array, Int32Array or Float32Array (alone or as { data, shape }), got ${describe(data)}`,
    )
  }
  if (!isShape(shape)) {
    const got = shape === undefined ? 'nothing' : JSON.stringify(shape)
    throw new DataError(`${op}[${name}]: expected a shape of positive integers, got ${got}`)
  }
  const stride = elementsOf(shape)
  const values = data as FieldArray
  if (values.length === 0 || values.length % stride !== 0) {
    throw new DataError(
      `${op}[${name}]: expected a positive multiple of ${stride} elements (shape [${shape.join(', ')}]), got ${values.length}`,
    )
  }
  const behind = wrapped && 'batchAxis' in field && field.batchAxis === 1
  return { data: values, spec: { dtype, shape: [...shape], ...(behind && { batchAxis: 1 }) }, stride }
}

/** Whether this is the shape of an example. */
export function isShape(shape: unknown): shape is number[] {
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

/** @throws DataError for an index outside [0, length) */
export function checkIndices(indices: Uint32Array | readonly number[], length: number): void {
  for (const index of indices) {
    if (!Number.isInteger(index) || index < 0 || index >= length) {
      throw new DataError(`gather: expected indices in [0, ${length}), got ${index}`)
    }
  }
}

/** Copies the examples `indices` of a field to the rows of a batch. @throws DataError for an array that they do not fit */
export function copyRows(
  { data, stride, spec }: Column,
  indices: Uint32Array | readonly number[],
  out: FieldArray,
  name: string,
): void {
  expectRoom(name, spec, out, indices.length)
  let row = 0
  for (const from of indices) {
    if (stride === 1) out[row] = data[from] ?? 0
    else putRow(spec, data.subarray(from * stride, (from + 1) * stride), out, row)
    row++
  }
}
