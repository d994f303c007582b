// What prefixes are worth besides what the frames say of them.

/**
 * Of each prefix, by its place in the beam: a history of a language model, and where its last word stands among the words of that. Both belong
 * to the scorer.
 */
export interface Marks {
  readonly histories: Int32Array
  readonly words: Int32Array
}

/** Scores prefixes. One that asks a model which works elsewhere gives promises. */
export interface Scorer {
  /** No symbol adds more than this. */
  readonly most: number
  /** Begins an utterance: sets the marks at place 0, of the empty prefix. */
  start(marks: Marks): void | Promise<void>
  /** What `symbol` adds behind a prefix with these marks. */
  gain(history: number, word: number, symbol: number): number
  /** Moves the marks at `count` places, each of which has taken the symbol of the same index. */
  grow(marks: Marks, count: number, places: Int32Array, symbols: Int32Array): void | Promise<void>
  /** The first `count` histories are still needed, and others no more. */
  keep(count: number, histories: Int32Array): void
  /** Adds to `gains` what the end of the line is worth behind the first `count` prefixes. */
  finish(marks: Marks, count: number, gains: Float64Array): void | Promise<void>
  /** Frees what the model holds for it. */
  dispose(): void
}

/** Of no language model. */
export const noScorer: Scorer = {
  most: 0,
  start(marks) {
    marks.histories[0] = 0
    marks.words[0] = 0
  },
  gain: () => 0,
  grow: () => undefined,
  keep: () => undefined,
  finish: () => undefined,
  dispose: () => undefined,
}
