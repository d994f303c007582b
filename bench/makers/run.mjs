// node bench/makers/run.mjs [--rounds 100] [--name makers] [--dry]
// Data sets that are made as they are read, on one core: strips of house numbers and sequences of Moving MNIST, in batches of 64, in this
// thread and in one beside it. A batch at a time; the best tenth of the batches counts, so that other users of the cores do not. Prints what
// a second gives and writes bench/results/NAME.json.
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { movingMnist, numberStrips } from '../../dist/data/index.js'
import { commit } from '../report.mjs'

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '100' },
    name: { type: 'string', default: 'makers' },
    dry: { type: 'boolean', default: false },
  },
})
const batch = 64
const rounds = Number(options.rounds)
const results = []

const arrayOf = ({ dtype, shape }) => {
  const length = batch * shape.reduce((product, extent) => product * extent, 1)
  return dtype === 'u8' ? new Uint8Array(length) : new Int32Array(length)
}

for (const [name, unit, open] of [
  ['number-strips', 'strips/s', numberStrips],
  ['moving-mnist', 'sequences/s', movingMnist],
]) {
  for (const workers of [0, 1]) {
    const { train, close } = await open({ workers, train: batch * rounds, validation: 0 })
    const out = Object.fromEntries(Object.entries(train.fields).map(([field, spec]) => [field, arrayOf(spec)]))
    const times = []
    for (let round = 0; round < rounds; round++) {
      const indices = Uint32Array.from({ length: batch }, (_, i) => round * batch + i)
      const began = performance.now()
      await train.gather(indices, out, { seed: 1, epoch: 0 })
      times.push(performance.now() - began)
    }
    await close()
    const value = Math.round((1000 * batch) / times.sort((a, b) => a - b)[Math.floor(rounds / 10)])
    results.push({
      case: name,
      metric: workers === 0 ? 'in the calling thread' : 'in a thread beside it',
      value,
      unit,
      device: cpus()[0].model,
      threads: 1,
      versions: { node: process.versions.node },
      commit: commit(),
      date: new Date().toISOString().slice(0, 10),
    })
    process.stdout.write(`${name.padEnd(14)} workers ${workers}: ${value} ${unit}\n`)
  }
}
if (!options.dry) {
  const path = new URL(`../results/${options.name}.json`, import.meta.url)
  writeFileSync(path, `${JSON.stringify(results, undefined, 2)}\n`)
}
