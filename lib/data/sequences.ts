// Sequences of variable length in memory: rows of numbers for each example, padded when they are gathered. All fields of an example are of one
// length, or of several lengths that are named.
import { expectKind, expectOptions, is, type Schema } from '../base/index.js'
import { checkIndices, type Column, columnOf, copyRows, type DtypeOf, type FieldData, type SpecOf } from './arrays.js'
import { wholeNumber } from './batches.js'
import { bucketOf } from './buckets.js'
import { type Buckets, type Dataset, type FieldArray, type FieldSpec, namesOf } from './dataset.js'
import { DataError } from './errors.js'
import { listOf, putRows, type Rows, rowsOf } from './sequence-rows.js'

/** One typed array for each example, of as many values as it has steps, or of so many times the product of `shape`, that of one step. */
export type SequenceData =
  readonly FieldArray[] | { readonly data: readonly FieldArray[]; readonly shape: readonly number[] }

/** Options of `sequences`. */
export interface SequencesOptions<Names extends string = string> {
  /** Batches have a multiple of so many steps, so that programs stay few. Default: 8. */
  readonly multiple?: number
  /**
   * Most steps of all rows of a batch together, padding included, of all lengths: short examples come in larger batches. Default: as many as
   * there are.
   */
  readonly tokens?: number
  /** What stands behind the end of an example, by field. Default: 0. */
  readonly pad?: Readonly<Partial<Record<Names, number>>>
  /** Steps of the longest example that is allowed, of any of its lengths. Default: the longest that there is. */
  readonly longest?: number
  /** What becomes of longer ones; how many were left out the set says (`buckets.leftOut`), and a session. Default: `refuse`. */
  readonly longer?: 'refuse' | 'leave out'
  /**
   * Adds the field `lengths`, i32 []: the steps of each example. Where fields of one example differ in length, name a field to add for each
   * length, and the fields that have it: `{ sourceLengths: ['source'], targetLengths: ['input', 'target'] }`. Default: true.
   */
  readonly lengths?: boolean | Readonly<Record<string, readonly string[]>>
}

const schema: Schema<SequencesOptions> = {
  multiple: is.anything,
  tokens: is.anything,
  pad: is.object,
  longest: is.anything,
  longer: is.oneOf('refuse', 'leave out'),
  lengths: is.either(is.flag, is.kind('lists of fields by the length that they have', is.object.accepts)),
}

type SequenceSpec<D> = D extends readonly (infer A)[]
  ? {
      readonly dtype: DtypeOf<A>
      readonly shape: readonly number[]
      readonly batchAxis: 1
      readonly varies: true
    }
  : never

interface LengthSpec {
  readonly dtype: 'i32'
  readonly shape: readonly []
}

/** The fields of `sequences`, as far as their types say. */
export type SequenceFields<A, O> = {
  readonly [K in keyof A]: A[K] extends readonly FieldArray[]
    ? SequenceSpec<A[K]>
    : A[K] extends { readonly data: infer D extends readonly FieldArray[] }
      ? SequenceSpec<D>
      : SpecOf<A[K]>
} & (O extends { readonly lengths: false }
  ? unknown
  : O extends { readonly lengths: infer L extends Readonly<Record<string, readonly string[]>> }
    ? { readonly [K in keyof L]: LengthSpec }
    : { readonly lengths: LengthSpec })

/**
 * A data set of sequences of variable length, in memory; arrays are kept, not copied. Its batches hold examples of about one length,
 * time-major: a sequence is [T, N, ...shape], padded behind its end. Fields of one size for each example are as in `arrays`. Fields of one
 * example may differ in length where `lengths` names a field for each length: every field is then padded to its own.
 *
 * @throws DataError for a field of another kind, an example without steps or with fields of other lengths than is said, one that is longer than the
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
  const names = namesOf(fields)
  const varying = new Map<string, Rows>()
  const fixed = new Map<string, Column>()
  for (const name of names) {
    const data = listOf(fields[name])
    if (data === undefined) fixed.set(name, columnOf('sequences', name, fields[name]))
    else varying.set(name, rowsOf(name, data, fields[name], pad[name] ?? 0))
  }
  expectPads(pad, varying)
  const all = lengthsOf(varying, typeof told === 'boolean' ? { lengths: [...varying.keys()] } : told)
  for (const name of told === false ? [] : all.keys()) {
    if (!(name in fields)) continue
    const expected = 'expected no field of this name, which the set adds (lengths: false), got one'
    throw new DataError(`sequences[${name}]: ${expected}`)
  }
  const examples = [...all.values()][0]!.steps.length
  for (const [name, { data, stride }] of fixed) expectAll(name, data.length / stride, examples)
  const { kept, columns, buckets } = chosen(all, given)
  const spec: Record<string, FieldSpec> = {}
  for (const [name, { spec: own }] of fixed) spec[name] = own
  for (const [length, { of }] of all) {
    const most = bucketOf(longestOf(columns.get(length)!), buckets.multiple)
    const named = typeof told === 'boolean' ? {} : { lengths: length }
    for (const name of of) {
      const { spec: own } = varying.get(name)!
      spec[name] = { ...own, shape: [most, ...own.shape], ...named }
    }
  }
  const added = told === false ? [] : [...columns]
  const specs = Object.fromEntries([
    ...names.map((name): [string, FieldSpec] => [name, spec[name]!]),
    ...added.map(([name]): [string, FieldSpec] => [name, { dtype: 'i32', shape: [] }]),
  ])
  return {
    length: buckets.lengths.length,
    fields: specs as SequenceFields<A, O> & Record<string, FieldSpec>,
    buckets: typeof told === 'boolean' ? buckets : { ...buckets, each: Object.fromEntries(columns) },
    gather(indices, out: Readonly<Record<string, FieldArray>>) {
      checkIndices(indices, buckets.lengths.length)
      const own = kept === undefined ? indices : Uint32Array.from(indices, (index) => kept[index]!)
      for (const [name, column] of fixed) if (name in out) copyRows(column, own, out[name]!, name)
      for (const [name, rows] of varying) if (name in out) putRows(name, rows, own, out[name]!)
      for (const [name, data] of added) {
        if (name in out) copyRows({ data, spec: specs[name]!, stride: 1 }, indices, out[name]!, name)
      }
    },
  }
}

const longestOf = (lengths: Int32Array): number => lengths.reduce((most, length) => Math.max(most, length), 0)

function expectPads(pad: object, varying: ReadonlyMap<string, Rows>): void {
  const strange = Object.keys(pad).find((name) => !varying.has(name))
  if (strange === undefined) return
  const expected = `fields of variable length (${[...varying.keys()].join(', ')})`
  throw new DataError(`sequences[pad]: expected ${expected}, got ${strange}`)
}

/** A length of each example, and the fields that have it. */
interface Lengths {
  readonly of: readonly string[]
  readonly steps: Int32Array
}

/** The lengths of examples by the field that tells them: each field that varies has one of them. */
function lengthsOf(
  varying: ReadonlyMap<string, Rows>,
  groups: Readonly<Record<string, readonly string[]>>,
): ReadonlyMap<string, Lengths> {
  const [first] = varying
  if (first === undefined) {
    throw new DataError(
      'sequences: expected a field with one typed array for each example, got none (`arrays` takes others)',
    )
  }
  const named = new Set<string>()
  for (const [length, of] of Object.entries<unknown>(groups)) {
    const list: readonly unknown[] = Array.isArray(of) ? (of as readonly unknown[]) : []
    if (list.length === 0) {
      throw new DataError(`sequences[lengths.${length}]: expected a list of fields, got ${is.shown(of)}`)
    }
    for (const name of list) {
      if (typeof name !== 'string' || !varying.has(name) || named.has(name)) {
        const expected = `expected fields of variable length (${[...varying.keys()].join(', ')}), each once`
        throw new DataError(`sequences[lengths.${length}]: ${expected}, got ${is.shown(name)}`)
      }
      named.add(name)
    }
  }
  const other = [...varying.keys()].find((name) => !named.has(name))
  if (other !== undefined) {
    throw new DataError(
      `sequences[lengths]: expected a length for each field of variable length, got none for ${other}`,
    )
  }
  for (const [name, { data }] of varying) expectAll(name, data.length, first[1].data.length, first[0])
  return new Map(Object.entries(groups).map(([length, of]) => [length, { of, steps: commonLengths(varying, of) }]))
}

/** The steps of each example, on which these fields agree. */
function commonLengths(varying: ReadonlyMap<string, Rows>, names: readonly string[]): Int32Array {
  const [first = ''] = names
  const { data: leading, stride: own } = varying.get(first)!
  const all = Int32Array.from(leading, ({ length }) => length / own)
  for (const name of names) {
    const { data, stride } = varying.get(name)!
    for (const [i, { length }] of data.entries()) {
      const where = `sequences[${name}]: example ${i}`
      if (length === 0 || length % stride !== 0) {
        const expected =
          stride === 1 ? 'at least one step' : `a positive multiple of ${stride} values, as a step has so many`
        throw new DataError(`${where}: expected ${expected}, got ${length === 0 ? 'none' : length}`)
      }
      if (length / stride !== all[i]) {
        const remedy = '`lengths` names fields of other lengths'
        throw new DataError(`${where}: expected ${all[i]} steps, as in '${first}', got ${length / stride} (${remedy})`)
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

/** Which examples there are (undefined: all), their lengths, and how they are cut. */
interface Chosen {
  readonly kept: Uint32Array | undefined
  readonly columns: ReadonlyMap<string, Int32Array>
  readonly buckets: Buckets
}

function chosen(
  all: ReadonlyMap<string, Lengths>,
  { multiple = 8, tokens, longest, longer = 'refuse' }: SequencesOptions,
): Chosen {
  wholeNumber('sequences', 'multiple', multiple, 1)
  if (tokens !== undefined) wholeNumber('sequences', 'tokens', tokens, 1)
  if (longest !== undefined) wholeNumber('sequences', 'longest', longest, 1)
  const most = longest ?? Infinity
  const every = [...all.values()]
  const mostOf = (index: number): number => every.reduce((sum, { steps }) => Math.max(sum, steps[index]!), 0)
  const lengths = every[0]!.steps.map((_, index) => mostOf(index))
  const over = lengths.findIndex((length) => length > most)
  if (over >= 0 && longer === 'refuse') {
    const remedy = "longer: 'leave out' leaves such examples out"
    throw new DataError(`sequences: example ${over}: expected at most ${most} steps, got ${lengths[over]} (${remedy})`)
  }
  const kept = over < 0 ? undefined : Uint32Array.from(lengths.keys()).filter((index) => lengths[index]! <= most)
  if (kept?.length === 0)
    throw new DataError(`sequences[longest]: expected ${longest} steps to be enough for an example, got none`)
  const part = (steps: Int32Array): Int32Array =>
    kept === undefined ? steps : Int32Array.from(kept, (index) => steps[index]!)
  const columns = new Map(Array.from(all, ([name, { steps }]) => [name, part(steps)]))
  const longests = [...columns.values()].map(longestOf)
  const least = longests.reduce((sum, length) => sum + bucketOf(length, multiple), 0)
  if (tokens !== undefined && tokens < least) {
    const example = `the longest example, of ${longests.join(' and ')} steps, rounded up to a multiple of ${multiple}`
    throw new DataError(`sequences[tokens]: expected at least ${least}, ${example}, got ${tokens}`)
  }
  const own = part(lengths)
  return { kept, columns, buckets: { lengths: own, multiple, tokens, leftOut: lengths.length - own.length } }
}
