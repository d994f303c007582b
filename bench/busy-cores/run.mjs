// node bench/busy-cores/run.mjs [--only mlp,lenet,ptb-small] [--precision f32] [--rounds 5] [--seconds 2] [--threads N] [--name busy-cores] [--dry]
// Training steps while other work wants the cores too: nothing else, a process that uses half a core (5 ms of work, 5 ms of sleep), one that uses a
// whole core, and the same training a second time. In rounds, so that a noisy minute hits all; medians. Prints a table and writes
// bench/results/NAME.json.
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { about, grid, median, rounded, writeResults } from '../report.mjs'
import { cases } from '../steps/cases.mjs'
import { started } from '../turns.mjs'

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: 'mlp,lenet,ptb-small' },
    precision: { type: 'string', default: 'f32' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    threads: { type: 'string', default: String(availableParallelism()) },
    name: { type: 'string', default: 'busy-cores' },
    dry: { type: 'boolean', default: false },
  },
})
for (const name of options.only.split(',')) {
  if (Object.hasOwn(cases, name)) continue
  process.stderr.write(`bench: expected --only of ${Object.keys(cases).join(', ')}, got ${name}\n`)
  process.exit(2)
}

const script = (name) => join(import.meta.dirname, name)
const training = (name, precision) => started(process.execPath, [script('turn.mjs'), name, precision, options.threads])
const work = (on, off) => started(process.execPath, [script('other-work.mjs'), on, off])
const turn = async (one) => (await one.turn({ seconds: Number(options.seconds) })).step

async function beside(one, other) {
  const step = await turn(one)
  await other.stop()
  return step
}

/** Milliseconds of a step in each situation. */
const situations = {
  'nothing else': ({ one }) => turn(one),
  'half a core': async ({ one }) => beside(one, await work(5, 5)),
  'a whole core': async ({ one }) => beside(one, await work(5, 0)),
  'the same training': async ({ one, two }) => median(await Promise.all([turn(one), turn(two)])),
}

const results = []
for (const name of options.only.split(',')) {
  for (const precision of options.precision.split(',')) {
    const [one, two] = [await training(name, precision), await training(name, precision)]
    const steps = Object.fromEntries(Object.keys(situations).map((situation) => [situation, []]))
    for (let round = 0; round < Number(options.rounds); round++) {
      process.stderr.write(`\r\x1b[K${name} ${precision}: round ${round + 1} of ${options.rounds}`)
      for (const [situation, measure] of Object.entries(situations)) steps[situation].push(await measure({ one, two }))
    }
    await Promise.all([one.end(), two.end()])
    const common = about({ precision, threads: Number(options.threads), ...one.ready })
    for (const [situation, times] of Object.entries(steps)) {
      const value = rounded(median(times))
      const share = rounded(median(steps['nothing else']) / value)
      results.push({
        case: name,
        metric: `step beside ${situation}`,
        value,
        unit: 'ms',
        shareOfQuietRate: share,
        ...common,
      })
    }
  }
}
process.stderr.write('\r\x1b[K')
const rows = results.map(({ case: name, precision, metric, value, shareOfQuietRate: share }) => [
  ...[name, precision, metric, `${value} ms`, `${Math.round(share * 100)} %`],
])
process.stdout.write(`${results[0].device}, ${options.threads} threads\n\n`)
process.stdout.write(`${grid(['case', 'precision', 'step', 'time', 'of the quiet rate'], rows)}\n`)
if (!options.dry) writeResults(options.name, results)
