// node bench/bleu.mjs [--rounds 21] [--name bleu] [--dry]
// How long BLEU of Multi30k's 1,000 English test lines takes, of translations that are these lines with some words left out and some in another
// order: the median over rounds, and the first time, before anything is warm. Prints both and writes bench/results/NAME.json.
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { bleu, multi30k } from '../dist/data/index.js'
import { commit, median, rounded } from './report.mjs'

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '21' },
    name: { type: 'string', default: 'bleu' },
    dry: { type: 'boolean', default: false },
  },
})

/** Without every seventh word, and with two others that have changed places. */
function poor(line) {
  const words = line.split(' ').filter((_, i) => i % 7 !== 3)
  return [...words.slice(1, 2), ...words.slice(0, 1), ...words.slice(2)].join(' ')
}

const { test } = await multi30k()
const translations = test.target.map(poor)
const times = []
let score
for (let i = 0; i <= Number(options.rounds); i++) {
  const began = performance.now()
  score = bleu(translations, [test.target])
  times.push(performance.now() - began)
}
const [first, ...others] = times
const result = {
  case: `BLEU of ${translations.length} lines`,
  metric: 'time',
  value: rounded(median(others)),
  unit: 'ms',
  first: rounded(first),
  score: rounded(score.score),
  device: cpus()[0].model,
  threads: 1,
  versions: { node: process.versions.node },
  commit: commit(),
  date: new Date().toISOString().slice(0, 10),
}
process.stdout.write(`${result.case}: ${result.value} ms, the first time ${result.first} ms; ${score.text}\n`)
if (!options.dry) {
  const path = join(import.meta.dirname, 'results', `${options.name}.json`)
  writeFileSync(path, `${JSON.stringify([result], undefined, 2)}\n`)
  process.stdout.write(`written to ${path}\n`)
}
