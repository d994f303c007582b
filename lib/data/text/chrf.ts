// chrF (Popović 2015) and chrF++ (2017) as sacreBLEU 2 defines them: n-grams of one to six characters without white space, and
// of words where wanted. Refuses what has no score: no lines, no references, lines without a counterpart.
import { expectOptions, is, type Schema } from '../../base/index.js'
import { commonOf, ngramCounts } from './ngrams.js'
import { expectLines, fixed, setsOfOne, signatureOf, wordsOf } from './scored.js'

const CHARACTERS = 6
/** Recall counts so many times as much as precision. */
const BETA = 2

/** Options of `chrf` and `sentenceChrf`. */
export interface ChrfOptions {
  /** Words of the longest n-grams of words: 2 makes it chrF++. Default: 0. */
  readonly wordOrder?: number
  /** Compares in lower case. Default: false. */
  readonly lowercase?: boolean
}

const schema: Schema<ChrfOptions> = { wordOrder: is.whole(0, 9), lowercase: is.flag }

/** What `chrf` finds. */
export interface ChrfScore {
  /** From 0 to 100. */
  readonly score: number
  /** How it was made, `nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:ostrich-0.1.0`. */
  readonly signature: string
  /** Name, signature and score in one line, as sacreBLEU prints them. */
  readonly text: string
}

/**
 * chrF2 of a corpus: precision and recall of n-grams of characters, each averaged over their orders, in one F score. With
 * `wordOrder: 2` n-grams of one and two words are among them: chrF2++. Of several references a line is held to the nearest.
 * @param hypotheses the translations, one line each
 * @param references one set of lines or more, each as long as `hypotheses`
 * @throws DataError for no lines, no references, numbers of lines that differ; OstrichError `ERR_OPTION` for options
 * @see Popović 2015 and 2017, WMT; the definition is that of sacreBLEU 2
 * @example chrf(translations, [test.en], { wordOrder: 2 }).score
 */
export function chrf(
  hypotheses: readonly string[],
  references: readonly (readonly string[])[],
  options: ChrfOptions = {},
): ChrfScore {
  expectOptions('chrf', options, schema)
  return scoreOf('chrf', hypotheses, references, options)
}

/**
 * chrF2 of one sentence.
 * @param references one or more
 * @throws DataError for no references; OstrichError `ERR_OPTION` for options
 * @see Popović 2015, WMT
 * @example sentenceChrf('A man rides a bike.', ['A man is riding a bike.']).score
 */
export function sentenceChrf(hypothesis: string, references: readonly string[], options: ChrfOptions = {}): ChrfScore {
  expectOptions('sentenceChrf', options, schema)
  return scoreOf('sentenceChrf', [hypothesis], setsOfOne('sentenceChrf', references), options)
}

/** N-grams of one order: of the hypothesis, of the reference, of both. */
type Counts = [hypothesis: number, reference: number, common: number]

function scoreOf(
  where: string,
  hypotheses: readonly string[],
  references: readonly (readonly string[])[],
  { wordOrder = 0, lowercase = false }: ChrfOptions,
): ChrfScore {
  expectLines(where, hypotheses, references)
  const cased = (line: string): string => (lowercase ? line.toLowerCase() : line)
  const sums = Array.from({ length: CHARACTERS + wordOrder }, (): Counts => [0, 0, 0])
  for (const [i, line] of hypotheses.entries()) {
    const compared = references.map((lines) => cased(lines[i]!))
    for (const [order, counts] of nearestOf(cased(line), compared, wordOrder).entries()) {
      for (const [k, count] of counts.entries()) sums[order]![k]! += count
    }
  }
  const signature = signatureOf(references.length, {
    case: lowercase ? 'lc' : 'mixed',
    eff: 'yes',
    nc: CHARACTERS,
    nw: wordOrder,
    space: 'no',
  })
  const score = fScore(sums)
  return { score, signature, text: `chrF${BETA}${'+'.repeat(wordOrder)}|${signature} = ${fixed(score, 2)}` }
}

/** The counts beside the reference that gives the best score, of two the first. */
function nearestOf(hypothesis: string, references: readonly string[], wordOrder: number): Counts[] {
  const lines = [hypothesis, ...references].map(wordsOf)
  const compared = references.map((): Counts[] => [])
  const add = (sequences: readonly (readonly string[])[], orders: number): void => {
    let shorter = 0
    for (const [own, ...others] of ngramCounts(sequences, orders)) {
      const [all, ...wanted] = sequences.map(({ length }) => Math.max(0, length - shorter))
      // An order that a reference is too short for does not count against the hypothesis.
      for (const [i, count] of wanted.entries()) {
        compared[i]!.push([count === 0 ? 0 : all!, count, commonOf(own!, others[i]!)])
      }
      shorter++
    }
  }
  add(
    lines.map((words) => Array.from(words.join(''))),
    CHARACTERS,
  )
  if (wordOrder > 0) add(lines.map(withoutPunctuation), wordOrder)
  let [best, most] = [compared[0]!, fScore(compared[0]!)]
  for (const counts of compared.slice(1)) {
    const score = fScore(counts)
    if (score > most) [best, most] = [counts, score]
  }
  return best
}

/** Words, and the mark that one ends with, or else begins with, as another: one at most, so `(hi)` gives `(hi` and `)`. */
function withoutPunctuation(words: readonly string[]): string[] {
  return words.flatMap((word) => {
    if (word.length === 1) return [word]
    if (/[!-/:-@[-`{-~]$/.test(word)) return [word.slice(0, -1), word.slice(-1)]
    return /^[!-/:-@[-`{-~]/.test(word) ? [word.slice(0, 1), word.slice(1)] : [word]
  })
}

/** (1 + β²) P R / (β² P + R) in percent; P and R are means over the orders that both sides have n-grams of. */
function fScore(counts: readonly Counts[]): number {
  const both = counts.filter(([hypothesis, reference]) => hypothesis > 0 && reference > 0)
  const mean = (share: (counts: Counts) => number): number =>
    both.reduce((sum, one) => sum + share(one), 0) / both.length
  const precision = mean(([hypothesis, , common]) => common / hypothesis)
  const recall = mean(([, reference, common]) => common / reference)
  // Without any order both are NaN.
  return precision + recall > 0 ? (100 * (1 + BETA ** 2) * precision * recall) / (BETA ** 2 * precision + recall) : 0
}
