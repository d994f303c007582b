// Options are checked where they come in: one table says which there are and what each may be. Refuses what it does not know,
// with the nearest name, and what is of another kind, before anything is made of them.
import { OstrichError } from './errors.js'
import { type Kind, shown } from './kinds.js'
import { nearest } from './nearest.js'

/** Every option of `T`, by name: the compiler holds the table to the type. */
export type Schema<T> = { readonly [Name in keyof T]-?: Kind }

/**
 * Checks the options of `where`.
 * @throws OstrichError `ERR_OPTION` naming what is unknown, missing or of another kind
 * @example expectOptions<ReduceOptions>('ops.sum', { keepDims: true }, { keepDims: flag })
 */
export function expectOptions<T extends object>(where: string, options: T, schema: Schema<T>): void {
  const given: unknown = options
  const names = Object.keys(schema)
  const word = names.length === 1 ? 'the option' : 'the options'
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new OstrichError('ERR_OPTION', `${where}: expected ${word} ${names.join(', ')}, got ${shown(given)}`)
  }
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(schema, name)) continue
    const guess = nearest(name, names)
    const hint = guess === undefined ? '' : ` (did you mean ${guess}?)`
    throw new OstrichError('ERR_OPTION', `${where}: expected ${word} ${names.join(', ')}, got ${name}${hint}`)
  }
  expectKinds(where, options, schema)
}

/** Checks the options that a schema names, and lets others be. @throws OstrichError `ERR_OPTION` */
export function expectKinds<T extends object>(where: string, options: T, schema: Schema<T>): void {
  for (const [name, one] of Object.entries<Kind>(schema)) {
    const value: unknown = options[name as keyof T]
    if (value === undefined ? one.needed !== true : one.accepts(value)) continue
    refuse(where, name, one, value)
  }
}

/** Checks one argument. @throws OstrichError `ERR_OPTION` */
export function expectKind(where: string, name: string, one: Kind, value: unknown): void {
  if (!one.accepts(value)) refuse(where, name, one, value)
}

function refuse(where: string, name: string, { words }: Kind, value: unknown): never {
  throw new OstrichError('ERR_OPTION', `${where}[${name}]: expected ${words}, got ${shown(value)}`)
}
