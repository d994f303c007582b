// What the commands share that transcribe, and measure transcripts: the checkpoint of a run with its network and its alphabet, how transcripts are
// searched for, and the language model that ranks them.
import { dirname, join } from 'node:path'
import { learnNgrams, type NgramModel, readArpa } from '../data/index.js'
import { load, type Model, type TranscriberOptions } from '../infer/index.js'
import { type Recipe, type Recogniser, recipes, type TranscriptPlan } from '../recipes/index.js'
import { inspectCheckpoint } from '../train/index.js'
import { named, UsageError } from './command.js'
import { checkpointOf, loadOptionsOf, type PlaceValues, recipeIn } from './language-model.js'

/** The file in a run's folder that holds the n-grams of what was trained on. */
const NGRAMS = 'ngrams.arpa'

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
  languageModel: NgramModel | undefined,
): string {
  if (search === 'greedy') return 'the likeliest symbol of each frame'
  const ranked = languageModel && `, ${languageModel.order}-grams, alpha ${alpha}, beta ${beta}`
  return `beam ${beam}${ranked ?? ''}`
}

/** The options of a search, with the n-grams that it is ranked by. */
export function transcriberOptions(
  { alphabet }: Recogniser,
  { ngrams: _, search, ...weights }: TranscriptPlan,
  languageModel: NgramModel | undefined,
): TranscriberOptions {
  if (search === 'greedy') return { alphabet, search }
  return { alphabet, search, ...weights, ...(languageModel && { languageModel }) }
}

/** The n-grams of these lines, where a search is ranked by them. */
export function learnedFor({ search, ngrams }: TranscriptPlan, lines: readonly string[]): NgramModel | undefined {
  return search === 'greedy' || ngrams === undefined ? undefined : learnNgrams(lines, { order: ngrams })
}

/** Where a run keeps its n-grams. */
export const ngramsIn = (folder: string): string => join(folder, NGRAMS)

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

/** The language model that is named, or that of the run; undefined where there is to be none. @throws UsageError where the run has none */
export async function languageModelFor(
  { path }: LoadedRecogniser,
  { search, ngrams }: TranscriptPlan,
  given: string | undefined,
): Promise<NgramModel | undefined> {
  if (given !== undefined && search === 'greedy') {
    throw new UsageError('--language-model expects a beam of 2 or more, got the likeliest symbol of each frame')
  }
  if (search === 'greedy' || given === 'none') return undefined
  if (given !== undefined) return readArpa(given)
  if (ngrams === undefined) return undefined
  const own = ngramsIn(dirname(path))
  try {
    return await readArpa(own)
  } catch (error) {
    const remedy = '--language-model names another, none does without, --beam 1 searches without one'
    throw new UsageError(`expected the language model of the run, ${own}, got none that can be read (${remedy})`, {
      cause: error,
    })
  }
}
