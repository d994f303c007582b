// node bench/numbers/training.mjs [--peers] [--only street,small] [--precision f32,bf16] [--batches 4] [--rounds 5] [--modes eager,compiled]
//   [--threads N] [--name number-training] [--check] [--dry]
// Images of house numbers that a network trains on in a second, from bytes to the loss of its six heads, beside the same network in PyTorch: from the
// same weights, on the same made-up batches in the same order, by Adam, without dropout, whose draws differ. The losses of the first time over the
// batches must be the same on both sides. Prints a table and writes bench/results/NAME.json. With --check there is no measuring, and f32 is held to
// PyTorch's float64. `--only tiny` tries the benchmark itself.
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
    only: { type: 'string', default: 'street,small' },
    precision: { type: 'string', default: 'f32,bf16' },
    batches: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '5' },
    modes: { type: 'string', default: 'eager,compiled' },
    threads: { type: 'string', default: String(availableParallelism()) },
    name: { type: 'string', default: 'number-training' },
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
const folder = mkdtempSync(join(tmpdir(), 'ostrich-numbers-'))
const note = (text) => process.stderr.write(`\r\x1b[K${text}`)

/** What both sides of a case are told. */
function taskOf(network) {
  return { network, ...networks[network], threads, batches: count }
}

/** Both sides of a case, ready. */
async function sides(task, precision) {
  writeFileSync(join(folder, 'task.json'), JSON.stringify({ ...task, precision }))
  const ours = await started(process.execPath, [join(here, 'training-turn.mjs'), folder])
  const peers = []
  for (const mode of python === undefined ? [] : options.modes.split(',')) {
    peers.push(await started(python, [join(here, '../peers/torch_number_steps.py'), folder, mode]))
  }
  return { ours, peers }
}

/** The losses that PyTorch finds in float64, of the task that is in the folder. */
async function exactLosses() {
  const side = await started(python, [join(here, '../peers/torch_number_steps.py'), folder, 'exact'])
  const { losses } = await side.turn()
  await side.end()
  return losses
}

function measurements({ name, precision, ours: { ready }, peers, rounds }) {
  const [own, ...others] = rounds
  const common = about({ ...ready, precision, threads })
  const secondsOf = (all) => median(all.map(({ seconds }) => seconds))
  const rate = (all) => rounded(ready.images / secondsOf(all))
  const ms = (all) => rounded((secondsOf(all) * 1e3) / count)
  const memory = (all) => Math.round(all.at(-1).memory)
  const beside = (of, more = () => ({})) =>
    peers.map((peer, i) => ({ name: peer.ready.name, value: of(others[i]), ...more(others[i]) }))
  const faster = (all) => ({ faster: rounded(median(all.map(({ seconds }, round) => seconds / own[round].seconds))) })
  const one = (metric, value, unit, more = {}) => ({
    case: `house-numbers ${name}`,
    metric,
    value,
    unit,
    ...common,
    ...more,
  })
  return [
    one('training', rate(own), 'images/s', { batches: count, images: ready.images, peers: beside(rate, faster) }),
    one('step', ms(own), 'ms', { peers: beside(ms) }),
    one('compile', rounded(ready.compile), 's', { peers: [] }),
    one('peak resident memory', memory(own), 'MiB', { peers: beside(memory) }),
  ]
}

async function measured(name, task, precision) {
  note(`${name} ${precision}: making ready`)
  const { ours, peers } = await sides(task, precision)
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
    const task = taskOf(name)
    for (const precision of options.precision.split(',')) results.push(...(await measured(name, task, precision)))
  }
} finally {
  note('')
  rmSync(folder, { recursive: true })
}
process.stdout.write(tableBesidePeers(results))
if (!options.dry && !options.check) writeResults(options.name, results)
