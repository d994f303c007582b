// node training-turn.mjs FOLDER: our side of a case of training.mjs, as the folder's task.json says it. Writes batches and first weights into the
// folder for the other side; at each turn it takes a step on every batch.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { kindOf, paddingOf, shapesOf } from '../../dist/data/buckets.js'
import { writeSafetensors } from '../../dist/files/index.js'
import { openDevice, optim, Programs, StateStore, Trainer, versions } from '../steps/library.mjs'
import { passOver } from '../trainings-beside.mjs'
import { peakMemory, takeTurns } from '../turns.mjs'
import { networks, objectiveOf, weightsOf } from './networks.mjs'
import { asTensors, sample, tokensOf, trainingSet } from './text.mjs'

const [folder] = process.argv.slice(2)
const task = JSON.parse(readFileSync(join(folder, 'task.json'), 'utf8'))
const { network, config, batch, precision, threads, rate } = task
const set = await trainingSet(folder)
const chosen = await sample(set, batch, task.batches)
const kinds = shapesOf(set, set.buckets, batch)
const needed = new Set(chosen.map(({ count, steps, extents }) => kindOf(count, steps, extents)))
const shapes = task.all ? kinds : kinds.filter((one) => needed.has(kindOf(one.rows, one.steps, one.extents)))

const device = await openDevice({ device: 'cpu', threads })
const store = new StateStore(device)
const began = performance.now()
const trainer = await Trainer.create(new Programs(device, store, 1), {
  task: { objective: objectiveOf(networks[network].make(config)), inputs: {} },
  ...{ shapes, precision, optimizer: optim.adam({ rate }), ahead: true },
})
const compile = (performance.now() - began) / 1e3
await writeSafetensors(join(folder, 'weights.safetensors'), await weightsOf(store))
await writeSafetensors(join(folder, 'batches.safetensors'), asTensors(chosen))

const pass = passOver(trainer, chosen)
const ready = {
  ...{ compile, programs: shapes.length, kinds: kinds.length, padding: paddingOf(set.buckets, batch) },
  ...{ tokens: tokensOf(chosen), device: device.info() },
  versions: { node: process.versions.node, ...versions() },
}
await takeTurns(ready, async () => ({ ...(await pass()), memory: peakMemory() }))
await device.dispose()
