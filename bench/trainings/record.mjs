// node bench/trainings/record.mjs RUN [--typing 500] [--note TEXT]
// A finished training, from the folder of its run: writes curve, rate, time and what it measured on the test set to
// bench/results/RECIPE.json, in place of what is there of the same recipe, precision and seed. A run that was stopped and went
// on counts the time of its parts.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { recipes } from '../../dist/recipes/index.js'
import { commit } from '../report.mjs'

const here = fileURLToPath(new URL('.', import.meta.url))
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { typing: { type: 'string' }, note: { type: 'string' } },
})
const [folder] = positionals
if (folder === undefined) throw new Error('expected the folder of a run')

const { recipe, seed } = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'))
const lines = readFileSync(join(folder, 'log.jsonl'), 'utf8').trim().split('\n')
const round = (value, digits = 4) => Number(value.toPrecision(digits))

/** Epochs by number, each with the seconds that all parts took until its end; what was done again counts once. */
function epochsOf(events) {
  const epochs = new Map()
  let [before, last] = [0, 0]
  for (const event of events.filter(({ elapsed }) => elapsed !== undefined)) {
    if (event.elapsed < last) before += last
    last = event.elapsed
    if (event.type === 'epoch') epochs.set(event.epoch, { ...event, seconds: before + event.elapsed })
  }
  return [...epochs.values()].toSorted((a, b) => a.epoch - b.epoch)
}

const events = lines.filter((line) => !line.startsWith('{"type":"step"')).map((line) => JSON.parse(line))
const start = events.find(({ type }) => type === 'start')
const epochs = epochsOf(events)
const known = recipes.find(({ name }) => name === recipe)
const { batch, window = 1 } = known.build()
const durations = epochs.map(({ seconds }, i) => seconds - (epochs[i - 1]?.seconds ?? 0))
// Of what has no test part the held-back one was measured.
const end = events.findLast(({ type }) => type === 'test' || type === 'end')
const part = end.type === 'test' ? 'test' : 'validation'
const measured = end[part]
const cli = join(here, '../../dist/cli/main.js')
const evaluation = (...more) =>
  JSON.parse(execFileSync(process.execPath, [cli, 'eval', folder, '--json', ...more], { encoding: 'utf8' }))
const { metric, of = 'accuracy', views } = known.target

const made = {
  case: recipe,
  metric: part === 'test' ? `${metric}${views === undefined ? '' : ` over ${views} views`}` : `${part} ${of}`,
  value: round(measured[of]),
  unit: of,
  ...{ precision: start.precision, backend: 'cpu', device: start.device, threads: start.threads, seed },
  seconds: round(epochs.at(-1).seconds),
  // Examples, or words, a second in the fastest epoch, its validation included.
  rate: Math.round((start.stepsPerEpoch * (start.perStep ?? batch * window)) / Math.min(...durations)),
  [part]: options.typing === undefined ? measured : evaluation('--typing', options.typing),
  commit: commit(),
  date: new Date().toISOString().slice(0, 10),
  ...(options.note !== undefined && { note: options.note }),
  curve: epochs.map(({ epoch, seconds, loss, validation }) => ({
    epoch,
    seconds: round(seconds),
    trainingLoss: round(loss),
    // What was not measured is the text NaN in a log.
    ...Object.fromEntries(
      Object.entries(validation ?? {}).flatMap(([name, value]) =>
        typeof value === 'number' ? [[name, round(value)]] : [],
      ),
    ),
  })),
}

const path = join(here, '../results', `${recipe}.json`)
const recorded = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : []
const others = recorded.filter((one) => one.precision !== made.precision || (one.seed ?? 1) !== seed)
writeFileSync(path, `${JSON.stringify([...others, made], undefined, 2)}\n`)
process.stdout.write(`${made.metric} ${made.value} after ${made.seconds} s, written to ${path}\n`)
