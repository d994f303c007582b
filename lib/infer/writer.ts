// What a search asks a network for: to read sentences, and to write them on word by word. Also how states of several owners stand side by side.
import { feed, type Tensor, trace } from '../graph/index.js'

/** Tensors [N, ...] by name. */
export type States = Readonly<Record<string, Tensor<'f32'>>>

/** A network that reads and writes, as those of `models` do (`models.lstmTranslator`). */
export interface Writer {
  /** Sentences i32 [S, N] of lengths i32 [N] -> what the first word is written from, and what each word looks at, [N, ...] all. */
  readonly read: (source: Tensor<'i32'>, lengths: Tensor<'i32'>) => { readonly states: States; readonly memory: States }
  /**
   * The next word after `word` i32 [N]: logits f32 [N, V], the states behind it, and perhaps how far each source word was looked at,
   * f32 [N, S]. Rows do not depend on each other: some may be further than others.
   */
  readonly write: (
    word: Tensor<'i32'>,
    states: States,
    memory: States,
  ) => { readonly logits: Tensor<'f32'>; readonly states: States; readonly alignment?: Tensor<'f32'> }
}

/** The tensors of one owner, named so that they can stand beside those of others. */
export const prefixed = (owner: string, tensors: States): States =>
  Object.fromEntries(Object.entries(tensors).map(([name, x]) => [`${owner}.${name}`, x]))

/** The tensors of one owner among all, by their own names. */
export const ownedBy = (owner: string, tensors: States): States =>
  Object.fromEntries(
    Object.entries(tensors).flatMap(([name, x]) =>
      name.startsWith(`${owner}.`) ? [[name.slice(owner.length + 1), x]] : [],
    ),
  )

/** Extents in so many rows of all that a network reads of sentences of so many steps. */
export function readingExtents(
  writer: Writer,
  { steps, sentences, rows }: Readonly<Record<'steps' | 'sentences' | 'rows', number>>,
): Record<string, readonly number[]> {
  const graph = trace({ name: 'extents' }, () => {
    const read = writer.read(feed('source', 'i32', [steps, sentences]), feed('lengths', 'i32', [sentences]))
    return { ...prefixed('state', read.states), ...prefixed('memory', read.memory) }
  })
  return Object.fromEntries(graph.fetches.map(({ name, tensor }) => [name, [rows, ...tensor.shape.slice(1)]]))
}
