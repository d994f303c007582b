// Compiles a training step of every recipe and of every network of the benchmarks on the double: in every precision,
// deterministic and not, at the batch sizes that are measured and at those of evaluation and prediction. For plans.mjs, which
// has the double write down the convolutions and compute nothing (OSTRICH_DOUBLE_CONVS, OSTRICH_DOUBLE_IDLE).
import { existsSync, statSync } from 'node:fs'
import { env } from 'node:process'
import { cases } from '../../bench/steps/cases.mjs'
import { openDevice, Programs, StateStore, supervised, Trainer } from '../../bench/steps/library.mjs'
import { recipes } from '../../dist/recipes/index.js'

/**
 * Besides the recipe's own; the benchmarks have AlexNet's larger ones. What evaluation (`ostrich eval` in batches of 250)
 * and prediction convolve is part of a step of as many examples.
 */
const BATCHES = [1, 250]
const label = { dtype: 'i32', shape: [] }

/** The cases of the benchmarks by network: a number at the end of a name is its batch. */
const benchmarks = new Map()
for (const [name, one] of Object.entries(cases)) {
  // Texts are not convolved.
  if (one.vocabulary !== undefined) continue
  const network = name.replace(/-\d+$/, '')
  benchmarks.set(network, [...(benchmarks.get(network) ?? []), one])
}

const works = [
  ...recipes
    .map(({ name, build }) => ({ name, plan: build() }))
    // Nor are sentences and sounds.
    .filter(({ plan }) => plan.forecaster !== undefined || plan.example.batchAxis !== 1)
    // A film in its batch is as large as many images.
    .map(({ name, plan }) => ({ name, plan, sizes: plan.forecaster === undefined ? BATCHES : [] })),
  ...[...benchmarks].map(([name, [{ shape, net, loss, optimizer, batch }, ...others]]) => {
    const plan = { net: net(), loss, optimizer: optimizer(), batch, example: { dtype: 'f32', shape } }
    return { name: `bench ${name}`, plan, sizes: others.map((other) => other.batch) }
  }),
]

const ways = ['f32', 'tf32', 'bf16'].flatMap((precision) =>
  [false, true].map((deterministic) => ({ precision, deterministic })),
)

/** One after the other over the same variables, so that those are initialised once. */
const compile = async (plan, { precision, deterministic }, sizes) => {
  const { net, loss, objective = supervised(net, loss), inputs = {}, optimizer, example } = plan
  const { fields = { x: example, target: label } } = plan
  const device = await openDevice({ device: 'cuda', deterministic })
  const store = new StateStore(device)
  const programs = new Programs(device, store, 1)
  try {
    for (const batch of sizes) {
      await Trainer.create(programs, {
        task: { objective, inputs },
        shapes: [{ rows: batch, fields }],
        optimizer,
        precision,
      })
    }
  } finally {
    programs.dispose()
    store.dispose()
    await device.dispose()
  }
}

const written = () => (existsSync(env.OSTRICH_DOUBLE_CONVS) ? statSync(env.OSTRICH_DOUBLE_CONVS).size : 0)

for (const { name, plan, sizes } of works) {
  const started = performance.now()
  const before = written()
  const all = [...new Set([plan.batch, ...sizes])]
  for (const way of ways) await compile(plan, way, all)
  const said = written() > before ? `batches of ${all.join(', ')}` : 'no convolution'
  console.log(`${name.padEnd(14)} ${said} (${((performance.now() - started) / 1000).toFixed(1)} s)`)
}
