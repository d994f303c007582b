// Autocompletion: what a text is likely to go on with, as it is typed. A model of words ranks the words that begin with what is
// typed; a model of characters searches for the likeliest ends of the word, a beam of streams at a time.
import { expectOptions, is } from '../base/index.js'
import { END_OF_LINE, UNKNOWN, type Vocabulary } from '../data/index.js'
import type { Model } from './model.js'
import type { Sampler } from './sampler.js'

/** One way to go on. */
export interface Completion {
  /** What is added to the text. */
  readonly text: string
  /** Of the whole word, given all that was typed before it (and of it). */
  readonly probability: number
}

/** Options of `completer`. */
export interface CompleterOptions {
  /** Beginnings that are followed at once, by a model of characters. Default: 12. */
  readonly beam?: number
  /** Characters of a completion at most, by a model of characters. Default: 24. */
  readonly longest?: number
}

/** A text that is being typed. Calls must not overlap. */
export interface Completer {
  /** Puts this text in the place of what was typed. @throws DataError for what the vocabulary lacks */
  read(text: string): Promise<void>
  /** The likeliest ends of the word under way, or next words behind a space; the likeliest first. */
  completions(most: number): Promise<readonly Completion[]>
}

/**
 * Completes what is typed with a language model.
 * @throws OstrichError `ERR_OPTION`; what `model.sampler` throws
 * @example
 * const typed = await train.completer(model, vocabulary)
 * await typed.read('the comp')
 * const [best] = await typed.completions(3) // { text: 'any', probability: 0.71 }
 */
export async function completer(
  model: Model,
  vocabulary: Vocabulary,
  options: CompleterOptions = {},
): Promise<Completer> {
  expectOptions('completer', options, { beam: is.whole(1), longest: is.whole(1) })
  const { beam = 12, longest = 24 } = options
  const streams = vocabulary.unit === 'word' ? 1 : beam
  const sampler = await model.sampler({ streams, probabilities: true })
  const reader = new Reader(sampler, vocabulary)
  return vocabulary.unit === 'word' ? new WordCompleter(reader) : new CharacterCompleter(reader, longest)
}

/** Keeps the model's state abreast of a text; all streams read the same. */
class Reader {
  readonly vocabulary: Vocabulary
  readonly sampler: Sampler
  #read: Int32Array = new Int32Array(0)
  #next: Float32Array | undefined

  constructor(sampler: Sampler, vocabulary: Vocabulary) {
    this.sampler = sampler
    this.vocabulary = vocabulary
  }

  /** Log-probabilities of the token behind these, [V]; reads only what is new where they go on from the last ones. */
  async next(tokens: Int32Array): Promise<Float32Array> {
    const { sampler } = this
    const known = this.#read
    const goesOn = known.length <= tokens.length && known.every((token, i) => tokens[i] === token)
    if (this.#next !== undefined && goesOn) await sampler.restore()
    else await sampler.start()
    let next = goesOn ? this.#next : undefined
    for (let at = next === undefined ? 0 : known.length; at < tokens.length; at++) {
      const drawn = await sampler.step(new Int32Array(sampler.streams).fill(tokens[at]!))
      next = drawn.logProbabilities!.slice(0, sampler.vocabulary)
    }
    await sampler.save()
    this.#read = tokens.slice()
    this.#next = next
    return next!
  }
}

/** A text always begins behind the end of a line: a model has seen nothing else there. */
function begin(vocabulary: Vocabulary): readonly number[] {
  const end = vocabulary.numberOf(vocabulary.unit === 'word' ? END_OF_LINE : '\n') ?? 0
  return [end]
}

class WordCompleter implements Completer {
  readonly #reader: Reader
  #next = new Float32Array(0)
  #prefix = ''

  constructor(reader: Reader) {
    this.#reader = reader
  }

  async read(text: string): Promise<void> {
    const { vocabulary } = this.#reader
    const border = /\S*$/.exec(text)!.index
    const history = text.slice(0, border)
    this.#prefix = text.slice(border)
    const tokens = vocabulary.encode(history)
    // The line under way has not ended, whatever reading it as a text says.
    const open = history !== '' && !history.endsWith('\n') ? tokens.subarray(0, -1) : tokens
    this.#next = (await this.#reader.next(
      Int32Array.from([...begin(vocabulary), ...open]),
    )) as Float32Array<ArrayBuffer>
  }

  completions(most: number): Promise<readonly Completion[]> {
    const { tokens } = this.#reader.vocabulary
    const possible: { word: string; probability: number }[] = []
    let total = 0
    for (const [i, word] of tokens.entries()) {
      if (word === END_OF_LINE || word === UNKNOWN || !word.startsWith(this.#prefix)) continue
      const probability = Math.exp(this.#next[i]!)
      total += probability
      if (word !== this.#prefix) possible.push({ word, probability })
    }
    possible.sort((a, b) => b.probability - a.probability)
    const ranked = possible.slice(0, most).map(({ word, probability }) => ({
      text: word.slice(this.#prefix.length),
      probability: probability / total,
    }))
    return Promise.resolve(ranked)
  }
}

/** A beginning of a completion, and the stream that has read it. */
interface Beginning {
  readonly text: string
  readonly logProbability: number
  readonly stream: number
}

class CharacterCompleter implements Completer {
  readonly #reader: Reader
  readonly #longest: number
  #next = new Float32Array(0)

  constructor(reader: Reader, longest: number) {
    this.#reader = reader
    this.#longest = longest
  }

  async read(text: string): Promise<void> {
    const { vocabulary } = this.#reader
    const tokens = Int32Array.from([...begin(vocabulary), ...vocabulary.encode(text)])
    this.#next = (await this.#reader.next(tokens)) as Float32Array<ArrayBuffer>
  }

  async completions(most: number): Promise<readonly Completion[]> {
    const { sampler } = this.#reader
    const done: Beginning[] = []
    let open: Beginning[] = [{ text: '', logProbability: 0, stream: 0 }]
    let next = this.#next
    for (let length = 0; open.length > 0; length++) {
      const longer = this.#longer(open, next, done)
      done.sort((a, b) => b.logProbability - a.logProbability)
      const worst = done.length >= most ? done[most - 1]!.logProbability : -Infinity
      longer.sort((a, b) => b.logProbability - a.logProbability)
      open = longer.filter(({ logProbability }) => logProbability > worst).slice(0, sampler.streams)
      if (open.length === 0 || length >= this.#longest) break
      next = await this.#read(open)
      open = open.map((one, stream) => ({ ...one, stream }))
    }
    await sampler.restore()
    return done.slice(0, most).map(({ text, logProbability }) => ({ text, probability: Math.exp(logProbability) }))
  }

  /** Every beginning with one more character; those that end there, as a word does, go to `done`. */
  #longer(open: readonly Beginning[], next: Float32Array, done: Beginning[]): Beginning[] {
    const { vocabulary } = this.#reader
    return open.flatMap((one) => {
      const row = next.subarray(one.stream * vocabulary.size, (one.stream + 1) * vocabulary.size)
      let ends = 0
      const longer: Beginning[] = []
      for (const [i, character] of vocabulary.tokens.entries()) {
        if (!isOfWord(character)) ends += Math.exp(row[i]!)
        else
          longer.push({ text: one.text + character, logProbability: one.logProbability + row[i]!, stream: one.stream })
      }
      if (one.text !== '') done.push({ ...one, logProbability: one.logProbability + Math.log(ends) })
      return longer
    })
  }

  /** Lets stream i read the last character of `open[i]` behind what its parent has read. */
  async #read(open: readonly Beginning[]): Promise<Float32Array<ArrayBuffer>> {
    const { sampler, vocabulary } = this.#reader
    const rows = Array.from({ length: sampler.streams }, (_, i) => open[Math.min(i, open.length - 1)]!)
    await sampler.select(Int32Array.from(rows, ({ stream }) => stream))
    const read = Int32Array.from(rows, ({ text }) => vocabulary.numberOf(Array.from(text).at(-1)!)!)
    return (await sampler.step(read)).logProbabilities as Float32Array<ArrayBuffer>
  }
}

/** Letters, digits and what stands within words. */
function isOfWord(character: string): boolean {
  return /^[\p{L}\p{N}'’-]$/u.test(character)
}

/** What completion saves a person who types a text. */
export interface Keystrokes {
  readonly words: number
  /** Keys without completion: every character. */
  readonly characters: number
  /** Keys with it. */
  readonly keys: number
  /** Share of the keys that are saved. */
  readonly saved: number
}

/**
 * Types a text with one completion offered at every moment: where it ends the word as it ends in the text, one key (Tab) takes
 * it, and the space behind it; otherwise the next character is typed. Words are what white space separates; `<unk>` is none.
 */
export async function keystrokes(typed: Completer, text: string): Promise<Keystrokes> {
  const count = { words: 0, characters: 0, keys: 0 }
  for (const { 0: word, index } of text.matchAll(/\S+/g)) {
    if (word === UNKNOWN) continue
    const behind = index + word.length
    count.words++
    count.characters += word.length + 1
    let length = 0
    for (; length < word.length; length++) {
      await typed.read(text.slice(0, index + length))
      const [best] = await typed.completions(1)
      if (best !== undefined && best.text === text.slice(index + length, behind)) break
    }
    // A word that was completed costs the key that took it; one typed to its end costs the space.
    count.keys += length + 1
  }
  return { ...count, saved: 1 - count.keys / Math.max(1, count.characters) }
}
