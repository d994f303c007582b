// Lines of text in, translated lines out: a beam search for each of a few lengths of source, compiled when lines of that length first come.
// Refuses a line that is too long, unless it may be translated in parts.
import { expectKind, expectOptions, is, OstrichError, type Schema } from '../base/index.js'
import { SPECIAL_TOKENS, type Tokenizer } from '../data/text/tokenizer.js'
import { type BeamSearchOptions, searchOptions } from './beam-options.js'
import { type BeamSearch, beamSearch } from './beam-search.js'
import type { Compiler } from './decoder-types.js'
import type { Hypothesis } from './hypotheses.js'
import { bucketOf, type Group, groupsOf, partsOf, piecesOf } from './line-groups.js'
import type { Writer } from './writer.js'

/** Options of `lineTranslator`: those of `beamSearch`, and how lines become numbers and numbers lines. */
export interface LineTranslatorOptions extends Omit<BeamSearchOptions, 'sentences' | 'steps' | 'begin' | 'end'> {
  readonly source: Tokenizer
  /** May be the tokenizer of the source. */
  readonly target: Tokenizer
  /** Lines that are translated at once, at most; fewer where lines are so long that memory would be large. Default: 32. */
  readonly batch?: number
  /** Tokens of the longest line that is read, its end counted. Default: 128. */
  readonly steps?: number
  /** What becomes of a longer one: `split` translates it in parts, between words where it can, and joins these. Default: `refuse`. */
  readonly longer?: 'refuse' | 'split'
}

type Own = Pick<LineTranslatorOptions, 'source' | 'target' | 'batch' | 'steps' | 'longer'>

const tokenizer = is.needed(is.withMethods('a tokenizer', 'encode', 'decode'))
/** The options of `lineTranslator`. */
export const translatorOptions: Schema<LineTranslatorOptions> = {
  ...searchOptions,
  source: tokenizer,
  target: tokenizer,
  batch: is.whole(1),
  steps: is.whole(2),
  longer: is.oneOf('refuse', 'split'),
}

/** Options of `translate`. */
export interface TranslateOptions {
  /** Translations of each line, at most as many as there are beams. Default: 1. */
  readonly nBest?: number
  /** Number of the first line, for messages. Default: 1. */
  readonly first?: number
}

/** One translation of a line. */
export interface LineTranslation extends Omit<Hypothesis, 'alignment'> {
  readonly text: string
  /** Where `alignments` are asked for; none of a line in parts. */
  readonly looked?: Looked
}

/** How far each token of a line was looked at for each token of its translation. */
export interface Looked {
  /** The tokens as they read in the line, and its end. */
  readonly source: readonly string[]
  /** Those of the translation, and its end. */
  readonly target: readonly string[]
  /** For each target token a weight of each source token, with a sum of 1. */
  readonly weights: readonly Float32Array[]
}

/** A search that is compiled, or about to be. */
interface Program {
  readonly steps: number
  readonly size: number
  readonly search: Promise<BeamSearch>
}

/** Programs that are kept: one more, and the one that was used longest ago goes. */
const MOST_PROGRAMS = 8

/** A part of a line, with its end. */
interface Part {
  readonly line: number
  readonly tokens: Int32Array
}

/**
 * Translates lines of text with the weights of a session or a loaded model: any number of lines, in their order. An empty line comes out
 * empty; nothing is compiled before the first line.
 * @throws OstrichError `ERR_OPTION`
 * @example
 * using translator = train.lineTranslator(session, net, { source: subwords, target: subwords, beam: 5 })
 * const [[best]] = await translator.translate(['Ein Mann fährt Rad.'])
 * console.log(best.text, best.score)
 */
export function lineTranslator(of: Compiler, writer: Writer, options: LineTranslatorOptions): LineTranslator {
  return new LineTranslator(of, writer, options)
}

/** Lines in, translated lines out. Made by `lineTranslator`. */
export class LineTranslator {
  readonly #of: Compiler
  readonly #writer: Writer
  readonly #own: Required<Own>
  readonly #search: Omit<BeamSearchOptions, 'sentences' | 'steps'>
  /** By length and number of lines, the one that was used longest ago first. */
  readonly #programs = new Map<string, Program>()
  #turn: Promise<unknown> = Promise.resolve()
  #disposed = false

  /** @throws as `lineTranslator` */
  constructor(of: Compiler, writer: Writer, options: LineTranslatorOptions) {
    expectKind('lineTranslator', 'of', is.withMethods('a session or a model', 'compile'), of)
    expectKind('lineTranslator', 'writer', is.withMethods('a network that reads and writes', 'read', 'write'), writer)
    expectOptions('lineTranslator', options, translatorOptions)
    const { source, target, batch = 32, steps = 128, longer = 'refuse', ...search } = options
    const { bos: begin, eos: end } = target.special
    this.#of = of
    this.#writer = writer
    this.#own = { source, target, batch, steps, longer }
    this.#search = { ...search, begin, end }
  }

  /**
   * The likeliest translations of each line, the best first: at least one of each. Calls may overlap; they run in order.
   * @throws OstrichError `ERR_DATA` for a line of more tokens than `steps`, unless `longer` is `split`; `ERR_OPTION` for more translations
   *   than beams; what `beamSearch` throws
   */
  async translate(
    lines: readonly string[],
    options: TranslateOptions = {},
  ): Promise<readonly (readonly LineTranslation[])[]> {
    expectKind('translate', 'lines', is.listOf(is.text, 'lines'), lines)
    expectOptions('translate', options, { nBest: is.whole(1, this.#beam), first: is.whole(0) })
    const { nBest = 1, first = 1 } = options
    const parts = lines.flatMap((line, i) => this.#partsOf(line, i, first))
    const found = await this.#inTurn(() => this.#searched(parts))
    const byLine = lines.map((): { readonly tokens: Int32Array; readonly found: readonly Hypothesis[] }[] => [])
    for (const [i, { line, tokens }] of parts.entries()) byLine[line]!.push({ tokens, found: found[i]! })
    return byLine.map((own) => {
      if (own.length === 0) return [nothing]
      if (own.length === 1) return own[0]!.found.slice(0, nBest).map((one) => this.#line(one, own[0]!.tokens))
      return this.#joined(own.map((one) => one.found.slice(0, nBest)))
    })
  }

  /** Compiles what these lines need, so that translating them takes no longer than it must. @throws as `translate` */
  async prepare(lines: readonly string[]): Promise<void> {
    const parts = lines.flatMap((line, i) => this.#partsOf(line, i, 1))
    await this.#inTurn(async () => {
      for (const { steps, size } of this.#groups(parts)) await this.#program(steps, size)
    })
  }

  get #beam(): number {
    return this.#search.beam ?? 5
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#disposed) {
      throw new OstrichError('ERR_DISPOSED', 'lineTranslator: expected a live one, got one that was disposed')
    }
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => undefined)
    return done
  }

  #partsOf(line: string, i: number, first: number): Part[] {
    const { source, steps, longer } = this.#own
    if (line.trim() === '') return []
    const ids = source.encode(line)
    if (ids.length >= steps && longer === 'refuse') {
      const expected = `expected lines of at most ${steps - 1} tokens`
      throw new OstrichError('ERR_DATA', `lineTranslator: ${expected}, got ${ids.length} in line ${first + i}`)
    }
    return partsOf(ids, steps - 1, source).map((part) => ({
      line: i,
      tokens: Int32Array.of(...part, source.special.eos),
    }))
  }

  #groups(parts: readonly Part[]): readonly Group[] {
    const { batch, steps } = this.#own
    const lengths = parts.map(({ tokens }) => bucketOf(tokens.length, steps))
    return groupsOf(lengths, { batch, beam: this.#beam, known: [...this.#programs.values()] })
  }

  async #searched(parts: readonly Part[]): Promise<readonly (readonly Hypothesis[])[]> {
    const found = new Array<readonly Hypothesis[]>(parts.length)
    for (const { steps, size, places } of this.#groups(parts)) {
      const program = await this.#program(steps, size)
      const results = await program.run(places.map((place) => parts[place]!.tokens))
      for (const [i, place] of places.entries()) found[place] = results[i]!
    }
    return found
  }

  #program(steps: number, size: number): Promise<BeamSearch> {
    const key = `${steps} ${size}`
    const program = this.#programs.get(key) ?? this.#compiled(steps, size, key)
    this.#programs.delete(key)
    this.#programs.set(key, program)
    for (const [oldest, one] of this.#programs) {
      if (this.#programs.size <= MOST_PROGRAMS) break
      this.#programs.delete(oldest)
      free(one)
    }
    return program.search
  }

  #compiled(steps: number, size: number, key: string): Program {
    const search = beamSearch(this.#of, this.#writer, { ...this.#search, steps, sentences: size })
    // What does not compile now may do so later, where memory was short.
    search.catch(() => this.#programs.delete(key))
    return { steps, size, search }
  }

  #line({ alignment, ...found }: Hypothesis, tokens: Int32Array): LineTranslation {
    const { source, target } = this.#own
    const text = target.decode(found.words)
    if (alignment === undefined) return { ...found, text }
    const end = found.hasEnded ? [SPECIAL_TOKENS[target.special.eos]!] : []
    const written = [...piecesOf(target, found.words), ...end]
    return { ...found, text, looked: { source: piecesOf(source, tokens), target: written, weights: alignment } }
  }

  /** The best of all parts, the second ones, and so on; where a part has fewer, its last. */
  #joined(parts: readonly (readonly Hypothesis[])[]): LineTranslation[] {
    const most = Math.max(...parts.map(({ length }) => length))
    return Array.from({ length: most }, (_, k) => {
      const own = parts.map((found) => found[Math.min(k, found.length - 1)]!)
      const sum = (of: (one: Hypothesis) => number): number => own.reduce((total, one) => total + of(one), 0)
      return {
        text: own.map(({ words }) => this.#own.target.decode(words)).join(' '),
        words: Int32Array.of(...own.flatMap(({ words }) => [...words])),
        logProbability: sum(({ logProbability }) => logProbability),
        score: sum(({ score }) => score),
        hasEnded: own.every(({ hasEnded }) => hasEnded),
      }
    })
  }

  /** Frees the programs, behind what is under way. */
  dispose(): void {
    this.#disposed = true
    void this.#turn.then(() => {
      for (const program of this.#programs.values()) free(program)
      this.#programs.clear()
    })
  }

  /** The same, for `using`. */
  [Symbol.dispose](): void {
    this.dispose()
  }
}

/** Of an empty line. */
const nothing: LineTranslation = { text: '', words: new Int32Array(0), logProbability: 0, score: 0, hasEnded: true }

function free({ search }: Program): void {
  void search.then(
    (one) => {
      one.dispose()
    },
    () => undefined,
  )
}
