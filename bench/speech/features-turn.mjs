// node features-turn.mjs FOLDER: our side of a case of features.mjs, as the folder's task.json says it. Writes samples and their numbers into the
// folder for the other side; at each turn it computes the numbers so many times.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeSafetensors } from '../../dist/files/index.js'
import { feed, nn, openDevice, Programs, StateStore, versions } from '../steps/library.mjs'
import { peakMemory, takeTurns } from '../turns.mjs'
import { madeUpSound } from './sounds.mjs'

const [folder] = process.argv.slice(2)
const { banks, deltas, seconds, threads, runs } = JSON.parse(readFileSync(join(folder, 'task.json'), 'utf8'))

const samples = madeUpSound(seconds)
const layer = nn.filterBanks(banks)
const device = await openDevice({ device: 'cpu', threads })
const programs = new Programs(device, new StateStore(device), 1)
const { program, fetches: made } = await programs.build({ name: 'features', mode: 'eval', precision: 'f32' }, () => {
  const numbers = layer(feed('samples', 'f32', [samples.length, 1]))
  return { numbers: deltas === 0 ? numbers : nn.deltas({ order: deltas, convention: banks.convention })(numbers) }
})
const { shape } = made[0]
const fetches = { numbers: new Float32Array(shape.reduce((product, extent) => product * extent, 1)) }

async function turn() {
  const start = performance.now()
  for (let i = 0; i < runs; i++) await program.run({ samples }, fetches)
  return { seconds: (performance.now() - start) / 1e3 / runs, memory: peakMemory() }
}

await turn()
await writeSafetensors(join(folder, 'numbers.safetensors'), {
  samples: { dtype: 'F32', shape: [samples.length], data: samples },
  numbers: { dtype: 'F32', shape, data: fetches.numbers },
})
await takeTurns({ device: device.info(), versions: { node: process.versions.node, ...versions() } }, turn)
await device.dispose()
