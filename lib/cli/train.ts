// ostrich train: a recipe from data to saved network, shown as it goes. Ctrl-C stops after the step in flight and saves. Refuses
// to write over another run.
import { dirname } from 'node:path'
import { suggestion } from '../base/index.js'
import {
  type Halves,
  type LoadOptions,
  type Plan,
  type Recipe,
  type RecipeOptions,
  recipes,
  planSession,
} from '../recipes/index.js'
import { createProgress } from '../report/index.js'
import {
  type EndEvent,
  eventWriter,
  makeRunFolder,
  type Metrics,
  openRunLog,
  runName,
  type ObjectiveOptions,
  type Session,
  type StoppedEvent,
} from '../train/index.js'
import { command, named, type Output, UsageError, type Values } from './command.js'
import { choiceOf, dataOptions, placeOfData } from './data-option.js'
import { deviceOption } from './device-option.js'
import { fetchData } from './fetch.js'
import { measureFinally } from './final-measures.js'
import { infosOf } from './reading.js'
import { type Configured, configured, expectUnfinished, type Judged, resumed } from './resumed.js'
import { expectFree } from './run-folder.js'
import { stopOnSignals } from './stop.js'
import { type Final, sayEnd, watch } from './watch.js'

const options = {
  epochs: { type: 'whole', help: 'times through the training set' },
  batch: { type: 'whole', help: 'examples per step; of texts, parallel streams' },
  rate: { type: 'number', help: 'peak of the learning rate' },
  seed: { type: 'whole', help: 'of initial values, dropout and order (default 1)' },
  monitor: {
    type: 'text',
    value: 'measure',
    help: 'keep the best epoch by it (best.safetensors): loss, accuracy, ...',
  },
  patience: { type: 'whole', help: 'end after so many epochs in which it became no better (default: never)' },
  precision: {
    type: 'text',
    choices: ['auto', 'f32', 'tf32', 'bf16'],
    help: 'auto: bf16 where the hardware is faster in it (default)',
  },
  device: deviceOption,
  threads: { type: 'whole', help: 'threads of the CPU (default 0: all cores)' },
  ...dataOptions,
  workers: { type: 'whole', help: 'threads that read packed images (default 0: none beside the main one)' },
  folder: { type: 'text', value: 'path', help: 'where the run is kept (default runs/<time>-<recipe>)' },
  config: { type: 'text', value: 'path', help: 'do a run again: its config.json, or its folder; other options win' },
  resume: { type: 'text', value: 'path', help: 'go on from a checkpoint, or from the folder of a run' },
  tensorboard: {
    type: 'flag',
    help: 'write an event file into the folder of the run: curves, and after each epoch histograms of weights and gradients',
  },
  explain: { type: 'flag', help: 'print the optimised graphs and the memory plan' },
  quiet: { type: 'flag', help: 'print the result only' },
} as const

type Chosen = Values<typeof options>

export const train = command({
  name: 'train',
  summary: 'train a recipe',
  arguments: ['[recipe]'],
  first: recipes.map(({ name }) => name),
  about: [
    'Fetches the data on first use, trains with a live display, measures the result and saves the network. The run leaves a',
    'folder with its configuration, a log (log.jsonl), its curves (curves.svg) and its checkpoint (last.safetensors), from',
    'which it can go on. Ctrl-C stops after the step in flight, saves, and says where.',
  ].join('\n'),
  options,
  examples: [
    'ostrich train mnist',
    'ostrich train mnist --epochs 10 --rate 0.05 --seed 7',
    'ostrich train mnist --epochs 50 --monitor accuracy --patience 5',
    'ostrich train mnist --resume runs/2026-01-31T09-05-00-mnist',
    'ostrich train --config runs/2026-01-31T09-05-00-mnist --seed 2',
    'ostrich train alexnet --data /data/packed --workers 4',
    'ostrich train shakespeare --data my-letters.txt',
    'ostrich train translate-attention --data letters.de letters.en --folder runs/letters',
  ],
  run: async (given, [name], output) => {
    const asked = await askedFor(given, name)
    const recipe = named('recipe', name ?? asked?.recipe ?? '', recipes)
    const values: Chosen = { ...given, ...placeIn(asked, given) }
    const saved = values.resume === undefined ? undefined : await resumed(values.resume, recipe)
    const { seed = 1, ...settings } = { ...(saved ?? asked)?.settings, ...chosen(values) }
    for (const key of ['batch', 'epochs', 'patience'] as const) {
      if (values[key] === 0) throw new UsageError(`--${key} expects at least 1, got 0`)
    }
    if (values.folder !== undefined) await expectFree(values.folder, recipe.name, saved?.path)
    const choice = choiceOf(values, (saved ?? asked)?.data ?? {})
    const source: LoadOptions = {
      ...placeOfData(recipe, choice),
      ...(values.workers !== undefined && { workers: values.workers }),
      ...(saved?.vocabulary !== undefined && { vocabulary: saved.vocabulary }),
      ...(saved?.tokenizers !== undefined && { tokenizers: saved.tokenizers }),
    }
    if (choice.data === undefined) await fetchData(recipe.data, output)
    const data = await recipe.data.load(source)
    const plan = recipe.build({ ...settings, ...textOf(data) })
    if (saved !== undefined) expectUnfinished(saved, plan)
    const judged = judgedBy(values, plan, (saved ?? asked)?.judged)
    const folder =
      values.folder ??
      (saved === undefined ? await makeRunFolder('runs', runName(recipe.name, new Date())) : dirname(saved.path))
    const { batch, epochs, rate } = plan
    const { device, precision, threads, workers } = values
    const config = {
      recipe: recipe.name,
      epochs,
      batch,
      rate,
      seed,
      device,
      precision,
      threads,
      ...choice,
      workers,
      ...judged,
    }
    const stop = stopOnSignals(output)
    const run = await planSession(plan, {
      ...placeOf(values),
      ...judged,
      data,
      seed,
      folder,
      config,
      signal: stop.signal,
      ...(values.explain === true && { explain: explainTo(output) }),
    })
    try {
      if (saved !== undefined) await run.resume(saved.path)
      const last = await show(run, {
        recipe,
        plan,
        data,
        source,
        folder,
        config,
        quiet: values.quiet === true,
        board: values.tensorboard === true,
        output,
      })
      return last.type === 'stopped' ? stop.code : 0
    } finally {
      stop.dispose()
      await run.dispose()
    }
  },
})

/** What the configuration of another run says, where one is given. @throws UsageError without any recipe, and for two */
async function askedFor({ config, resume }: Chosen, name: string | undefined): Promise<Configured | undefined> {
  if (config === undefined) {
    if (name !== undefined) return undefined
    throw new UsageError('train: expected <recipe>, got nothing. See: ostrich train --help')
  }
  if (resume !== undefined)
    throw new UsageError('--config does a run again, --resume goes on with one: expected one of them, got both')
  const asked = await configured(config)
  if (name === undefined || name === asked.recipe) return asked
  throw new UsageError(`--config expects the configuration of ${name}, got one of ${asked.recipe}`)
}

/** Where and how the other run ran, but for what is said now. */
function placeIn(asked: Configured | undefined, given: Chosen): Partial<Chosen> {
  const said = Object.keys(given)
  return Object.fromEntries(Object.entries(asked?.place ?? {}).filter(([name]) => !said.includes(name)))
}

interface Shown {
  readonly recipe: Recipe
  readonly plan: Plan
  readonly data: Halves
  readonly source: LoadOptions
  readonly folder: string
  readonly config: unknown
  readonly quiet: boolean
  /** Whether it writes for TensorBoard. */
  readonly board: boolean
  readonly output: Output
}

async function show(run: Session, shown: Shown): Promise<EndEvent | StoppedEvent> {
  const { recipe, plan, folder, config, quiet, output } = shown
  const log = await openRunLog(folder, { config, title: recipe.name, ...(run.step > 0 && { resumeAt: run.step }) })
  const progress = createProgress({ stream: quiet ? undefined : process.stderr })
  const board = shown.board ? await eventWriter(folder) : undefined
  try {
    const last = await watch(run, { progress, log, plan, recipe, board })
    progress.finish()
    const final = last.type === 'end' ? await finalTest(run, last.validation, shown) : undefined
    if (final?.part === 'test') log.write({ type: 'test', step: last.step, test: final.metrics })
    sayEnd(last, { recipe, plan, folder, output, quiet, final })
    return last
  } finally {
    progress.finish()
    await board?.close()
    await log.close()
  }
}

/**
 * Measures the test set, once, at the end; a text in one pass. None where the recipe's number is of the validation set, of which what a
 * search finds is measured here all the same: it is too slow for every epoch.
 */
async function finalTest(
  run: Session,
  last: Metrics,
  { recipe, plan, data, source, folder }: Shown,
): Promise<Final | undefined> {
  const { views } = recipe.target
  const { test, validation } = views === undefined ? data : await recipe.data.load({ ...source, views })
  const metrics = test === undefined ? last : await run.evaluate(test, 'tokens' in test ? 1 : undefined)
  const held = test ?? validation
  const more = held && (await measureFinally(run, plan, { train: data.train, held, metrics, values: {}, folder }))
  if (test === undefined && more === undefined) return undefined
  return {
    part: test === undefined ? 'validation' : 'test',
    metrics: { ...metrics, ...more?.metrics },
    told: more?.told ?? [],
  }
}

/** What a recipe must know of the text, the languages or the examples that it trains on. */
export function textOf({ train: data }: Halves): Pick<RecipeOptions, 'text' | 'languages' | 'examples'> {
  if ('tokens' in data) return { text: { tokens: data.tokens.length, vocabulary: data.vocabulary.size } }
  const { source, target } = data.tokenizers ?? {}
  if (source === undefined || target === undefined) return { examples: data.length }
  return { languages: { pairs: data.length, source: source.size, target: target.size } }
}

function chosen(values: Chosen): RecipeOptions & { readonly seed?: number } {
  const { epochs, batch, rate, seed } = values
  return {
    ...(epochs !== undefined && { epochs }),
    ...(batch !== undefined && { batch }),
    ...(rate !== undefined && { rate }),
    ...(seed !== undefined && { seed }),
  }
}

function placeOf(values: Chosen): Pick<ObjectiveOptions, 'device' | 'precision' | 'threads'> {
  const { device: where, precision, threads } = values
  return {
    ...(where !== undefined && { device: where as 'auto' }),
    ...(precision !== undefined && { precision: precision as 'auto' }),
    ...(threads !== undefined && { threads }),
  }
}

/** @throws UsageError for a measure that the plan has not */
function judgedBy(values: Chosen, plan: Plan, saved: Judged = {}): Judged {
  const { monitor = saved.monitor, patience = saved.patience } = values
  if (monitor === undefined) {
    if (patience !== undefined) throw new UsageError('--patience expects a measure beside it (--monitor), got none')
    return {}
  }
  const names = Object.keys(infosOf(plan))
  if (!names.includes(monitor)) {
    throw new UsageError(`--monitor expects ${names.join(', ')}, got ${monitor}.${suggestion(monitor, names)}`)
  }
  return { monitor, ...(patience !== undefined && { patience }) }
}

/** Prints what runs: of each program the graph after the last pass, and the plan. */
function explainTo(output: Output): NonNullable<ObjectiveOptions['explain']> {
  return (program, pass, text) => {
    if (pass === 'schedule' || pass === 'plan') output.line(`== ${program}: ${pass}\n${text}`)
  }
}
