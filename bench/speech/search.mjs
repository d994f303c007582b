// node bench/speech/search.mjs [--seconds 10] [--frames 100]
// How many times faster than speech prefix beam search is: made-up outputs of a network over 30 symbols, so many frames a second, with a bigram of
// words, one of characters and none, for several beams. Writes nothing.
import { parseArgs } from 'node:util'
import { Alphabet, learnNgrams, PhiloxStream } from '../../dist/data/index.js'
import { prefixBeamSearch } from '../../dist/infer/index.js'

const { values } = parseArgs({ options: { seconds: { type: 'string' }, frames: { type: 'string' } } })
const [seconds, rate] = [Number(values.seconds ?? 10), Number(values.frames ?? 100)]
const random = new PhiloxStream(1, 0, 0)
const uniform = () => random.next() / 2 ** 32
const letters = " 'abcdefghijklmnopqrstuvwxyz-"
const alphabet = Alphabet.of([letters.slice(1), 'a b'], 'character')

/** Words of a skewed choice, as texts have them. */
const vocabulary = Array.from({ length: 5000 }, () =>
  Array.from({ length: 1 + random.below(9) }, () => letters[2 + random.below(26)]).join(''),
)
const word = () => vocabulary[Math.floor(vocabulary.length * uniform() ** 4)]
const lines = Array.from({ length: 20_000 }, () => Array.from({ length: 8 }, word).join(' '))
const models = {
  none: undefined,
  words: learnNgrams(lines),
  characters: learnNgrams(lines.slice(0, 4000), { order: 4, unit: 'character' }),
}

/** Twelve letters a second, each for a frame or two, unsure: the truth is 4 nats above the rest, which differ. */
function outputs() {
  const frames = seconds * rate
  const labels = alphabet.encode(lines.slice(0, Math.ceil(seconds)).join(' '))
  const logits = new Float32Array(frames * alphabet.size)
  const every = rate / 12
  for (let t = 0; t < frames; t++) {
    const place = Math.floor(t / every)
    const symbol = t - place * every < 2 ? (labels[place] ?? 0) : 0
    for (let k = 0; k < alphabet.size; k++) logits[t * alphabet.size + k] = 3 * uniform() + (k === symbol ? 4 : 0)
  }
  return logits
}

const logits = outputs()
for (const [name, languageModel] of Object.entries(models)) {
  for (const beam of [10, 100, 500]) {
    const search = prefixBeamSearch(alphabet, { beam, ...(languageModel && { languageModel }) })
    const times = []
    for (let round = 0; round < 5; round++) {
      const began = performance.now()
      await search.run(logits)
      times.push((performance.now() - began) / 1000)
    }
    const median = times.toSorted((a, b) => a - b)[2]
    const speed = (seconds / median).toFixed(0).padStart(5)
    process.stdout.write(`${name.padEnd(10)}  beam ${String(beam).padStart(3)}  ${speed} times real time\n`)
  }
}
