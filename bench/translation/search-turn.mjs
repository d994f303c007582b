// node search-turn.mjs FOLDER: our side of a case of search.mjs, as the folder's task.json says it. A beam search for each number of words that may be
// written; at each turn they translate all sentences.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beamSearch, load } from '../../dist/infer/index.js'
import { ops, versions } from '../steps/library.mjs'
import { peakMemory, takeTurns } from '../turns.mjs'
import { networks } from './networks.mjs'

const [folder] = process.argv.slice(2)
const task = JSON.parse(readFileSync(join(folder, 'task.json'), 'utf8'))
const { network, config, threads, beam, begin, end, never } = task
const net = networks[network].make(config)
// What reads all weights: a sentence of one word, and a translation of one.
const oneWord = (x) => net.logits(x, ops.cast(ops.add(ops.zeros([1]), 1), 'i32'), x)
const model = await load(join(folder, 'weights.safetensors'), oneWord, {
  ...{ input: { dtype: 'i32', shape: [1], batchAxis: 1 }, precision: 'f32', threads, device: 'cpu' },
})

const bounds = [...new Set(task.sentences.map(({ longest }) => longest))]
const began = performance.now()
const searches = []
for (const longest of bounds) {
  const all = task.sentences.filter((one) => one.longest === longest)
  const steps = all.reduce((most, { words }) => Math.max(most, words.length), 0)
  const sentences = Math.min(task.sentencesAtOnce, all.length)
  searches.push({
    search: await beamSearch(model, net, { sentences, steps, longest, beam, begin, end, never }),
    words: all.map(({ words }) => Int32Array.from(words)),
  })
}
const compile = (performance.now() - began) / 1e3

async function turn() {
  const found = []
  const start = performance.now()
  for (const { search, words } of searches) {
    for (const [best] of await search.run(words)) found.push(best.words)
  }
  const seconds = (performance.now() - start) / 1e3
  return { seconds, found: found.map((words) => [...words]), memory: peakMemory() }
}

await takeTurns(
  { compile, programs: 2 * searches.length, versions: { node: process.versions.node, ...versions() } },
  turn,
)
for (const { search } of searches) search.dispose()
await model.dispose()
