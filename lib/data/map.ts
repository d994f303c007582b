// A data set whose fields are made from those of another, example by example, on the host.
import { expectKind, expectOptions, is } from '../base/index.js'
import {
  allocate,
  arrayNameOf,
  type Dataset,
  describe,
  dtypeOf,
  elementsOf,
  type EpochKey,
  type FieldArray,
  fieldOptions,
  type Fields,
  type FieldSpec,
  namesOf,
} from './dataset.js'
import { DataError } from './errors.js'

/** The fields of one example; an array is the example's own only until the function returns. */
export type Example<F extends Fields> = Readonly<Record<keyof F & string, FieldArray>>

/** What an example is made of besides its fields. */
export interface ExamplePlace {
  /** Its place in the data set. */
  readonly index: number
  /** Seed and epoch while it is trained on, to vary it by; undefined where it is measured. */
  readonly key: EpochKey | undefined
}

/** The fields that an example becomes: a flat array for each, or a number where it is one. */
export type Mapped<G extends Fields> = Readonly<Record<keyof G & string, ArrayLike<number> | number>>

/**
 * Each example as `each` makes it, when it is read: log scales, crops, derived fields, fields that are dropped. The result has the
 * fields that are named, and no others.
 * @param fields what the result has: dtype and shape of each field
 * @throws DataError, when read, where `each` leaves out a field or gives another number of values; OstrichError `ERR_OPTION`
 * @example
 * const logs = map(houses, { x: { dtype: 'f32', shape: [8] }, target: houses.fields.target }, ({ x, target }) => ({ x: x.map(Math.log1p), target }))
 */
export function map<F extends Fields, const G extends Fields>(
  dataset: Dataset<F>,
  fields: G,
  each: (example: Example<F>, place: ExamplePlace) => Mapped<G>,
): Dataset<G> {
  expectKind('map', 'fields', is.object, fields)
  expectKind('map', 'each', is.callable, each)
  for (const [name, spec] of Object.entries(fields)) expectOptions(`map[fields.${name}]`, spec, fieldOptions)
  expectRows('map', { ...dataset.fields, ...fields })
  const before = namesOf(dataset.fields).map((name) => ({ name, spec: dataset.fields[name]! }))
  return {
    ...dataset,
    fields,
    async gather(indices, out: Readonly<Record<string, FieldArray>>, key) {
      const rooms = before.map(({ name, spec }) => {
        const size = elementsOf(spec.shape)
        return { name, size, room: allocate(spec.dtype, indices.length * size) }
      })
      const read = Object.fromEntries(rooms.map(({ name, room }) => [name, room])) as Record<keyof F, FieldArray>
      await dataset.gather(indices, read, ...(key === undefined ? [] : [key]))
      for (const [row, index] of indices.entries()) {
        const own = rooms.map(({ name, size, room }) => [name, room.subarray(row * size, (row + 1) * size)])
        const made = each(Object.fromEntries(own) as Example<F>, { index, key })
        for (const name of namesOf(fields)) {
          if (name in out) put(out[name]!, row, name, fields[name]!, made[name])
        }
      }
    },
  }
}

/** @throws DataError for fields whose examples are no rows of a batch: those of sequences, which are time-major or of several lengths */
export function expectRows(op: string, fields: Fields): void {
  const other = Object.entries(fields).find(([, { batchAxis = 0, varies = false }]) => batchAxis !== 0 || varies)
  if (other === undefined) return
  throw new DataError(`${op}[${other[0]}]: expected a field of one shape with the batch first, got one of sequences`)
}

function put(out: FieldArray, row: number, name: string, { dtype, shape }: FieldSpec, value: unknown): void {
  const size = elementsOf(shape)
  if (dtypeOf(out) !== dtype)
    throw new DataError(`gather[${name}]: expected ${arrayNameOf(dtype)}, got ${describe(out)}`)
  const values = typeof value === 'number' && size === 1 ? [value] : value
  if (!(Array.isArray(values) || ArrayBuffer.isView(values)) || (values as ArrayLike<number>).length !== size) {
    const got = Array.isArray(values) ? `a list of ${values.length}` : describe(values)
    throw new DataError(`map[${name}]: expected ${size} numbers for shape [${shape.join(', ')}], got ${got}`)
  }
  out.set(values as ArrayLike<number>, row * size)
}
