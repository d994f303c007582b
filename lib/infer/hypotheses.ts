// What a beam search has written of one sentence: beams that go on, and those that have ended, ranked.
import { OstrichError } from '../graph/index.js'

/** How what has ended is ranked. */
export interface Ranking {
  /**
   * What a score is divided by, so that long sentences are not worse for each of their words: `none`; `mean`, the number of words to the
   * power of alpha; `gnmt`, ((5 + words) / 6) to the power of alpha (Wu et al. 2016, eq. 14). Default: `mean`.
   */
  readonly lengthPenalty?: 'none' | 'mean' | 'gnmt'
  /** Default: 1 for `mean`, 0.6 for `gnmt`. */
  readonly alpha?: number
  /** Weight of the sum of log(min(1, how far each source word was looked at)) (Wu et al. 2016, eq. 14). Default: 0. */
  readonly coverage?: number
}

/** One continuation of a sentence. */
export interface Hypothesis {
  /** Its words, without beginning and end. */
  readonly words: Int32Array
  /** log p of its words and its end. */
  readonly logProbability: number
  /** What it is ranked by: larger is better. */
  readonly score: number
  /** False where it had become too long before its end came. */
  readonly hasEnded: boolean
  /** Of each of its words, and its end, how far each word of the source was looked at; where it was asked for. */
  readonly alignment?: readonly Float32Array[]
}

/** A sentence that is continued. */
export interface Asked {
  /** Its number, for messages. */
  readonly sentence: number
  readonly words: Int32Array
}

/** What holds for the hypotheses of every sentence. */
export interface Rules {
  readonly beam: number
  readonly end: number
  readonly ranking: Ranking
}

/** What a step says of one sentence: the best words with the beams that they follow, and which of them go on. */
export interface Seen {
  readonly values: Float32Array
  readonly words: Int32Array
  readonly parents: Int32Array
  readonly chosen: Int32Array
  /** Of each beam before the step, the sum that coverage weighs. */
  readonly covered?: Float32Array | undefined
  /** Of each beam before the step, how far its word looked at each source word and at what stands behind, row after row. */
  readonly alignment?: Float32Array | undefined
}

interface Open {
  readonly words: readonly number[]
  readonly logProbability: number
  readonly covered: number
  readonly alignment?: readonly Float32Array[]
}

/** Below this nothing is possible. */
const IMPOSSIBLE = -1e29

const inOrder = (list: readonly Hypothesis[]): Hypothesis[] => list.toSorted((a, b) => b.score - a.score)

/** The beams of one sentence. */
export class Hypotheses {
  /** By beam; undefined where there was nothing more to say. */
  #open: readonly (Open | undefined)[] = [{ words: [], logProbability: 0, covered: 0 }]
  /** The best first, as many as there are beams. */
  #ended: readonly Hypothesis[] = []

  constructor(
    readonly asked: Asked,
    readonly rules: Rules,
  ) {}

  /**
   * Whether as many have ended as there are beams, and none that goes on is better than the last of these, at its present length. Without a
   * length penalty it can then become no better.
   */
  get isDone(): boolean {
    const open = this.#unended()
    const worst = this.#ended[this.rules.beam - 1]?.score
    return open.length === 0 || (worst !== undefined && open.every(({ score }) => score <= worst))
  }

  /** Takes the next word of each beam. @throws OstrichError `ERR_NOT_FINITE` */
  add({ values, words, parents, chosen, covered, alignment }: Seen): void {
    if (this.isDone) return
    const { beam, end } = this.rules
    if (values.some((value) => Number.isNaN(value))) {
      const got = `NaN for sentence ${this.asked.sentence}`
      throw new OstrichError('ERR_NOT_FINITE', `beamSearch: expected log-probabilities that are numbers, got ${got}`)
    }
    const looked = (parent: number): Float32Array => {
      const first = (parent * alignment!.length) / beam
      return alignment!.slice(first, first + this.asked.words.length)
    }
    const follow = (place: number): Open => {
      const parent = parents[place]!
      const before = this.#open[parent]
      return {
        words: [...(before?.words ?? []), words[place]!],
        logProbability: values[place]!,
        covered: covered?.[parent] ?? 0,
        ...(alignment && { alignment: [...(before?.alignment ?? []), looked(parent)] }),
      }
    }
    const ended = [...words.keys()].filter((place) => words[place] === end && values[place]! > IMPOSSIBLE)
    const known = [...this.#ended, ...ended.map((place) => this.#ranked(follow(place), true))]
    this.#ended = inOrder(known).slice(0, beam)
    this.#open = Array.from(chosen, (place) =>
      values[place]! > IMPOSSIBLE && words[place] !== end ? follow(place) : undefined,
    )
  }

  /** Of each beam, the words behind which its last `length` would have been there before. */
  repeating(length: number): readonly (readonly number[])[] {
    return this.#open.map((one) => (one === undefined ? [] : repeating(one.words, length)))
  }

  /** The best first: those that have ended before those that have not. */
  best(): readonly Hypothesis[] {
    return [...this.#ended, ...inOrder(this.#unended())].slice(0, this.rules.beam)
  }

  #unended(): readonly Hypothesis[] {
    return this.#open.flatMap((one) => (one === undefined ? [] : [this.#ranked(one, false)]))
  }

  #ranked({ words, logProbability, covered, alignment }: Open, hasEnded: boolean): Hypothesis {
    const { lengthPenalty = 'mean', alpha = lengthPenalty === 'gnmt' ? 0.6 : 1, coverage = 0 } = this.rules.ranking
    const length = Math.max(1, words.length)
    const divisor = { none: 1, mean: length ** alpha, gnmt: ((5 + length) / 6) ** alpha }[lengthPenalty]
    return {
      words: Int32Array.from(hasEnded ? words.slice(0, -1) : words),
      logProbability,
      score: logProbability / divisor + coverage * covered,
      hasEnded,
      ...(alignment && { alignment }),
    }
  }
}

/** What has followed the last `length` - 1 words wherever they stood before. */
function repeating(words: readonly number[], length: number): readonly number[] {
  const last = words.slice(words.length - (length - 1))
  const found = new Set<number>()
  for (let at = 0; at + length <= words.length; at++) {
    if (last.every((word, i) => words[at + i] === word)) found.add(words[at + length - 1]!)
  }
  return [...found]
}
