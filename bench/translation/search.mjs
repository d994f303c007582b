// node bench/translation/search.mjs [--peers] [--marian] [--only attention,lstm,transformer] [--sentences 1000] [--steps 400] [--at-once 32] [--rows 32,64,128]
//   [--multiple 12] [--rounds 5] [--modes eager,compiled] [--threads N] [--name translation-search] [--check] [--dry]
// Sentences of Multi30k's test part that a beam search over 5 beams translates in a second, beside a batched beam search in PyTorch: the same
// weights, trained here for some steps, the same rules; and the most memory of both. With --marian also `generate` of Hugging Face's Marian beside our
// Transformer of the same extents, where both write so many words of each sentence, whatever they are. Sentences of up to --multiple words, of up to
// twice as many, and so on, have a search of their own, and may be written in 12 words more. The peers take whichever of --rows sentences at once is
// fastest. Prints a table and writes bench/results/NAME.json. With --check both sides must write the same.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { pythonWith } from '../peers/python.mjs'
import { about, grid, median, rounded, writeResults } from '../report.mjs'
import { started } from '../turns.mjs'
import { networks } from './networks.mjs'
import { learnSubwords, testSentences } from './text.mjs'

const here = import.meta.dirname
const { values: options } = parseArgs({
  options: {
    peers: { type: 'boolean', default: false },
    marian: { type: 'boolean', default: false },
    only: { type: 'string', default: Object.keys(networks).join() },
    sentences: { type: 'string', default: '1000' },
    steps: { type: 'string', default: '400' },
    'at-once': { type: 'string', default: '32' },
    rows: { type: 'string', default: '32,64,128' },
    multiple: { type: 'string', default: '12' },
    rounds: { type: 'string', default: '5' },
    modes: { type: 'string', default: 'eager,compiled' },
    threads: { type: 'string', default: String(availableParallelism()) },
    name: { type: 'string', default: 'translation-search' },
    check: { type: 'boolean', default: false },
    dry: { type: 'boolean', default: false },
  },
})
for (const name of options.only.split(',')) {
  if (Object.hasOwn(networks, name)) continue
  process.stderr.write(`bench: expected --only of ${Object.keys(networks).join(', ')}, got ${name}\n`)
  process.exit(2)
}
const threads = Number(options.threads)
/** Share of translations that must be the same: a difference in the last digit may choose another of two that are nearly as good. */
const SAME = 0.98

const python =
  options.peers || options.marian || options.check
    ? pythonWith(options.marian ? { transformers: 'transformers==5.*' } : {})
    : undefined
const folder = mkdtempSync(join(tmpdir(), 'ostrich-translation-'))
const note = (text) => process.stderr.write(`\r\x1b[K${text}`)
const script = (name, mode) => started(python, [join(here, '../peers', name), folder, mode])

/** Writes the task; with `fixed` no word ends a translation. */
function write(network, words, sentences, fixed) {
  const config = { ...networks[network].config, source: words, target: words }
  const multiple = Number(options.multiple)
  const bounded = sentences.map((words) => {
    const steps = Math.ceil(words.length / multiple) * multiple
    return { words, longest: fixed ? steps : steps + 12 }
  })
  const task = { network, config, threads, beam: 5, begin: 1, end: 2, never: fixed ? [0, 1, 2] : [0, 1] }
  const more = { sentences: bounded, training: Number(options.steps), sentencesAtOnce: Number(options['at-once']) }
  writeFileSync(join(folder, 'task.json'), JSON.stringify({ ...task, ...more }))
}

function trained() {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(here, 'weights.mjs'), folder], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`weights.mjs: ended with ${status}\n${stderr}`)
  return JSON.parse(stdout.trim().split('\n').at(-1))
}

/** How many sentences at once a peer translates fastest, found by a process of its own, so that the memory of others does not count. */
async function bestRows(peer) {
  const sizes = options.rows.split(',').map((rows) => ({ rows: Number(rows) }))
  if (sizes.length === 1) return sizes[0]
  const side = await script(...peer)
  await side.turn(sizes[0])
  const seconds = []
  for (const size of sizes) seconds.push((await side.turn(size)).seconds)
  await side.end()
  return sizes[seconds.indexOf(Math.min(...seconds))]
}

/** Where all words are random, they must be as many. */
function expectAsMany(own, other) {
  const at = own.findIndex((words, i) => words.length !== other[i].length)
  if (at >= 0) throw new Error(`search: expected ${own[at].length} words of sentence ${at}, got ${other[at].length}`)
}

const sameOf = (own, other) => own.filter((words, i) => words.join() === other[i].join()).length / own.length

async function measured(name, device, count, peers) {
  note(`${name}: making ready`)
  const ours = await started(process.execPath, [join(here, 'search-turn.mjs'), folder])
  const sides = [{ ...ours, asked: {} }]
  for (const peer of peers) {
    const asked = await bestRows(peer)
    sides.push({ ...(await script(...peer)), asked })
  }
  const rounds = sides.map(() => [])
  // Once to get warm.
  for (const side of sides) await side.turn(side.asked)
  for (let round = 0; round < (options.check ? 1 : Number(options.rounds)); round++) {
    note(`${name}: round ${round + 1} of ${options.rounds}`)
    for (const [i, side] of sides.entries()) rounds[i].push(await side.turn(side.asked))
  }
  for (const side of sides) await side.end()
  for (const [i, { ready }] of sides.entries()) if (ready.random) expectAsMany(rounds[0][0].found, rounds[i][0].found)
  return measurements({ name, device, count, sides, rounds })
}

function measurements({ name, device, count, sides: [{ ready }, ...peers], rounds: [own, ...others] }) {
  const common = about({ ...ready, device, precision: 'f32', threads })
  const rate = (rounds) => rounded(count / median(rounds.map(({ seconds }) => seconds)))
  const lengths = own[0].found.map((words) => words.length)
  const one = (metric, value, unit, more = {}) => ({ case: name, metric, value, unit, ...common, peers: [], ...more })
  const beside = peers.map((peer, i) => ({
    name: peer.ready.name,
    value: rate(others[i]),
    faster: rounded(median(others[i].map(({ seconds }, round) => seconds / own[round].seconds))),
    rows: peer.asked.rows,
    // Random weights write other words.
    ...(peer.ready.random ? {} : { same: rounded(sameOf(own[0].found, others[i][0].found)) }),
  }))
  return [
    one('beam search', rate(own), 'sentences/s', {
      ...{ sentences: count, words: rounded(lengths.reduce((sum, n) => sum + n, 0) / count) },
      ...{ rows: Number(options['at-once']), peers: beside },
    }),
    one('compile', rounded(ready.compile), 's', { programs: ready.programs }),
    one('peak resident memory', Math.round(own.at(-1).memory), 'MiB', {
      peers: peers.map((peer, i) => ({ name: peer.ready.name, value: Math.round(others[i].at(-1).memory) })),
    }),
  ]
}

const results = []
try {
  note('learning subwords')
  const words = await learnSubwords(folder)
  const all = await testSentences(folder)
  const count = Math.min(all.length, Number(options.sentences))
  const sentences = Array.from({ length: count }, (_, i) => all[Math.floor((i * all.length) / count)])
  const torch =
    python === undefined || !(options.peers || options.check)
      ? []
      : options.modes.split(',').map((mode) => ['torch_beam_search.py', mode])
  for (const network of options.only.split(',')) {
    note(`${network}: training`)
    write(network, words, sentences, false)
    const { device, losses } = trained()
    note('')
    process.stdout.write(`${network}: loss ${losses.at(-1)?.toFixed(2)} after ${options.steps} steps\n`)
    results.push(...(await measured(network, device, count, torch)))
    if (!options.marian || network !== 'transformer') continue
    write(network, words, sentences, true)
    results.push(...(await measured('transformer, as many words', device, count, [['marian_beam_search.py', 'eager']])))
  }
} finally {
  note('')
  rmSync(folder, { recursive: true })
}
const shown = ({ name, value, faster, same }) =>
  [
    name,
    value,
    ...(faster === undefined ? [] : [`(${faster}x)`]),
    ...(same === undefined ? [] : [`same ${rounded(100 * same)} %`]),
  ].join(' ')
const rows = results.map(({ case: name, metric, value, unit, peers }) => [
  name,
  metric,
  `${value} ${unit}`,
  peers.map(shown).join('  '),
])
process.stdout.write(grid(['case', 'metric', 'value', 'peers (ours is so much faster)'], rows))
if (options.check) {
  const other = results.flatMap(({ peers }) => peers).find(({ same }) => same < SAME)
  if (other !== undefined)
    throw new Error(`search: expected the same translations, got ${rounded(100 * other.same)} % of ${other.name}`)
} else if (!options.dry) {
  writeResults(options.name, results)
}
