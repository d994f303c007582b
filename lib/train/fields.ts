// Whether the fields of a data set are those that an objective reads, and of the kinds that it was trained on.
import { DataError, type FieldDtype, type Fields } from '../data/index.js'
import { formatShape } from '../graph/index.js'

const arrayNames: Readonly<Record<FieldDtype, string>> = { u8: 'Uint8Array', i32: 'Int32Array', f32: 'Float32Array' }

/** The fields that an objective reads, in the order of the data set. */
export function readOf(fields: Fields, read: ReadonlySet<string>): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => read.has(name)))
}

/**
 * Checks that an objective reads every field of its data: one that nobody reads was meant for something.
 * @throws DataError in the name of `where`
 */
export function expectAllRead(where: string, fields: Fields, read: Iterable<string>): void {
  const names = [...read]
  const unread = Object.keys(fields).find((name) => !names.includes(name))
  if (unread === undefined) return
  throw new DataError(
    `${where}[${unread}]: expected fields that the objective reads (${names.join(', ')}), got ${unread} too, which it does ` +
      'not read: leave it out of the fields',
  )
}

/**
 * Checks another data set for the same objective: it has the fields that training has, of the same kinds.
 * @throws DataError in the name of `where`
 */
export function expectFields(where: string, fields: Fields, trained: Fields): void {
  const names = Object.keys(trained)
  if (!names.every((name) => name in fields)) {
    throw new DataError(`${where}: expected fields ${names.join(', ')}, got ${Object.keys(fields).join(', ')}`)
  }
  expectAllRead(where, fields, names)
  for (const name of names) checkKind(`${where}[${name}]`, fields[name]!.dtype, trained[name]!.dtype)
}

/** @throws DataError for a field that says which streams begin anew and is no f32 for each */
export function expectFresh(where: string, { fresh }: Fields): void {
  if (fresh === undefined || (fresh.dtype === 'f32' && fresh.shape.length === 0)) return
  throw new DataError(`${where}[fresh]: expected f32[], got ${fresh.dtype}${formatShape(fresh.shape)}`)
}

/** @throws DataError for numbers of another kind than the network was trained on: bytes are scaled, and floats are not */
export function checkKind(where: string, dtype: FieldDtype, trained: FieldDtype, hint = ''): void {
  if (dtype === trained) return
  const expected = `${arrayNames[trained]}, as the network was trained on ${trained}`
  throw new DataError(`${where}: expected ${expected}, got ${arrayNames[dtype]}${hint}`)
}
