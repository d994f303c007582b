// node bench/words/maps.mjs --data DIR [--only known,halves,novels] [--threads N] [--name word-maps]
// Maps between word vectors, three times: from a space to itself, turned and disturbed; between the two halves of one corpus; and between English and
// Spanish novels, by MUSE's dictionaries. Prints how many words are translated rightly, and writes bench/results/NAME.json and docs/known-map.svg.
// DIR has enwiki, eltec and dictionaries; vectors are kept in runs/maps, which may be deleted.
import { spawnSync } from 'node:child_process'
import { createReadStream, createWriteStream, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { createGunzip } from 'node:zlib'
import { train } from 'ostrich'
import { corpus, countWords } from 'ostrich/data'
import { commit, grid, rounded, writeResults } from '../report.mjs'
import { noiseCurve } from './noise-curve.mjs'

const { values: options } = parseArgs({
  options: {
    data: { type: 'string', default: process.env.OSTRICH_DATA ?? '../shared/data' },
    only: { type: 'string', default: 'known,halves,novels' },
    threads: { type: 'string', default: String(availableParallelism()) },
    name: { type: 'string', default: 'word-maps' },
  },
})
const kept = 'runs/maps'
mkdirSync(kept, { recursive: true })
const note = (text) => process.stderr.write(`${text}\n`)
const place = { device: 'cpu', threads: Number(options.threads) }
const root = join(import.meta.dirname, '../..')

/** Vectors of a text, trained once. */
async function vectorsOf(name, path, knobs) {
  const file = join(kept, `${name}.safetensors`)
  if (!existsSync(file)) {
    const text = await corpus(path)
    const counts = await countWords(text, { least: 5 })
    const began = performance.now()
    const learned = new train.KeyedVectors(await train.wordVectors(text, counts, { ...place, ...knobs }))
    await learned.save(file)
    note(
      `${name}: ${learned.size} vectors of ${counts.total} words, ${Math.round((performance.now() - began) / 1000)} s`,
    )
  }
  return train.KeyedVectors.load(file)
}

/** How a map is learned, and words compared: from the published way to today's. */
const ways = [
  ['SGD, not normalised (Mikolov et al. 2013)', { method: 'sgd', normalise: false, rate: 0.01 }, 'cosine'],
  ['SGD', { method: 'sgd' }, 'cosine'],
  ['least squares', { method: 'leastSquares' }, 'cosine'],
  ['Procrustes', { method: 'procrustes' }, 'cosine'],
  ['Procrustes, CSLS', { method: 'procrustes' }, 'csls'],
  ['Procrustes, centred, CSLS', { method: 'procrustes', centre: true }, 'csls'],
  ['Procrustes, centred, CSLS, refined', { method: 'procrustes', centre: true }, 'csls', 5],
]

async function scored(source, target, [learn, test], [, how, retrieval, rounds = 0]) {
  const learned = train.learnVectorMap(source, target, learn, how)
  const map = rounds === 0 ? learned : await train.refineVectorMap(learned, source, target, { ...place, rounds })
  const translator = await train.wordTranslator(map, source, target, { ...place, retrieval })
  try {
    return { pairs: map.pairs, ...(await translator.evaluate(test)) }
  } finally {
    await translator.dispose()
  }
}

async function table(name, source, target, dictionaries, about) {
  const rows = []
  for (const way of ways) {
    const { pairs, at1, at5, at10, words } = await scored(source, target, dictionaries, way)
    note(`${name}, ${way[0]}: ${[at1, at5, at10].map((share) => (100 * share).toFixed(1)).join(' ')} %`)
    rows.push({ way: way[0], at1: rounded(at1), at5: rounded(at5), at10: rounded(at10), pairs, words })
  }
  return { case: name, metric: 'P@1', value: rows.at(-2).at1, unit: 'share', ...about, rows }
}

/** Numbers of the normal distribution, the same at each run (Box and Muller 1958, on Marsaglia's xorshift). */
function normals(seed) {
  let state = seed
  const uniform = () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return ((state >>> 0) + 0.5) / 2 ** 32
  }
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform())
}

/** A random rotation, row-major: vectors of normal numbers, made orthogonal one after the other. */
function rotationOf(dimension, normal) {
  const rows = Array.from({ length: dimension }, () => Float64Array.from({ length: dimension }, normal))
  for (const [i, row] of rows.entries()) {
    for (const before of rows.slice(0, i)) {
      const along = row.reduce((sum, x, k) => sum + x * before[k], 0)
      for (let k = 0; k < dimension; k++) row[k] -= along * before[k]
    }
    const length = Math.hypot(...row)
    for (let k = 0; k < dimension; k++) row[k] /= length
  }
  return rows
}

/** Pairs of words to learn from, and to be asked. */
const cut = (pairs, learn, test) => [pairs.slice(0, learn), pairs.slice(learn, learn + test)]

/** The first words of a space, turned, and disturbed by noise of this length beside vectors of length 1. */
async function known(source) {
  const { words, dimension } = source
  const rotation = rotationOf(dimension, normals(7))
  const pairs = words.map((word) => [word, word])
  const rows = []
  for (const noise of [0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 2.5, 3]) {
    const normal = normals(11)
    const vectors = new Float32Array(source.vectors.length)
    for (const row of words.keys()) {
      const own = source.vectors.subarray(row * dimension, (row + 1) * dimension)
      const length = Math.hypot(...own)
      for (const [i, turn] of rotation.entries()) {
        let sum = (noise / Math.sqrt(dimension)) * normal()
        for (let k = 0; k < dimension; k++) sum += (turn[k] * own[k]) / length
        vectors[row * dimension + i] = sum
      }
    }
    const target = new train.KeyedVectors({ words, vectors })
    const found = {}
    for (const way of ways.slice(1, 5))
      found[way[0]] = rounded((await scored(source, target, cut(pairs, 5000, 1500), way)).at1)
    note(`known map, noise ${noise}: ${JSON.stringify(found)}`)
    rows.push({ noise, ...found })
  }
  return rows
}

/** The first n words alone. */
const first = (all, n) =>
  new train.KeyedVectors({ words: all.words.slice(0, n), vectors: all.vectors.slice(0, n * all.dimension) })

/** Paragraphs in turn to either of two files. */
async function halvesOf(path) {
  const files = [0, 1].map((i) => join(kept, `half-${i}.txt`))
  if (files.every((file) => existsSync(file))) return files
  const outs = files.map((file) => createWriteStream(file))
  let line = 0
  for await (const text of createInterface({ input: createReadStream(path).pipe(createGunzip()) })) {
    if (!outs[line++ % 2].write(`${text}\n`)) await new Promise((done) => outs[(line - 1) % 2].once('drain', done))
  }
  await Promise.all(outs.map((out) => new Promise((done) => out.end(done))))
  return files
}

const machine = () => ({
  precision: 'f32',
  backend: 'cpu',
  device: cpus()[0].model,
  threads: place.threads,
  commit: commit(),
  date: new Date().toISOString().slice(0, 10),
})
const usual = { dimension: 100, window: 5, epochs: 5, seed: 1 }
const wide = { dimension: 200, window: 8, epochs: 10, seed: 1 }
const wiki = join(options.data, 'enwiki/enwiki-20m.txt.gz')
const wanted = options.only.split(',')
const results = []

if (wanted.includes('known') || wanted.includes('halves')) {
  const files = await halvesOf(wiki)
  const halves = []
  for (const [i, file] of files.entries()) halves.push(await vectorsOf(`half-${i}`, file, usual))
  if (wanted.includes('known')) {
    const rows = await known(first(halves[0], 20_000))
    const about = { words: 20_000, learned: 5000, asked: 1500, ...machine() }
    results.push({
      case: 'known map',
      metric: 'P@1 without noise',
      value: rows[0].Procrustes,
      unit: 'share',
      ...about,
      rows,
    })
    writeFileSync(join(root, 'docs/known-map.svg'), noiseCurve(rows))
  }
  if (wanted.includes('halves')) {
    const pairs = halves[0].words.filter((word) => halves[1].numberOf(word) !== undefined).map((word) => [word, word])
    const about = { settings: usual, words: halves.map(({ size }) => size), ...machine() }
    results.push(await table('two halves of one corpus', ...halves, cut(pairs, 5000, 1500), about))
  }
}
if (wanted.includes('novels')) {
  const spaces = []
  for (const language of ['eng', 'spa']) {
    spaces.push(await vectorsOf(language, join(options.data, `eltec/eltec-${language}.txt.gz`), wide))
  }
  const archive = join(options.data, 'dictionaries/bilingual-dictionaries.tar.gz')
  const { status, stderr } = spawnSync('tar', ['xzf', archive, '-C', kept], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${archive}: ${stderr}`)
  for (const [name, from, to] of [
    ['en-es', ...spaces],
    ['es-en', ...spaces.toReversed()],
  ]) {
    const listed = spawnSync('find', [kept, '-name', `muse.${name}.*.tsv`], { encoding: 'utf8' })
      .stdout.trim()
      .split('\n')
    const [learn, test] = ['0-5000', '5000-6500'].map((part) => listed.find((file) => file.endsWith(`${part}.tsv`)))
    const dictionaries = [await train.readDictionary(learn), await train.readDictionary(test)]
    const about = { settings: wide, words: [from.size, to.size], ...machine() }
    results.push(await table(`novels ${name}`, from, to, dictionaries, about))
  }
}
for (const { case: name, rows } of results) {
  const [columns] = rows.map((row) => Object.keys(row))
  const shown = rows.map((row) => columns.map((column) => String(row[column])))
  process.stdout.write(`${name}\n${grid(columns, shown)}\n`)
}
writeResults(options.name, results)
