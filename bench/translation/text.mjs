// Multi30k, German to English, by subwords of 8,000 merges, as all that is measured here reads it.
import { join } from 'node:path'
import { batches, multi30k, readTokenizer, Subwords, translationSet, writeTokenizer } from '../../dist/data/index.js'

/** Learns the subwords and puts them into the folder, whence the processes that are measured take them; gives how many there are. */
export async function learnSubwords(folder) {
  const { train } = await multi30k()
  const subwords = Subwords.of([...train.source, ...train.target], { merges: 8000 })
  await writeTokenizer(join(folder, 'tokenizer.json'), subwords)
  return subwords.size
}

/** The training part. */
export async function trainingSet(folder) {
  const subwords = await readTokenizer(join(folder, 'tokenizer.json'))
  const { train } = await multi30k()
  return translationSet(train, { source: subwords, target: subwords })
}

/** The source lines of the test part as numbers, each with its end; the shortest first. */
export async function testSentences(folder) {
  const subwords = await readTokenizer(join(folder, 'tokenizer.json'))
  const { test } = await multi30k()
  const all = test.source.map((line) => [...subwords.encode(line), subwords.special.eos])
  return all.toSorted((a, b) => a.length - b.length)
}

const lengthOf = ({ extents }) => Object.values(extents).reduce((sum, steps) => sum + steps, 0)

/** So many whole batches of the first epoch, in its order: of all lengths, each as often as the epoch has it. */
export async function sample(set, batch, count) {
  const all = []
  for await (const one of batches(set, { batch, shuffle: true, seed: 1 })) {
    if (one.count !== batch) continue
    const feeds = Object.fromEntries(Object.entries(one.feeds).map(([name, values]) => [name, values.slice()]))
    all.push({ ...one, feeds })
  }
  const sorted = all.toSorted((a, b) => lengthOf(a) - lengthOf(b))
  const chosen = new Set(Array.from({ length: count }, (_, i) => sorted[Math.floor(((i + 0.5) * all.length) / count)]))
  return all.filter((one) => chosen.has(one))
}

/** Tokens of these batches on both sides, without padding. */
export const tokensOf = (chosen) =>
  chosen
    .flatMap(({ feeds }) => [...feeds.sourceLengths, ...feeds.targetLengths])
    .reduce((sum, length) => sum + length, 0)

/** The batches by their places, as a safetensors file holds them. */
export function asTensors(chosen) {
  const tensors = chosen.flatMap(({ count, extents, feeds }, i) =>
    Object.entries(feeds).map(([name, data]) => {
      const steps = name === 'source' ? extents.sourceLengths : extents.targetLengths
      return [`${i}/${name}`, { dtype: 'I32', shape: name.endsWith('Lengths') ? [count] : [steps, count], data }]
    }),
  )
  return Object.fromEntries(tensors)
}
