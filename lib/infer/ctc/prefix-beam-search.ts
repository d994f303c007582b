// Prefix beam search over the outputs of a network that was trained by connectionist temporal classification (CTC), with or without a language
// model: the likeliest transcripts, each by the sum over all its paths.
import { expectKind, expectOptions, is, OstrichError, type Schema } from '../../base/index.js'
import { Alphabet, type LanguageModel } from '../../data/index.js'
import { emissionsOf, type FrameOptions } from './emissions.js'
import { scorerOf } from './model-scorers.js'
import { PrefixSearch } from './prefixes.js'
import { noScorer, type Scorer } from './scorer.js'
import { type Transcript, transcriptOf } from './transcript.js'

/** Options of `prefixBeamSearch`. */
export interface PrefixBeamSearchOptions {
  /** Prefixes that are kept from frame to frame. Default: 100. */
  readonly beam?: number
  /** Prefixes whose score is so many nats below the best are dropped: 10 loses little and saves most of the time. Default: none are. */
  readonly prune?: number
  /** Transcripts of each utterance that are told, the best first. Default: 1. */
  readonly best?: number
  /** Of the alphabet's symbols, or of words where the alphabet is of characters, a space among them. Default: none. */
  readonly languageModel?: LanguageModel
  /** Weight of log p of each token of the language model, its end of the line among them. Default: 0.5. */
  readonly alpha?: number
  /** Added to the score for each token but the end of the line, in nats: makes up for what the model takes from long transcripts. Default: 0. */
  readonly beta?: number
  /**
   * Added for each token that the language model lacks, besides what it says of `<unk>`; -Infinity allows no others. A word gets it as soon as
   * no word of the model begins like it. Default: -10.
   */
  readonly unknown?: number
}

const schema: Schema<PrefixBeamSearchOptions> = {
  beam: is.whole(1),
  prune: is.kind('a number above 0', (value) => typeof value === 'number' && value > 0),
  best: is.whole(1),
  languageModel: is.withMethods('a language model', 'numberOf', 'open'),
  alpha: is.notNegative,
  beta: is.finite,
  unknown: is.kind('a number of at most 0', (value) => typeof value === 'number' && value <= 0),
}

/** A transcript, and how good the search thinks it is. */
export interface CtcHypothesis extends Transcript {
  /** log p of all paths that give it, as far as they have stayed in the beam, in nats. */
  readonly logProbability: number
  /** What it is ranked by: the same with alpha and beta. */
  readonly score: number
  /** Its share of exp of the scores of all transcripts that were left in the beam: how sure the search is of all of it. */
  readonly posterior: number
}

/** A search for transcripts. Made by `prefixBeamSearch`. */
export interface PrefixBeamSearch {
  /**
   * The best transcripts of each utterance: logits f32 [T, N, K], K the symbols of the alphabet. A list is empty where a language model that
   * allows no unknown words allows none of those in the beam. Calls may overlap; they run in order.
   * @throws DataError for another number of logits, lengths beyond T, more than 2^30 pairs of frame and label;
   *   OstrichError `ERR_OPTION`, `ERR_NOT_FINITE`
   */
  run(logits: Float32Array, options?: FrameOptions): Promise<readonly (readonly CtcHypothesis[])[]>
  /** Frees what the language model holds for it, behind the runs under way; a later run opens it anew. */
  dispose(): void
  /** The same, for `using`. */
  [Symbol.dispose](): void
}

/**
 * Opens a prefix beam search.
 * @throws OstrichError `ERR_OPTION`, also from `run` for a language model of other tokens than the alphabet's
 * @see Graves et al. 2006, "Connectionist temporal classification", 3.2; Hannun et al. 2014, "First-pass large vocabulary continuous speech
 *   recognition using bi-directional recurrent DNNs", algorithm 1, for the language model
 * @example
 * const search = train.prefixBeamSearch(alphabet, { beam: 100, languageModel: await readArpa('bigram.arpa'), alpha: 0.8, beta: 1 })
 * const [[best]] = await search.run(logits, { lengths })
 * console.log(best?.text, best?.words[0]?.start)
 */
export function prefixBeamSearch(alphabet: Alphabet, options: PrefixBeamSearchOptions = {}): PrefixBeamSearch {
  expectKind('prefixBeamSearch', 'alphabet', is.instance('an Alphabet', Alphabet), alphabet)
  expectOptions('prefixBeamSearch', options, schema)
  const { beam = 100, prune = Infinity, best = 1, languageModel: model } = options
  if (beam * (alphabet.size + 1) >= 2 ** 31) {
    const expected = `a beam for ${alphabet.size} symbols below ${Math.floor(2 ** 31 / (alphabet.size + 1))}`
    throw new OstrichError('ERR_OPTION', `prefixBeamSearch[beam]: expected ${expected}, got ${beam}`)
  }
  const { alpha = 0.5, beta = 0, unknown = -10 } = options
  const opened = async (): Promise<{ readonly scorer: Scorer; readonly search: PrefixSearch }> => {
    const scorer = model ? await scorerOf(alphabet, model, { alpha, beta, unknown }, beam) : noScorer
    return { scorer, search: new PrefixSearch(scorer, beam, alphabet.size, prune) }
  }
  let open: ReturnType<typeof opened> | undefined
  let turn: Promise<unknown> = Promise.resolve()
  const each = async (all: ReturnType<typeof emissionsOf>): Promise<readonly (readonly CtcHypothesis[])[]> => {
    open ??= opened()
    const { search } = await open.catch((error: unknown) => {
      open = undefined
      throw error
    })
    const found: (readonly CtcHypothesis[])[] = []
    for (const emissions of all) {
      const some = await search.run(emissions, best)
      found.push(some.map(({ labels, ...scores }) => ({ ...transcriptOf(alphabet, emissions, labels), ...scores })))
    }
    return found
  }
  const end = async (): Promise<void> => {
    const ended = open
    open = undefined
    ;(await ended)?.scorer.dispose()
  }
  const dispose = (): void => {
    turn = turn.then(end).catch(() => undefined)
  }
  return {
    async run(logits, frameOptions = {}) {
      const all = emissionsOf('prefixBeamSearch', alphabet, logits, frameOptions)
      const found = turn.then(() => each(all))
      turn = found.catch(() => undefined)
      return found
    },
    dispose,
    [Symbol.dispose]: dispose,
  }
}
