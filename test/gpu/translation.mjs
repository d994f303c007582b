// node translation.mjs NETWORK PRECISION DEVICE: trains a translator there on made-up lines, and holds it to the CPU: to the losses of its first steps, and
// to what a beam search writes by the weights that came of it. Prints one line of JSON with these and with both speeds; throws where they do not agree.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ops, optim } from '../../bench/steps/library.mjs'
import { networks, objectiveOf, still } from '../../bench/translation/networks.mjs'
import { PhiloxStream, translationSet, Words } from '../../dist/data/index.js'
import { beamSearch, load } from '../../dist/infer/index.js'
import { heldToCpu } from './trained.mjs'

const [network, precision, device] = process.argv.slice(2)
const { make, config: sizes, batch } = networks[network]
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
  const both = () => ({
    objective: objectiveOf(make(config)),
    options: { data, optimizer: optim.adam({ rate: 1e-3, clipNorm: 1 }), batch },
  })
  const { speed, ...held } = await heldToCpu({ make: both, device, precision, file })
  const [own, other] = [await searched(device, file), await searched('cpu', file)]
  const same = own.found.filter((line, i) => line === other.found[i]).length / sentences
  if (same < SAME) throw new Error(`expected ${SAME} of all translations to be those of the CPU, got ${same}`)
  const rates = { trainingTokens: speed * tokens, searchedSentences: own.rate }
  process.stdout.write(`${JSON.stringify({ ...held, same, ...rates })}\n`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
