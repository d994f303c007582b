// What an earlier run was asked for: of one that goes on, with its checkpoint, and of one that is done again.
import { readFile } from 'node:fs/promises'
import { Vocabulary } from '../data/index.js'
import type { LoadOptions, Plan, Recipe, RecipeOptions } from '../recipes/index.js'
import { inspectCheckpoint, type ObjectiveOptions } from '../train/index.js'
import { UsageError } from './command.js'
import { type DataChoice, savedChoice } from './data-option.js'
import { checkpointOf, fileOf } from './language-model.js'
import { objectOf } from './run-summary.js'

/** By what a run is judged, and how long it may become no better. */
export type Judged = Pick<ObjectiveOptions, 'monitor' | 'patience'>

/** What a run was asked for. */
export interface Asked {
  readonly settings: RecipeOptions & { readonly seed?: number }
  readonly judged: Judged
  /** Where its data was, if that was said. */
  readonly data: DataChoice
}

/** What is known of a run that goes on. */
export interface Resumed extends Asked {
  readonly path: string
  /** Epochs that it has done. */
  readonly epoch: number
  /** Of its text. */
  readonly vocabulary: Vocabulary | undefined
  /** Of its languages. */
  readonly tokenizers: LoadOptions['tokenizers']
}

/** The checkpoint of a run, and what the run was asked for; options given now win. */
export async function resumed(given: string, recipe: Recipe): Promise<Resumed> {
  const path = await checkpointOf(given)
  const info = await inspectCheckpoint(path)
  const config = (typeof info?.config === 'object' ? info.config : {}) as Record<string, unknown>
  if (typeof config['recipe'] === 'string' && config['recipe'] !== recipe.name) {
    throw new UsageError(`--resume expects a checkpoint of ${recipe.name}, got one of ${config['recipe']}`)
  }
  const vocabulary = info?.vocabulary && new Vocabulary(info.vocabulary)
  return {
    path,
    epoch: info?.epoch ?? 0,
    ...askedOf(config),
    vocabulary,
    tokenizers: info?.tokenizers,
  }
}

function askedOf(config: Readonly<Record<string, unknown>>): Asked {
  const numbers = ['epochs', 'batch', 'rate', 'seed'].flatMap((key) => {
    const value = config[key]
    return typeof value === 'number' ? [[key, value] as const] : []
  })
  const { monitor, patience } = config
  return {
    settings: Object.fromEntries(numbers),
    judged: {
      ...(typeof monitor === 'string' && { monitor }),
      ...(typeof patience === 'number' && { patience }),
    },
    data: savedChoice(config),
  }
}

/** What another run was asked for, to be done again. */
export interface Configured extends Asked {
  readonly recipe: string
  /** Where and how it ran. */
  readonly place: {
    readonly device?: string
    readonly precision?: string
    readonly threads?: number
    readonly workers?: number
  }
}

/**
 * Reads the configuration of a run: `config.json` in its folder.
 * @throws UsageError for a file that is none
 */
export async function configured(given: string): Promise<Configured> {
  const path = await fileOf(given, 'config.json')
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new UsageError(
      `--config expects the config.json of a run, got ${error instanceof Error ? error.message : given}`,
    )
  })
  const config = objectOf(text)
  const { recipe } = config
  if (typeof recipe !== 'string') {
    throw new UsageError(`--config expects the config.json of a run, got ${path}, which names no recipe`)
  }
  const { device, precision, threads, workers } = config
  return {
    ...askedOf(config),
    recipe,
    place: {
      ...(typeof device === 'string' && { device }),
      ...(typeof precision === 'string' && { precision }),
      ...(typeof threads === 'number' && { threads }),
      ...(typeof workers === 'number' && { workers }),
    },
  }
}

/** Of a run that has done all its epochs nothing is left to train: there would be no number to tell. */
export function expectUnfinished({ path, epoch }: Resumed, { epochs }: Plan): void {
  if (epoch < epochs) return
  const more = `--epochs ${2 * epoch} goes on, ostrich eval ${path} measures it`
  throw new UsageError(
    `--resume expects a run with epochs to do, got one that has done ${epoch} of ${epochs} (${more})`,
  )
}
