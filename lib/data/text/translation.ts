// Parallel text as numbers: batches of lines and their translations of about one pair of lengths, for networks that read one and write the other.
import { expectKind, expectOptions, is, type Schema } from '../../base/index.js'
import type { Dataset, FieldSpec } from '../dataset.js'
import { sequences, type SequencesOptions } from '../sequences.js'
import type { LinePairs, ParallelText } from './parallel-text.js'
import type { Tokenizer } from './tokenizer.js'

type Steps = FieldSpec & { readonly dtype: 'i32'; readonly batchAxis: 1; readonly varies: true }
type Count = { readonly dtype: 'i32'; readonly shape: readonly [] }

/** The fields of lines and their translations. */
export type TranslationFields = Readonly<Record<'source' | 'input' | 'target', Steps>> &
  Readonly<Record<'sourceLengths' | 'targetLengths', Count>>

/** Lines and their translations as sequences of numbers. */
export interface TranslationSet extends Dataset<TranslationFields> {
  /** The lines themselves: all that were given, also those that are too long to be in the set. */
  readonly pairs: LinePairs
  readonly tokenizers: Readonly<Record<'source' | 'target', Tokenizer>>
}

/** Options of `translationSet`: those of `sequences` that hold for both sides, and how lines become numbers. */
export interface TranslationOptions extends Pick<SequencesOptions, 'multiple' | 'tokens' | 'longest' | 'longer'> {
  readonly source: Tokenizer
  /** May be the tokenizer of the source. */
  readonly target: Tokenizer
  /** Gives the tokens of a source line from the last to the first (Sutskever, Vinyals & Le 2014). Default: false. */
  readonly reverse?: boolean
}

const tokenizer = is.needed(is.withMethods('a tokenizer', 'encode', 'decode'))
const schema: Schema<TranslationOptions> = {
  source: tokenizer,
  target: tokenizer,
  reverse: is.flag,
  multiple: is.anything,
  tokens: is.anything,
  longest: is.anything,
  longer: is.anything,
}

/**
 * Lines and their translations as a data set. Fields, i32: `source` [S, N], a line and its end; `input` [T, N], a beginning and the translation;
 * `target` [T, N], the translation and its end, one token ahead of `input`; `sourceLengths` and `targetLengths` [N]. Batches have a multiple of 3
 * steps on each side unless `multiple` says otherwise.
 * @throws DataError for options out of range, a line that is longer than the longest allowed; OstrichError `ERR_OPTION`
 * @example
 * const subwords = Subwords.of([...train.source, ...train.target])
 * const set = translationSet(train, { source: subwords, target: subwords, longest: 100, longer: 'leave out' })
 */
export function translationSet(pairs: LinePairs, options: TranslationOptions): TranslationSet {
  expectKind('translationSet', 'pairs', is.object, pairs)
  expectOptions('translationSet', options, schema)
  const { source, target, reverse = false, multiple = 3, ...more } = options
  const read = pairs.source.map((line) => {
    const ids = source.encode(line)
    return around(undefined, reverse ? ids.toReversed() : ids, source.special.eos)
  })
  const written = pairs.target.map((line) => target.encode(line))
  const fields = {
    source: read,
    input: written.map((ids) => around(target.special.bos, ids, undefined)),
    target: written.map((ids) => around(undefined, ids, target.special.eos)),
  }
  const { pad } = target.special
  const set = sequences(fields, {
    multiple,
    ...more,
    lengths: { sourceLengths: ['source'], targetLengths: ['input', 'target'] },
    pad: { source: source.special.pad, input: pad, target: pad },
  })
  return { ...set, pairs, tokenizers: { source, target } }
}

/** Numbers with one before or behind them. */
function around(before: number | undefined, ids: Int32Array, behind: number | undefined): Int32Array {
  const all = new Int32Array(ids.length + 1)
  all.set(ids, before === undefined ? 0 : 1)
  if (before !== undefined) all[0] = before
  if (behind !== undefined) all[ids.length] = behind
  return all
}

/** Parallel text as data sets. */
export interface TranslationSets {
  readonly train: TranslationSet
  readonly validation: TranslationSet
  readonly test?: TranslationSet
  /** What a person should know: pairs that were left out. */
  readonly notes: readonly string[]
}

/**
 * All parts of a parallel text, by the same tokenizers.
 * @throws what `translationSet` throws
 * @example
 * const text = await multi30k()
 * const subwords = Subwords.of([...text.train.source, ...text.train.target])
 * const { train, validation, test } = translationSets(text, { source: subwords, target: subwords })
 */
export function translationSets(
  { train, validation, test, notes }: ParallelText,
  options: TranslationOptions,
): TranslationSets {
  const set = (pairs: LinePairs): TranslationSet => translationSet(pairs, options)
  return { train: set(train), validation: set(validation), ...(test && { test: set(test) }), notes }
}
