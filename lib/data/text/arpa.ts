// ARPA files, the form in which n-gram models are exchanged (Doug Paul's, of MIT Lincoln Laboratory): `\data\` with the number of n-grams of each
// order, then for each n-gram log10 p, its tokens, and log10 of its backoff weight. Refuses, by line, counts that do not agree with what follows,
// n-grams twice or of tokens that are no 1-gram, probabilities above 1, and a file that ends before `\end\`.
import { expectKind, expectOptions, is } from '../../base/index.js'
import { DataError, reasonOf } from '../errors.js'
import { Trie } from '../trie.js'
import { BEGIN, depthsOf, END, NgramModel } from './ngram-model.js'
import { readText } from './text.js'
import { type TextUnit, UNKNOWN } from './vocabulary.js'

/** Options of `readArpa`. */
export interface ArpaOptions {
  /** What its tokens are; a space is `<space>` among characters. Default: `word`. */
  readonly unit?: TextUnit
}

/** More tokens than any model has. */
const LONGEST = 20
/** As small as this is 0. */
const ZERO = -99

/**
 * Reads an n-gram model from an ARPA file, compressed by gzip or not.
 * @throws DataError for a file that is absent or damaged, with the line; OstrichError `ERR_OPTION`
 * @see Ney, Essen & Kneser 1994 and the manuals of SRILM and KenLM for the form
 * @example const trigram = await readArpa('lm.arpa.gz')
 */
export async function readArpa(path: string, options: ArpaOptions = {}): Promise<NgramModel> {
  expectKind('readArpa', 'path', is.text, path)
  expectOptions('readArpa', options, { unit: is.oneOf('word', 'character') })
  return parseArpa(await readText(path), options.unit, path)
}

/** The same of the contents of a file, which `where` names in messages. @throws DataError */
export function parseArpa(text: string, unit: TextUnit = 'word', where = 'arpa'): NgramModel {
  const lines = new Lines(text, where)
  while (lines.next() !== '\\data\\') if (lines.isOver) lines.fail('\\data\\', 'the end of the file')
  const counts = readCounts(lines)
  const builder = new Builder(lines)
  for (const [i, count] of counts.entries()) {
    const [order, section] = [i + 1, `\\${i + 1}-grams:`]
    if (lines.text !== section) lines.fail(section, lines.shown)
    let found = 0
    for (; !lines.next().startsWith('\\') && !lines.isOver; found++) {
      if (found === count) lines.fail(`${count} ${order}-grams, as \\data\\ says`, 'more')
      builder.add(lines.text, order)
    }
    if (found < count) lines.fail(`${count} ${order}-grams, as \\data\\ says`, `${found} before ${lines.shown}`)
  }
  if (lines.text !== '\\end\\') lines.fail('\\end\\', lines.shown)
  return builder.model(unit, counts.length)
}

/** The lines of a text that are not empty, one at a time. */
class Lines {
  text = ''
  isOver = false
  readonly #all: string
  readonly #where: string
  #at = 0
  #number = 0

  constructor(all: string, where: string) {
    this.#all = all
    this.#where = where
  }

  /** Goes on to the next line, which is empty behind the last. */
  next(): string {
    for (this.text = ''; this.text === '';) {
      if (this.#at >= this.#all.length) {
        this.isOver = true
        return ''
      }
      const end = this.#all.indexOf('\n', this.#at)
      const to = end < 0 ? this.#all.length : end
      this.text = this.#all.slice(this.#at, to).trim()
      this.#at = to + 1
      this.#number++
    }
    return this.text
  }

  get shown(): string {
    return this.isOver ? 'the end of the file' : is.shown(this.text)
  }

  fail(expected: string, got: string): never {
    throw new DataError(`${this.#where}:${this.#number}: expected ${expected}, got ${got}`)
  }
}

/** How many n-grams of each order there are said to be; the line behind them is the current one. */
function readCounts(lines: Lines): number[] {
  const counts: number[] = []
  while (lines.next().startsWith('ngram')) {
    const [, order, count] = /^ngram\s+(\d+)\s*=\s*(\d+)$/.exec(lines.text) ?? []
    if (Number(order) !== counts.length + 1 || counts.length === LONGEST) {
      lines.fail(`ngram ${counts.length + 1}=<count>, of at most ${LONGEST} tokens`, lines.shown)
    }
    counts.push(Number(count))
  }
  if (counts.length === 0) lines.fail('ngram 1=<count>', lines.shown)
  return counts
}

/** Takes n-grams as they come. */
class Builder {
  readonly #lines: Lines
  readonly #tokens: string[] = []
  readonly #numbers = new Map<string, number>()
  readonly #ngrams = new Trie()
  /** By node; what is undefined, or never came, is no n-gram. */
  readonly #values: (number | undefined)[] = []
  readonly #backoffs: (number | undefined)[] = []

  constructor(lines: Lines) {
    this.#lines = lines
  }

  /** A line of the section of this order: log10 p, tokens, perhaps the backoff. */
  add(line: string, order: number): void {
    const fields = line.split(/[ \t]+/)
    if (fields.length !== order + 1 && fields.length !== order + 2) {
      this.#lines.fail(`log10 p, ${order} tokens and perhaps a backoff`, `${fields.length} fields`)
    }
    const value = this.#number(fields[0]!, 'log10 p')
    if (value > 0) this.#lines.fail('log10 p of at most 0', fields[0]!)
    let node = 0
    for (let i = 1; i <= order; i++) node = this.#ngrams.grow(node, this.#numberOf(fields[i]!, order))
    if (this.#values[node] !== undefined) this.#lines.fail('each n-gram once', `${this.#lines.shown} again`)
    this.#values[node] = value
    const backoff = fields[order + 1]
    if (backoff !== undefined) this.#backoffs[node] = this.#number(backoff, 'a backoff')
  }

  model(unit: TextUnit, order: number): NgramModel {
    for (const token of [BEGIN, END]) {
      if (!this.#numbers.has(token)) this.#lines.fail(`${token} among the 1-grams`, 'none')
    }
    // A file may say nothing of unknown tokens.
    this.#numberOf(UNKNOWN, 1)
    const { size } = this.#ngrams
    return new NgramModel({
      ...{ unit, order, tokens: this.#tokens, ngrams: this.#ngrams },
      logProbabilities: Float64Array.from({ length: size }, (_, node) => this.#values[node] ?? NaN),
      backoffs: Float64Array.from({ length: size }, (_, node) => this.#backoffs[node] ?? 0),
    })
  }

  /** The logarithm to base e of what a field says to base 10. */
  #number(field: string, what: string): number {
    if (/^-inf/i.test(field)) return -Infinity
    const value = Number(field)
    if (!Number.isFinite(value)) this.#lines.fail(what, is.shown(field))
    return value <= ZERO ? -Infinity : value * Math.LN10
  }

  #numberOf(field: string, order: number): number {
    // The older files of CMU's tools have it in capitals.
    const token = field === '<UNK>' ? UNKNOWN : field
    const known = this.#numbers.get(token)
    if (known !== undefined) return known
    if (order > 1) this.#lines.fail('tokens of 1-grams', is.shown(token))
    this.#numbers.set(token, this.#tokens.length)
    return this.#tokens.push(token) - 1
  }
}

/**
 * Writes an n-gram model to an ARPA file, whole or not at all.
 * @throws DataError where it cannot be written
 * @example await writeArpa('bigram.arpa', learnNgrams(transcripts))
 */
export async function writeArpa(path: string, model: NgramModel): Promise<void> {
  expectKind('writeArpa', 'path', is.text, path)
  expectKind('writeArpa', 'model', is.instance('an NgramModel', NgramModel), model)
  const { placeFile } = await import('../cache.js')
  await placeFile(path, new TextEncoder().encode(arpaText(model))).catch((error: unknown) => {
    throw new DataError(`${path}: expected to write it, got ${reasonOf(error)}`, { cause: error })
  })
}

/** The contents of an ARPA file, to seven digits behind the point. */
export function arpaText({ order, counts, parts }: NgramModel): string {
  const { tokens, ngrams, logProbabilities, backoffs } = parts
  const depths = depthsOf(ngrams)
  const sections = counts.map((): string[] => [])
  for (let node = 1; node < ngrams.size; node++) {
    const depth = depths[node]!
    if (Number.isNaN(logProbabilities[node]!)) continue
    const words = Array.from(ngrams.sequence(node), (token) => tokens[token]!).join(' ')
    const backoff = depth < order && backoffs[node] !== 0 ? `\t${log10(backoffs[node]!)}` : ''
    sections[depth - 1]!.push(`${log10(logProbabilities[node]!)}\t${words}${backoff}`)
  }
  return [
    '\\data\\',
    ...counts.map((count, i) => `ngram ${i + 1}=${count}`),
    ...sections.flatMap((lines, i) => ['', `\\${i + 1}-grams:`, ...lines]),
    '',
    '\\end\\',
    '',
  ].join('\n')
}

function log10(value: number): string {
  return value === -Infinity ? String(ZERO) : String(Number((value / Math.LN10).toFixed(7)))
}
