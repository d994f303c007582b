// node bench/words/run.mjs TEXT --analogies FILE --pairs FILE[,FILE] [--only skipgram,cbow,skipgram-tree,cbow-tree] [--peers] [--seeds 1,2,3] [--epochs 5]
//   [--dimension 100] [--window 5] [--negatives 5] [--threads N] [--name words] [--note TEXT]
// Words a second of training word vectors on a text, beside gensim on the same file with the same constants, in turn; and what the vectors of the
// very same runs know: analogies and similarities, by one measure for both. A line for each case, the median over seeds; all seeds beside it.
import { spawnSync } from 'node:child_process'
import { createReadStream, createWriteStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { parseArgs } from 'node:util'
import { createGunzip } from 'node:zlib'
import { train } from 'ostrich'
import { pythonWith } from '../peers/python.mjs'
import { commit, grid, median, rounded, writeResults } from '../report.mjs'

const cases = {
  skipgram: { model: 'skipGram', loss: 'negativeSampling', rate: 0.025 },
  cbow: { model: 'cbow', loss: 'negativeSampling', rate: 0.05 },
  'skipgram-tree': { model: 'skipGram', loss: 'hierarchicalSoftmax', rate: 0.025 },
  'cbow-tree': { model: 'cbow', loss: 'hierarchicalSoftmax', rate: 0.05 },
}
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    analogies: { type: 'string' },
    pairs: { type: 'string', default: '' },
    only: { type: 'string', default: Object.keys(cases).join() },
    peers: { type: 'boolean', default: false },
    seeds: { type: 'string', default: '1,2,3' },
    epochs: { type: 'string', default: '5' },
    dimension: { type: 'string', default: '100' },
    window: { type: 'string', default: '5' },
    negatives: { type: 'string', default: '5' },
    threads: { type: 'string', default: String(availableParallelism()) },
    name: { type: 'string', default: 'words' },
    note: { type: 'string' },
  },
})
const [given] = positionals
if (given === undefined || options.analogies === undefined) {
  process.stderr.write('bench: expected a text and --analogies\n')
  process.exit(2)
}
const here = import.meta.dirname
const python = options.peers ? pythonWith({ gensim: 'gensim==4.4.0' }) : undefined
const folder = mkdtempSync(join(tmpdir(), 'ostrich-words-'))
const note = (text) => process.stderr.write(`${text}\n`)

function run(command, args) {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${args.join(' ')}: ended with ${status}\n${stderr}`)
  return JSON.parse(stdout.trim().split('\n').at(-1))
}

/** What vectors know: shares of analogies, Spearman's correlations. */
async function known(path) {
  const vectors = await train.KeyedVectors.load(path)
  const { accuracy, semantic, syntactic, asked } = await vectors.evaluateAnalogies(options.analogies)
  const similarities = {}
  for (const file of options.pairs.split(',').filter(Boolean)) {
    similarities[basename(file)] = rounded((await vectors.evaluatePairs(file)).spearman)
  }
  const analogies = {
    all: rounded(accuracy),
    semantic: rounded(semantic.accuracy),
    syntactic: rounded(syntactic.accuracy),
  }
  return { analogies, asked, similarities }
}

async function side(text, name, wanted, isPeer) {
  const [task, out] = [join(folder, 'task.json'), join(folder, 'vectors.bin')]
  writeFileSync(task, JSON.stringify(wanted))
  const took = isPeer
    ? run(python, [join(here, '../peers/gensim_words.py'), text, out, task])
    : run(process.execPath, [join(here, 'train.mjs'), text, out, task])
  const found = { ...took, ...(await known(out)) }
  note(
    `${name} seed ${wanted.seed} ${isPeer ? took.name : 'ostrich'}: ${Math.round(took.rate)} words/s, ${JSON.stringify(found)}`,
  )
  return found
}

/** gensim's compiled code reads plain text. */
async function plain(path) {
  if (!path.endsWith('.gz')) return path
  const to = join(folder, 'text.txt')
  await pipeline(createReadStream(path), createGunzip(), createWriteStream(to))
  return to
}

const results = []
try {
  const text = await plain(given)
  const shared = {
    least: 5,
    sample: 0.001,
    ...Object.fromEntries(
      ['dimension', 'window', 'negatives', 'epochs', 'threads'].map((key) => [key, Number(options[key])]),
    ),
  }
  for (const name of options.only.split(',')) {
    const { negatives, ...others } = { ...shared, ...cases[name] }
    const isTree = others.loss === 'hierarchicalSoftmax'
    const sides = { ours: [], peer: [] }
    for (const seed of options.seeds.split(',').map(Number)) {
      const wanted = { ...others, ...(isTree ? {} : { negatives }), seed }
      sides.ours.push(await side(text, name, wanted, false))
      if (python !== undefined) sides.peer.push(await side(text, name, wanted, true))
    }
    const middle = (list, of) => rounded(median(list.map(of)))
    const told = (list) => ({
      rate: middle(list, ({ rate }) => rate),
      memory: middle(list, ({ memory }) => memory),
      analogies: list.map(({ analogies }) => analogies),
      similarities: list.map(({ similarities }) => similarities),
      rates: list.map(({ rate }) => rounded(rate)),
    })
    const [ours, peer] = [told(sides.ours), sides.peer.length > 0 ? told(sides.peer) : undefined]
    results.push({
      case: `words-${name}`,
      metric: 'words/s',
      value: ours.rate,
      unit: 'words/s',
      precision: 'f32',
      backend: 'cpu',
      device: cpus()[0].model,
      threads: shared.threads,
      text: basename(given),
      settings: { ...others, ...(isTree ? {} : { negatives }) },
      words: sides.ours[0].words,
      seeds: options.seeds,
      ours,
      peers: peer === undefined ? [] : [{ name: sides.peer[0].name, value: peer.rate, ...peer }],
      commit: commit(),
      ...(options.note && { note: options.note }),
      date: new Date().toISOString().slice(0, 10),
    })
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
const rows = results.map(({ case: name, value, ours, peers: [peer] }) => {
  const at = (side) => side.analogies.map(({ all }) => `${(100 * all).toFixed(1)}`).join(' ')
  const beside = peer === undefined ? ['', '', ''] : [peer.value, (value / peer.value).toFixed(2), at(peer)]
  return [name, value, beside[0], beside[1], at(ours), beside[2]].map(String)
})
console.log(grid(['case', 'words/s', 'gensim', 'ratio', 'analogies %', 'gensim %'], rows))
writeResults(options.name, results)
