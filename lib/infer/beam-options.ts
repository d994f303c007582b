// Options of a beam search: what they are, their defaults, and the refusal of what they cannot be.
import { expectOptions, is, type Schema } from '../base/index.js'
import type { Ranking } from './hypotheses.js'
import type { DrawOptions } from './sampler.js'

/** How words are drawn in the place of the likeliest ones. */
export interface SampleOptions extends DrawOptions {
  /** Draws depend on it, on the number of the sentence in the list, and on the beam. Default: 1. */
  readonly seed?: number
}

/** Options of `beamSearch`. */
export interface BeamSearchOptions extends Ranking {
  /** Sentences that are continued at once; any number of others wait for the place of one that is done. */
  readonly sentences: number
  /** S: words of the longest sentence that is read. */
  readonly steps: number
  /** Beams of each sentence; 1 takes the likeliest word each time. Default: 5. */
  readonly beam?: number
  /** Words of the longest that is written, its end counted. Default: 100. */
  readonly longest?: number
  /** What every sentence begins with. Default: 1. */
  readonly begin?: number
  /** What ends it. Default: 2. */
  readonly end?: number
  /** Words that are never written. Default: 0 and `begin`. */
  readonly never?: readonly number[]
  /** No run of so many words comes twice in one hypothesis. Default: any may. */
  readonly noRepeat?: number
  /** Every beam draws its words by itself, in the place of the likeliest of all beams. Default: none does. */
  readonly sample?: SampleOptions
  /** Keeps of each word that is written how far each source word was looked at. Default: false. */
  readonly alignments?: boolean
}

/** Those of any search, however many sentences it continues and of whatever tokens. */
export const searchOptions: Schema<Omit<BeamSearchOptions, 'sentences' | 'steps' | 'begin' | 'end'>> = {
  beam: is.whole(1),
  longest: is.whole(1),
  never: is.numbers,
  noRepeat: is.whole(1),
  sample: is.object,
  alignments: is.flag,
  lengthPenalty: is.oneOf('none', 'mean', 'gnmt'),
  alpha: is.finite,
  coverage: is.finite,
}
const schema: Schema<BeamSearchOptions> = {
  ...searchOptions,
  sentences: is.needed(is.whole(1)),
  steps: is.needed(is.whole(1)),
  begin: is.whole(0),
  end: is.whole(0),
}
const draws: Schema<SampleOptions> = { temperature: is.positive, topK: is.whole(1), seed: is.whole(0) }

/** Options with their defaults. */
export interface BeamSettings {
  readonly sentences: number
  readonly steps: number
  readonly beam: number
  readonly longest: number
  readonly begin: number
  readonly end: number
  readonly never: readonly number[]
  readonly noRepeat: number | undefined
  readonly sample: { readonly temperature: number; readonly topK: number; readonly seed: number } | undefined
  readonly alignments: boolean
  readonly coverage: number
  readonly ranking: Ranking
  /** Sentences that are read at once, into places of those that are done: few, so that no place waits for long. */
  readonly reads: number
}

/** @throws OstrichError `ERR_OPTION` */
export function beamSettings(options: BeamSearchOptions): BeamSettings {
  expectOptions('beamSearch', options, schema)
  const { sentences, steps, beam = 5, longest = 100, begin = 1, end = 2, never = [0, begin] } = options
  const { noRepeat, sample, alignments = false, lengthPenalty = 'mean', coverage = 0 } = options
  const { alpha = lengthPenalty === 'gnmt' ? 0.6 : 1 } = options
  if (sample !== undefined) expectOptions('beamSearch[sample]', sample, draws)
  return {
    ...{ sentences, steps, beam, longest, begin, end, never, noRepeat, alignments, coverage },
    sample: sample && { temperature: sample.temperature ?? 1, topK: sample.topK ?? Infinity, seed: sample.seed ?? 1 },
    ranking: { lengthPenalty, alpha, coverage },
    reads: Math.ceil(sentences / 8),
  }
}
