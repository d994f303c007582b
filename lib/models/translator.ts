// What every translator here is: a network that reads a sentence and writes another, word by word, each given those before it.
import { OstrichError } from '../base/index.js'
import type { Tensor, Variable } from '../graph/index.js'
import type { Step } from '../nn/index.js'

/** Tensors by name. */
export type StatesByName = Readonly<Record<string, Tensor<'f32'>>>

/** What a translator has read: a row for each sentence in all of it. */
export interface Reading {
  /** What the first word is written from, [N, ...]: each further word has states of its own. */
  readonly states: StatesByName
  /** What every word may look at, [N, ...]. */
  readonly memory: StatesByName
}

/** One more word of each row. */
export interface Written {
  /** Of each word that may come, f32 [N, target vocabulary]. */
  readonly logits: Tensor<'f32'>
  readonly states: StatesByName
  /** How far each source word was looked at, f32 [N, S] with sums of 1; undefined for a network that does not look. */
  readonly alignment?: Tensor<'f32'>
}

/** An encoder and a decoder over indices of words; 0 is padding, and stands behind every sentence alone. */
export interface Translator {
  readonly layers: readonly Step[]
  readonly parameters: readonly Variable[]
  /**
   * Logits f32 [T, N, target vocabulary] of the words of a translation, each from the words before it: source i32 [S, N] of
   * lengths i32 [N], `before` i32 [T, N], a sign of beginning and the translation but for its end.
   */
  readonly logits: (source: Tensor<'i32'>, lengths: Tensor<'i32'>, before: Tensor<'i32'>) => Tensor<'f32'>
  /** What is read of sentences i32 [S, N] of lengths i32 [N]. */
  readonly read: (source: Tensor<'i32'>, lengths: Tensor<'i32'>) => Reading
  /** The next word after `word` i32 [N]: rows of states and memory may have been chosen anew since the last one. */
  readonly write: (word: Tensor<'i32'>, states: StatesByName, memory: StatesByName) => Written
}

/** @throws OstrichError `ERR_OPTION` in the name of a network whose sides cannot have one table */
export function expectShared(
  name: string,
  { source, target, shared }: { readonly source: number; readonly target: number; readonly shared: boolean },
): void {
  if (!shared || source === target) return
  const expected = `expected as many words of the source as of the target, ${target}`
  throw new OstrichError('ERR_OPTION', `${name}[shared]: ${expected}, got ${source}`)
}
