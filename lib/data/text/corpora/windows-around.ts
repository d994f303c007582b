// Which words are near each other: windows around each word of a sentence, of a width that is drawn.
import { PhiloxStream } from '../../philox.js'

/** Keeps these draws apart from all others of a seed. */
const DOMAIN = 0x5749

/** Pairs of words that are near each other: row i of both is one. */
export interface SkipGrams {
  /** Words of which the vector is trained: those around. */
  readonly inputs: Int32Array
  /** Words that are foretold: those in the middle. */
  readonly outputs: Int32Array
}

/**
 * Draws windows: how many words on each side of a word are near, from 1 to `window`, all as likely, so that near ones count more often.
 * @see word2vec.c
 */
export class DynamicWindows {
  readonly #window: number
  readonly #stream: PhiloxStream

  constructor(window: number, seed = 1, epoch = 0) {
    this.#window = window
    this.#stream = new PhiloxStream(seed, epoch, DOMAIN)
  }

  /** One for each word of a sentence. */
  of(sentence: Int32Array): Int32Array {
    return sentence.map(() => 1 + this.#stream.below(this.#window))
  }
}

/**
 * The pairs of skip-gram, in the order of word2vec's C program: for each word of a sentence the words around it, from left to right. There the
 * word in the middle is foretold by each of those around it, not the other way round as in the paper.
 * @param windows words on each side, one for each word of the sentence
 * @example skipGrams(Int32Array.of(7, 8, 9), Int32Array.of(1, 2, 1)) // inputs [8, 7, 9, 8], outputs [7, 8, 8, 9]
 */
export function skipGrams(sentence: Int32Array, windows: Int32Array): SkipGrams {
  const [inputs, outputs]: [number[], number[]] = [[], []]
  for (const [at, middle] of sentence.entries()) {
    const end = Math.min(sentence.length - 1, at + windows[at]!)
    for (let near = Math.max(0, at - windows[at]!); near <= end; near++) {
      if (near === at) continue
      inputs.push(sentence[near]!)
      outputs.push(middle)
    }
  }
  return { inputs: Int32Array.from(inputs), outputs: Int32Array.from(outputs) }
}
