// What the commands share that transcribe, and measure transcripts: the checkpoint of a run with its network and its alphabet, and how transcripts are
// searched for.
import { load, type Model, type TranscriberOptions } from '../infer/index.js'
import { type Recipe, type Recogniser, recipes, type TranscriptPlan } from '../recipes/index.js'
import { inspectCheckpoint } from '../train/index.js'
import { named, UsageError } from './command.js'
import { checkpointOf, loadOptionsOf, type PlaceValues, recipeIn } from './language-model.js'
import type { Ranking } from './ranking.js'

/** What was said of the search. */
export interface TranscriptValues {
  readonly beam?: number | undefined
  readonly alpha?: number | undefined
  readonly beta?: number | undefined
}

/** How transcripts are searched for: as was said, or as the plan says. @throws UsageError for no beam, and weights without a beam */
export function transcriptSearchOf(plan: TranscriptPlan, { beam, alpha, beta }: TranscriptValues): TranscriptPlan {
  if (beam === 0) throw new UsageError('--beam expects at least 1, got 0')
  const search = beam === undefined ? plan.search : beam === 1 ? 'greedy' : 'beam'
  for (const [name, value] of Object.entries({ alpha, beta })) {
    if (search === 'greedy' && value !== undefined) {
      throw new UsageError(`--${name} expects a beam of 2 or more, got the likeliest symbol of each frame`)
    }
  }
  if (search === 'greedy') return { search }
  return {
    ...plan,
    search,
    ...(beam !== undefined && { beam }),
    ...(alpha !== undefined && { alpha }),
    ...(beta !== undefined && { beta }),
  }
}

/** A search in words: `beam 100, 2-grams, alpha 0.8, beta 1`. */
export function transcriptSearchText(
  { search, beam = 100, alpha = 0.5, beta = 0 }: TranscriptPlan,
  ranking: Pick<Ranking, 'text'> | undefined,
): string {
  if (search === 'greedy') return 'the likeliest symbol of each frame'
  const ranked = ranking && `, ${ranking.text}, alpha ${alpha}, beta ${beta}`
  return `beam ${beam}${ranked ?? ''}`
}

/** The options of a search, with what it is ranked by. */
export function transcriberOptions(
  { alphabet }: Recogniser,
  { ngrams: _, search, ...weights }: TranscriptPlan,
  ranking: Pick<Ranking, 'languageModel'> | undefined,
): TranscriberOptions {
  if (search === 'greedy') return { alphabet, search }
  return { alphabet, search, ...weights, ...(ranking && { languageModel: ranking.languageModel }) }
}

/** A trained network that hears, ready for use. */
export interface LoadedRecogniser {
  readonly path: string
  readonly recipe: Recipe
  readonly recogniser: Recogniser
  readonly model: Model
}

/** @throws UsageError for a checkpoint of anything but a network that hears, or of another alphabet; what `load` throws */
export async function loadRecogniser(given: string, place: PlaceValues): Promise<LoadedRecogniser> {
  const path = await checkpointOf(given)
  const info = await inspectCheckpoint(path)
  const name = recipeIn(info?.config)
  const expected = `${path}: expected a checkpoint of a network that hears`
  if (name === undefined) throw new UsageError(`${expected}, got one of no recipe`)
  const recipe = named('recipe', name, recipes)
  const { net, example, recogniser } = recipe.build()
  if (recogniser === undefined) throw new UsageError(`${expected}, got one of ${name}`)
  const symbols = info?.classes ?? []
  if (symbols.join('\n') !== recogniser.alphabet.symbols.join('\n')) {
    const wanted = `the ${recogniser.alphabet.size} symbols of ${name}`
    throw new UsageError(`${path}: expected ${wanted}, got an alphabet of ${symbols.length} others`)
  }
  return { path, recipe, recogniser, model: await load(path, net, loadOptionsOf(example, place)) }
}
