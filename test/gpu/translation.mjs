// node translation.mjs NETWORK PRECISION DEVICE: trains a translator there on made-up lines, and holds it to the CPU: to the losses of its first steps, and
// to what a beam search writes by the weights that came of it. Prints one line of JSON with these and with both speeds; throws where they do not agree.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ops, optim } from '../../bench/steps/library.mjs'
import { networks, objectiveOf, still } from '../../bench/translation/networks.mjs'
import { PhiloxStream, translationSet, Words } from '../../dist/data/index.js'
import { beamSearch, load } from '../../dist/infer/index.js'
import { session } from '../../dist/train/index.js'

const [network, precision, device] = process.argv.slice(2)
const { make, config: sizes, batch } = networks[network]
const epochs = 5
/** Steps whose losses the CPU repeats, and how far they may be apart: sums in other orders, products rounded to 10 and to 8 bits. */
const repeated = 8
const tolerance = { f32: 1e-3, tf32: 5e-3, bf16: 5e-2 }[precision]
/** Of translations, how many must be the same: a difference in the last digit may choose another of two that are nearly as good. */
const SAME = 0.95
const sentences = 128

/** Words of letters alone, few of them frequent. */
function madeUpLine(draws, length) {
  const word = () => Math.floor(8000 * (draws.next() / 2 ** 32) ** 4)
  const letters = (n) => [...n.toString(26)].map((digit) => String.fromCharCode(97 + parseInt(digit, 26))).join('')
  return Array.from({ length }, () => letters(word()))
}

/** Lines of 6, 12, 18 and 24 words, so many of each that there are whole batches only; a translation says them backwards. */
function madeUpText() {
  const draws = new PhiloxStream(7, 0, 0)
  const lines = Array.from({ length: 20 * batch }, (_, i) => madeUpLine(draws, 6 * (1 + (i % 4))))
  return { source: lines.map((words) => words.join(' ')), target: lines.map((words) => words.toReversed().join(' ')) }
}

const pairs = madeUpText()
const words = Words.of(pairs.source, { least: 1 })
const data = translationSet(pairs, { source: words, target: words })
const config = { ...still(sizes), source: words.size, target: words.size }
/** Each line on both sides, with its end. */
const tokens = 2 * pairs.source.reduce((sum, line) => sum + line.split(' ').length + 1, 0)

/** Losses of the first steps, and the tokens of a second of all epochs but the first, in which programs are made. */
async function trained(where, inPrecision, steps, file) {
  const run = await session(objectiveOf(make(config)), {
    ...{ data, optimizer: optim.adam({ rate: 1e-3, clipNorm: 1 }), batch, epochs },
    ...{ device: where, precision: inPrecision, seed: 1 },
  })
  const losses = []
  let [warm, end] = [0, 0]
  for await (const event of run.events()) {
    if (event.type !== 'step') continue
    if (event.epoch === 1) warm = event.elapsed
    end = event.elapsed
    if (losses.push(event.loss) === steps) break
  }
  if (file !== undefined) await run.save(file)
  await run.dispose()
  return { losses, rate: (tokens * (epochs - 1)) / (end - warm) }
}

/** What a search over five beams writes, and how many sentences in a second. */
async function searched(where, file) {
  const net = make(config)
  const oneWord = (x) => net.logits(x, ops.cast(ops.add(ops.zeros([1]), 1), 'i32'), x)
  const input = { dtype: 'i32', shape: [1], batchAxis: 1 }
  const model = await load(file, oneWord, { input, precision: 'f32', device: where })
  const search = await beamSearch(model, net, { sentences: 32, steps: 25, longest: 30, beam: 5 })
  const read = pairs.source.slice(0, sentences).map((line) => [...words.encode(line), words.special.eos])
  const given = read.map((ids) => Int32Array.from(ids))
  await search.run(given)
  const started = performance.now()
  const found = await search.run(given)
  const rate = sentences / ((performance.now() - started) / 1e3)
  search.dispose()
  await model.dispose()
  return { found: found.map(([best]) => [...best.words].join(' ')), rate }
}

const folder = mkdtempSync(join(tmpdir(), 'ostrich-translation-'))
try {
  const file = join(folder, 'weights.safetensors')
  const there = await trained(device, precision, Infinity, file)
  const here = await trained('cpu', 'f32', repeated)
  const apart = Math.max(...here.losses.map((loss, i) => Math.abs(there.losses[i] / loss - 1)))
  if (!(apart <= tolerance)) {
    throw new Error(`expected losses ${here.losses.join(' ')}, got ${there.losses.slice(0, repeated).join(' ')}`)
  }
  const [first, last] = [there.losses[0], there.losses.at(-1)]
  if (!(last < 0.8 * first)) throw new Error(`expected a loss below 0.8 of ${first}, got ${last}`)
  const [own, other] = [await searched(device, file), await searched('cpu', file)]
  const same = own.found.filter((line, i) => line === other.found[i]).length / sentences
  if (same < SAME) throw new Error(`expected ${SAME} of all translations to be those of the CPU, got ${same}`)
  const rates = { trainingTokens: there.rate, searchedSentences: own.rate }
  process.stdout.write(`${JSON.stringify({ first, last, apart, same, ...rates })}\n`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
