// ostrich lags: how far back a plain recurrent network and an LSTM learn to look.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cells, type LagResult, lagsPicture, measureLag, median } from '../experiments/index.js'
import { diagnose } from '../runtime/index.js'
import { alignedLines, createProgress, grouped } from '../report/index.js'
import { command, type Output, UsageError } from './command.js'

const usual = [10, 20, 50, 100, 200, 400]

export const lags = command({
  name: 'lags',
  summary: 'compare an RNN and an LSTM over growing lags',
  arguments: [],
  about: [
    'Trains a plain recurrent network and an LSTM with as many weights between states on the adding problem (Hochreiter &',
    'Schmidhuber 1997): two numbers of a sequence are marked, and their sum is asked for at its end. For each length it tells the',
    'sequences until the mean squared error is below 0.01, and the least error that was reached. Writes lags.json after each',
    'training, and a picture, lags.svg, of all.',
  ].join('\n'),
  options: {
    lengths: { type: 'text', value: 'list', help: `steps of a sequence (default ${usual.join(',')})` },
    seeds: { type: 'whole', help: 'how often everything is done (default 3)' },
    budget: { type: 'whole', help: 'training sequences after which a length is given up (default 300,000)' },
    threads: { type: 'whole', help: 'threads of the CPU (default 0: all cores)' },
    out: { type: 'text', value: 'folder', help: 'where the files go (default lags)' },
    json: { type: 'flag', help: 'print JSON' },
  },
  examples: ['ostrich lags', 'ostrich lags --lengths 10,20,40 --seeds 1 --budget 50000'],
  run: async ({ lengths: list, seeds = 3, budget = 300_000, threads, out = 'lags', json = false }, _none, output) => {
    const lengths = list === undefined ? usual : lengthsOf(list)
    if (seeds === 0 || budget === 0) throw new UsageError('lags: --seeds and --budget expect at least 1, got 0')
    await mkdir(out, { recursive: true })
    const { cpu, versions } = diagnose()
    const results: LagResult[] = []
    const about = { cpu, versions, seeds, budget, results }
    const keep = async (result: LagResult) => {
      results.push(result)
      await writeFile(join(out, 'lags.json'), `${JSON.stringify(about, undefined, 2)}\n`)
    }
    await measureAll(lengths, { seeds, budget, threads, keep })
    await writeFile(join(out, 'lags.svg'), lagsPicture(titleOf(seeds, budget), results))
    if (json) output.line(JSON.stringify(about, undefined, 2))
    else say(results, lengths, output)
    output.note(`written to ${join(out, 'lags.svg')} and lags.json`)
    return 0
  },
})

function titleOf(seeds: number, budget: number): string {
  return `${seeds} ${seeds === 1 ? 'seed' : 'seeds'}, at most ${grouped(budget)} sequences each`
}

function lengthsOf(list: string): number[] {
  const lengths = list.split(',').map(Number)
  const wrong = lengths.find((length) => !(Number.isSafeInteger(length) && length >= 2 && length <= 10_000))
  if (wrong === undefined) return [...new Set(lengths)]
  throw new UsageError(`lags: --lengths expects whole numbers from 2 to 10000 with commas between, got ${list}`)
}

interface Given {
  readonly seeds: number
  readonly budget: number
  readonly threads: number | undefined
  readonly keep: (result: LagResult) => Promise<void>
}

async function measureAll(lengths: readonly number[], { seeds, keep, ...given }: Given): Promise<void> {
  const progress = createProgress({ stream: process.stderr })
  try {
    for (const length of lengths) {
      for (const cell of cells) {
        for (let seed = 1; seed <= seeds; seed++) {
          const report = ({ what, ...state }: { what: string; done: number; total: number; unit: string }) => {
            progress.update({ what: `seed ${seed}/${seeds}, ${what}`, ...state })
          }
          await keep(await measureLag({ cell, length, seed, ...given, report }))
        }
      }
    }
  } finally {
    progress.finish()
  }
}

/** A row for each length: of each cell the median over the seeds. */
function say(results: readonly LagResult[], lengths: readonly number[], output: Output): void {
  const rows = lengths.map((length) => [
    String(length),
    ...cells.flatMap((cell) => {
      const own = results.filter((one) => one.cell === cell && one.length === length)
      const sequences = median(own.map((one) => one.sequences ?? Infinity))
      return [
        Number.isFinite(sequences) ? grouped(sequences) : 'never',
        median(own.map(({ error }) => error)).toFixed(4),
      ]
    }),
  ])
  const head = ['steps', ...cells.flatMap((cell) => [`${cell}: sequences`, 'least error'])]
  for (const line of alignedLines([head, ...rows], 0)) output.line(line)
}
