// One case in a process of its own: node turn.mjs CASE PRECISION THREADS. Each turn trains for `seconds` and tells milliseconds a step.
import { cases } from '../steps/cases.mjs'
import { openDevice, Programs, StateStore, supervised, Trainer, versions } from '../steps/library.mjs'
import { takeTurns } from '../turns.mjs'

const [name, precision, threads] = process.argv.slice(2)
const task = cases[name]
const count = task.batch * task.shape.reduce((product, n) => product * n, 1)
const below = (limit, length) => Int32Array.from({ length }, () => Math.floor(Math.random() * limit))

const words = task.vocabulary && { dtype: 'i32', shape: task.shape }
const fields = words
  ? { x: words, target: words }
  : { x: { dtype: 'f32', shape: task.shape }, target: { dtype: 'i32', shape: [] } }
const feeds = words
  ? { x: below(task.vocabulary, count), target: below(task.vocabulary, count) }
  : { x: new Float32Array(count).map(() => Math.random() * 2 - 1), target: below(task.classes, task.batch) }

const device = await openDevice({ device: 'cpu', threads: Number(threads) })
const store = new StateStore(device)
const trainer = await Trainer.create(new Programs(device, store, 1), {
  task: { objective: supervised(task.net(), task.loss), inputs: {} },
  shapes: [{ rows: task.batch, fields }],
  optimizer: task.optimizer(),
  precision,
})

let step = 0
/** With two in flight, as in the training loop. */
async function train(seconds) {
  const [start, before] = [performance.now(), step]
  const flights = []
  while (performance.now() - start < seconds * 1e3) {
    flights.push(trainer.start({ feeds }, step++))
    if (flights.length === 2) await flights.shift()
  }
  await Promise.all(flights)
  return (performance.now() - start) / (step - before)
}

await train(0.5)
await takeTurns(
  { device: device.info(), versions: { node: process.versions.node, ...versions() } },
  async ({ seconds }) => ({ step: await train(seconds) }),
)
await device.dispose()
