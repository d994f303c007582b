// node bench/generalisation/run.mjs [--seeds 3] [--pool-epochs 30] [--maxout-epochs 40] [--only pool,fgsm] [--name generalisation] [--dry]
// "Can negative examples be used to improve generalisation?" Both published answers, each with and without negative examples:
// FC100-100-10 on a pool that is renewed all the time, made at the output of each layer, or at the input alone (Szegedy et al. 2013);
// maxout with dropout and one step along the gradient's sign (Goodfellow et al. 2015). Test errors of every seed, and whether the
// difference is larger than the spread. Writes bench/results/NAME.json.
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { errorOn, fgsmError, summarize, trained, trainOnPool } from '../../dist/experiments/index.js'
import { optim } from '../../dist/index.js'
import { sigmoidMlpLayers } from '../../dist/models/index.js'
import { mnist, mnistMaxoutDropout, mnistMaxoutFgsm } from '../../dist/recipes/index.js'
import { diagnose } from '../../dist/runtime/index.js'

const here = fileURLToPath(new URL('.', import.meta.url))
const { values: options } = parseArgs({
  options: {
    seeds: { type: 'string', default: '3' },
    'pool-epochs': { type: 'string', default: '30' },
    'maxout-epochs': { type: 'string', default: '40' },
    fresh: { type: 'string', default: '400' },
    only: { type: 'string', default: 'pool,fgsm' },
    name: { type: 'string', default: 'generalisation' },
    dry: { type: 'boolean', default: false },
  },
})
const [seeds, poolEpochs, maxoutEpochs] = [options.seeds, options['pool-epochs'], options['maxout-epochs']].map(Number)
const { train, validation: test } = await mnist.data.load()

/** FC100-100-10 with the paper's weight decay, with negative examples at these levels. */
async function pool(levels, seed) {
  const batch = 100
  const lambdas = [1e-5, 1e-5, 1e-6]
  const total = poolEpochs * Math.floor(train.length / batch)
  const weightDecay = ({ path }) => {
    const place = Number(/linear(\d+)\/w$/.exec(path)?.[1] ?? 0)
    return place === 0 ? 0 : lambdas[place - 1]
  }
  return trainOnPool({
    layers: sigmoidMlpLayers({ inputs: 784, hidden: [100, 100], classes: 10 }),
    widths: [784, 100, 100],
    optimizer: optim.adam({ rate: optim.cosine(0.003, { total }), weightDecay }),
    ...{ train, test, seed, batch, levels, epochs: poolEpochs, fresh: Number(options.fresh) },
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
  ['pool', 'FC100-100-10', 'and pools of negative examples of each layer', (seed) => pool([0, 1, 2], seed)],
  ['fgsm', 'maxout 240-240, dropout', 'clean images', (seed) => maxout(mnistMaxoutDropout, seed)],
  [
    'fgsm',
    'maxout 240-240, dropout',
    'and one step along the gradient’s sign',
    (seed) => maxout(mnistMaxoutFgsm, seed),
  ],
]
const results = []
for (const [kind, network, training, run] of cases) {
  if (!options.only.split(',').includes(kind)) continue
  const runs = []
  for (let seed = 1; seed <= seeds; seed++) {
    process.stderr.write(`${network}, ${training}: seed ${seed} of ${seeds}\n`)
    runs.push(await run(seed))
    process.stderr.write(`  ${JSON.stringify(runs.at(-1))}\n`)
  }
  const error = summarize(runs.map((one) => one.test))
  results.push({
    case: network,
    metric: `test error, ${training}`,
    value: Number(error.mean.toPrecision(4)),
    spread: Number(error.spread.toPrecision(3)),
    unit: 'share',
    runs,
    epochs: kind === 'pool' ? poolEpochs : maxoutEpochs,
    versions: diagnose().versions,
    commit: execFileSync('git', ['rev-parse', '--short=12', 'HEAD'], { cwd: here, encoding: 'utf8' }).trim(),
    date: new Date().toISOString().slice(0, 10),
  })
}
const base = new Map()
for (const { case: network, metric, value, spread } of results) {
  if (!base.has(network)) base.set(network, { value, spread })
  const first = base.get(network)
  const gain = first.value - value
  const noise = Math.hypot(first.spread, spread)
  const verdict =
    gain === 0 ? '' : Math.abs(gain) > 2 * noise ? 'more than twice the spread' : 'within twice the spread'
  process.stdout.write(
    `${network}: ${metric} ${(100 * value).toFixed(2)} ± ${(100 * spread).toFixed(2)} %  ${gain === 0 ? '' : `gain ${(100 * gain).toFixed(2)}`} ${verdict}\n`,
  )
}
if (!options.dry) {
  mkdirSync(join(here, '../results'), { recursive: true })
  const file = join(here, '../results', `${options.name}.json`)
  writeFileSync(file, `${JSON.stringify(results, undefined, 2)}\n`)
  process.stdout.write(`written to ${file}\n`)
}
