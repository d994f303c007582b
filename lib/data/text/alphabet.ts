// What a network writes that is trained by connectionist temporal classification (CTC): symbols and their numbers, of which 0 is the blank, no
// symbol at all. A symbol is a character, or a word: a phoneme, a digit. Refuses lines with symbols that it lacks.
import { expectKind, is } from '../../base/index.js'
import { describe } from '../dataset.js'
import { DataError } from '../errors.js'
import type { TextUnit } from './vocabulary.js'

/** How the blank reads in a list of symbols. */
export const BLANK = '<blank>'

/** An alphabet as it is saved. */
export interface AlphabetData {
  readonly unit: TextUnit
  /** By number: the blank first. */
  readonly symbols: readonly string[]
}

/**
 * The symbols of transcripts by number, K with the blank, whose number is 0.
 *
 * A line is read in Unicode's form NFC, and its white space as one space between words.
 * @see Graves et al. 2006, "Connectionist temporal classification", for the blank
 * @example
 * const alphabet = Alphabet.of(['ten to two', 'one'], 'character')
 * alphabet.encode('two') // Int32Array [5, 6, 4]: the blank, a space, e, n, o, t, w have the numbers 0 to 6
 * alphabet.decode([5, 6, 4]) // 'two'
 */
export class Alphabet {
  readonly unit: TextUnit
  /** By number: `<blank>` first. They are what a network's classes are called. */
  readonly symbols: readonly string[]
  /** The number of the blank. */
  readonly blank = 0
  readonly #numbers: ReadonlyMap<string, number>

  /** @throws DataError for symbols that do not begin with `<blank>`, are none of the unit's, or one of them twice */
  constructor(data: AlphabetData) {
    const { unit, symbols } = expectData(data)
    this.unit = unit
    this.symbols = [...symbols]
    this.#numbers = new Map(symbols.map((symbol, number) => [symbol, number]))
    if (this.#numbers.size === symbols.length) return
    const twice = symbols.find((symbol, number) => this.#numbers.get(symbol) !== number)
    throw new DataError(`alphabet[symbols]: expected each symbol once, got ${JSON.stringify(twice)} twice`)
  }

  /**
   * The symbols of lines, in the order of their code units.
   * @throws DataError where there are none; OstrichError `ERR_OPTION` for lines that are one text
   */
  static of(lines: Iterable<string>, unit: TextUnit): Alphabet {
    const some = is.kind('lines of text', (value) => is.object.accepts(value) && Symbol.iterator in (value as object))
    expectKind('alphabet', 'lines', some, lines)
    expectKind('alphabet', 'unit', is.oneOf('character', 'word'), unit)
    const found = new Set<string>()
    for (const line of lines) {
      expectKind('alphabet', 'lines', is.kind('lines of text', is.text.accepts), line)
      for (const symbol of symbolsOf(line, unit)) found.add(symbol)
    }
    if (found.size === 0) throw new DataError('alphabet: expected lines with symbols, got none')
    return new Alphabet({ unit, symbols: [BLANK, ...[...found].sort()] })
  }

  /** K: symbols, the blank among them. */
  get size(): number {
    return this.symbols.length
  }

  /** The number of a symbol; undefined where it is none of them. */
  numberOf(symbol: string): number | undefined {
    return symbol === BLANK ? undefined : this.#numbers.get(symbol)
  }

  /**
   * The symbols of a line as numbers, none of them the blank.
   * @param what names the line in messages
   * @throws DataError for a symbol that is not in the alphabet
   */
  encode(line: string, what = 'line'): Int32Array {
    const symbols = symbolsOf(line, this.unit)
    return Int32Array.from(symbols, (symbol, place) => {
      const number = this.numberOf(symbol)
      if (number !== undefined) return number
      const all = this.symbols.slice(1).join(this.unit === 'character' ? '' : ' ')
      const known = JSON.stringify(all.length > 200 ? `${all.slice(0, 197)}...` : all)
      const kind = this.unit === 'character' ? 'characters' : 'words'
      const got = `${JSON.stringify(symbol)} at ${place}`
      throw new DataError(`${what}: expected ${kind} of the alphabet (${known}), got ${got}`)
    })
  }

  /** The line of labels: words with one space between, blanks leave nothing. @throws DataError for a number that is none of a symbol */
  decode(labels: Iterable<number>): string {
    const symbols: string[] = []
    for (const label of labels) {
      const symbol = this.symbols[label]
      if (symbol === undefined) throw new DataError(`decode: expected labels in [0, ${this.size}), got ${label}`)
      if (label !== this.blank) symbols.push(symbol)
    }
    return oneSpace(symbols.join(this.unit === 'character' ? '' : ' '))
  }

  /**
   * The labels of a path, one number for each frame: repeats are one label, blanks none (Graves et al. 2006, 3.1).
   * @example alphabet.collapse([0, 3, 3, 0, 3, 1]) // Int32Array [3, 3, 1]
   */
  collapse(path: ArrayLike<number>): Int32Array {
    const labels: number[] = []
    for (let frame = 0; frame < path.length; frame++) {
      const label = path[frame]!
      if (label !== this.blank && (frame === 0 || label !== path[frame - 1])) labels.push(label)
    }
    return Int32Array.from(labels)
  }

  /** What a checkpoint holds of it. */
  toJSON(): AlphabetData {
    return { unit: this.unit, symbols: this.symbols }
  }
}

function expectData(given: unknown): AlphabetData {
  if (typeof given !== 'object' || given === null) {
    throw new DataError(`alphabet: expected { unit, symbols }, got ${describe(given)}`)
  }
  const { unit, symbols } = given as Partial<AlphabetData>
  if (unit !== 'word' && unit !== 'character') {
    throw new DataError(`alphabet[unit]: expected word or character, got ${String(unit)}`)
  }
  if (!Array.isArray(symbols) || !symbols.every((symbol) => typeof symbol === 'string') || symbols.length < 2) {
    throw new DataError(`alphabet[symbols]: expected the blank and at least one symbol, got ${describe(symbols)}`)
  }
  const all: readonly string[] = symbols
  if (all[0] !== BLANK) {
    throw new DataError(`alphabet[symbols]: expected ${BLANK} as the first, got ${JSON.stringify(all[0])}`)
  }
  const other = all.slice(1).find((symbol) => !isSymbol(symbol, unit))
  if (other === undefined) return { unit, symbols: all }
  const kind = unit === 'character' ? 'single characters' : 'words without white space'
  throw new DataError(`alphabet[symbols]: expected ${kind}, got ${JSON.stringify(other)}`)
}

/** Whether lines of this unit can have the symbol: it is then what reading it gives. */
function isSymbol(symbol: string, unit: TextUnit): boolean {
  if (unit === 'character' && symbol === ' ') return true
  const [first, ...more] = symbolsOf(symbol, unit)
  return first === symbol && more.length === 0
}

function symbolsOf(line: string, unit: TextUnit): string[] {
  const text = oneSpace(line.normalize('NFC'))
  if (unit === 'character') return Array.from(text)
  return text === '' ? [] : text.split(' ')
}

/** A line with one space between its words. */
export function oneSpace(line: string): string {
  return line.trim().replace(/\s+/gu, ' ')
}
