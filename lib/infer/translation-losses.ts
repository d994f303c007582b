// How hard the words of known translations are to guess for a network that translates: each given the true words before it, and each given those
// that the network itself found likeliest. One compiled step writes a word of both kinds for many sentences at once.
import type { LinePairs, Tokenizer } from '../data/index.js'
import type { Tensor } from '../graph/index.js'
import { argmax, cast, concat, crossEntropy, less, reshape, where, zeros } from '../ops/index.js'
import { Decoder } from './decoder.js'
import type { Compiler, DecoderProgram } from './decoder-types.js'
import { bucketOf } from './line-groups.js'
import { ownedBy, prefixed, readingExtents, type States, type Writer } from './writer.js'

/** Runs that are under way at once. */
const IN_FLIGHT = 3
/** What a row is given that goes on with its own word. */
const OWN = -1

/** -log p of all words and ends of the translations together, in nats, and how many they are. */
export interface TranslationLosses {
  readonly forced: number
  readonly own: number
  readonly words: number
}

export interface TranslationLossOptions {
  readonly source: Tokenizer
  readonly target: Tokenizer
  /** Sentences at once. Default: 32. */
  readonly batch?: number
  /** Translations of more tokens, their end counted, are left out. Default: 100. */
  readonly longest?: number
}

interface Example {
  readonly source: Int32Array
  readonly target: Int32Array
}

/**
 * -log p of the tokens of `pairs.target`, by the true tokens before each (`forced`) and by the likeliest ones (`own`): the network then reads its own
 * argmax at each step, and is run for as many steps as the translation and its end have.
 */
export async function translationLosses(
  of: Compiler,
  writer: Writer,
  pairs: LinePairs,
  { source, target, batch = 32, longest = 100 }: TranslationLossOptions,
): Promise<TranslationLosses> {
  const examples = pairs.source
    .map((line, i) => ({ source: withEnd(source, line), target: withEnd(target, pairs.target[i]!) }))
    .filter((one) => one.target.length <= longest)
    .sort((a, b) => a.source.length - b.source.length || a.target.length - b.target.length)
  const losses = { forced: 0, own: 0, words: 0 }
  let reader: Reader | undefined
  try {
    for (let first = 0; first < examples.length; first += batch) {
      const some = examples.slice(first, first + batch)
      const steps = bucketOf(some.at(-1)!.source.length, Infinity)
      if (reader?.steps !== steps) {
        reader?.dispose()
        reader = new Reader(of, writer, steps, batch)
      }
      const { forced, own } = await reader.losses(some, target.special.bos)
      losses.forced += forced
      losses.own += own
      losses.words += some.reduce((sum, one) => sum + one.target.length, 0)
    }
  } finally {
    reader?.dispose()
  }
  return losses
}

function withEnd(tokenizer: Tokenizer, line: string): Int32Array {
  return Int32Array.of(...tokenizer.encode(line), tokenizer.special.eos)
}

interface Token {
  readonly dtype: 'i32'
}

/** The programs for sources of one length. */
class Reader {
  readonly steps: number
  readonly #batch: number
  readonly #decoder: Decoder
  readonly #read: DecoderProgram<{ readonly source: Token; readonly lengths: Token }, Readonly<Record<string, never>>>
  readonly #step: DecoderProgram<{ readonly given: Token; readonly target: Token }, { readonly losses: Tensor<'f32'> }>

  constructor(of: Compiler, writer: Writer, steps: number, batch: number) {
    this.steps = steps
    this.#batch = batch
    const rows = 2 * batch
    const states = { ...readingExtents(writer, { steps, sentences: batch, rows }), word: [rows, 1] }
    this.#decoder = new Decoder(of, { states })
    const twice = (x: Tensor<'f32'>): Tensor<'f32'> => concat([x, x], 0)
    this.#read = this.#decoder.prepare(
      ({ source, lengths }) => {
        const { states: first, memory } = writer.read(source, lengths)
        const all = Object.entries({ ...prefixed('state', first), ...prefixed('memory', memory) })
        return {
          outputs: {},
          states: { ...Object.fromEntries(all.map(([name, x]) => [name, twice(x)])), word: zeros([rows, 1]) },
        }
      },
      { source: { dtype: 'i32', shape: [steps, batch] }, lengths: { dtype: 'i32', shape: [batch] } },
    )
    this.#step = this.#decoder.prepare(
      ({ given, target }, before: States) => {
        const own = cast(reshape(before['word']!, [rows]), 'i32')
        const word: Tensor<'i32'> = where(less(given, 0), own, given)
        const { logits, states: after } = writer.write(word, ownedBy('state', before), ownedBy('memory', before))
        const scores = cast(logits, 'f32')
        return {
          outputs: { losses: crossEntropy(reshape(scores, [rows, -1]), reshape(target, [rows])) },
          states: { ...prefixed('state', after), word: cast(reshape(argmax(scores, -1), [rows, 1]), 'f32') },
        }
      },
      { given: { dtype: 'i32', shape: [rows] }, target: { dtype: 'i32', shape: [rows] } },
    )
  }

  /** Sums over the words of these examples, at most a batch of them. */
  async losses(
    examples: readonly Example[],
    begin: number,
  ): Promise<{ readonly forced: number; readonly own: number }> {
    const batch = this.#batch
    const source = new Int32Array(this.steps * batch)
    // A sentence that is not there is read as one word.
    const lengths = new Int32Array(batch).fill(1)
    for (const [i, { source: words }] of examples.entries()) {
      lengths[i] = words.length
      for (const [t, word] of words.entries()) source[t * batch + i] = word
    }
    const sums = { forced: 0, own: 0 }
    const take = async (t: number, running: Promise<{ readonly losses: Float32Array }>): Promise<void> => {
      const { losses } = await running
      for (const [i, { target }] of examples.entries()) {
        if (t >= target.length) continue
        sums.forced += losses[i]!
        sums.own += losses[batch + i]!
      }
    }
    await this.#read.run({ source, lengths })
    const waiting: Promise<void>[] = []
    const most = Math.max(...examples.map(({ target }) => target.length))
    for (let t = 0; t < most; t++) {
      const given = new Int32Array(2 * batch).fill(t === 0 ? begin : OWN)
      const target = new Int32Array(2 * batch)
      for (const [i, one] of examples.entries()) {
        if (t > 0) given[i] = one.target[t - 1] ?? OWN
        target[i] = target[batch + i] = one.target[t] ?? 0
      }
      const taken = take(t, this.#step.run({ given, target }))
      taken.catch(() => undefined)
      waiting.push(taken)
      if (waiting.length >= IN_FLIGHT) await waiting.shift()
    }
    await Promise.all(waiting)
    return sums
  }

  dispose(): void {
    this.#decoder.dispose()
  }
}
