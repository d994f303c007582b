// What scores of lines share: the lines that are compared, and, as the definitions of BLEU and chrF are programs in Python, words as that
// splits a text, and numbers as it prints them. Refuses sets of lines that are empty, of several lengths, or no texts.
import { VERSION } from '../../base/index.js'
import { describe } from '../dataset.js'
import { DataError } from '../errors.js'

/** @throws DataError unless there are texts, and every set of references has one for each of them */
export function expectLines(
  where: string,
  hypotheses: readonly string[],
  references: readonly (readonly string[])[],
): void {
  expectSome(where, hypotheses)
  const sets: unknown = references
  if (!Array.isArray(sets)) {
    throw new DataError(`${where}[references]: expected a list of sets of lines, got ${describe(sets)}`)
  }
  if (sets.length === 0) throw new DataError(`${where}[references]: expected at least one set of lines, got none`)
  for (const [i, lines] of references.entries()) expectAsMany(`${where}[references][${i}]`, lines, hypotheses)
}

/** The same for one set. @throws DataError */
export function expectLinePairs(where: string, hypotheses: readonly string[], references: readonly string[]): void {
  expectSome(where, hypotheses)
  expectAsMany(`${where}[references]`, references, hypotheses)
}

function expectSome(where: string, hypotheses: readonly string[]): void {
  expectTexts(`${where}[hypotheses]`, hypotheses)
  if (hypotheses.length === 0) throw new DataError(`${where}[hypotheses]: expected at least one line, got none`)
}

function expectAsMany(where: string, lines: readonly string[], { length }: readonly string[]): void {
  expectTexts(where, lines)
  if (lines.length === length) return
  throw new DataError(`${where}: expected as many lines as hypotheses, ${length}, got ${lines.length}`)
}

/** The references of one line, each as a set of one line. @throws DataError */
export function setsOfOne(where: string, references: readonly string[]): string[][] {
  expectTexts(`${where}[references]`, references)
  return references.map((line) => [line])
}

function expectTexts(where: string, lines: unknown): void {
  if (!Array.isArray(lines)) throw new DataError(`${where}: expected a list of texts, got ${describe(lines)}`)
  const other = lines.findIndex((line) => typeof line !== 'string')
  if (other >= 0) throw new DataError(`${where}[${other}]: expected a text, got ${describe(lines[other])}`)
}

const rareSpaces: ReadonlySet<number> = new Set([0x85, 0xa0, 0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000])

/** Whether Python's `str.split` parts words here: unlike `\s` at U+001C to U+001F and U+0085, and not at U+FEFF. */
function isSpace(code: number): boolean {
  if (code < 128) return code === 32 || (code >= 9 && code <= 13) || (code >= 28 && code <= 31)
  return (code >= 0x2000 && code <= 0x200a) || rareSpaces.has(code)
}

/** What white space parts. */
export function wordsOf(text: string): string[] {
  const words: string[] = []
  let from = 0
  for (let i = 0; i <= text.length; i++) {
    if (i < text.length && !isSpace(text.charCodeAt(i))) continue
    if (i > from) words.push(text.slice(from, i))
    from = i + 1
  }
  return words
}

/** A text without the white space at its end. */
export function trimmedEnd(text: string): string {
  let end = text.length
  while (end > 0 && isSpace(text.charCodeAt(end - 1))) end--
  return text.slice(0, end)
}

/** So many digits behind the point, as printf has it: what lies just between two such numbers becomes the even one. */
export function fixed(value: number, digits: number): string {
  const scaled = value * 10 ** digits
  // Only a whole number of halves of the last binary place can lie just between: 6.25, not 0.35.
  const isBetween = Number.isInteger(value * 2 ** (digits + 1)) && scaled % 1 === 0.5
  return (isBetween ? (2 * Math.round(scaled / 2)) / 10 ** digits : value).toFixed(digits)
}

/** How a score was made, in sacreBLEU's form, with this package in the place of its version. */
export function signatureOf(sets: number, parts: Readonly<Record<string, string | number>>): string {
  const pairs = Object.entries({ nrefs: sets, ...parts, version: `ostrich-${VERSION}` })
  return pairs.map(([name, value]) => `${name}:${value}`).join('|')
}
