// Sequences of variable length in memory: rows of numbers for each example, padded when they are gathered.
import { expectKind, expectOptions, is, type Schema } from '../base/index.js'
import {
  checkIndices,
  type Column,
  columnOf,
  copyRows,
  type DtypeOf,
  type FieldData,
  isShape,
  type SpecOf,
} from './arrays.js'
import { wholeNumber } from './batches.js'
import { bucketOf } from './buckets.js'
import {
  arrayNameOf,
  type Buckets,
  type Dataset,
  describe,
  dtypeOf,
  elementsOf,
  type FieldArray,
  type FieldSpec,
  namesOf,
} from './dataset.js'
import { DataError } from './errors.js'

/** One typed array for each example, of as many values as it has steps, or of so many times the product of `shape`, that of one step. */
export type SequenceData =
  readonly FieldArray[] | { readonly data: readonly FieldArray[]; readonly shape: readonly number[] }

/** Options of `sequences`. */
export interface SequencesOptions<Names extends string = string> {
  /** Batches have a multiple of so many steps, so that programs stay few. Default: 8. */
  readonly multiple?: number
  /** Most steps of all rows of a batch together, padding included: short examples come in larger batches. Default: as many as there are. */
  readonly tokens?: number
  /** What stands behind the end of an example, by field. Default: 0. */
  readonly pad?: Readonly<Partial<Record<Names, number>>>
  /** Steps of the longest example that is allowed. Default: the longest that there is. */
  readonly longest?: number
  /** What becomes of longer ones; how many were left out the set says (`buckets.leftOut`), and a session. Default: `refuse`. */
  readonly longer?: 'refuse' | 'leave out'
  /** Adds the field `lengths`, i32 []: the steps of each example. Default: true. */
  readonly lengths?: boolean
}

const schema: Schema<SequencesOptions> = {
  multiple: is.anything,
  tokens: is.anything,
  pad: is.object,
  longest: is.anything,
  longer: is.oneOf('refuse', 'leave out'),
  lengths: is.flag,
}

type SequenceSpec<D> = D extends readonly (infer A)[]
  ? {
      readonly dtype: DtypeOf<A>
      readonly shape: readonly number[]
      readonly batchAxis: 1
      readonly varies: true
    }
  : never

/** The fields of `sequences`, as far as their types say. */
export type SequenceFields<A, O> = {
  readonly [K in keyof A]: A[K] extends readonly FieldArray[]
    ? SequenceSpec<A[K]>
    : A[K] extends { readonly data: infer D extends readonly FieldArray[] }
      ? SequenceSpec<D>
      : SpecOf<A[K]>
} & (O extends { readonly lengths: false }
  ? unknown
  : { readonly lengths: { readonly dtype: 'i32'; readonly shape: readonly [] } })

/** A field of one array for each example. */
interface Rows {
  readonly data: readonly FieldArray[]
  readonly spec: FieldSpec
  /** Values of a step. */
  readonly stride: number
  readonly pad: number
}

/**
 * A data set of sequences of variable length, in memory; arrays are kept, not copied. Its batches hold examples of about one length,
 * time-major: a sequence is [T, N, ...shape], padded behind its end. Fields of one size for each example are as in `arrays`.
 *
 * @throws DataError for a field of another kind, an example without steps or with fields of different lengths, one that is longer than the
 *   longest allowed, options out of range; OstrichError `ERR_OPTION`
 * @example
 * const set = sequences(
 *   { words: [Int32Array.of(5, 2, 7), Int32Array.of(4)], tags: [Int32Array.of(0, 1, 0), Int32Array.of(2)] },
 *   { multiple: 4, tokens: 4096 },
 * ) // fields words and tags i32 [T, N], lengths i32 [N]
 */
export function sequences<
  const A extends Readonly<Record<string, FieldData | SequenceData>>,
  const O extends SequencesOptions<keyof A & string> = object,
>(fields: A, options?: O): Dataset<SequenceFields<A, O>> {
  expectKind('sequences', 'fields', is.object, fields)
  const given: SequencesOptions = options ?? {}
  expectOptions<SequencesOptions>('sequences', given, schema)
  const { pad = {}, lengths: told = true } = given
  if (told && 'lengths' in fields) {
    throw new DataError(
      'sequences[lengths]: expected no field of this name, which the set adds (lengths: false), got one',
    )
  }
  const names = namesOf(fields)
  const varying = new Map<string, Rows>()
  const fixed = new Map<string, Column>()
  for (const name of names) {
    const data = listOf(fields[name])
    if (data === undefined) fixed.set(name, columnOf('sequences', name, fields[name]))
    else varying.set(name, rowsOf(name, data, fields[name], pad[name] ?? 0))
  }
  expectPads(pad, varying)
  const all = commonLengths(varying)
  for (const [name, { data, stride }] of fixed) expectAll(name, data.length / stride, all.length)
  const { kept, buckets } = chosen(all, given)
  const most = bucketOf(longestOf(buckets.lengths), buckets.multiple)
  const specs = Object.fromEntries([
    ...names.map((name): [string, FieldSpec] => {
      const rows = varying.get(name)
      if (rows === undefined) return [name, fixed.get(name)!.spec]
      return [name, { ...rows.spec, shape: [most, ...rows.spec.shape] }]
    }),
    ...(told ? [['lengths', { dtype: 'i32', shape: [] }] as [string, FieldSpec]] : []),
  ])
  return {
    length: buckets.lengths.length,
    fields: specs as SequenceFields<A, O> & Record<string, FieldSpec>,
    buckets,
    gather(indices, out: Readonly<Record<string, FieldArray>>) {
      checkIndices(indices, buckets.lengths.length)
      const own = kept === undefined ? indices : Uint32Array.from(indices, (index) => kept[index]!)
      for (const [name, column] of fixed) if (name in out) copyRows(column, own, out[name]!, name)
      for (const [name, rows] of varying) if (name in out) putRows(name, rows, own, out[name]!)
      if (told && 'lengths' in out) {
        const column = { data: buckets.lengths, spec: specs['lengths']!, stride: 1 }
        copyRows(column, indices, out['lengths'], 'lengths')
      }
    },
  }
}

const longestOf = (lengths: Int32Array): number => lengths.reduce((most, length) => Math.max(most, length), 0)

/** The arrays of a field that varies; undefined for one of another kind, which `columnOf` looks at. */
function listOf(field: unknown): readonly unknown[] | undefined {
  if (Array.isArray(field)) return field as readonly unknown[]
  const wrapped = typeof field === 'object' && field !== null && 'data' in field ? field.data : undefined
  return Array.isArray(wrapped) ? (wrapped as readonly unknown[]) : undefined
}

function rowsOf(name: string, data: readonly unknown[], field: unknown, pad: number): Rows {
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

function expectPads(pad: object, varying: ReadonlyMap<string, Rows>): void {
  const strange = Object.keys(pad).find((name) => !varying.has(name))
  if (strange === undefined) return
  const expected = `fields of variable length (${[...varying.keys()].join(', ')})`
  throw new DataError(`sequences[pad]: expected ${expected}, got ${strange}`)
}

/** The steps of each example, on which all fields agree. */
function commonLengths(varying: ReadonlyMap<string, Rows>): Int32Array {
  const [first] = varying
  if (first === undefined) {
    throw new DataError(
      'sequences: expected a field with one typed array for each example, got none (`arrays` takes others)',
    )
  }
  const all = Int32Array.from(first[1].data, ({ length }) => length / first[1].stride)
  for (const [name, { data, stride }] of varying) {
    expectAll(name, data.length, all.length, first[0])
    for (const [i, { length }] of data.entries()) {
      const where = `sequences[${name}]: example ${i}`
      if (length === 0 || length % stride !== 0) {
        const expected =
          stride === 1 ? 'at least one step' : `a positive multiple of ${stride} values, as a step has so many`
        throw new DataError(`${where}: expected ${expected}, got ${length === 0 ? 'none' : length}`)
      }
      if (length / stride !== all[i]) {
        throw new DataError(`${where}: expected ${all[i]} steps, as in '${first[0]}', got ${length / stride}`)
      }
    }
  }
  return all
}

function expectAll(name: string, examples: number, wanted: number, as?: string): void {
  if (examples === wanted) return
  const where = as === undefined ? '' : `, as in '${as}'`
  throw new DataError(`sequences[${name}]: expected ${wanted} examples${where}, got ${examples}`)
}

/** Which examples there are (undefined: all), and how they are cut. */
function chosen(
  all: Int32Array,
  { multiple = 8, tokens, longest, longer = 'refuse' }: SequencesOptions,
): { readonly kept: Uint32Array | undefined; readonly buckets: Buckets } {
  wholeNumber('sequences', 'multiple', multiple, 1)
  if (tokens !== undefined) wholeNumber('sequences', 'tokens', tokens, 1)
  if (longest !== undefined) wholeNumber('sequences', 'longest', longest, 1)
  const most = longest ?? Infinity
  const over = all.findIndex((length) => length > most)
  if (over >= 0 && longer === 'refuse') {
    const remedy = "longer: 'leave out' leaves such examples out"
    throw new DataError(`sequences: example ${over}: expected at most ${most} steps, got ${all[over]} (${remedy})`)
  }
  const kept = over < 0 ? undefined : Uint32Array.from(all.keys()).filter((index) => all[index]! <= most)
  if (kept?.length === 0)
    throw new DataError(`sequences[longest]: expected ${longest} steps to be enough for an example, got none`)
  const lengths = kept === undefined ? all : Int32Array.from(kept, (index) => all[index]!)
  const least = bucketOf(longestOf(lengths), multiple)
  if (tokens !== undefined && tokens < least) {
    const example = `the longest example, of ${longestOf(lengths)} steps, rounded up to a multiple of ${multiple}`
    throw new DataError(`sequences[tokens]: expected at least ${least}, ${example}, got ${tokens}`)
  }
  return { kept, buckets: { lengths, multiple, tokens, leftOut: all.length - lengths.length } }
}

/** Copies examples, time-major, and pads each behind its end. */
function putRows(name: string, { data, spec, stride, pad }: Rows, indices: ArrayLike<number>, out: FieldArray): void {
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
