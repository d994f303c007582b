// What a search asks of a language model, whatever that is: tokens by number, and how likely each is behind a history. Histories are numbers
// too, so that a search can hold thousands of them.
import type { TextUnit } from './vocabulary.js'

/** A language model that a search can ask: `NgramModel` is one, `networkLanguageModel` makes one of a network. */
export interface LanguageModel {
  /** What its tokens are. */
  readonly unit: TextUnit
  /** By number. */
  readonly tokens: readonly string[]
  /** What ends a line. */
  readonly end: number
  /** What stands for every token that it lacks; undefined where such a token is impossible. */
  readonly unknown: number | undefined
  /** The number of a token; undefined where it is none of them. A space is the token of a model of characters that parts words. */
  numberOf(token: string): number | undefined
  /** Opens histories for one search, which keeps at most so many of them from step to step. */
  open(most: number): Histories | Promise<Histories>
}

/** What lines can begin with, by number. A model that works elsewhere, such as on a device, gives promises. */
export interface Histories {
  /** Begins anew: all histories are forgotten. Gives that of a line that has not begun. */
  start(): number | Promise<number>
  /** log p of a token behind a history, in nats. */
  score(history: number, token: number): number
  /** Puts the history with token `tokens[i]` behind it in the place of `histories[i]`, for i below `count`. */
  extend(count: number, histories: Int32Array, tokens: Int32Array): void | Promise<void>
  /** The first `count` histories are still needed, and others no more. */
  keep(count: number, histories: Int32Array): void
  /** Frees what it holds. */
  dispose?(): void
}
