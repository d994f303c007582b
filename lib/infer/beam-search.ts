// Beam search: the likeliest continuations of many sentences at once, by a network that reads a sentence and then writes another word by
// word. One compiled step writes a word of every beam, scores it and chooses the beams that go on; the host keeps the words, and what has
// ended. A sentence that is done gives its place to one that waits.
import { expectKind, is, OstrichError } from '../base/index.js'
import { PhiloxStream } from '../data/index.js'
import type { HostArray } from '../graph/index.js'
import { beamSettings, type BeamSearchOptions, type BeamSettings } from './beam-options.js'
import { readExtents, readStep, type Told, writeExtents, writeStep } from './beam-step.js'
import { decoder, type Decoder } from './decoder.js'
import type { Compiler } from './decoder-types.js'
import { type Asked, Hypotheses, type Hypothesis } from './hypotheses.js'
import { readingExtents, type Writer } from './writer.js'

/**
 * Opens a beam search over the weights of a session or of a loaded model.
 * @throws OstrichError `ERR_OPTION`, also for beams of more words than there are, and alignments of a network that tells none; what
 *   `decoder` throws
 * @see Sutskever, Vinyals & Le 2014, 3.2; Wu et al. 2016, "Google's neural machine translation system", 7, for `gnmt` and coverage.
 * @example
 * const search = await train.beamSearch(session, net, { sentences: 16, steps: 40, beam: 5, lengthPenalty: 'mean' })
 * const [[best]] = await search.run([Int32Array.of(12, 7, 2)])
 */
export async function beamSearch(of: Compiler, writer: Writer, options: BeamSearchOptions): Promise<BeamSearch> {
  expectKind('beamSearch', 'writer', is.withMethods('a network that reads and writes', 'read', 'write'), writer)
  const search = new BeamSearch(of, writer, beamSettings(options))
  await search.ready
  return search
}

/** A compiled program, as it is called here. */
interface Program<R> {
  readonly ready: Promise<unknown>
  run(inputs: Readonly<Record<string, HostArray>>): Promise<R>
}

/** A sentence in its place. */
interface Current {
  readonly asked: Asked
  readonly hypotheses: Hypotheses
  /** What each beam draws by. */
  readonly draws: readonly PhiloxStream[]
}

/** Rows of the states, `beam` of them, that belong to one sentence at a time. */
interface Place {
  readonly number: number
  /** None while it waits: then its rows write what nobody looks at. */
  current: Current | undefined
  /** Steps since it was read into: never more than `longest`, as networks may have room for no more. */
  age: number
}

/** Sentences that are continued by their likeliest words. Made by `beamSearch`. */
export class BeamSearch {
  readonly #settings: BeamSettings
  readonly #decoder: Decoder
  readonly #read: Program<object>
  readonly #write: Program<Told>
  readonly #places: readonly Place[]
  #turn: Promise<unknown> = Promise.resolve()

  /** @throws as `beamSearch` */
  constructor(of: Compiler, writer: Writer, settings: BeamSettings) {
    this.#settings = settings
    const { sentences, beam, longest } = settings
    this.#places = Array.from({ length: sentences }, (_, number) => ({ number, current: undefined, age: longest }))
    this.#decoder = decoder(of, { states: stateExtents(writer, settings, sentences * beam) })
    const [read, write] = [readExtents(settings), writeExtents(settings)]
    this.#read = this.#decoder.prepare(readStep(writer, settings), read)
    this.#write = this.#decoder.prepare(writeStep(writer, settings), write) as unknown as Program<Told>
  }

  /** Settles when the programs are compiled. */
  get ready(): Promise<unknown> {
    return Promise.all([this.#read.ready, this.#write.ready])
  }

  /**
   * The `beam` best continuations of each sentence, the best first; any number of sentences of words i32. They are the same whatever
   * sentences stand beside: to the bit on a CPU with AVX-512, to rounding elsewhere. Calls may overlap; they run in order.
   * @throws OstrichError `ERR_DATA` for a sentence without words, or longer than `steps`; `ERR_NOT_FINITE` where the network gives what is no number
   */
  run(sources: readonly Int32Array[]): Promise<readonly (readonly Hypothesis[])[]> {
    const found = this.#turn.then(() => this.#all(sources))
    this.#turn = found.catch(() => undefined)
    return found
  }

  async #all(sources: readonly Int32Array[]): Promise<readonly (readonly Hypothesis[])[]> {
    const { longest } = this.#settings
    const waiting = this.#longestFirst(sources)
    const found = Array.from<readonly Hypothesis[]>({ length: sources.length })
    // An earlier run may have ended in the middle.
    for (const place of this.#places) place.current = undefined
    for (;;) {
      await this.#fill(waiting)
      if (this.#places.every(({ current }) => current === undefined)) return found
      const told = await this.#write.run(this.#inputs())
      for (const place of this.#places) {
        place.age++
        if (place.current === undefined) continue
        const { asked, hypotheses } = place.current
        hypotheses.add(this.#seen(told, place.number))
        if (!hypotheses.isDone && place.age < longest) continue
        found[asked.sentence] = hypotheses.best()
        place.current = undefined
      }
    }
  }

  /** Those of most words first, so that the last ones to go on alone are short. */
  #longestFirst(sources: readonly Int32Array[]): Asked[] {
    const { steps } = this.#settings
    for (const [i, { length }] of sources.entries()) {
      if (length >= 1 && length <= steps) continue
      throw new OstrichError('ERR_DATA', `beamSearch: expected 1 to ${steps} words, got ${length} in sentence ${i}`)
    }
    const all = sources.map((words, sentence) => ({ words, sentence }))
    return all.toSorted((a, b) => b.words.length - a.words.length)
  }

  /**
   * Reads sentences that wait into free places, as many at once as one program reads. Places for which there is none are read into where
   * they have gone on for too long.
   */
  async #fill(waiting: Asked[]): Promise<void> {
    const { reads, longest } = this.#settings
    for (;;) {
      const free = this.#places.filter(({ current }) => current === undefined).toSorted((a, b) => b.age - a.age)
      const isWorn = ({ age }: Place): boolean => age >= longest
      const isDue = waiting.length > 0 && free.length >= Math.min(reads, waiting.length)
      const isBusy = free.length < this.#places.length
      if (!isDue && !(isBusy && free.some(isWorn))) return
      const places = free.slice(0, reads).filter((place, i) => i < waiting.length || isWorn(place))
      for (const place of places) place.current = this.#begun(waiting.shift())
      await this.#readInto(places)
      for (const place of places) place.age = 0
    }
  }

  #begun(asked: Asked | undefined): Current | undefined {
    if (asked === undefined) return undefined
    const { beam, sample } = this.#settings
    const beams = sample === undefined ? [] : Array.from({ length: beam }, (_, i) => i)
    const draws = beams.map((i) => new PhiloxStream(sample!.seed, asked.sentence, i))
    return { asked, hypotheses: new Hypotheses(asked, this.#settings), draws }
  }

  async #readInto(places: readonly Place[]): Promise<void> {
    const { steps, reads, beam } = this.#settings
    const source = new Int32Array(steps * reads)
    const lengths = new Int32Array(reads)
    const rows = new Int32Array(reads * beam)
    for (let i = 0; i < reads; i++) {
      // What is left of the program's room reads the last sentence again; where there is none, one word.
      const place = places[Math.min(i, places.length - 1)]!
      const words = place.current?.asked.words ?? Int32Array.of(0)
      lengths[i] = words.length
      for (const [t, word] of words.entries()) source[t * reads + i] = word
      for (let k = 0; k < beam; k++) rows[i * beam + k] = place.number * beam + k
    }
    await this.#read.run({ source, lengths, rows })
  }

  /** What each row may not write, and what it draws by, where that is asked for. */
  #inputs(): Readonly<Record<string, HostArray>> {
    const { sentences, beam, longest, end, noRepeat, sample } = this.#settings
    const barred = new Int32Array(noRepeat === undefined ? 0 : sentences * beam * longest).fill(end)
    const draws = new Float32Array(sample === undefined ? 0 : sentences * beam)
    for (const { number, current } of this.#places) {
      const first = number * beam
      if (noRepeat !== undefined) {
        const words = current?.hypotheses.repeating(noRepeat) ?? []
        for (const [k, own] of words.entries()) barred.set(own, (first + k) * longest)
      }
      // 24 bits are what f32 holds.
      for (const [k, stream] of current?.draws.entries() ?? []) draws[first + k] = (stream.next() >>> 8) / 2 ** 24
    }
    return { ...(noRepeat !== undefined && { barred }), ...(sample !== undefined && { draws }) }
  }

  /** The part of one place. */
  #seen(told: Told, number: number) {
    const { sentences, beam } = this.#settings
    const part = <A extends Float32Array | Int32Array>(array: A): A => {
      const each = array.length / sentences
      return array.subarray(number * each, (number + 1) * each) as A
    }
    const own = Int32Array.from({ length: beam }, (_, i) => i)
    const { values, words, parents, chosen, covered, alignment } = told
    return {
      ...{ values: part(values), words: part(words) },
      ...{ parents: parents ? part(parents) : own, chosen: chosen ? part(chosen) : own },
      ...{ covered: covered && part(covered), alignment: alignment && part(alignment) },
    }
  }

  /** Frees the programs. */
  dispose(): void {
    this.#decoder.dispose()
  }

  /** The same, for `using`. */
  [Symbol.dispose](): void {
    this.dispose()
  }
}

/** Extents of everything that steps hand on, so many rows of each. */
function stateExtents(writer: Writer, { steps, reads, coverage }: BeamSettings, rows: number) {
  const read = readingExtents(writer, { steps, sentences: reads, rows })
  const extents: Record<string, readonly number[]> = { ...read, word: [rows, 1], score: [rows, 1] }
  if (coverage !== 0) extents['coverage'] = [rows, steps]
  return extents
}
