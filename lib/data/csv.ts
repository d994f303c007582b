// Tables of comma-separated values -> a data set. The package csv-parse, an optional peer, reads the format (quotes, line ends in
// quotes, byte order marks); what columns mean is said by the user.
import { readFile } from 'node:fs/promises'
import { expectKind, expectOptions, is, nearest } from '../base/index.js'
import { arrays, type FieldData } from './arrays.js'
import type { Dataset } from './dataset.js'
import { DataError, reasonOf } from './errors.js'

/**
 * A field of numbers from columns: one column, f32 []; several, f32 [n]; whole numbers, i32 []; or names, which become labels, i32 [].
 */
export type CsvField = string | readonly string[] | { readonly whole: string } | { readonly classes: string }

type SpecOf<C> = C extends string
  ? { readonly dtype: 'f32'; readonly shape: readonly [] }
  : C extends readonly string[]
    ? { readonly dtype: 'f32'; readonly shape: readonly [number] }
    : { readonly dtype: 'i32'; readonly shape: readonly [] }

type ClassFields<A> = { [K in keyof A]: A[K] extends { readonly classes: string } ? K : never }[keyof A]

/** The examples of a table. */
export interface CsvSet<A extends Readonly<Record<string, CsvField>>> extends Dataset<{
  readonly [K in keyof A]: SpecOf<A[K]>
}> {
  /** Of each field of names, what its labels stand for: sorted. */
  readonly classes: Readonly<Record<ClassFields<A> & string, readonly string[]>>
}

/** Options of `readCsv`. */
export interface CsvOptions {
  /** What stands between values. Default: a comma. */
  readonly delimiter?: string
  /** Names of the columns, for a file whose first line is none of names. */
  readonly columns?: readonly string[]
}

interface Row {
  readonly record: readonly string[]
  readonly info: { readonly lines: number }
}

/** The part of csv-parse that is used; said here, as its types are absent where it is not installed. */
interface CsvParse {
  readonly parse: (text: string, options: Readonly<Record<string, unknown>>) => readonly Row[]
}

/**
 * Reads a CSV file, whose first line names its columns, as a data set.
 * @param fields which columns make which field
 * @throws DataError where the file cannot be read, is no table, lacks a column, or a value is no number (naming its line); where
 * csv-parse is not installed; OstrichError `ERR_OPTION`
 * @example
 * const iris = await readCsv('iris.csv', { x: ['sepal length', 'sepal width'], target: { classes: 'species' } })
 * const { train, validation } = split(iris, { share: 0.2 }) // iris.classes.target names the labels
 */
export async function readCsv<const A extends Readonly<Record<string, CsvField>>>(
  path: string,
  fields: A,
  options: CsvOptions = {},
): Promise<CsvSet<A>> {
  expectKind('readCsv', 'path', is.text, path)
  expectKind('readCsv', 'fields', is.object, fields)
  expectOptions('readCsv', options, { delimiter: is.text, columns: is.listOf(is.text, 'names') })
  const { columns, rows } = await readTable(path, options)
  const classes: Record<string, readonly string[]> = {}
  const column = (name: string, field: string): number => {
    const at = columns.indexOf(name)
    if (at >= 0) return at
    const near = nearest(name, columns)
    const got = `${columns.join(', ')}${near === undefined ? '' : ` (did you mean ${near}?)`}`
    throw new DataError(`${path}[${field}]: expected a column ${name}, got ${got}`)
  }
  const numbers = (names: readonly string[], field: string, whole: boolean): number[] => {
    const places = names.map((name) => column(name, field))
    return rows.flatMap(({ record, info }) =>
      places.map((at, i) => {
        const text = record[at] ?? ''
        const value = text === '' ? NaN : Number(text)
        if (whole ? Number.isSafeInteger(value) && Math.abs(value) < 2 ** 31 : Number.isFinite(value)) return value
        const expected = whole ? 'a whole number of 32 bits' : 'a number'
        throw new DataError(`${path}:${info.lines}[${names[i]}]: expected ${expected}, got ${JSON.stringify(text)}`)
      }),
    )
  }
  const data = Object.entries<CsvField>(fields).map(([field, from]): [string, FieldData] => {
    if (typeof from === 'string') return [field, Float32Array.from(numbers([from], field, false))]
    if (isNames(from)) return [field, { data: Float32Array.from(numbers(from, field, false)), shape: [from.length] }]
    if (!is.object.accepts(from) || !('whole' in from || 'classes' in from)) {
      throw new DataError(
        `readCsv[fields.${field}]: expected a column, a list of them, { whole } or { classes }, got another`,
      )
    }
    if ('whole' in from) return [field, Int32Array.from(numbers([from.whole], field, true))]
    const at = column(from.classes, field)
    const names = [...new Set(rows.map(({ record }) => record[at] ?? ''))].sort()
    classes[field] = names
    const labels = new Map(names.map((name, label) => [name, label]))
    return [field, Int32Array.from(rows, ({ record }) => labels.get(record[at] ?? '')!)]
  })
  return { ...arrays(Object.fromEntries(data)), classes } as unknown as CsvSet<A>
}

const isNames = (from: CsvField): from is readonly string[] => Array.isArray(from) && from.length > 0

/**
 * The columns and lines of a table.
 * @throws DataError where it cannot be read or is none; where csv-parse is not installed
 */
export async function readTable(
  path: string,
  { delimiter = ',', columns }: CsvOptions = {},
): Promise<{ readonly columns: readonly string[]; readonly rows: readonly Row[] }> {
  const { parse } = await loadCsvParse()
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new DataError(`${path}: expected a file that can be read, got ${reasonOf(error)}`, { cause: error })
  })
  let rows: readonly Row[]
  try {
    rows = parse(text, { bom: true, delimiter, info: true, skip_empty_lines: true, trim: true })
  } catch (error) {
    throw new DataError(`${path}: expected a table, got: ${reasonOf(error)}: ${String(error)}`, { cause: error })
  }
  const named = columns ?? rows[0]?.record ?? []
  const values = columns === undefined ? rows.slice(1) : rows
  const twice = named.find((name, i) => named.indexOf(name) !== i)
  if (twice !== undefined) throw new DataError(`${path}: expected columns of different names, got ${twice} twice`)
  if (values.length === 0) throw new DataError(`${path}: expected lines of values, got none`)
  if (columns !== undefined && columns.length !== values[0]!.record.length) {
    throw new DataError(`${path}: expected ${columns.length} columns, as named, got ${values[0]!.record.length}`)
  }
  return { columns: named, rows: values }
}

/** @throws DataError where the package is not installed, with what to run */
async function loadCsvParse(): Promise<CsvParse> {
  const name = 'csv-parse/sync'
  try {
    return (await import(name)) as CsvParse
  } catch (error) {
    const got = reasonOf(error) === 'ERR_MODULE_NOT_FOUND' ? 'none' : reasonOf(error)
    const how = 'Run: npm install csv-parse'
    throw new DataError(`readCsv: expected the package csv-parse, which reads tables, got ${got}. ${how}`, {
      cause: error,
    })
  }
}
