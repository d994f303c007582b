// What the benchmarks of training steps beside a peer share: the benchmark itself but for its networks, a time over all batches on our side, and losses
// that must be the same on both.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { pythonWithTorch } from './peers/python.mjs'
import { about, median, rounded, tableBesidePeers, writeResults } from './report.mjs'
import { started } from './turns.mjs'

/** Relative differences of losses: of other orders of summing, and of rounding to 8 bits in other places. */
const tolerance = { f32: 1e-4, bf16: 2e-2 }

/** Takes a step on each batch whenever it is called, with two in flight, as in the training loop. */
export function passOver(trainer, batches) {
  let step = 0
  return async () => {
    const [losses, flights] = [[], []]
    const start = performance.now()
    for (const one of batches) {
      flights.push(trainer.start(one, step++))
      if (flights.length === 2) losses.push(await flights.shift())
    }
    losses.push(...(await Promise.all(flights)))
    return { seconds: (performance.now() - start) / 1e3, losses }
  }
}

/** The losses of a first time over the batches must be these: they show network, gradients and update alike. */
export function expectSame(name, precision, expected, found) {
  for (const [who, { losses }] of found) {
    const apart = losses.map((loss, k) => Math.abs(loss / expected[k] - 1))
    const most = apart.reduce((a, b) => Math.max(a, b), 0)
    const fall = `${losses.length} losses from ${losses[0].toFixed(2)} to ${losses.at(-1).toFixed(2)}`
    process.stdout.write(`${name} ${precision} ${who}: ${fall}, apart ${most.toExponential(1)}\n`)
    if (losses.length === expected.length && most <= tolerance[precision]) continue
    throw new Error(`${name}: expected ${expected.join(' ')}, got ${losses.join(' ')}`)
  }
}

/** What all sides give in so many rounds, in turn. */
export async function inRounds(sides, rounds, note) {
  const found = sides.map(() => [])
  for (let round = 0; round < rounds; round++) {
    note(`round ${round + 1} of ${rounds}`)
    for (const [i, side] of sides.entries()) found[i].push(await side.turn())
  }
  return found
}

const flags = (only, batches, modes, name) => ({
  peers: { type: 'boolean', default: false },
  only: { type: 'string', default: only },
  precision: { type: 'string', default: 'f32,bf16' },
  batches: { type: 'string', default: batches },
  rounds: { type: 'string', default: '5' },
  modes: { type: 'string', default: modes },
  threads: { type: 'string', default: String(availableParallelism()) },
  name: { type: 'string', default: name },
  check: { type: 'boolean', default: false },
  dry: { type: 'boolean', default: false },
})

/**
 * A benchmark of training steps of some networks beside the same in PyTorch, from its options to its table. `here` has training-turn.mjs, `peer` is a
 * script of bench/peers. `taskOf` makes what both sides are told of a network; `counted` names what a speed is told in (`images`), `more` further lines.
 */
export async function trainingBenchmark({ here, peer, networks, defaults, title, taskOf, counted, more = () => [] }) {
  const { only, batches, modes = 'eager,compiled', name: file } = defaults
  const { values: options } = parseArgs({ options: flags(only, batches, modes, file) })
  const cases = options.only.split(',')
  const unknown = cases.filter((name) => !Object.hasOwn(networks, name))
  if (unknown.length > 0) {
    process.stderr.write(`bench: expected --only of ${Object.keys(networks).join(', ')}, got ${unknown.join(', ')}\n`)
    process.exit(2)
  }
  const [threads, count] = [Number(options.threads), Number(options.batches)]
  const python = options.peers || options.check ? pythonWithTorch() : undefined
  const folder = mkdtempSync(join(tmpdir(), 'ostrich-training-'))
  const note = (text) => process.stderr.write(`\r\x1b[K${text}`)
  const torch = (mode) => started(python, [join(import.meta.dirname, 'peers', peer), folder, mode])

  /** Both sides of a case, ready. */
  async function sides(task, precision) {
    writeFileSync(join(folder, 'task.json'), JSON.stringify({ ...task, precision }))
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
    const rate = (all) => rounded(ready[counted] / secondsOf(all))
    const ms = (all) => rounded((secondsOf(all) * 1e3) / count)
    const memory = (all) => Math.round(all.at(-1).memory)
    const beside = (of, also = () => ({})) =>
      peers.map((one, i) => ({ name: one.ready.name, value: of(others[i]), ...also(others[i]) }))
    const faster = (all) => ({
      faster: rounded(median(all.map(({ seconds }, round) => seconds / own[round].seconds))),
    })
    const one = (metric, value, unit, rest = { peers: [] }) => {
      return { case: `${title} ${name}`, metric, value, unit, ...common, ...rest }
    }
    const speeds =
      counted === undefined
        ? [one('step', ms(own), 'ms', { batch: networks[name].batch, peers: beside(ms, faster) })]
        : [
            one('training', rate(own), `${counted}/s`, {
              ...{ batches: count, [counted]: ready[counted] },
              peers: beside(rate, faster),
            }),
            one('step', ms(own), 'ms', { peers: beside(ms) }),
          ]
    return [
      ...speeds,
      ...more(ready).map((line) => one(...line)),
      one('compile', rounded(ready.compile), 's'),
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
      const task = await taskOf(name, { threads, batches: count })
      for (const precision of options.precision.split(',')) results.push(...(await measured(name, task, precision)))
    }
  } finally {
    note('')
    rmSync(folder, { recursive: true })
  }
  process.stdout.write(tableBesidePeers(results))
  if (!options.dry && !options.check) writeResults(options.name, results)
}
