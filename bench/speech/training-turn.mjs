// node training-turn.mjs FOLDER: our side of a case of training.mjs, as the folder's task.json says it. Writes batches and first weights into the
// folder for the other side; at each turn it takes a step on every batch.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { paddingOf, shapesOf } from '../../dist/data/buckets.js'
import { batches } from '../../dist/data/index.js'
import { writeSafetensors } from '../../dist/files/index.js'
import { openDevice, optim, Programs, StateStore, Trainer, versions } from '../steps/library.mjs'
import { passOver } from '../trainings-beside.mjs'
import { peakMemory, takeTurns } from '../turns.mjs'
import { weightsOf } from '../translation/networks.mjs'
import { makeOf, networks, objectiveOf } from './networks.mjs'
import { madeUpLines } from './sounds.mjs'

const [folder] = process.argv.slice(2)
const task = JSON.parse(readFileSync(join(folder, 'task.json'), 'utf8'))
const { network, config, batch, precision, threads, rate } = task
const set = madeUpLines(task.batches * batch, { ...networks[network], classes: config.classes })
const chosen = []
for await (const one of batches(set, { batch })) {
  const feeds = Object.fromEntries(Object.entries(one.feeds).map(([name, values]) => [name, values.slice()]))
  chosen.push({ ...one, feeds })
}
const net = makeOf(config)
const device = await openDevice({ device: 'cpu', threads })
const store = new StateStore(device)
const began = performance.now()
const trainer = await Trainer.create(new Programs(device, store, 1), {
  task: { objective: objectiveOf(net), inputs: {} },
  ...{ shapes: shapesOf(set, set.buckets, batch), precision, optimizer: optim.adam({ rate }), ahead: true },
})
const compile = (performance.now() - began) / 1e3
await writeSafetensors(join(folder, 'weights.safetensors'), await weightsOf(store))
await writeSafetensors(join(folder, 'batches.safetensors'), asTensors())

/** The batches by their places. */
function asTensors() {
  const tensors = chosen.flatMap(({ count, steps, feeds }, i) => [
    [`${i}/samples`, { dtype: 'F32', shape: [steps, count], data: feeds.samples }],
    [`${i}/labels`, { dtype: 'I32', shape: [count, feeds.labels.length / count], data: feeds.labels }],
    ...['sampleLengths', 'labelLengths'].map((name) => [
      `${i}/${name}`,
      { dtype: 'I32', shape: [count], data: feeds[name] },
    ]),
  ])
  return Object.fromEntries(tensors)
}

const pass = passOver(trainer, chosen)
/** Without padding. */
const frames = chosen
  .flatMap(({ feeds }) => [...feeds.sampleLengths])
  .reduce((sum, samples) => sum + net.frames(samples), 0)
const ready = {
  ...{ compile, frames, padding: paddingOf(set.buckets, batch), device: device.info() },
  versions: { node: process.versions.node, ...versions() },
}
await takeTurns(ready, async () => ({ ...(await pass()), memory: peakMemory() }))
await device.dispose()
