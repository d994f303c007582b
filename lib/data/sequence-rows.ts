// A field of sequences: rows of numbers, one for each example, looked at when they are given and padded when they are gathered.
import { expectOptions, is } from '../base/index.js'
import { isShape } from './arrays.js'
import { arrayNameOf, describe, dtypeOf, elementsOf, type FieldArray, type FieldSpec } from './dataset.js'
import { DataError } from './errors.js'

/** A field of one array for each example. */
export interface Rows {
  readonly data: readonly FieldArray[]
  readonly spec: FieldSpec
  /** Values of a step. */
  readonly stride: number
  readonly pad: number
}

/** The arrays of a field that varies; undefined for one of another kind, which `columnOf` looks at. */
export function listOf(field: unknown): readonly unknown[] | undefined {
  if (Array.isArray(field)) return field as readonly unknown[]
  const wrapped = typeof field === 'object' && field !== null && 'data' in field ? field.data : undefined
  return Array.isArray(wrapped) ? (wrapped as readonly unknown[]) : undefined
}

/** Takes one field. @throws DataError, OstrichError `ERR_OPTION` */
export function rowsOf(name: string, data: readonly unknown[], field: unknown, pad: number): Rows {
  const where = `sequences[${name}]`
  const wrapped = !Array.isArray(field)
  if (wrapped) expectOptions<object>(where, field as object, { data: is.anything, shape: is.anything })
  const shape: unknown = wrapped ? (field as { readonly shape?: unknown }).shape : []
  if (!isShape(shape)) {
    throw new DataError(`${where}: expected a shape of positive integers, got ${is.shown(shape)}`)
  }
  const dtype = dtypeOf(data[0])
  if (dtype === undefined) {
    const got = data.length === 0 ? 'no examples' : describe(data[0])
    throw new DataError(`${where}: expected a Uint8Array, Int32Array or Float32Array for each example, got ${got}`)
  }
  const other = data.findIndex((values) => dtypeOf(values) !== dtype)
  if (other >= 0) {
    throw new DataError(`${where}: expected ${arrayNameOf(dtype)} for example ${other}, got ${describe(data[other])}`)
  }
  const fits = dtype === 'f32' || (Number.isInteger(pad) && (dtype === 'i32' || (pad >= 0 && pad <= 255)))
  if (!fits) throw new DataError(`sequences[pad.${name}]: expected a number of ${dtype}, got ${is.shown(pad)}`)
  const spec: FieldSpec = { dtype, shape: [...shape], batchAxis: 1, varies: true }
  return { data: data as readonly FieldArray[], spec, stride: elementsOf(shape), pad }
}

/** Copies examples, time-major, and pads each behind its end. */
export function putRows(
  name: string,
  { data, spec, stride, pad }: Rows,
  indices: ArrayLike<number>,
  out: FieldArray,
): void {
  const rows = indices.length
  const steps = out.length / rows / stride
  const longest = Array.from(indices).reduce((most, index) => Math.max(most, data[index]!.length / stride), 0)
  if (dtypeOf(out) !== spec.dtype || !Number.isInteger(steps) || steps < longest) {
    const expected = `${arrayNameOf(spec.dtype)} of ${rows} rows of at least ${longest} steps of ${stride}`
    throw new DataError(`gather[${name}]: expected ${expected}, got ${describe(out)}`)
  }
  out.fill(pad)
  for (let row = 0; row < rows; row++) {
    const values = data[indices[row]!]!
    for (let from = 0, to = row * stride; from < values.length; from += stride, to += rows * stride) {
      if (stride === 1) out[to] = values[from]!
      else out.set(values.subarray(from, from + stride), to)
    }
  }
}
