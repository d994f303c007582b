// What the commands share that translate, and measure translations: the checkpoint of a run, with its network and its tokenizers, and how
// translations are searched for.
import type { Tokenizer } from '../data/index.js'
import { feed, trace } from '../graph/index.js'
import { ensembleOf, load, loadEnsemble, type Model, type Writer } from '../infer/index.js'
import type { Translator } from '../models/index.js'
import { type Plan, type Recipe, recipes, type SearchPlan } from '../recipes/index.js'
import { inspectCheckpoint } from '../train/index.js'
import { named, UsageError, type Values } from './command.js'
import { checkpointOf, loadOptionsOf, type PlaceValues, recipeIn } from './language-model.js'

/** Options of every command that searches for translations. */
export const searchOptions = {
  beam: {
    type: 'whole',
    help: 'translations that are followed at once; 1 takes the likeliest word each time (default: as the recipe says, mostly 5)',
  },
  'length-penalty': {
    type: 'text',
    choices: ['none', 'mean', 'gnmt'],
    help: 'what log-probabilities are divided by: nothing, words^alpha, or ((5 + words) / 6)^alpha (default: as the recipe says)',
  },
  alpha: { type: 'number', help: 'of the length penalty (default 1 of mean, 0.6 of gnmt)' },
} as const

/** What was said of the search. */
export type SearchValues = Partial<Values<typeof searchOptions>>

/** Whether anything was said of the search. */
export function isSearchGiven(values: SearchValues): boolean {
  return Object.keys(searchOptions).some((name) => values[name as keyof SearchValues] !== undefined)
}

/** How a plan's translations are searched for: as was said, or as the plan says. @throws UsageError for no beam */
export function searchOf({ search = { beam: 5, lengthPenalty: 'mean' } }: Plan, values: SearchValues): SearchPlan {
  const { beam = search.beam, alpha, 'length-penalty': penalty } = values
  if (beam === 0) throw new UsageError('--beam expects at least 1, got 0')
  const { alpha: usual, ...rest } = search
  // The alpha of one penalty is none of another.
  const own = alpha ?? (penalty === undefined || penalty === search.lengthPenalty ? usual : undefined)
  return {
    ...{ ...rest, beam },
    ...(penalty !== undefined && { lengthPenalty: penalty as SearchPlan['lengthPenalty'] }),
    ...(own !== undefined && { alpha: own }),
  }
}

/** A search in words: `beam 5, length penalty mean`. */
export function searchText({ beam, lengthPenalty, alpha }: SearchPlan): string {
  return `beam ${beam}, length penalty ${lengthPenalty}${alpha === undefined ? '' : `, alpha ${alpha}`}`
}

/** A trained network that translates, or several as one, ready for use. */
export interface LoadedTranslator {
  /** Of the first. */
  readonly recipe: Recipe
  readonly plan: Plan
  readonly writer: Writer
  readonly source: Tokenizer
  readonly target: Tokenizer
  readonly model: Model
}

interface Member {
  readonly path: string
  readonly recipe: Recipe
  readonly plan: Plan
  readonly writer: Translator
  readonly source: Tokenizer
  readonly target: Tokenizer
}

/** @throws UsageError for a checkpoint of anything but a network that translates, or of other tokens than the first; what `load` throws */
export async function loadTranslator(givens: readonly string[], place: PlaceValues): Promise<LoadedTranslator> {
  const [first, ...others] = (await Promise.all(givens.map(memberOf))) as [Member, ...Member[]]
  const tokens = ({ source, target }: Member): string => JSON.stringify([source, target])
  const other = others.find((one) => tokens(one) !== tokens(first))
  if (other !== undefined) throw new UsageError(`${other.path}: expected the tokens of ${first.path}, got others`)
  const options = loadOptionsOf(first.plan.example, place)
  if (others.length === 0) return { ...first, model: await load(first.path, first.plan.net, options) }
  const all = [first, ...others]
  const files = all.map(({ path, plan: { net } }) => ({ path, net }))
  return { ...first, writer: ensembleOf(all.map(({ writer }) => writer)), model: await loadEnsemble(files, options) }
}

async function memberOf(given: string): Promise<Member> {
  const path = await checkpointOf(given)
  const info = await inspectCheckpoint(path)
  const name = recipeIn(info?.config)
  const expected = `${path}: expected a checkpoint of a network that translates`
  if (name === undefined) throw new UsageError(`${expected}, got one of no recipe`)
  const recipe = named('recipe', name, recipes)
  const { source, target } = info?.tokenizers ?? {}
  if (source === undefined || target === undefined) throw new UsageError(`${expected}, got one of ${name}`)
  const plan = recipe.build({ languages: { pairs: 1, source: source.size, target: target.size } })
  const { translator: writer } = plan
  if (writer === undefined) throw new UsageError(`${expected}, got one of ${name}`)
  return { path, recipe, plan, writer, source, target }
}

/** Whether a network says how far it looked at each word of its source. */
export function isLooking(writer: Writer): boolean {
  let looks = false
  trace({ name: 'looking' }, () => {
    const { states, memory } = writer.read(feed('source', 'i32', [1, 1]), feed('lengths', 'i32', [1]))
    const { logits, alignment } = writer.write(feed('word', 'i32', [1]), states, memory)
    looks = alignment !== undefined
    return { logits }
  })
  return looks
}
