// node training-turn.mjs FOLDER: our side of a case of training.mjs, as the folder's task.json says it. Writes batches and first weights into the
// folder for the other side; at each turn it takes a step on every batch.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { batches } from '../../dist/data/index.js'
import { writeSafetensors } from '../../dist/files/index.js'
import { openDevice, optim, Programs, StateStore, Trainer, versions } from '../steps/library.mjs'
import { passOver } from '../trainings-beside.mjs'
import { weightsOf } from '../translation/networks.mjs'
import { peakMemory, takeTurns } from '../turns.mjs'
import { makeOf, objectiveOf, sequencesOf } from './networks.mjs'

const [folder] = process.argv.slice(2)
const task = JSON.parse(readFileSync(join(folder, 'task.json'), 'utf8'))
const { config, batch, precision, threads, rate } = task
const set = await sequencesOf(task.batches * batch, config.future)
const chosen = []
for await (const one of batches(set, { batch })) {
  const feeds = Object.fromEntries(Object.entries(one.feeds).map(([name, values]) => [name, values.slice()]))
  chosen.push({ ...one, feeds })
}
const device = await openDevice({ device: 'cpu', threads })
const store = new StateStore(device)
const began = performance.now()
const trainer = await Trainer.create(new Programs(device, store, 1), {
  task: { objective: objectiveOf(makeOf(task)), inputs: {} },
  ...{ shapes: [{ rows: batch, fields: set.fields }], precision, optimizer: optim.adam({ rate }), ahead: true },
})
const compile = (performance.now() - began) / 1e3
await writeSafetensors(join(folder, 'weights.safetensors'), await weightsOf(store))
await writeSafetensors(join(folder, 'batches.safetensors'), asTensors())

/** The batches by their places, pixels as f32 of 0 to 255. */
function asTensors() {
  const tensors = chosen.flatMap(({ count, feeds }, i) =>
    Object.entries(feeds).map(([name, values]) => {
      const [frames, ...frame] = set.fields[name].shape
      return [`${i}/${name}`, { dtype: 'F32', shape: [frames, count, ...frame], data: Float32Array.from(values) }]
    }),
  )
  return Object.fromEntries(tensors)
}

const pass = passOver(trainer, chosen)
const ready = {
  ...{ compile, device: device.info(), versions: { node: process.versions.node, ...versions() } },
}
await takeTurns(ready, async () => ({ ...(await pass()), memory: peakMemory() }))
await device.dispose()
