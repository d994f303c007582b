// node bench/speech/held-out.mjs [--speakers theo,lucas] [--epochs 12]
// The recipe `digits` with each speaker held out of the training in turn: how well a voice is heard that the network has never heard. Prints the word
// error rate of each, their mean and their spread, and writes them to bench/results/digits-held-out.json.
import { parseArgs } from 'node:util'
import { fsdd, fsddSpeakers, speechSets, wordErrorRate } from '../../dist/data/index.js'
import { transcriber } from '../../dist/infer/index.js'
import { digits, planSession } from '../../dist/recipes/index.js'
import { commit, writeResults } from '../report.mjs'

const { values } = parseArgs({ options: { speakers: { type: 'string' }, epochs: { type: 'string' } } })
const speakers = values.speakers?.split(',') ?? fsddSpeakers
const own = values.epochs === undefined ? {} : { epochs: Number(values.epochs) }
const found = []
for (const heldOut of speakers) {
  const plan = digits.build(own)
  const { net, alphabet, search } = plan.recogniser
  const parts = await fsdd({ heldOut })
  const data = { ...speechSets(parts, { alphabet }), classes: alphabet.symbols }
  const began = performance.now()
  await using run = await planSession(plan, { data, seed: 1, precision: 'f32' })
  let info
  for await (const event of run.events()) {
    if (event.type === 'start') info = event
    if (event.type === 'epoch') console.log(heldOut, event.epoch, event.loss.toFixed(4), event.validation.wordErrorRate)
  }
  const seconds = (performance.now() - began) / 1000
  using listen = transcriber(run, net, { alphabet, ...search })
  const texts = await listen.transcribe(parts.test.map(({ sound }) => sound))
  const { rate, text } = wordErrorRate(
    texts.map(([best]) => best?.text ?? ''),
    parts.test.map(({ transcript }) => transcript),
  )
  console.log(`${heldOut}: ${text}, ${seconds.toFixed(0)} s`)
  found.push({ speaker: heldOut, wordErrorRate: Number(rate.toPrecision(4)), seconds: Math.round(seconds), info })
}

const rates = found.map(({ wordErrorRate: rate }) => rate)
const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length
const spread = Math.sqrt(rates.reduce((sum, rate) => sum + (rate - mean) ** 2, 0) / Math.max(1, rates.length - 1))
console.log(`mean ${(100 * mean).toFixed(2)} %, deviation ${(100 * spread).toFixed(2)} %`)
const { precision, device, threads } = found[0].info
const made = {
  ...{ case: 'digits', metric: 'word error rate of a speaker held out', value: Number(mean.toPrecision(4)) },
  ...{ deviation: Number(spread.toPrecision(4)), unit: 'wordErrorRate', backend: 'cpu' },
  ...{ precision, device, threads, seed: 1, commit: commit(), date: new Date().toISOString().slice(0, 10) },
  speakers: found.map(({ info: _, ...one }) => one),
}
writeResults('digits-held-out', [made])
