// A run that goes on: its checkpoint, and what it was asked for.
import { Vocabulary } from '../data/index.js'
import type { LoadOptions, Plan, Recipe, RecipeOptions } from '../recipes/index.js'
import { inspectCheckpoint, type ObjectiveOptions } from '../train/index.js'
import { UsageError } from './command.js'
import { type DataChoice, savedChoice } from './data-option.js'
import { checkpointOf } from './language-model.js'

/** By what a run is judged, and how long it may become no better. */
export type Judged = Pick<ObjectiveOptions, 'monitor' | 'patience'>

/** What is known of the run. */
export interface Resumed {
  readonly path: string
  /** Epochs that it has done. */
  readonly epoch: number
  readonly settings: RecipeOptions & { readonly seed?: number }
  readonly judged: Judged
  /** Where its data was, if that was said. */
  readonly data: DataChoice
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
  const numbers = ['epochs', 'batch', 'rate', 'seed'].flatMap((key) => {
    const value = config[key]
    return typeof value === 'number' ? [[key, value] as const] : []
  })
  const { monitor, patience } = config
  const vocabulary = info?.vocabulary && new Vocabulary(info.vocabulary)
  return {
    path,
    epoch: info?.epoch ?? 0,
    settings: Object.fromEntries(numbers),
    judged: {
      ...(typeof monitor === 'string' && { monitor }),
      ...(typeof patience === 'number' && { patience }),
    },
    data: savedChoice(config),
    vocabulary,
    tokenizers: info?.tokenizers,
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
