// node measure.mjs VOCABULARY OPTIMIZER KIND STEPS THREADS: a step of skip-gram with negative sampling (Mikolov et al. 2013) over two
// tables [VOCABULARY, 100], whose update is of rows (`sparse`) or of all (`dense`). Prints one line of JSON.
import { randomFillSync } from 'node:crypto'
import { nn, ops, openDevice, optim, Programs, StateStore, Trainer, versions } from '../steps/library.mjs'

const [vocabulary, rule, kind, steps, threads] = process.argv.slice(2)
const [width, batch, negatives, warmUp] = [100, 1024, 5, 5]
const optimizers = {
  sgd: () => optim.sgd({ rate: 0.05 }),
  adagrad: () => optim.adagrad({ rate: 0.05 }),
  adam: () => optim.adam({ rate: 1e-3 }),
}

const table = (name) => nn.embedding(Number(vocabulary), width, { sparse: kind === 'sparse', name })
const [words, contexts] = [table('words'), table('contexts')]
function objective({ center, context, negative }) {
  const u = words(center)
  const good = ops.sum(ops.mul(u, contexts(context)), -1)
  const bad = ops.sum(ops.mul(ops.reshape(u, [-1, 1, width]), contexts(negative)), -1)
  return { loss: ops.mean(ops.add(ops.softplus(ops.neg(good)), ops.sum(ops.softplus(bad), -1))) }
}

const below = (count) => randomFillSync(new Uint32Array(count)).map((word) => word % Number(vocabulary))
const one = (count = batch) => Int32Array.from(below(count))
const device = await openDevice({ device: 'cpu', threads: Number(threads) })
const index = { dtype: 'i32', shape: [] }
const trainer = await Trainer.create(new Programs(device, new StateStore(device), 1), {
  task: { objective, inputs: {} },
  shapes: [{ rows: batch, fields: { center: index, context: index, negative: { dtype: 'i32', shape: [negatives] } } }],
  optimizer: optimizers[rule](),
  precision: 'f32',
})
const times = []
for (let step = 0; step < Number(steps) + warmUp; step++) {
  // Other rows each time: a batch of a text has few of the last one's in common.
  const feeds = { center: one(), context: one(), negative: one(batch * negatives) }
  const start = performance.now()
  await trainer.start({ feeds }, step)
  times.push(performance.now() - start)
}
const ms = times.slice(warmUp).toSorted((a, b) => a - b)[Number(steps) >> 1]
const memory = process.resourceUsage().maxRSS / 1024
process.stdout.write(`${JSON.stringify({ ms, memory, device: device.info(), versions: versions() })}\n`)
await device.dispose()
