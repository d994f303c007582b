// npm run bench [-- --peers] [--only mlp,lenet] [--precision f32,bf16] [--rounds 5] [--steps 30] [--threads N] [--name steps] [--dry]
// Training steps called from JavaScript, each in a process of its own, in rounds (ours, peer, floor, ours ...) so that a noisy
// minute hits all; medians over rounds. Prints a table and writes bench/results/NAME.json, one object per measurement.
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { buildFloor } from './floors/build.mjs'
import { pythonWithTorch } from './peers/python.mjs'
import { measurements, table } from './report.mjs'
import { cases } from './steps/cases.mjs'

const here = fileURLToPath(new URL('.', import.meta.url))
const { values: options } = parseArgs({
  options: {
    peers: { type: 'boolean', default: false },
    only: { type: 'string', default: 'mlp,lenet' },
    precision: { type: 'string', default: 'f32,bf16' },
    rounds: { type: 'string', default: '5' },
    steps: { type: 'string', default: '30' },
    threads: { type: 'string', default: String(availableParallelism()) },
    name: { type: 'string', default: 'steps' },
    dry: { type: 'boolean', default: false },
  },
})

for (const name of options.only.split(',')) {
  if (Object.hasOwn(cases, name)) continue
  process.stderr.write(`bench: expected --only of ${Object.keys(cases).join(', ')}, got ${name}\n`)
  process.exit(2)
}

/** Runs a program that prints one line of JSON. */
function measured(command, args, env = process.env) {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 26, env })
  if (status !== 0) throw new Error(`${args.join(' ')}: ended with ${status}\n${stderr}`)
  return JSON.parse(stdout.trim().split('\n').at(-1))
}

/** Cases whose floor is measured by a program, and its arguments; of the others it is their multiply-adds. */
const floorOf = (name, precision) => {
  const batch = /^alexnet-one-tower-(\d+)$/.exec(name)?.[1]
  return batch && [buildFloor('alexnet'), [batch, precision]]
}

const python = options.peers ? pythonWithTorch() : undefined
const results = []
for (const name of options.only.split(',')) {
  for (const precision of options.precision.split(',')) {
    const args = [name, precision, options.steps, options.threads]
    const floor = floorOf(name, precision)
    const rounds = { ours: [], peer: [], floor: [] }
    for (let round = 0; round < Number(options.rounds); round++) {
      process.stderr.write(`\r\x1b[K${name} ${precision}: round ${round + 1} of ${options.rounds}`)
      rounds.ours.push(measured(process.execPath, [join(here, 'steps/measure.mjs'), ...args]))
      if (python !== undefined) rounds.peer.push(measured(python, [join(here, 'peers/torch_steps.py'), ...args]))
      if (floor !== undefined)
        rounds.floor.push(measured(...floor, { ...process.env, OMP_NUM_THREADS: options.threads }))
    }
    results.push(...measurements({ name, precision, threads: Number(options.threads), rounds }))
  }
}
process.stderr.write('\r\x1b[K')
process.stdout.write(table(results))
if (!options.dry) {
  mkdirSync(join(here, 'results'), { recursive: true })
  const path = join(here, 'results', `${options.name}.json`)
  writeFileSync(path, `${JSON.stringify(results, undefined, 2)}\n`)
  process.stdout.write(`written to ${path}\n`)
}
