// node bench/rows/run.mjs [--peer] [--rounds 3] [--steps 30] [--threads 2]
// What an update by rows costs beside one of the whole table, and beside PyTorch's: steps of skip-gram over tables of several
// sizes, each in a process of its own, in turn; medians over rounds. Prints a table and writes bench/results/rows.json.
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { pythonWithTorch } from '../peers/python.mjs'
import { commit } from '../report.mjs'

const { values: options } = parseArgs({
  options: {
    peer: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '3' },
    steps: { type: 'string', default: '30' },
    threads: { type: 'string', default: String(availableParallelism()) },
  },
})
const here = import.meta.dirname
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1]
const round = (value) => Number(value.toPrecision(3))
const python = options.peer ? pythonWithTorch() : undefined

function measured(command, args) {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${args.join(' ')}: ended with ${status}\n${stderr}`)
  return JSON.parse(stdout.trim())
}

const results = []
for (const rule of ['sgd', 'adagrad', 'adam']) {
  for (const vocabulary of [10_000, 100_000, 1_000_000]) {
    const found = { sparse: [], dense: [], 'torch sparse': [], 'torch dense': [] }
    for (let i = 0; i < Number(options.rounds); i++) {
      for (const kind of ['sparse', 'dense']) {
        const args = [String(vocabulary), rule, kind, options.steps, options.threads]
        found[kind].push(measured(process.execPath, [join(here, 'measure.mjs'), ...args]))
        if (python !== undefined)
          found[`torch ${kind}`].push(measured(python, [join(here, '../peers/torch_rows.py'), ...args]))
      }
    }
    const ms = (name) => round(median(found[name].map((one) => one.ms)))
    const { device, versions } = found.sparse[0]
    const peers =
      python === undefined
        ? []
        : [
            ['torch sparse', found['torch sparse'][0].name],
            ['torch dense', found['torch dense'][0].name],
          ]
    results.push({
      case: `skip-gram ${rule}, tables of ${vocabulary} rows`,
      metric: 'step',
      value: ms('sparse'),
      unit: 'ms',
      dense: ms('dense'),
      memory: Math.round(median(found.sparse.map((one) => one.memory))),
      ...{
        precision: 'f32',
        backend: 'cpu',
        device: `${device.name} (${device.isa})`,
        threads: Number(options.threads),
      },
      ...{ versions, commit: commit(), date: new Date().toISOString().slice(0, 10) },
      peers: peers.map(([key, name]) => ({ name: `${name}, ${key.slice(6)}`, value: ms(key) })),
    })
    const { case: name, value, dense, peers: others } = results.at(-1)
    const beside = others.map((peer) => `${peer.name} ${peer.value} ms`)
    process.stdout.write([name.padEnd(44), `rows ${value} ms`, `whole ${dense} ms`, ...beside].join('  ') + '\n')
  }
}
writeFileSync(join(here, '../results/rows.json'), `${JSON.stringify(results, undefined, 2)}\n`)
