// node bench/words/train.mjs TEXT OUT TASK: trains vectors once and prints what it took, as JSON; the other side is ../peers/gensim_words.py.
import { readFileSync } from 'node:fs'
import { train } from 'ostrich'
import { corpus, countWords } from 'ostrich/data'

const [path, out, taskFile] = process.argv.slice(2)
const { least, ...options } = JSON.parse(readFileSync(taskFile, 'utf8'))
const text = await corpus(path)
const counts = await countWords(text, { least })
let first
const took = await train.wordVectors(text, counts, {
  ...options,
  // Counted from the first block on, as gensim's clock begins behind its vocabulary.
  onProgress: ({ words }) => (first ??= { words, at: performance.now() }),
})
const seconds = (performance.now() - first.at) / 1000
await new train.KeyedVectors(took).save(out)
const words = counts.kept * options.epochs
const memory = process.resourceUsage().maxRSS / 1024
console.log(JSON.stringify({ seconds, rate: (words - first.words) / seconds, memory, words: counts.size }))
