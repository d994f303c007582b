// What a command is, and how its arguments are read: options with their help in one table, mistakes answered with the
// nearest known word and exit code 2.
import { parseArgs } from 'node:util'
import { suggestion } from '../base/index.js'

/** A mistake in what was typed: shown without a stack, exit code 2. */
export class UsageError extends Error {}

/** One option: a flag, or one that takes a value. */
export interface Option {
  readonly type: 'flag' | 'text' | 'paths' | 'whole' | 'number'
  readonly help: string
  /** What the value is called in the help. */
  readonly value?: string
  readonly choices?: readonly string[]
  /** What is taken besides the choices, and how all of it is said. */
  readonly more?: { readonly accepts: (value: string) => boolean; readonly expected: string }
}

export type Options = Readonly<Record<string, Option>>
type ValueOf<O extends Option> = O['type'] extends 'flag'
  ? boolean
  : O['type'] extends 'paths'
    ? readonly string[]
    : O['type'] extends 'text'
      ? string
      : number
export type Values<T extends Options> = { readonly [K in keyof T]: ValueOf<T[K]> | undefined }

/** Where a command writes. */
export interface Output {
  /** Results, on stdout. */
  line(text: string): void
  /** Everything else, on stderr. */
  note(text: string): void
}

export interface Command {
  readonly name: string
  /** One line for the list of commands. */
  readonly summary: string
  readonly help: string
  readonly options: Options
  /** What its first argument may be, where that is one of a few words. */
  readonly first?: readonly string[] | undefined
  /** Resolves to the exit code. */
  run(args: readonly string[], output: Output): Promise<number>
}

interface Definition<T extends Options> {
  readonly name: string
  readonly summary: string
  /** Positional arguments as in the usage line; those in brackets may be left out, and any number stands for a last `...`. */
  readonly arguments: readonly string[]
  /** What the first of them may be, where that is one of a few words: for completion. */
  readonly first?: readonly string[]
  readonly about: string
  readonly options: T
  readonly examples: readonly string[]
  run(values: Values<T>, positionals: readonly string[], output: Output): Promise<number>
}

/** Makes a command of its table. */
export function command<const T extends Options>(definition: Definition<T>): Command {
  const help = helpOf(definition)
  return {
    name: definition.name,
    summary: definition.summary,
    help,
    options: definition.options,
    first: definition.first,
    run: async (args, output) => {
      const { values, positionals } = read(definition, args)
      if (values === undefined) {
        output.line(help)
        return 0
      }
      return definition.run(values, positionals, output)
    },
  }
}

function read<T extends Options>(
  { name, options, arguments: wanted }: Definition<T>,
  args: readonly string[],
): { values: Values<T> | undefined; positionals: readonly string[] } {
  const table = Object.fromEntries(
    Object.entries(options).map(([key, { type }]) => [key, { type: type === 'flag' ? 'boolean' : 'string' } as const]),
  )
  const parsed = parseArgs({
    args: [...args],
    options: { ...table, help: { type: 'boolean', short: 'h' } },
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  if (parsed.values['help'] === true) return { values: undefined, positionals: [] }
  const open = wanted.at(-1) === '...'
  const values: Record<string, string | number | boolean | readonly string[]> = {}
  const second = new Set<number>()
  let spare = open ? 0 : parsed.positionals.length - wanted.length
  for (const [i, token] of parsed.tokens.entries()) {
    if (token.kind !== 'option') continue
    const option = options[token.name]
    if (option === undefined) {
      const known = Object.keys(options).map((key) => `--${key}`)
      throw new UsageError(
        `${name}: unknown option ${token.rawName}.${suggestion(token.rawName, known)} See: ostrich ${name} --help`,
      )
    }
    const value = valueOf(token.rawName, option, token.value)
    const next = parsed.tokens[i + 1]
    // A second path stands behind the first, where no argument of the command is missing without it.
    const isPair = option.type === 'paths' && spare > 0 && next?.kind === 'positional'
    if (isPair) {
      spare--
      second.add(next.index)
    }
    values[token.name] = option.type === 'paths' ? [String(value), ...(isPair ? [next.value] : [])] : value
  }
  const least = wanted.filter((one) => !one.startsWith('[') && one !== '...').length
  const positionals = parsed.tokens.flatMap((token) =>
    token.kind === 'positional' && !second.has(token.index) ? [token.value] : [],
  )
  if (positionals.length < least) {
    throw new UsageError(`${name}: expected ${wanted.join(' ')}, got nothing. See: ostrich ${name} --help`)
  }
  if (positionals.length > wanted.length && !open) {
    throw new UsageError(`${name}: expected ${wanted.join(' ') || 'no arguments'}, got ${positionals.join(' ')}`)
  }
  return { values: values as Values<T>, positionals }
}

function valueOf(shown: string, { type, choices, more }: Option, value: string | undefined): string | number | boolean {
  if (type === 'flag') {
    if (value === undefined) return true
    throw new UsageError(`${shown} takes no value, got ${value}`)
  }
  if (value === undefined || value === '') throw new UsageError(`${shown} expects a value, got none`)
  if (choices !== undefined && !choices.includes(value) && more?.accepts(value) !== true) {
    const expected = more?.expected ?? choices.join(', ')
    throw new UsageError(`${shown} expects ${expected}, got ${value}.${suggestion(value, choices)}`)
  }
  if (type === 'text' || type === 'paths') return value
  const number = Number(value)
  const good = type === 'whole' ? Number.isSafeInteger(number) && number >= 0 : Number.isFinite(number) && number > 0
  if (!good)
    throw new UsageError(`${shown} expects a ${type === 'whole' ? 'whole number' : 'number above 0'}, got ${value}`)
  return number
}

function helpOf({ name, summary, arguments: wanted, about, options, examples }: Definition<Options>): string {
  const rows = Object.entries(options).map(([key, { value, choices, type, help }]) => {
    const shown = value ?? choices?.join('|') ?? (type === 'text' ? 'text' : 'number')
    return [`--${key}${type === 'flag' ? '' : ` <${shown}>`}`, help] as const
  })
  rows.push(['--help', 'this text'])
  const width = Math.max(...rows.map(([left]) => left.length))
  return [
    `${summary}\n`,
    `Usage: ostrich ${[name, ...wanted].join(' ')} [options]\n`,
    `${about}\n`,
    'Options:',
    ...rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`),
    '\nExamples:',
    ...examples.map((example) => `  ${example}`),
  ].join('\n')
}

/** The entry of that name. @throws UsageError with the nearest name */
export function named<T extends { readonly name: string }>(what: string, name: string, known: readonly T[]): T {
  const found = known.find((one) => one.name === name)
  if (found !== undefined) return found
  const names = known.map((one) => one.name)
  throw new UsageError(`unknown ${what} ${name}.${suggestion(name, names)} Known: ${names.join(', ')}`)
}
