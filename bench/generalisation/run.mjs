// node bench/generalisation/run.mjs [--seeds 1,2,3] [--pool-epochs 30] [--maxout-epochs 40] [--only pool,fgsm] [--name generalisation]
// "Can negative examples be used to improve generalisation?" Both published answers, each with and without negative examples:
// FC100-100-10 on a pool that is renewed all the time, made at the output of each layer, at that of the last hidden layer alone, or at the
// input alone (Szegedy et al. 2013);
// maxout with dropout and one step along the gradient's sign (Goodfellow et al. 2015). Test errors of every seed, and whether the
// difference is larger than the spread. Writes bench/results/NAME.json after each run; runs that are in it already, each with its
// commit, are not made again: take another name, or take them out, where what they measure has changed.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { errorOn, fgsmError, summarize, trained, trainOnPool } from '../../dist/experiments/index.js'
import { optim } from '../../dist/index.js'
import { sigmoidMlpLayers } from '../../dist/models/index.js'
import { mnistMaxoutDropout, mnistMaxoutFgsm } from '../../dist/recipes/index.js'
import { diagnose } from '../../dist/runtime/index.js'

const here = fileURLToPath(new URL('.', import.meta.url))
const { values: options } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1,2,3' },
    'pool-epochs': { type: 'string', default: '30' },
    'maxout-epochs': { type: 'string', default: '40' },
    only: { type: 'string', default: 'pool,fgsm' },
    name: { type: 'string', default: 'generalisation' },
  },
})
const seeds = options.seeds.split(',').map(Number)
const [poolEpochs, maxoutEpochs] = [options['pool-epochs'], options['maxout-epochs']].map(Number)
const results = join(here, '../results')
const file = join(results, `${options.name}.json`)
const known = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : []
const { train, test } = await mnistMaxoutDropout.data.load()

/** FC100-100-10 with the paper's weight decay, with negative examples at these levels. */
async function pool(levels, seed) {
  const batch = 100
  const lambdas = [1e-5, 1e-5, 1e-6]
  const total = poolEpochs * Math.floor(train.length / batch)
  const groups = lambdas.map((weightDecay, i) => ({ match: `**/linear${i + 1}/w`, weightDecay }))
  return trainOnPool({
    layers: sigmoidMlpLayers({ inputs: 784, hidden: [100, 100], classes: 10 }),
    widths: [784, 100, 100],
    optimizer: optim.adam({ rate: optim.cosine(0.003, { total }), groups }),
    ...{ train, test, seed, batch, levels, epochs: poolEpochs },
  })
}

async function maxout(recipe, seed) {
  const network = await trained(recipe, { train, seed, epochs: maxoutEpochs })
  try {
    return { test: await errorOn(network, test), fgsm: await fgsmError(network, test, 0.25) }
  } finally {
    await network.session.dispose()
  }
}

const cases = [
  ['pool', 'FC100-100-10', 'weight decay alone', (seed) => pool([], seed)],
  ['pool', 'FC100-100-10', 'and a pool of negative examples of the input', (seed) => pool([0], seed)],
  ['pool', 'FC100-100-10', 'and a pool of negative examples of the last hidden layer', (seed) => pool([2], seed)],
  ['pool', 'FC100-100-10', 'and pools of negative examples of each layer', (seed) => pool([0, 1, 2], seed)],
  ['fgsm', 'maxout 240-240, dropout', 'clean images', (seed) => maxout(mnistMaxoutDropout, seed)],
  [
    'fgsm',
    'maxout 240-240, dropout',
    'and one step along the gradient’s sign',
    (seed) => maxout(mnistMaxoutFgsm, seed),
  ],
]
const commit = execFileSync('git', ['rev-parse', '--short=12', 'HEAD'], { cwd: here, encoding: 'utf8' }).trim()
const measured = []
for (const [kind, network, training, run] of cases) {
  const metric = `test error, ${training}`
  const epochs = kind === 'pool' ? poolEpochs : maxoutEpochs
  const at = known.findIndex((one) => one.case === network && one.metric === metric && one.epochs === epochs)
  const entry = at < 0 ? { case: network, metric, unit: 'share', epochs, runs: [] } : known[at]
  if (at < 0) known.push(entry)
  for (const seed of options.only.split(',').includes(kind) ? seeds : []) {
    if (entry.runs.some((one) => one.seed === seed)) continue
    process.stderr.write(`${network}, ${training}: seed ${seed}\n`)
    entry.runs.push({ seed, ...(await run(seed)), commit, versions: diagnose().versions })
    process.stderr.write(`  ${JSON.stringify(entry.runs.at(-1))}\n`)
    const error = summarize(entry.runs.map((one) => one.test))
    entry.value = Number(error.mean.toPrecision(4))
    entry.spread = Number(error.spread.toPrecision(3))
    entry.date = new Date().toISOString().slice(0, 10)
    mkdirSync(results, { recursive: true })
    const whole = known.filter(({ runs }) => runs.length > 0)
    writeFileSync(file, `${JSON.stringify(whole, undefined, 2)}\n`)
  }
  if (entry.runs.length > 0) measured.push(entry)
}

const percent = (share) => (100 * share).toFixed(2)
const base = new Map()
for (const { case: network, metric, value, spread, runs } of measured) {
  const first = base.get(network)
  if (first === undefined) base.set(network, { value, spread })
  const [gain, noise] = first === undefined ? [] : [first.value - value, Math.hypot(first.spread, spread)]
  const compared =
    gain === undefined
      ? ''
      : `  gain ${percent(gain)}${runs.length < 2 ? '' : Math.abs(gain) > 2 * noise ? ', more than twice the spread' : ', within twice the spread'}`
  process.stdout.write(
    `${network}: ${metric} ${percent(value)} ± ${percent(spread)} % of ${runs.length} seeds${compared}\n`,
  )
}
process.stdout.write(`in ${file}\n`)
