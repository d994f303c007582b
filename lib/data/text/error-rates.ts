// What recognition is measured by: word, character and phoneme error rates, edits by the symbols of the references. Refuses what has no
// rate: no lines, lines without a counterpart, references without a symbol.
import { expectOptions, is, OstrichError, type Schema } from '../../base/index.js'
import { DataError } from '../errors.js'
import { oneSpace } from './alphabet.js'
import { countEdits, type Edits } from './edits.js'
import { expectLinePairs, wordsOf } from './scored.js'

/** Errors of many lines together. */
export interface ErrorRate extends Edits {
  /** Edits by symbols of the references: 0 is perfect, and above 1 there may be. */
  readonly rate: number
  /** Edits of all kinds. */
  readonly errors: number
  /** Words, characters or phonemes of the references. */
  readonly symbols: number
  readonly lines: number
  /** Lines with at least one error. */
  readonly wrongLines: number
  /** All of it in one line, as Kaldi prints it: `%WER 12.42 [ 96 / 773, 10 ins, 20 del, 66 sub ]`. */
  readonly text: string
}

/** Options of `wordErrorRate`. */
export interface WordErrorRateOptions {
  /** Compares in lower case. Default: false. */
  readonly lowercase?: boolean
}

/** Options of `characterErrorRate`. */
export interface CharacterErrorRateOptions extends WordErrorRateOptions {
  /** Spaces between words are characters too. Default: true. */
  readonly spaces?: boolean
}

/** Options of `phonemeErrorRate`. */
export interface PhonemeErrorRateOptions {
  /** What phonemes are measured as, such as `timitPhonemes`; those that become an empty text are left out. Default: as they are. */
  readonly fold?: Readonly<Record<string, string>>
}

/**
 * Adds up errors, line by line; a measure that is made while a network trains counts by one of these.
 * @example
 * const errors = new ErrorCount('WER')
 * errors.add(['one', 'two'], ['one', 'oh', 'two'])
 * errors.total().rate // 1 / 3
 */
export class ErrorCount {
  readonly #name: string
  #substitutions = 0
  #deletions = 0
  #insertions = 0
  #symbols = 0
  #lines = 0
  #wrongLines = 0

  /** @param name of the rate, as `total().text` has it */
  constructor(name: string) {
    this.#name = name
  }

  /** Takes the symbols of one line, and those that it should have. */
  add(hypothesis: readonly string[], reference: readonly string[]): void {
    const { substitutions, deletions, insertions } = countEdits(hypothesis, reference)
    this.#substitutions += substitutions
    this.#deletions += deletions
    this.#insertions += insertions
    this.#symbols += reference.length
    this.#lines++
    if (substitutions + deletions + insertions > 0) this.#wrongLines++
  }

  /** What has been added. The rate is NaN while no reference has had a symbol. */
  total(): ErrorRate {
    const [substitutions, deletions, insertions] = [this.#substitutions, this.#deletions, this.#insertions]
    const errors = substitutions + deletions + insertions
    const symbols = this.#symbols
    const rate = symbols === 0 ? NaN : errors / symbols
    const kinds = `${insertions} ins, ${deletions} del, ${substitutions} sub`
    return {
      ...{ rate, errors, substitutions, deletions, insertions, symbols, lines: this.#lines },
      wrongLines: this.#wrongLines,
      text: `%${this.#name} ${(100 * rate).toFixed(2)} [ ${errors} / ${symbols}, ${kinds} ]`,
    }
  }
}

/**
 * The word error rate of lines: substituted, deleted and inserted words by words of the references. Words are what white space parts.
 * @throws DataError for no lines, lines without a counterpart, references without a word; OstrichError `ERR_OPTION`
 * @see Levenshtein 1966; the rate as NIST's sclite has it, with the fewest edits
 * @example wordErrorRate(['one two'], ['one oh two']).text // '%WER 33.33 [ 1 / 3, 0 ins, 1 del, 0 sub ]'
 */
export function wordErrorRate(
  hypotheses: readonly string[],
  references: readonly string[],
  options: WordErrorRateOptions = {},
): ErrorRate {
  expectOptions('wordErrorRate', options, { lowercase: is.flag })
  const cased = casedBy(options)
  return measured('wordErrorRate', 'WER', hypotheses, references, (line) => wordsOf(cased(line)))
}

/**
 * The character error rate of lines. Characters are code points; white space is one space between words.
 * @throws as `wordErrorRate`
 * @example characterErrorRate(['ten'], ['tens']).rate // 0.25
 */
export function characterErrorRate(
  hypotheses: readonly string[],
  references: readonly string[],
  options: CharacterErrorRateOptions = {},
): ErrorRate {
  expectOptions('characterErrorRate', options, { lowercase: is.flag, spaces: is.flag })
  const cased = casedBy(options)
  const characters = (line: string): string[] => charactersOf(cased(line), options.spaces)
  return measured('characterErrorRate', 'CER', hypotheses, references, characters)
}

/**
 * The phoneme error rate of lines, whose phonemes white space parts, as TIMIT is measured with `{ fold: timitPhonemes }`.
 * @throws as `wordErrorRate`; DataError for a phoneme that `fold` does not know
 * @see Lee & Hon 1989, "Speaker-independent phone recognition using hidden Markov models", for the folding
 * @example phonemeErrorRate(['h# ix z'], ['h# ih s'], { fold: timitPhonemes }).rate // 1 / 3
 */
export function phonemeErrorRate(
  hypotheses: readonly string[],
  references: readonly string[],
  options: PhonemeErrorRateOptions = {},
): ErrorRate {
  const schema: Schema<PhonemeErrorRateOptions> = { fold: is.object }
  expectOptions('phonemeErrorRate', options, schema)
  const { fold } = options
  if (fold !== undefined) expectFolding(fold)
  const phonemes = (line: string): string[] => {
    const all = wordsOf(line)
    return fold === undefined ? all : all.map((phoneme) => folded(phoneme, fold)).filter((phoneme) => phoneme !== '')
  }
  return measured('phonemeErrorRate', 'PER', hypotheses, references, phonemes)
}

/** The characters of a line, white space as one space between words. */
export function charactersOf(line: string, spaces = true): string[] {
  const characters = Array.from(oneSpace(line))
  return spaces ? characters : characters.filter((character) => character !== ' ')
}

/** A letter and its accent are one character, as an alphabet has them, however a line has them. */
const casedBy =
  ({ lowercase = false }: WordErrorRateOptions) =>
  (line: string): string =>
    (lowercase ? line.toLowerCase() : line).normalize('NFC')

function expectFolding(fold: Readonly<Record<string, unknown>>): void {
  const other = Object.entries(fold).find(([, to]) => typeof to !== 'string')
  if (other === undefined) return
  throw new OstrichError('ERR_OPTION', `phonemeErrorRate[fold.${other[0]}]: expected a text, got ${is.shown(other[1])}`)
}

function folded(phoneme: string, fold: Readonly<Record<string, string>>): string {
  const to = Object.hasOwn(fold, phoneme) ? fold[phoneme] : undefined
  if (to !== undefined) return to
  throw new DataError(`phonemeErrorRate: expected phonemes that fold has, got ${JSON.stringify(phoneme)}`)
}

function measured(
  where: string,
  name: string,
  hypotheses: readonly string[],
  references: readonly string[],
  symbolsOf: (line: string) => readonly string[],
): ErrorRate {
  expectLinePairs(where, hypotheses, references)
  const count = new ErrorCount(name)
  for (const [i, line] of hypotheses.entries()) count.add(symbolsOf(line), symbolsOf(references[i]!))
  const total = count.total()
  if (total.symbols > 0) return total
  throw new DataError(`${where}[references]: expected lines with something in them, got empty ones`)
}
