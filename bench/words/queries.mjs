// node bench/words/queries.mjs [--words 400000] [--dimension 100] [--queries 1000] [--most 10] [--rounds 5] [--threads N] [--name word-queries]
// How long the nearest words of many vectors take: one product of matrices and the largest of each row, on a device. The table is made up. Prints
// seconds and writes bench/results/NAME.json.
import { availableParallelism, cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { train } from 'ostrich'
import { commit, median, rounded, writeResults } from '../report.mjs'

const { values } = parseArgs({
  options: {
    words: { type: 'string', default: '400000' },
    dimension: { type: 'string', default: '100' },
    queries: { type: 'string', default: '1000' },
    most: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '5' },
    threads: { type: 'string', default: String(availableParallelism()) },
    name: { type: 'string', default: 'word-queries' },
  },
})
const { name, ...given } = values
const [words, dimension, queries, most, rounds, threads] = Object.values(given).map(Number)
let state = 1
const next = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return state / 2 ** 32 - 0.5
}
const vectors = new train.KeyedVectors({
  words: Array.from({ length: words }, (_, i) => `w${i}`),
  vectors: Float32Array.from({ length: words * dimension }, next),
})
const asked = Float32Array.from({ length: queries * dimension }, next)
const search = await vectors.search({ device: 'cpu', threads })
const took = async () => {
  const began = performance.now()
  await search.nearest(asked, most)
  return (performance.now() - began) / 1000
}
const first = await took()
const seconds = []
for (let round = 0; round < rounds; round++) seconds.push(await took())
await search.dispose()
const value = rounded(median(seconds))
process.stdout.write(
  `${queries} queries of ${words} x ${dimension}: ${value} s; the first time, with compiling, ${rounded(first)} s\n`,
)
writeResults(name, [
  {
    case: `${queries} queries, ${words} words of ${dimension} numbers, ${most} each`,
    metric: 'nearest words',
    value,
    unit: 's',
    first: rounded(first),
    rounds: seconds.map(rounded),
    ...{ precision: 'f32', backend: 'cpu', device: cpus()[0].model, threads },
    ...{ commit: commit(), date: new Date().toISOString().slice(0, 10) },
  },
])
