// node weights.mjs FOLDER: trains the network of the folder's task.json for some steps, so that what it writes has about the right length, and
// saves it there as a checkpoint. Prints one line of JSON.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { optim } from '../steps/library.mjs'
import { session } from '../../dist/train/index.js'
import { networks, objectiveOf } from './networks.mjs'
import { trainingSet } from './text.mjs'

const [folder] = process.argv.slice(2)
const { network, config, threads, training } = JSON.parse(readFileSync(join(folder, 'task.json'), 'utf8'))
const run = await session(objectiveOf(networks[network].make(config)), {
  ...{ data: await trainingSet(folder), optimizer: optim.adam({ rate: 1e-3, clipNorm: 1 }), batch: 128 },
  ...{ epochs: 1000, threads, device: 'cpu' },
})
const losses = []
if (training > 0) {
  for await (const event of run.events()) {
    if (event.type === 'step' && losses.push(event.loss) === training) break
  }
}
await run.save(join(folder, 'weights.safetensors'))
await run.dispose()
process.stdout.write(`${JSON.stringify({ losses: losses.slice(-5), device: run.device })}\n`)
