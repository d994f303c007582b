// The language model that ranks transcripts, at the command line: n-grams of a file or of the run, or a network that was trained to write.
import { dirname, join } from 'node:path'
import { type LanguageModel, learnNgrams, type NgramModel, readArpa } from '../data/index.js'
import { networkLanguageModel } from '../infer/index.js'
import type { TranscriptPlan } from '../recipes/index.js'
import { UsageError } from './command.js'
import { checkpointOf, languageModel as loadLanguageModel, type PlaceValues } from './language-model.js'

/** The option of every command that ranks transcripts. */
export const rankingOption = {
  'language-model': {
    type: 'text',
    value: 'file.arpa|run',
    help: 'what ranks them: n-grams, a network that was trained to write, or none (default: the n-grams of the run, where its recipe has any)',
  },
} as const

/** What ranks transcripts. */
export interface Ranking {
  readonly languageModel: LanguageModel
  /** In words: `2-grams`. */
  readonly text: string
  /** Frees what the model holds, once the search is disposed. */
  readonly dispose: () => Promise<void>
}

/** The file in a run's folder that holds the n-grams of what was trained on. */
const NGRAMS = 'ngrams.arpa'

/** Where a run keeps its n-grams. */
export const ngramsIn = (folder: string): string => join(folder, NGRAMS)

/** Transcripts as n-grams rank them. */
export function byNgrams(model: NgramModel): Ranking {
  return { languageModel: model, text: `${model.order}-grams`, dispose: () => Promise.resolve() }
}

/** The n-grams of these lines, where a search is ranked by them. */
export function learnedFor({ search, ngrams }: TranscriptPlan, lines: readonly string[]): NgramModel | undefined {
  return search === 'greedy' || ngrams === undefined ? undefined : learnNgrams(lines, { order: ngrams })
}

/**
 * What is named, an ARPA file or a checkpoint of a language model; undefined for `none`, and where nothing is named.
 * @throws UsageError for a name where the search takes none, and a checkpoint of anything else; DataError for a bad file
 */
export async function namedRanking(
  { search }: TranscriptPlan,
  given: string | undefined,
  place: PlaceValues,
): Promise<Ranking | undefined> {
  if (given === undefined) return undefined
  if (search === 'greedy') {
    throw new UsageError('--language-model expects a beam of 2 or more, got the likeliest symbol of each frame')
  }
  if (given === 'none') return undefined
  const path = await checkpointOf(given)
  if (!path.endsWith('.safetensors')) return byNgrams(await readArpa(path))
  const { model, plan, vocabulary } = await loadLanguageModel(path, place)
  return {
    languageModel: networkLanguageModel(model, plan.net, vocabulary),
    text: `the network of ${given}`,
    dispose: () => model.dispose(),
  }
}

/** What is named, or else the n-grams of the run with this checkpoint. @throws as `namedRanking`; UsageError where the run has none */
export async function rankingFor(
  path: string,
  plan: TranscriptPlan,
  given: string | undefined,
  place: PlaceValues,
): Promise<Ranking | undefined> {
  if (given !== undefined) return namedRanking(plan, given, place)
  if (plan.search === 'greedy' || plan.ngrams === undefined) return undefined
  const own = ngramsIn(dirname(path))
  try {
    return byNgrams(await readArpa(own))
  } catch (error) {
    const remedy = '--language-model names another, none does without, --beam 1 searches without one'
    throw new UsageError(`expected the language model of the run, ${own}, got none that can be read (${remedy})`, {
      cause: error,
    })
  }
}
