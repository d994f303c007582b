// BLEU (Papineni et al. 2002) as sacreBLEU 2 defines it (Post 2018): words by the rules of mteval-v13a, n-grams of one to four
// words, the reference of the nearest length. Refuses what has no score: no lines, no references, lines without a counterpart.
import { expectOptions, is, OstrichError, type Schema } from '../../base/index.js'
import { commonOf, mostOf, ngramCounts } from './ngrams.js'
import { expectLines, fixed, setsOfOne, signatureOf, trimmedEnd, wordsOf } from './scored.js'

const ORDERS = 4

/**
 * What stands for an order of n-grams without a match (Chen & Cherry 2014): `exp`, half of a match, a quarter at the next such
 * order, and so on; `floor`, so much of a match; `add-k`, so much added to matches and totals of all orders but the first;
 * `none`, nothing, and a score of 0.
 */
export type BleuSmoothing = 'exp' | 'floor' | 'add-k' | 'none'

/** Values of the smoothings that have one, as Chen & Cherry use them. */
const usual: Readonly<Partial<Record<BleuSmoothing, number>>> = { floor: 0.1, 'add-k': 1 }

/** Options of `bleu` and `sentenceBleu`. */
export interface BleuOptions {
  /** How a line becomes words: by mteval-v13a, which parts punctuation from them, or at white space only. Default: `13a`. */
  readonly tokenize?: '13a' | 'none'
  /** Compares in lower case. Default: false. */
  readonly lowercase?: boolean
  /** Default: `exp`. */
  readonly smoothing?: BleuSmoothing
  /** That of `floor` or `add-k`, above 0. Default: 0.1 and 1. */
  readonly smoothingValue?: number
  /** Leaves out orders that the hypotheses are too short for. Default: of one sentence true, of many false. */
  readonly effectiveOrder?: boolean
}

const schema: Schema<BleuOptions> = {
  tokenize: is.oneOf('13a', 'none'),
  lowercase: is.flag,
  smoothing: is.oneOf('exp', 'floor', 'add-k', 'none'),
  smoothingValue: is.positive,
  effectiveOrder: is.flag,
}

/** What `bleu` finds. */
export interface BleuScore {
  /** From 0 to 100. */
  readonly score: number
  /** Percent of n-grams of 1, 2, 3 and 4 words that stand in a reference, smoothed. */
  readonly precisions: readonly number[]
  /** N-grams that stand in a reference, and all: of the hypotheses, by order, as counted. */
  readonly matches: readonly number[]
  readonly totals: readonly number[]
  /** exp(1 - referenceLength / hypothesisLength) where the hypotheses are the shorter, else 1. */
  readonly brevityPenalty: number
  /** Words of the hypotheses. */
  readonly hypothesisLength: number
  /** Words of the references, of each line the one of the nearest length, of two the shorter. */
  readonly referenceLength: number
  /**
   * How it was made, `nrefs:1|case:lc|eff:no|tok:13a|smooth:exp|version:ostrich-0.1.0`: scores compare, with those of sacreBLEU
   * too, where all but the version is the same.
   */
  readonly signature: string
  /** Signature, score and what it comes of in one line, as sacreBLEU prints them. */
  readonly text: string
}

/**
 * BLEU of a corpus: the geometric mean of the shares of its n-grams that stand in the references, times a penalty for being too
 * short. Lines are sentences as people write them, not words with spaces between; counts are summed over lines, then divided.
 * @param hypotheses the translations, one line each
 * @param references one set of lines or more, each as long as `hypotheses`
 * @throws DataError for no lines, no references, numbers of lines that differ; OstrichError `ERR_OPTION` for options
 * @see Papineni et al. 2002, ACL; Post 2018, WMT; the definition is that of sacreBLEU 2
 * @example
 * const { score, text } = bleu(translations, [test.en], { lowercase: true })
 */
export function bleu(
  hypotheses: readonly string[],
  references: readonly (readonly string[])[],
  options: BleuOptions = {},
): BleuScore {
  expectOptions('bleu', options, schema)
  return scoreOf('bleu', hypotheses, references, options)
}

/**
 * BLEU of one sentence, by default over the orders of n-grams that it has: to look at translations by, not to compare systems.
 * @param references one or more
 * @throws DataError for no references; OstrichError `ERR_OPTION` for options
 * @see Chen & Cherry 2014, WMT, for the smoothing
 * @example sentenceBleu('A man rides a bike.', ['A man is riding a bike.']).score
 */
export function sentenceBleu(hypothesis: string, references: readonly string[], options: BleuOptions = {}): BleuScore {
  expectOptions('sentenceBleu', options, schema)
  const sets = setsOfOne('sentenceBleu', references)
  return scoreOf('sentenceBleu', [hypothesis], sets, { ...options, effectiveOrder: options.effectiveOrder ?? true })
}

interface Counts {
  hypothesisLength: number
  referenceLength: number
  readonly matches: number[]
  readonly totals: number[]
}

function scoreOf(
  where: string,
  hypotheses: readonly string[],
  references: readonly (readonly string[])[],
  { tokenize = '13a', lowercase = false, smoothing = 'exp', smoothingValue, effectiveOrder = false }: BleuOptions,
): BleuScore {
  if (smoothingValue !== undefined && usual[smoothing] === undefined) {
    const words = 'expected smoothing floor or add-k beside it'
    throw new OstrichError('ERR_OPTION', `${where}[smoothingValue]: ${words}, got ${smoothing}`)
  }
  expectLines(where, hypotheses, references)
  const counts = countsOf(hypotheses, references, (line) => {
    const end = trimmedEnd(lowercase ? line.toLowerCase() : line)
    return wordsOf(tokenize === '13a' ? parted(end) : end)
  })
  const { hypothesisLength, referenceLength } = counts
  const value = smoothingValue ?? usual[smoothing]
  const signature = signatureOf(references.length, {
    case: lowercase ? 'lc' : 'mixed',
    eff: effectiveOrder ? 'yes' : 'no',
    tok: tokenize,
    smooth: value === undefined ? smoothing : `${smoothing}[${fixed(value, 2)}]`,
  })
  const brevityPenalty = penaltyOf(hypothesisLength, referenceLength)
  const { precisions, orders } = precisionsOf(counts, smoothing, value ?? 0)
  const used = effectiveOrder ? orders : ORDERS
  const logs = precisions.slice(0, used).reduce((sum, percent) => sum + Math.log(percent), 0)
  const score = orders === 0 ? 0 : brevityPenalty * Math.exp(logs / used)
  const ratio = referenceLength === 0 ? 0 : hypothesisLength / referenceLength
  const text =
    `BLEU|${signature} = ${fixed(score, 2)} ${precisions.map((percent) => fixed(percent, 1)).join('/')} (BP = ` +
    `${fixed(brevityPenalty, 3)} ratio = ${fixed(ratio, 3)} hyp_len = ${hypothesisLength} ref_len = ${referenceLength})`
  return { score, precisions, brevityPenalty, ...counts, signature, text }
}

function countsOf(
  hypotheses: readonly string[],
  references: readonly (readonly string[])[],
  prepare: (line: string) => string[],
): Counts {
  const zeros = (): number[] => new Array<number>(ORDERS).fill(0)
  const counts: Counts = { hypothesisLength: 0, referenceLength: 0, matches: zeros(), totals: zeros() }
  for (const [i, line] of hypotheses.entries()) {
    const compared = references.map((lines) => prepare(lines[i]!))
    addLine(counts, prepare(line), compared)
  }
  return counts
}

/** Section 2.1 of the paper: an n-gram matches as often as it stands in that reference which has it most often. */
function addLine(counts: Counts, hypothesis: readonly string[], references: readonly (readonly string[])[]): void {
  const length = hypothesis.length
  const nearest = references
    .map((words) => words.length)
    .reduce((a, b) => ((Math.abs(a - length) - Math.abs(b - length) || a - b) <= 0 ? a : b))
  counts.hypothesisLength += length
  counts.referenceLength += nearest
  let n = 0
  for (const [own, ...others] of ngramCounts([hypothesis, ...references], ORDERS)) {
    counts.totals[n]! += Math.max(0, length - n)
    counts.matches[n]! += commonOf(own!, others.reduce(mostOf))
    n++
  }
}

function penaltyOf(hypothesis: number, reference: number): number {
  if (hypothesis >= reference) return 1
  return hypothesis === 0 ? 0 : Math.exp(1 - reference / hypothesis)
}

/** Percents by order, and how many orders have n-grams; without any match all are 0, whatever the smoothing. */
function precisionsOf(
  { matches, totals }: Counts,
  smoothing: BleuSmoothing,
  value: number,
): { readonly precisions: readonly number[]; readonly orders: number } {
  const precisions = new Array<number>(ORDERS).fill(0)
  if (matches.every((count) => count === 0)) return { precisions, orders: 0 }
  let part = 1
  let orders = 0
  for (let n = 0; n < ORDERS; n++) {
    const added = smoothing === 'add-k' && n > 0 ? value : 0
    const [match, total] = [matches[n]! + added, totals[n]! + added]
    if (total === 0) break
    orders = n + 1
    if (match > 0) precisions[n] = (100 * match) / total
    else if (smoothing === 'exp') precisions[n] = 100 / ((part *= 2) * total)
    else if (smoothing === 'floor') precisions[n] = (100 * value) / total
  }
  return { precisions, orders }
}

/**
 * A line with spaces where mteval-v13a parts words: its four rules, one after the other, but for the spaces that its first sets
 * around spaces, which change nothing.
 */
function parted(line: string): string {
  const plain = line.replaceAll('<skipped>', '').replaceAll('-\n', '').replaceAll('\n', ' ')
  return ` ${withoutEntities(plain)} `
    .replace(/[!-&(-+/:-@[-`{-~]/g, ' $& ')
    .replace(/([^0-9])([.,])/g, '$1 $2 ')
    .replace(/([.,])([^0-9])/g, ' $1 $2')
    .replace(/([0-9])(-)/g, '$1 $2 ')
}

/** One after the other: `&amp;lt;` becomes `<`. */
function withoutEntities(line: string): string {
  if (!line.includes('&')) return line
  return line.replaceAll('&quot;', '"').replaceAll('&amp;', '&').replaceAll('&lt;', '<').replaceAll('&gt;', '>')
}
