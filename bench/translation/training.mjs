// node bench/translation/training.mjs [--peers] [--only attention-32,lstm-128,transformer-128] [--precision f32,bf16] [--batches 24] [--rounds 5]
//   [--modes eager,compiled] [--threads N] [--name translation-training] [--check] [--dry]
// Tokens of Multi30k, source and target, that the translators train on in a second, beside the same networks in PyTorch: from the same weights, on the same
// batches in the same order, by Adam. Also how long the programs of all kinds of batches take to make, and the share of padding.
// Prints a table and writes bench/results/NAME.json. With --check there is no dropout, and the losses of both sides must be the same.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { pythonWithTorch } from '../peers/python.mjs'
import { about, median, rounded, tableBesidePeers, writeResults } from '../report.mjs'
import { expectSame, inRounds } from '../trainings-beside.mjs'
import { started } from '../turns.mjs'
import { networks, still } from './networks.mjs'
import { learnSubwords } from './text.mjs'

const here = import.meta.dirname
const { values: options } = parseArgs({
  options: {
    peers: { type: 'boolean', default: false },
    only: {
      type: 'string',
      default: Object.entries(networks)
        .map(([name, { batch }]) => `${name}-${batch}`)
        .join(),
    },
    precision: { type: 'string', default: 'f32,bf16' },
    batches: { type: 'string', default: '24' },
    rounds: { type: 'string', default: '5' },
    modes: { type: 'string', default: 'eager,compiled' },
    threads: { type: 'string', default: String(availableParallelism()) },
    name: { type: 'string', default: 'translation-training' },
    check: { type: 'boolean', default: false },
    dry: { type: 'boolean', default: false },
  },
})
const cases = options.only.split(',').map((name) => {
  const [, network, batch] = /^([a-z]+)-(\d+)$/.exec(name) ?? []
  if (Object.hasOwn(networks, network ?? '')) return { name, network, batch: Number(batch) }
  process.stderr.write(`bench: expected --only of ${Object.keys(networks).join(', ')} and a batch, got ${name}\n`)
  process.exit(2)
})
const threads = Number(options.threads)

const python = options.peers || options.check ? pythonWithTorch() : undefined
const folder = mkdtempSync(join(tmpdir(), 'ostrich-translation-'))
const note = (text) => process.stderr.write(`\r\x1b[K${text}`)

/** Both sides of a case, ready. */
async function sides({ network, batch }, precision, words) {
  const { config: own } = networks[network]
  const config = { ...(options.check ? still(own) : own), source: words, target: words }
  const task = {
    network,
    config,
    batch,
    precision,
    threads,
    rate: options.check ? 3e-3 : 5e-4,
    batches: Number(options.batches),
  }
  writeFileSync(join(folder, 'task.json'), JSON.stringify({ ...task, all: !options.check }))
  const ours = await started(process.execPath, [join(here, 'training-turn.mjs'), folder])
  const peers = []
  for (const mode of python === undefined ? [] : options.modes.split(',')) {
    peers.push(await started(python, [join(here, '../peers/torch_translation_steps.py'), folder, mode]))
  }
  return { ours, peers }
}

function measurements({ name, precision, ours: { ready }, peers, rounds }) {
  const [own, ...others] = rounds
  const common = about({ ...ready, precision, threads })
  const rate = (seconds) => rounded(ready.tokens / seconds)
  const beside = peers.map((peer, i) => ({
    name: peer.ready.name,
    value: rate(median(others[i].map(({ seconds }) => seconds))),
    faster: rounded(median(others[i].map(({ seconds }, round) => seconds / own[round].seconds))),
    memory: Math.round(others[i].at(-1).memory),
  }))
  const one = (metric, value, unit, more = {}) => ({ case: name, metric, value, unit, ...common, peers: [], ...more })
  return [
    one('training', rate(median(own.map(({ seconds }) => seconds))), 'tokens/s', {
      batches: Number(options.batches),
      tokens: ready.tokens,
      peers: beside.map(({ memory: _, ...rest }) => rest),
    }),
    one('compile', rounded(ready.compile), 's', { programs: ready.programs }),
    one('padding', rounded(ready.padding), 'share'),
    one('peak resident memory', Math.round(own.at(-1).memory), 'MiB', {
      peers: beside.map(({ name: peer, memory }) => ({ name: peer, value: memory })),
    }),
  ]
}

async function measured(one, precision, words) {
  note(`${one.name} ${precision}: making ready`)
  const { ours, peers } = await sides(one, precision, words)
  const all = [ours, ...peers]
  const first = []
  for (const side of all) first.push(await side.turn())
  if (options.check) {
    const others = peers.map(({ ready }, i) => [ready.name, first[i + 1]])
    expectSame(one.name, precision, first[0].losses, others)
  }
  const rounds = await inRounds(all, options.check ? 0 : Number(options.rounds), (text) => {
    note(`${one.name} ${precision}: ${text}`)
  })
  for (const side of all) await side.end()
  return options.check ? [] : measurements({ name: one.name, precision, ours, peers, rounds })
}

const results = []
try {
  note('learning subwords')
  const words = await learnSubwords(folder)
  for (const one of cases) {
    for (const precision of options.precision.split(',')) results.push(...(await measured(one, precision, words)))
  }
} finally {
  note('')
  rmSync(folder, { recursive: true })
}
process.stdout.write(tableBesidePeers(results))
if (!options.dry && !options.check) writeResults(options.name, results)
