// node bench/video/generator.mjs [--sequences 4000] [--batch 16] [--workers 0] [--rounds 5] [--name video-generator] [--dry]
// Sequences of Moving MNIST, of 20 frames, that are made in a second: by one thread, or by so many of the loader's own. Prints a table and writes
// bench/results/NAME.json.
import { parseArgs } from 'node:util'
import { batches, movingMnist } from '../../dist/data/index.js'
import { openDevice, versions } from '../steps/library.mjs'
import { about, median, rounded, tableBesidePeers, writeResults } from '../report.mjs'

const { values: options } = parseArgs({
  options: {
    sequences: { type: 'string', default: '4000' },
    batch: { type: 'string', default: '16' },
    workers: { type: 'string', default: '0' },
    rounds: { type: 'string', default: '5' },
    name: { type: 'string', default: 'video-generator' },
    dry: { type: 'boolean', default: false },
  },
})
const [train, batch, workers, rounds] = [options.sequences, options.batch, options.workers, options.rounds].map(Number)
const moving = await movingMnist({ train, workers })

/** Sequences a second, of one epoch. */
async function rate(epoch) {
  const began = performance.now()
  let made = 0
  for await (const { count } of batches(moving.train, { batch, shuffle: true, augment: true, seed: 1, epoch }))
    made += count
  return (1e3 * made) / (performance.now() - began)
}

// The first epoch makes the machine's code.
await rate(0)
const rates = []
for (let round = 1; round <= rounds; round++) rates.push(await rate(round))
await moving.close()
const device = await openDevice({ device: 'cpu', threads: 1 })
const machine = {
  ...{ device: device.info(), versions: { node: process.versions.node, ...versions() } },
  ...{ precision: 'u8', threads: Math.max(1, workers) },
}
await device.dispose()
const results = [
  {
    ...{ case: 'moving mnist', metric: 'generator', value: rounded(median(rates)), unit: 'sequences/s' },
    ...{ ...about(machine), batch, workers, peers: [] },
  },
]
process.stdout.write(tableBesidePeers(results))
if (!options.dry) writeResults(options.name, results)
