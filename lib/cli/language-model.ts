// What the commands that write, complete and measure with language models share: the checkpoint of a run, with its network and
// its vocabulary.
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type FieldSpec, Vocabulary } from '../data/index.js'
import { type Plan, type Recipe, recipes } from '../recipes/index.js'
import { load, type LoadOptions, type Model } from '../infer/index.js'
import { type CheckpointInfo, inspectCheckpoint } from '../train/index.js'
import { named, UsageError } from './command.js'
import { deviceOption } from './device-option.js'

/** Options of every command that loads a language model. */
export const placeOptions = {
  device: deviceOption,
  precision: { type: 'text', choices: ['auto', 'f32', 'tf32', 'bf16'], help: 'default: as it was trained' },
  threads: { type: 'whole', help: 'threads of the CPU (default 0: all cores)' },
} as const

export interface PlaceValues {
  readonly device?: string | undefined
  readonly precision?: string | undefined
  readonly threads?: number | undefined
}

/** A trained language model, ready for use. */
export interface LanguageModel {
  readonly path: string
  readonly info: CheckpointInfo
  readonly recipe: Recipe
  readonly plan: Plan
  readonly vocabulary: Vocabulary
  readonly model: Model
}

/** The checkpoint of a run's folder, or the file itself. */
export function checkpointOf(given: string): Promise<string> {
  return fileOf(given, 'last.safetensors')
}

/** The file of this name in a run's folder, or the file itself. */
export async function fileOf(given: string, name: string): Promise<string> {
  const isFolder = await stat(given).then(
    (found) => found.isDirectory(),
    () => false,
  )
  return isFolder ? join(given, name) : given
}

/** The recipe that a checkpoint's configuration names; undefined where it names none. */
export function recipeIn(config: unknown): string | undefined {
  const said = typeof config === 'object' && config !== null && 'recipe' in config ? config.recipe : undefined
  return typeof said === 'string' ? said : undefined
}

/** How a network of this input is loaded where the command says. */
export function loadOptionsOf(input: FieldSpec, { device, precision, threads }: PlaceValues): LoadOptions {
  return {
    input,
    ...(device !== undefined && { device: device as 'auto' }),
    ...(precision !== undefined && { precision: precision as 'auto' }),
    ...(threads !== undefined && { threads }),
  }
}

/** @throws UsageError for a checkpoint of anything but a language model; what `load` throws */
export async function languageModel(given: string, place: PlaceValues): Promise<LanguageModel> {
  const path = await checkpointOf(given)
  const info = await inspectCheckpoint(path)
  if (info?.vocabulary === undefined) {
    throw new UsageError(`${path}: expected a language model's checkpoint, got one without a vocabulary`)
  }
  const vocabulary = new Vocabulary(info.vocabulary)
  const name = recipeIn(info.config)
  if (name === undefined) throw new UsageError(`${path}: expected a checkpoint of a recipe, got one of none`)
  const recipe = named('recipe', name, recipes)
  const plan = recipe.build({ text: { tokens: Number.MAX_SAFE_INTEGER, vocabulary: vocabulary.size } })
  const model = await load(path, plan.net, loadOptionsOf(plan.example, place))
  return { path, info, recipe, plan, vocabulary, model }
}
