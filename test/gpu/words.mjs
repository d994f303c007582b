// node words.mjs MODEL LOSS DEVICE: trains word vectors there on a made-up text of two topics, whose words must end nearer to each other than to those of the
// other topic; then words a second on a text of many words, as frequent as in a language. Prints one line of JSON.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { corpus, countWords, PhiloxStream } from '../../dist/data/index.js'
import { train } from '../../dist/index.js'

const [model, loss, device] = process.argv.slice(2)
const folder = mkdtempSync(join(tmpdir(), 'ostrich-gpu-words-'))
const draws = new PhiloxStream(3, 0, 0)
const topics = ['water', 'stone']
const perTopic = 12

const line = () => {
  const topic = topics[draws.below(2)]
  return Array.from({ length: 8 }, () => `${topic}${draws.below(perTopic)}`).join(' ')
}

/** Word k comes about 1 / k as often as the first (Zipf). */
const zipf = (vocabulary, length) => {
  const word = () => Math.floor(Math.exp((draws.next() / 2 ** 32) * Math.log(vocabulary)))
  return Array.from({ length: length / 20 }, () => Array.from({ length: 20 }, () => `w${word()}`).join(' '))
}

async function trained(name, lines, options) {
  const path = join(folder, name)
  writeFileSync(path, lines.join('\n'))
  const text = await corpus(path)
  const counts = await countWords(text, { least: 1 })
  let first
  const onProgress = ({ words }) => (first ??= { words, at: performance.now() })
  const found = await train.wordVectors(text, counts, { model, loss, device, onProgress, ...options })
  const words = counts.kept * options.epochs - first.words
  return { vectors: new train.KeyedVectors(found), rate: (1000 * words) / (performance.now() - first.at) }
}

try {
  const small = Array.from({ length: 4000 }, line)
  const { vectors } = await trained('topics.txt', small, { dimension: 32, sample: 0, epochs: 8 })
  const [a, b] = topics.map((topic) => Array.from({ length: perTopic }, (_, i) => `${topic}${i}`))
  const cosines = (some, others) =>
    some.flatMap((one) => others.filter((other) => other !== one).map((other) => vectors.similarity(one, other)))
  const [within, between] = [Math.min(...cosines(a, a), ...cosines(b, b)), Math.max(...cosines(a, b))]
  if (!(within > between)) {
    throw new Error(
      `expected words of a topic to be nearer than ${between}, as two of different topics are, got ${within}`,
    )
  }
  const { rate } = await trained('zipf.txt', zipf(50_000, 4_000_000), { dimension: 100, epochs: 2 })
  process.stdout.write(`${JSON.stringify({ within, between, wordsPerSecond: Math.round(rate) })}\n`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
