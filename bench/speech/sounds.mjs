// Lines that nobody spoke: each symbol is a tone of its own over noise, so that a network can learn them. The same at every call.
import { PhiloxStream, speechSet } from '../../dist/data/index.js'

export const rate = 16_000

/** Symbols one after the other, each as long as the others, from 300 Hz up. */
function sung(draws, count, labels) {
  const each = count / labels.length
  const noise = () => 0.05 * (draws.next() / 2 ** 32 - 0.5)
  const tone = (i) => 300 + 100 * labels[Math.floor(i / each)]
  return Float32Array.from({ length: count }, (_, i) => 0.1 * Math.sin((2 * Math.PI * tone(i) * i) / rate) + noise())
}

const drawn = (draws, count, classes) => Array.from({ length: count }, () => 1 + draws.below(classes - 1))

/** One sound of so many seconds, with five symbols in each. */
export function madeUpSound(seconds) {
  const draws = new PhiloxStream(5, 0, 0)
  return sung(draws, Math.round(seconds * rate), drawn(draws, Math.ceil(5 * seconds), 62))
}

/** So many lines of one bucket: they last from 5/6 of the longest on, and have from half of the most labels on. */
export function madeUpLines(count, { seconds, labels, classes }) {
  const draws = new PhiloxStream(7, 0, 0)
  const longest = Math.round(seconds * rate)
  const utterances = Array.from({ length: count }, () => {
    const own = drawn(draws, labels - draws.below(Math.ceil(labels / 2)), classes)
    const samples = sung(draws, longest - draws.below(Math.floor(longest / 6)), own)
    return { sound: { samples, rate }, transcript: own.join(' ') }
  })
  const alphabet = { encode: (line) => Int32Array.from(line.split(' '), Number) }
  return speechSet(utterances, { alphabet, multiple: seconds, labels })
}
