// node bench/ctc/run.mjs [--peers] [--rounds 5] [--threads N] [--name ctc] [--dry]
// The loss of connectionist temporal classification and its gradient by the logits, alone, beside PyTorch's own op over log_softmax, over the same
// rows. Loss and size of the gradient must be those that PyTorch finds in float64. Prints a table and writes bench/results/NAME.json.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { pythonWithTorch } from '../peers/python.mjs'
import { about, grid, median, rounded, writeResults } from '../report.mjs'
import { started } from '../turns.mjs'

const here = import.meta.dirname
const { values: options } = parseArgs({
  options: {
    peers: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    threads: { type: 'string', default: String(availableParallelism()) },
    name: { type: 'string', default: 'ctc' },
    dry: { type: 'boolean', default: false },
  },
})
const threads = Number(options.threads)
// Phonemes of read sentences; letters of short and of long ones; parts of words.
const cases = {
  phonemes: { frames: 300, rows: 32, classes: 62, labels: 45, runs: 40 },
  letters: { frames: 400, rows: 32, classes: 30, labels: 60, runs: 40 },
  'long letters': { frames: 1600, rows: 16, classes: 30, labels: 250, runs: 8 },
  'parts of words': { frames: 250, rows: 32, classes: 1000, labels: 30, runs: 10 },
}
/** From the values in float64; PyTorch's own in f32 are up to 1e-4 from them. */
const SAME = 2e-5

const folder = mkdtempSync(join(tmpdir(), 'ostrich-ctc-'))
const results = []
try {
  for (const [name, one] of Object.entries(cases)) {
    writeFileSync(join(folder, 'task.json'), JSON.stringify({ ...one, threads }))
    const sides = [await started(process.execPath, [join(here, 'turn.mjs'), folder])]
    if (options.peers) sides.push(await started(pythonWithTorch(), [join(here, '../peers/torch_ctc.py'), folder]))
    const rounds = sides.map(() => [])
    for (let i = 0; i <= Number(options.rounds); i++) {
      for (const [at, side] of sides.entries()) {
        const found = await side.turn()
        if (i > 0) rounds[at].push(found) // the first warms up
      }
    }
    for (const side of sides) await side.end()
    const [ours, peer] = rounds
    for (const key of ['loss', 'size']) {
      const exact = sides[1]?.ready.exact[key]
      if (exact === undefined || Math.abs(ours[0][key] / exact - 1) < SAME) continue
      throw new Error(`${name}: expected the ${key} ${exact}, as in float64, got ${ours[0][key]}`)
    }
    const of = (all, key) => rounded(median(all.map((found) => found[key])))
    const beside = (key) => (peer === undefined ? [] : [{ name: sides[1].ready.name, value: of(peer, key) }])
    const common = about({ precision: 'f32', threads, ...sides[0].ready })
    const extents = { frames: one.frames, rows: one.rows, classes: one.classes, labels: one.labels }
    for (const [metric, key, unit] of [
      ['loss and gradient', 'ms', 'ms'],
      ['peak resident memory', 'memory', 'MiB'],
    ]) {
      results.push({
        case: `ctc ${name}`,
        metric,
        value: of(ours, key),
        unit,
        ...extents,
        ...common,
        peers: beside(key),
      })
    }
  }
} finally {
  rmSync(folder, { recursive: true })
}
const rows = results.map(({ case: name, metric, value, unit, peers: [peer] }) => [
  ...[name, metric, `${value} ${unit}`],
  ...(peer === undefined ? ['-', '-'] : [`${peer.value} ${unit}`, `${(peer.value / value).toFixed(2)}x`]),
])
process.stdout.write(grid(['case', 'metric', 'ostrich', 'peer', 'ratio'], rows))
if (!options.dry) writeResults(options.name, results)
