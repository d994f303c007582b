// node bench/speech/features.mjs [--peers] [--only graves,kaldi] [--seconds 60] [--runs 5] [--rounds 5] [--modes eager,compiled] [--threads 1]
//   [--name speech-features] [--dry]
// How many times faster than speech the numbers of frames of a sound of 16 kHz are made by a program, on one core, beside PyTorch by its Fourier
// transform with the same filters. Both must be what PyTorch finds in float64. Prints a table and writes bench/results/NAME.json.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { gravesFeatures } from '../../dist/models/index.js'
import { pythonWithTorch } from '../peers/python.mjs'
import { about, grid, median, rounded, writeResults } from '../report.mjs'
import { started } from '../turns.mjs'
import { filtersOf } from './networks.mjs'
import { rate } from './sounds.mjs'

const here = import.meta.dirname
/** The 123 numbers of Graves, Mohamed & Hinton 2013; and the 80 filters that most networks are given today. */
const known = {
  graves: { banks: gravesFeatures.banks, deltas: gravesFeatures.deltas },
  kaldi: { banks: { convention: 'kaldi', rate, filters: 80 }, deltas: 0 },
}
const { values: options } = parseArgs({
  options: {
    peers: { type: 'boolean', default: false },
    only: { type: 'string', default: Object.keys(known).join() },
    seconds: { type: 'string', default: '60' },
    runs: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '5' },
    modes: { type: 'string', default: 'eager,compiled' },
    threads: { type: 'string', default: '1' },
    name: { type: 'string', default: 'speech-features' },
    dry: { type: 'boolean', default: false },
  },
})
const cases = options.only.split(',')
const unknown = cases.filter((name) => !Object.hasOwn(known, name))
if (unknown.length > 0) {
  process.stderr.write(`bench: expected --only of ${Object.keys(known).join(', ')}, got ${unknown.join(', ')}\n`)
  process.exit(2)
}
const [seconds, runs, threads] = [Number(options.seconds), Number(options.runs), Number(options.threads)]
/** Of each number, of its size where that is more than 1. */
const SAME = 1e-3

const folder = mkdtempSync(join(tmpdir(), 'ostrich-features-'))

function expectSame(name, who, { apart }) {
  process.stdout.write(`${name} ${who}: ${apart.toExponential(1)} from float64\n`)
  if (!(apart < SAME)) throw new Error(`${name}: expected numbers within ${SAME} of float64, got ${apart} by ${who}`)
}

async function measured(name) {
  const own = known[name]
  const task = { ...own, filters: await filtersOf(own.banks), seconds, runs, threads }
  writeFileSync(join(folder, 'task.json'), JSON.stringify(task))
  const sides = [await started(process.execPath, [join(here, 'features-turn.mjs'), folder])]
  if (options.peers) {
    const peer = (mode) => started(pythonWithTorch(), [join(here, '../peers/torch_features.py'), folder, mode])
    const exact = await peer('exact')
    await exact.end()
    expectSame(name, 'ostrich', exact.ready)
    for (const mode of options.modes.split(',')) {
      const side = await peer(mode)
      sides.push(side)
      expectSame(name, side.ready.name, side.ready)
    }
  }
  const [ours, ...peers] = sides
  const rounds = sides.map(() => [])
  for (let round = 0; round <= Number(options.rounds); round++) {
    for (const [i, side] of sides.entries()) {
      const found = await side.turn()
      if (round > 0) rounds[i].push(found) // the first warms up
    }
  }
  for (const side of sides) await side.end()
  const common = about({ precision: 'f32', threads, ...ours.ready })
  const speed = (all) => rounded(seconds / median(all.map((one) => one.seconds)))
  const memory = (all) => Math.round(all.at(-1).memory)
  const one = (metric, of, unit) => ({
    ...{ case: `speech features ${name}`, metric, value: of(rounds[0]), unit, seconds, ...common },
    peers: peers.map(({ ready }, i) => ({ name: ready.name, value: of(rounds[i + 1]) })),
  })
  return [one('speed', speed, 'times real time'), one('peak resident memory', memory, 'MiB')]
}

const results = []
try {
  for (const name of cases) results.push(...(await measured(name)))
} finally {
  rmSync(folder, { recursive: true })
}
const rows = results.map(({ case: name, metric, value, unit, peers }) => {
  return [name, metric, `${value} ${unit}`, peers.map((peer) => `${peer.name} ${peer.value}`).join('  ')]
})
process.stdout.write(grid(['case', 'metric', 'ostrich', 'peers'], rows))
if (!options.dry) writeResults(options.name, results)
