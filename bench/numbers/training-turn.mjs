// node training-turn.mjs FOLDER: our side of a case of training.mjs, as the folder's task.json says it. Writes batches and first weights into the
// folder for the other side; at each turn it takes a step on every batch.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeSafetensors } from '../../dist/files/index.js'
import { models, openDevice, ops, optim, Programs, StateStore, Trainer, versions } from '../steps/library.mjs'
import { passOver } from '../trainings-beside.mjs'
import { weightsOf } from '../translation/networks.mjs'
import { peakMemory, takeTurns } from '../turns.mjs'
import { madeUpBatches, objectiveOf } from './networks.mjs'

const [folder] = process.argv.slice(2)
const task = JSON.parse(readFileSync(join(folder, 'task.json'), 'utf8'))
const { config, batch, precision, threads, rate } = task
const chosen = madeUpBatches(task)
const { side } = config
const fields = {
  x: { dtype: 'u8', shape: [3, side, side] },
  length: { dtype: 'i32', shape: [] },
  digits: { dtype: 'i32', shape: [5] },
  mask: { dtype: 'u8', shape: [5] },
}
const device = await openDevice({ device: 'cpu', threads })
const store = new StateStore(device)
const began = performance.now()
const trainer = await Trainer.create(new Programs(device, store, 1), {
  task: { objective: objectiveOf(models.houseNumbers(config)), inputs: { mask: (there) => ops.cast(there, 'f32') } },
  ...{ shapes: [{ rows: batch, fields }], precision, optimizer: optim.adam({ rate }) },
})
const compile = (performance.now() - began) / 1e3
await writeSafetensors(join(folder, 'weights.safetensors'), await weightsOf(store))
await writeSafetensors(join(folder, 'batches.safetensors'), Object.fromEntries(chosen.flatMap(asTensors)))

/** A batch by its place, bytes as whole numbers. */
function asTensors({ feeds: { x, length, digits, mask } }, i) {
  const rows = { x: [batch, 3, side, side], length: [batch], digits: [batch, 5], mask: [batch, 5] }
  return Object.entries({ x, length, digits, mask }).map(([name, values]) => [
    `${i}/${name}`,
    { dtype: 'I32', shape: rows[name], data: Int32Array.from(values) },
  ])
}

const pass = passOver(trainer, chosen)
const ready = {
  ...{ compile, images: task.batches * batch, device: device.info() },
  versions: { node: process.versions.node, ...versions() },
}
await takeTurns(ready, async () => ({ ...(await pass()), memory: peakMemory() }))
await device.dispose()
