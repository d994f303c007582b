// What decoding finds of an utterance: its text, and each word with its time and how sure the network is of it.
import type { Alphabet } from '../../data/index.js'
import { alignLabels, type LabelSpan } from './alignment.js'
import type { Emissions } from './emissions.js'

/** A word in time; of an alphabet of words, each symbol is one. */
export interface TimedWord {
  readonly text: string
  /** Its first frame, and the one behind its last: times the seconds between frames they are its time. */
  readonly start: number
  readonly end: number
  /** Geometric mean of the probabilities of its symbols over their frames, on the likeliest path. */
  readonly confidence: number
}

/** What was said in an utterance, as a network has it. */
export interface Transcript {
  readonly text: string
  /** Numbers of the alphabet's symbols. */
  readonly labels: Int32Array
  readonly words: readonly TimedWord[]
  /** As that of a word, over all of them; 1 where there is none. */
  readonly confidence: number
}

/** The transcript of these labels. */
export function transcriptOf(alphabet: Alphabet, emissions: Emissions, labels: Int32Array): Transcript {
  const words = wordsOf(alphabet, alignLabels(emissions, labels))
  return {
    text: alphabet.decode(labels),
    labels,
    words: words.map((spans) => ({
      text: alphabet.decode(spans.map(({ label }) => label)),
      start: spans[0]!.start,
      end: spans.at(-1)!.end,
      confidence: confidenceOf(spans),
    })),
    confidence: confidenceOf(words.flat()),
  }
}

/** Labels of one word each: those between spaces, or one by one. */
function wordsOf(alphabet: Alphabet, spans: readonly LabelSpan[]): readonly (readonly LabelSpan[])[] {
  if (alphabet.unit === 'word') return spans.map((span) => [span])
  const space = alphabet.numberOf(' ')
  const words: LabelSpan[][] = [[]]
  for (const span of spans) {
    if (span.label === space) words.push([])
    else words.at(-1)!.push(span)
  }
  return words.filter(({ length }) => length > 0)
}

function confidenceOf(spans: readonly LabelSpan[]): number {
  const frames = spans.reduce((sum, { start, end }) => sum + end - start, 0)
  const sum = spans.reduce((total, { logProbability }) => total + logProbability, 0)
  return frames === 0 ? 1 : Math.exp(sum / frames)
}
