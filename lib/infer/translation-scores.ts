// What a network that translates is measured by: BLEU and chrF of what it writes, and how hard the words of the references are for it to guess.
import { expectKind, expectOptions, is } from '../base/index.js'
import { bleu, type BleuScore, chrf, type ChrfScore, DataError, type LinePairs } from '../data/index.js'
import type { Compiler } from './decoder-types.js'
import { type LineTranslatorOptions, lineTranslator, translatorOptions } from './line-translator.js'
import { translationLosses } from './translation-losses.js'
import type { Writer } from './writer.js'

/** Options of `translationScores`: those of `lineTranslator`, and how lines are compared. */
export interface TranslationScoresOptions extends LineTranslatorOptions {
  /** Compares translations and references in lower case, `case:lc` in signatures. Default: where the target's tokenizer reads in lower case. */
  readonly lowercase?: boolean
}

/** What `translationScores` finds. */
export interface TranslationScores {
  /** By mteval-v13a's words and exponential smoothing, against the lines as they stand. */
  readonly bleu: BleuScore
  readonly chrf: ChrfScore
  /** exp of the mean of -log p of the tokens of the references and their ends, each given the true tokens before it. */
  readonly forcedPerplexity: number
  /** The same where the network reads its own likeliest tokens in place of the true ones, for as many steps as each reference has. */
  readonly ownPerplexity: number
  /** The likeliest translation of each line. */
  readonly translations: readonly string[]
  /** Lines that the beam search translates in a second, compiling left out. */
  readonly linesPerSecond: number
}

/**
 * Measures a network that translates by lines and their translations. Lines that are too long are translated in parts unless `longer` says otherwise.
 * Perplexities are per token of the target's tokenizer, ends among them: they compare between networks of one tokenizer alone.
 * References of more than `longest` tokens are left out of them.
 * `ownPerplexity` is the evaluation of published PyTorch tutorials of sequence to sequence learning: the loss against the reference at each step of a
 * greedy decoding of the reference's length.
 * @throws DataError for no lines, or numbers of lines that differ; what `lineTranslator` throws
 * @see Papineni et al. 2002 and Popović 2015 for the scores; Williams & Zipser 1989 for teacher forcing
 * @example
 * const { bleu, forcedPerplexity } = await train.translationScores(session, net, text.test, { source: subwords, target: subwords, beam: 5 })
 * console.log(bleu.text, forcedPerplexity)
 */
export async function translationScores(
  of: Compiler,
  writer: Writer,
  pairs: LinePairs,
  options: TranslationScoresOptions,
): Promise<TranslationScores> {
  expectKind('translationScores', 'pairs', is.object, pairs)
  expectOptions('translationScores', options, { ...translatorOptions, lowercase: is.flag })
  const { lowercase = options.target.lowercase, longer = 'split', ...more } = options
  if (pairs.source.length !== pairs.target.length || pairs.source.length === 0) {
    const got = `${pairs.source.length} and ${pairs.target.length}`
    throw new DataError(`translationScores: expected lines and a translation of each, got ${got}`)
  }
  using translator = lineTranslator(of, writer, { ...more, longer })
  await translator.prepare(pairs.source)
  const began = performance.now()
  const found = await translator.translate(pairs.source)
  const seconds = (performance.now() - began) / 1000
  const translations = found.map(([best]) => best!.text)
  const { forced, own, words } = await translationLosses(of, writer, pairs, options)
  return {
    bleu: bleu(translations, [pairs.target], { lowercase }),
    chrf: chrf(translations, [pairs.target], { lowercase }),
    forcedPerplexity: Math.exp(forced / words),
    ownPerplexity: Math.exp(own / words),
    translations,
    linesPerSecond: translations.length / seconds,
  }
}
