// ostrich runs: lists the runs of a folder, draws the curves of several in one picture, removes runs.
import { rm } from 'node:fs/promises'
import { basename } from 'node:path'
import { suggestion } from '../base/index.js'
import { replaceFile } from '../files/index.js'
import { alignedLines, comparedCurves, grouped, measuresOf, MOST_RUNS } from '../report/index.js'
import { command, type Output, UsageError } from './command.js'
import { type RunSummary, runsOf, runSummary } from './run-summary.js'

const actions = ['list', 'compare', 'remove']

export const runs = command({
  name: 'runs',
  summary: 'list runs, compare their curves, remove runs',
  arguments: ['[list|compare|remove]', '[run]', '...'],
  first: actions,
  about: [
    '`list` tells of the runs in ./runs, the last one first: how far each came, and what it measured. `compare` draws the curves of',
    'several runs in one SVG. `remove` deletes the folders of runs; it asks for --yes, and takes nothing but folders of runs.',
  ].join('\n'),
  options: {
    in: { type: 'text', value: 'folder', help: 'list: where the runs are (default runs)' },
    svg: { type: 'text', value: 'file', help: 'compare: the picture to write (default runs.svg)' },
    measure: {
      type: 'text',
      value: 'name',
      help: 'compare: what the lower panel shows (default: the first after the loss)',
    },
    yes: { type: 'flag', help: 'remove: do it' },
    json: { type: 'flag', help: 'print JSON' },
  },
  examples: [
    'ostrich runs',
    'ostrich runs compare runs/2026-01-31T09-05-00-mnist runs/2026-01-31T09-40-00-mnist --svg both.svg',
    'ostrich runs remove runs/2026-01-31T09-05-00-mnist --yes',
  ],
  run: async (values, [action = 'list', ...folders], output) => {
    const json = values.json === true
    if (action === 'list') {
      if (folders.length > 0)
        throw new UsageError(`runs list: expected --in for another folder, got ${folders.join(' ')}`)
      list(await runsOf(values.in ?? 'runs'), json, output)
      return 0
    }
    if (!actions.includes(action)) {
      throw new UsageError(`runs: expected ${actions.join(', ')}, got ${action}.${suggestion(action, actions)}`)
    }
    if (folders.length === 0) throw new UsageError(`runs ${action}: expected the folders of runs, got none`)
    const given = await Promise.all(folders.map((folder) => expectRun(action, folder)))
    if (action === 'compare') await compare(given, values, json, output)
    else await remove(given, values.yes === true, json, output)
    return 0
  },
})

async function expectRun(action: string, folder: string): Promise<RunSummary> {
  const run = await runSummary(folder)
  if (run !== undefined) return run
  throw new UsageError(`runs ${action}: expected the folder of a run (config.json and log.jsonl), got ${folder}`)
}

/** Without the points of the curves, which a list has no use for. */
const told = ({ curves: _, changed, ...run }: RunSummary) => ({ ...run, changed: changed.toISOString() })

function list(found: readonly RunSummary[], json: boolean, output: Output): void {
  if (json) {
    output.line(JSON.stringify(found.map(told), undefined, 2))
    return
  }
  if (found.length === 0) {
    output.note('no runs here. Start with: ostrich train mnist')
    return
  }
  const rows = found.map(({ folder, recipe, state, done, epochs, step, loss, validation }) => {
    const [measured] = Object.entries(validation).filter(([name]) => name !== 'loss')
    return [
      basename(folder),
      recipe ?? '',
      state,
      epochs === undefined ? `${done}` : `${done}/${epochs}`,
      grouped(step),
      loss === undefined ? '' : loss.toFixed(4),
      measured === undefined ? '' : `${measured[0]} ${Number(measured[1].toPrecision(4))}`,
    ]
  })
  const heads = ['run', 'recipe', 'state', 'epochs', 'steps', 'loss', 'validation']
  for (const line of alignedLines([heads, ...rows], 3)) output.line(line)
}

async function compare(
  given: readonly RunSummary[],
  { svg = 'runs.svg', measure }: { readonly svg?: string | undefined; readonly measure?: string | undefined },
  json: boolean,
  output: Output,
): Promise<void> {
  if (given.length > MOST_RUNS) {
    throw new UsageError(`runs compare: expected at most ${MOST_RUNS} runs, got ${given.length}`)
  }
  const drawn = given.map(({ folder, curves }) => ({ name: basename(folder), curves }))
  const known = measuresOf(drawn)
  if (measure !== undefined && !known.includes(measure)) {
    const names = known.length === 0 ? 'no measure, as none was measured' : known.join(', ')
    throw new UsageError(`--measure expects ${names}, got ${measure}.${suggestion(measure, known)}`)
  }
  const recipes = [...new Set(given.map(({ recipe }) => recipe ?? 'runs'))].join(', ')
  const picture = comparedCurves({ title: recipes, runs: drawn, measure })
  await replaceFile(svg, (file) => file.write(new TextEncoder().encode(picture)))
  if (json) output.line(JSON.stringify({ file: svg, runs: given.map(told) }))
  else output.line(`${svg}: ${given.length} runs`)
}

async function remove(given: readonly RunSummary[], sure: boolean, json: boolean, output: Output): Promise<void> {
  const folders = given.map(({ folder }) => folder)
  if (!sure)
    throw new UsageError(
      `runs remove: expected --yes, as ${folders.join(', ')} and all in them would be gone, got none`,
    )
  for (const folder of folders) await rm(folder, { recursive: true })
  if (json) output.line(JSON.stringify({ removed: folders }))
  else for (const folder of folders) output.line(`removed ${folder}`)
}
