// node bench/video/training.mjs [--peers] [--only small,shi] [--precision f32,bf16] [--batches 4] [--rounds 5] [--modes eager,compiled]
//   [--threads N] [--name video-training] [--check] [--dry]
// Milliseconds of a training step of networks that predict frames, beside the same networks in PyTorch: from the same weights, on the same
// sequences in the same order, by Adam. The losses of the first time over the batches must be the same on both sides. Prints a table and writes
// bench/results/NAME.json. With --check there is no measuring, and f32 is held to PyTorch's float64. `--only tiny` tries the benchmark itself.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { pythonWithTorch } from '../peers/python.mjs'
import { about, median, rounded, tableBesidePeers, writeResults } from '../report.mjs'
import { expectSame, inRounds } from '../trainings-beside.mjs'
import { started } from '../turns.mjs'
import { networks } from './networks.mjs'

const here = import.meta.dirname
const { values: options } = parseArgs({
  options: {
    peers: { type: 'boolean', default: false },
    only: { type: 'string', default: 'small,shi' },
    precision: { type: 'string', default: 'f32,bf16' },
    batches: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '5' },
    modes: { type: 'string', default: 'eager,compiled' },
    threads: { type: 'string', default: String(availableParallelism()) },
    name: { type: 'string', default: 'video-training' },
    check: { type: 'boolean', default: false },
    dry: { type: 'boolean', default: false },
  },
})
const cases = options.only.split(',')
const unknown = cases.filter((name) => !Object.hasOwn(networks, name))
if (unknown.length > 0) {
  process.stderr.write(`bench: expected --only of ${Object.keys(networks).join(', ')}, got ${unknown.join(', ')}\n`)
  process.exit(2)
}
const threads = Number(options.threads)
const count = Number(options.batches)

const python = options.peers || options.check ? pythonWithTorch() : undefined
const folder = mkdtempSync(join(tmpdir(), 'ostrich-video-'))
const note = (text) => process.stderr.write(`\r\x1b[K${text}`)
const torch = (mode) => started(python, [join(here, '../peers/torch_video_steps.py'), folder, mode])

/** Both sides of a case, ready. */
async function sides(name, precision) {
  writeFileSync(join(folder, 'task.json'), JSON.stringify({ ...networks[name], precision, threads, batches: count }))
  const ours = await started(process.execPath, [join(here, 'training-turn.mjs'), folder])
  const peers = []
  for (const mode of python === undefined ? [] : options.modes.split(',')) peers.push(await torch(mode))
  return { ours, peers }
}

/** The losses that PyTorch finds in float64, of the task that is in the folder. */
async function exactLosses() {
  const side = await torch('exact')
  const { losses } = await side.turn()
  await side.end()
  return losses
}

function measurements({ name, precision, ours: { ready }, peers, rounds }) {
  const [own, ...others] = rounds
  const common = about({ ...ready, precision, threads })
  const secondsOf = (all) => median(all.map(({ seconds }) => seconds))
  const ms = (all) => rounded((secondsOf(all) * 1e3) / count)
  const memory = (all) => Math.round(all.at(-1).memory)
  const beside = (of, more = () => ({})) =>
    peers.map((peer, i) => ({ name: peer.ready.name, value: of(others[i]), ...more(others[i]) }))
  const faster = (all) => ({ faster: rounded(median(all.map(({ seconds }, round) => seconds / own[round].seconds))) })
  const one = (metric, value, unit, more = {}) => ({ case: `video ${name}`, metric, value, unit, ...common, ...more })
  return [
    one('step', ms(own), 'ms', { batch: networks[name].batch, peers: beside(ms, faster) }),
    one('compile', rounded(ready.compile), 's', { peers: [] }),
    one('peak resident memory', memory(own), 'MiB', { peers: beside(memory) }),
  ]
}

async function measured(name, precision) {
  note(`${name} ${precision}: making ready`)
  const { ours, peers } = await sides(name, precision)
  const all = [ours, ...peers]
  const first = []
  for (const side of all) first.push(await side.turn())
  note('')
  const found = first.map((one, i) => [i === 0 ? 'ostrich' : all[i].ready.name, one])
  const exact = options.check && precision === 'f32' ? await exactLosses() : first[0].losses
  if (peers.length > 0) expectSame(name, precision, exact, found)
  const rounds = await inRounds(all, options.check ? 0 : Number(options.rounds), (text) => {
    note(`${name} ${precision}: ${text}`)
  })
  for (const side of all) await side.end()
  return options.check ? [] : measurements({ name, precision, ours, peers, rounds })
}

const results = []
try {
  for (const name of cases) {
    for (const precision of options.precision.split(',')) results.push(...(await measured(name, precision)))
  }
} finally {
  note('')
  rmSync(folder, { recursive: true })
}
process.stdout.write(tableBesidePeers(results))
if (!options.dry && !options.check) writeResults(options.name, results)
