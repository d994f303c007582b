// Strings of digits, joined of recordings of one digit each. Which ones a string has is drawn by seed and its place alone, so that more strings begin
// with the same ones; its sound is made when it is asked for, as all of them together would take ten times the memory of the recordings.
import type { Take } from '../audio/corpus.js'
import type { Utterance } from '../audio/speech-set.js'
import { PhiloxStream } from '../philox.js'

/** Tags of the streams that draw the strings of each part. */
const DOMAINS = { train: 0x66736474, validation: 0x66736476, test: 0x66736465 } as const

/** How strings are joined. */
export interface Joining {
  readonly part: keyof typeof DOMAINS
  readonly strings: number
  /** Digits of the longest. */
  readonly longest: number
  /** Seconds of the shortest and the longest pause. */
  readonly pauses: readonly [least: number, most: number]
  readonly seed: number
}

/** A string as it is drawn: pauses in samples, one before each recording and one behind the last. */
interface Drawn {
  readonly takes: readonly Take[]
  readonly pauses: readonly number[]
}

/** Draws strings of these recordings: a speaker, a length, and for each place a digit, a take of it and a pause. */
export function joinedStrings(takes: readonly Take[], joining: Joining): readonly Utterance[] {
  const { part, strings, seed } = joining
  const speakers = grouped(takes, ({ speaker }) => speaker).map((own) => grouped(own, ({ transcript }) => transcript))
  const rate = takes[0]!.sound.rate
  return Array.from({ length: strings }, (_, i) => {
    const drawn = draw(speakers, joining, rate, new PhiloxStream(seed, i, DOMAINS[part]))
    return {
      name: `fsdd ${part} ${i}`,
      speaker: drawn.takes[0]!.speaker,
      transcript: drawn.takes.map(({ transcript }) => transcript).join(' '),
      get sound() {
        return { samples: joined(drawn), rate }
      },
    }
  })
}

/** Groups in the order of their keys. */
function grouped(takes: readonly Take[], keyOf: (take: Take) => string): readonly (readonly Take[])[] {
  const keys = [...new Set(takes.map(keyOf))].sort()
  return keys.map((key) => takes.filter((take) => keyOf(take) === key))
}

function draw(
  speakers: readonly (readonly (readonly Take[])[])[],
  { longest, pauses: [least, most] }: Joining,
  rate: number,
  random: PhiloxStream,
): Drawn {
  const one = <T>(list: readonly T[]): T => list[random.below(list.length)]!
  const [from, to] = [Math.round(least * rate), Math.round(most * rate)]
  const digits = one(speakers)
  const length = 1 + random.below(longest)
  const takes = Array.from({ length }, () => one(one(digits)))
  const pauses = Array.from({ length: length + 1 }, () => from + random.below(to - from + 1))
  return { takes, pauses }
}

function joined({ takes, pauses }: Drawn): Float32Array {
  const parts = takes.map(({ sound }) => sound.samples)
  const samples = new Float32Array(
    parts.reduce((sum, { length }) => sum + length, 0) + pauses.reduce((sum, pause) => sum + pause, 0),
  )
  let at = 0
  for (const [i, part] of parts.entries()) {
    at += pauses[i]!
    samples.set(part, at)
    at += part.length
  }
  return samples
}
