// ostrich eval: measures a saved network on the test set of its recipe.
import { type Dataset, type Text, Vocabulary } from '../data/index.js'
import { type Halves, type Plan, planSession, type Recipe, recipes, type Target } from '../recipes/index.js'
import { completer, type Keystrokes, keystrokes, load, type Model } from '../infer/index.js'
import { inspectCheckpoint, type Measured, measures, type Metrics, type PlaceOptions } from '../train/index.js'
import { command, named, type Output, UsageError } from './command.js'
import { choiceOf, dataOptions, placeOfData, savedChoice } from './data-option.js'
import { deviceOption } from './device-option.js'
import { fetchData } from './fetch.js'
import { finalInfosOf, type FinalValues, measureFinally } from './final-measures.js'
import { checkpointOf, recipeIn } from './language-model.js'
import { percent } from '../report/index.js'
import { type FinalMeasures, type Infos, infosOf, reading, targetOn } from './reading.js'
import { rankingOption } from './ranking.js'
import { isSearchGiven, searchOptions } from './translator.js'
import { textOf } from './train.js'

export const evaluate = command({
  name: 'eval',
  summary: 'measure a saved network',
  arguments: ['<checkpoint|run>'],
  about:
    'Loads a checkpoint that `ostrich train` wrote and measures it on the test set of its recipe (on the validation set where it has none).',
  options: {
    recipe: {
      type: 'text',
      value: 'name',
      help: 'for a file that does not say its recipe',
      choices: recipes.map(({ name }) => name),
    },
    device: deviceOption,
    precision: { type: 'text', choices: ['auto', 'f32', 'tf32', 'bf16'], help: 'default: as it was trained' },
    ...dataOptions,
    views: {
      type: 'text',
      choices: ['1', '10'],
      help: 'views of each image, whose probabilities are averaged (default: as many as the recipe says, mostly 1)',
    },
    on: {
      type: 'text',
      choices: ['test', 'validation'],
      help: 'which part of the data (default: test, or validation where it has no test)',
    },
    typing: {
      type: 'whole',
      value: 'words',
      help: 'of a text: type so many words of it, and count the keys that completion saves',
    },
    ...searchOptions,
    ...rankingOption,
    beta: { type: 'number', help: 'of a network that hears: added for each word or symbol, in nats' },
    json: { type: 'flag', help: 'print JSON' },
  },
  examples: [
    'ostrich eval runs/2026-01-31T09-05-00-mnist/last.safetensors',
    'ostrich eval runs/2026-01-31T09-05-00-ptb-small --typing 500',
    'ostrich eval runs/2026-01-31T09-05-00-translate-attention --on validation --beam 10',
    'ostrich eval runs/2026-01-31T09-05-00-an4 --language-model runs/2026-01-31T09-40-00-an4-words',
  ],
  run: async ({ recipe: given, device, precision, views, on, typing, json, ...values }, [file = ''], output) => {
    if (typing === 0) throw new UsageError('--typing expects at least 1 word, got 0')
    const path = await checkpointOf(file)
    const info = await inspectCheckpoint(path)
    const recipe = recipeOf('eval', given, info?.config, path)
    expectSearch(recipe, values)
    const choice = choiceOf(values, savedChoice(info?.config))
    const source = placeOfData(recipe, choice)
    if (choice.data === undefined) await fetchData(recipe.data, output)
    const many = (views ?? `${recipe.target.views ?? 1}`) === '10'
    const halves = await recipe.data.load({
      ...source,
      ...(many && { views: 10 as const }),
      ...(info?.vocabulary && { vocabulary: new Vocabulary(info.vocabulary) }),
      ...(info?.tokenizers && { tokenizers: info.tokenizers }),
    })
    const { part, held } = partOf(`eval ${recipe.name}`, halves, on)
    const plan = recipe.build(textOf(halves))
    const place = {
      ...(precision !== undefined && { precision: precision as 'auto' }),
      ...(device !== undefined && { device: device as 'auto' }),
    }
    const taken =
      plan.fields === undefined
        ? await ofNetwork(path, plan, held, { ...place, typing })
        : await ofObjective(
            path,
            plan,
            halves,
            held,
            { precision: info?.precision ?? 'auto', ...place },
            { ...values, device, precision },
          )
    const { measured, typed, infos, found } = taken
    if (json === true) {
      const about = { recipe: recipe.name, step: info?.step, ...(many && { views: 10 }) }
      output.line(JSON.stringify({ ...about, ...measured, ...found?.about, typing: typed }))
      return 0
    }
    const { views: _, ...target } = targetOn(part, recipe.target, infos)
    say(taken, { target: { ...target, ...(many && { views: 10 }) }, infos, output })
    return 0
  },
})

interface Taken {
  readonly measured: Metrics
  readonly typed?: Keystrokes | undefined
  /** What a search found. */
  readonly found?: FinalMeasures | undefined
  readonly infos: Infos
}

/** Measures what a network answers to `x` by `target`. */
async function ofNetwork(
  path: string,
  { net, loss, inputs, example, window, measures: own = { accuracy: measures.accuracy } }: Plan,
  held: Dataset | Text,
  { typing, ...place }: PlaceOptions & { readonly typing: number | undefined },
): Promise<Taken> {
  const asked = window === undefined ? own : { ...own, top5: measures.top5 }
  const model = await load(path, net, { ...place, input: example, ...(inputs !== undefined && { inputs }) })
  try {
    const measured = await model.evaluate<Readonly<Record<string, Measured>>>({ data: held, loss, measures: asked })
    const typed = typing === undefined ? undefined : await typedWords(model, held, typing)
    return { measured, typed, infos: infosOf({ measures: asked }) }
  } finally {
    await model.dispose()
  }
}

/** Measures by an objective of other fields, in the session that would go on with the training. */
async function ofObjective(
  path: string,
  plan: Plan,
  data: Halves,
  held: Dataset | Text,
  place: PlaceOptions,
  values: FinalValues,
): Promise<Taken> {
  const run = await planSession(plan, { ...place, data })
  try {
    await run.resume(path)
    const metrics = await run.evaluate(held)
    const found = await measureFinally(run, plan, { train: data.train, held, metrics, values })
    return { measured: { ...metrics, ...found?.metrics }, found, infos: finalInfosOf(plan) }
  } finally {
    await run.dispose()
  }
}

interface Said {
  readonly target: Target
  readonly infos: Infos
  readonly output: Output
}

function say({ measured, typed, found }: Taken, { target, infos, output }: Said): void {
  output.line(reading(measured, target, infos))
  for (const line of found?.told ?? []) output.line(line)
  if (typed === undefined) return
  const { words, characters, keys, saved } = typed
  output.line(
    `typing ${words} words with one completion offered: ${keys} keys in place of ${characters}, ${percent(saved)} saved`,
  )
}

/** Types the first words of a text. */
async function typedWords(model: Model, held: Dataset | Text, most: number): Promise<Keystrokes> {
  if (!('tokens' in held)) throw new UsageError('--typing expects a text, got examples of another kind')
  const { vocabulary, tokens } = held
  const word = new RegExp(`(?:\\s*\\S+){0,${most}}`)
  const text = word.exec(vocabulary.decode(tokens.subarray(0, 40 * most)))?.[0] ?? ''
  return keystrokes(await completer(model, vocabulary), text)
}

/** @throws UsageError for a search of a network that has none */
function expectSearch(recipe: Recipe, values: FinalValues): void {
  const { translator, recogniser } = recipe.build()
  for (const name of ['language-model', 'beta'] as const) {
    if (values[name] === undefined || recogniser !== undefined) continue
    throw new UsageError(`eval: expected --${name} of a network that hears, got ${recipe.name}`)
  }
  if (!isSearchGiven(values) || translator !== undefined) return
  if (recogniser === undefined) {
    throw new UsageError(`eval: expected --beam of a network that translates or hears, got ${recipe.name}`)
  }
  if (values['length-penalty'] === undefined) return
  throw new UsageError(`eval: expected --length-penalty of a network that translates, got ${recipe.name}`)
}

/** The part of the data that is asked for; the test part, or the held-back one where there is none. @throws UsageError for neither */
export function partOf(
  command: string,
  { test, validation }: Halves,
  on: string | undefined,
): { readonly part: 'test' | 'validation'; readonly held: Dataset | Text } {
  const part = on === 'test' || (on === undefined && test !== undefined) ? 'test' : 'validation'
  const held = part === 'test' ? test : validation
  if (held === undefined) throw new UsageError(`${command}: expected data with a ${part} part, got none`)
  return { part, held }
}

/** The recipe that is named, or that a checkpoint says. @throws UsageError in the name of a command */
export function recipeOf(command: string, given: string | undefined, config: unknown, path: string): Recipe {
  const name = given ?? recipeIn(config)
  if (name === undefined) throw new UsageError(`${command}: expected --recipe, as ${path} does not say it, got none`)
  return named('recipe', name, recipes)
}
