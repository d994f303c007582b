// Where the data of a recipe is, at the command line: the folder of `ostrich data`, another folder or file, or a person's own lines and
// translations in two files.
import type { LoadOptions, OwnPairs, Recipe } from '../recipes/index.js'
import { UsageError } from './command.js'

/** Options of the commands that read what a recipe is trained on. */
export const dataOptions = {
  data: {
    type: 'paths',
    value: 'path',
    help: 'where the data is (default: where `ostrich data` keeps it); a text of your own; two files of lines and their translations',
  },
  validation: {
    type: 'paths',
    value: 'two files',
    help: 'of lines and translations of your own: what to measure by after each epoch (default: a part that is held back)',
  },
  test: {
    type: 'paths',
    value: 'two files',
    help: 'of lines and translations of your own: what to measure by once, at the end (default: none)',
  },
} as const

/** What was said of the data: paths by option. */
export interface DataChoice {
  readonly data?: readonly string[] | undefined
  readonly validation?: readonly string[] | undefined
  readonly test?: readonly string[] | undefined
}

const isPaths = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string')

/** What a run was told of its data, of the `config` of a checkpoint; older ones have one path. */
export function savedChoice(config: unknown): DataChoice {
  if (typeof config !== 'object' || config === null) return {}
  const { data, validation, test } = config as Record<string, unknown>
  const own = typeof data === 'string' ? [data] : data
  return {
    ...(isPaths(own) && { data: own }),
    ...(isPaths(validation) && { validation }),
    ...(isPaths(test) && { test }),
  }
}

/** What is given wins: files of its own have no parts of another run. */
export function choiceOf(given: DataChoice, saved: DataChoice): DataChoice {
  if (given.data === undefined) return { ...saved, ...stated(given) }
  return stated(given)
}

const stated = ({ data, validation, test }: DataChoice): DataChoice => ({
  ...(data && { data }),
  ...(validation && { validation }),
  ...(test && { test }),
})

/** Where a recipe reads. @throws UsageError for files that it does not take */
export function placeOfData({ data, name }: Pick<Recipe, 'data' | 'name'>, choice: DataChoice): LoadOptions {
  const { data: own, validation, test } = choice
  if (own?.length !== 2) {
    const part = validation === undefined ? (test === undefined ? undefined : 'test') : 'validation'
    if (part !== undefined) {
      throw new UsageError(
        `--${part} expects two files in --data beside it, got ${own === undefined ? 'none' : own[0]}`,
      )
    }
    return own === undefined ? {} : { dir: own[0]! }
  }
  if (data.takesPairs !== true) {
    throw new UsageError(`--data expects one path, as ${name} is trained on no translations, got ${own.join(' ')}`)
  }
  const pair = (part: string, files: readonly string[]): OwnPairs['train'] => {
    const [source, target, ...rest] = files
    if (source !== undefined && target !== undefined && rest.length === 0) return [source, target]
    throw new UsageError(`--${part} expects two files, lines and their translations, got ${files.join(' ')}`)
  }
  return {
    pairs: {
      train: pair('data', own),
      ...(validation && { validation: pair('validation', validation) }),
      ...(test && { test: pair('test', test) }),
    },
  }
}
