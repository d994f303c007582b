// Tagged sentences as numbers: for each word its place in the vocabulary, those of its endings, and its shape, so that words which
// training never met are still known by how they are written. 0 is padding, 1 what is not in a vocabulary.
import type { Dataset, FieldSpec } from '../dataset.js'
import { sequences } from '../sequences.js'
import { DataError } from '../errors.js'

/** Words of one sentence, and the tag of each. */
export interface TaggedSentence {
  readonly words: readonly string[]
  readonly tags: readonly string[]
}

/** Sizes of the vocabularies of `WordCoder`, 0 and 1 among them: lower-cased words, endings of three and of two letters. */
export interface WordCoderSizes {
  readonly words: number
  readonly endings: number
  readonly shortEndings: number
}

/** Numbers of a word. */
export const WORD_FIELDS = 4
/** Different shapes of a word, 0 among them. */
export const SHAPES = 13

/** Makes the numbers of words: place in the vocabulary, three letters at the end, two letters at the end, shape. */
export class WordCoder {
  readonly #tables: readonly ReadonlyMap<string, number>[]

  /** @param words the words of a training text, each as often as it stands there; what stands there once is unknown */
  constructor(words: Iterable<string>, { words: most, endings, shortEndings }: WordCoderSizes) {
    const counts = [0, 3, 2].map(() => new Map<string, number>())
    for (const word of words) {
      for (const [i, part] of partsOf(word).entries()) counts[i]!.set(part, (counts[i]!.get(part) ?? 0) + 1)
    }
    this.#tables = [most, endings, shortEndings].map((size, i) => tableOf(counts[i]!, size))
  }

  /** Four numbers for each word. */
  encode(words: readonly string[]): Int32Array {
    const codes = new Int32Array(words.length * WORD_FIELDS)
    for (const [i, word] of words.entries()) {
      for (const [k, part] of partsOf(word).entries()) codes[i * WORD_FIELDS + k] = this.#tables[k]!.get(part) ?? 1
      codes[i * WORD_FIELDS + 3] = shapeOf(word)
    }
    return codes
  }
}

/** The word and its endings, in lower case. */
function partsOf(word: string): readonly [string, string, string] {
  const low = word.toLowerCase()
  return [low, low.slice(-3), low.slice(-2)]
}

/** The most frequent of those that stand there more than once, from 2 on; of as many the first in the order of code units. */
function tableOf(counts: ReadonlyMap<string, number>, size: number): ReadonlyMap<string, number> {
  const known = [...counts].filter(([, count]) => count > 1)
  const ranked = known.sort(([a, many], [b, few]) => few - many || (a < b ? -1 : 1))
  return new Map(ranked.slice(0, size - 2).map(([part], i) => [part, i + 2]))
}

/** 1 + capitals (none, the first letter, several) + 3 for a digit + 6 for a hyphen. */
function shapeOf(word: string): number {
  const capitals = word.match(/[A-Z]/g)?.length ?? 0
  const cased = capitals === 0 ? 0 : capitals === 1 && /^[A-Z]/.test(word) ? 1 : 2
  return 1 + cased + (/\d/.test(word) ? 3 : 0) + (/.-./.test(word) ? 6 : 0)
}

/** The tag that each word has most often; of as many the first in the order of code units. */
export function usualTags(sentences: readonly TaggedSentence[]): (word: string) => string {
  const counts = new Map<string, Map<string, number>>()
  const all = new Map<string, number>()
  for (const { words, tags } of sentences) {
    for (const [i, word] of words.entries()) {
      const own = counts.get(word) ?? new Map<string, number>()
      counts.set(word, own)
      for (const count of [own, all]) count.set(tags[i]!, (count.get(tags[i]!) ?? 0) + 1)
    }
  }
  const usual = (tags: ReadonlyMap<string, number>): string => {
    return [...tags].sort(([a, many], [b, few]) => few - many || (a < b ? -1 : 1))[0]![0]
  }
  const common = usual(all)
  const known = new Map(Array.from(counts, ([word, tags]) => [word, usual(tags)]))
  return (word) => known.get(word) ?? common
}

/** Tagged sentences as sequences of numbers. */
export type TaggedSet = Dataset<
  Readonly<Record<'x' | 'target' | 'usual' | 'lengths', FieldSpec & { readonly dtype: 'i32' }>>
>

/** How tagged sentences become numbers. */
export interface TagCoding {
  readonly words: WordCoder
  /** The most frequent tag of a word. */
  readonly usual: (word: string) => string
  /** What the numbers of tags stand for. */
  readonly classes: readonly string[]
}

/**
 * Sentences as a data set of sequences: `x` i32 [T, N, 4], `target` and `usual` (the most frequent tag of each word) i32 [T, N], `lengths`
 * i32 [N].
 * @throws DataError for a tag that is none of the classes
 */
export function taggedSet(
  sentences: readonly TaggedSentence[],
  { words: coder, usual, classes }: TagCoding,
): TaggedSet {
  const numbers = new Map(classes.map((tag, i) => [tag, i]))
  const numberOf = (tag: string): number => {
    const number = numbers.get(tag)
    if (number === undefined) throw new DataError(`tagged: expected one of ${classes.length} tags, got ${tag}`)
    return number
  }
  return sequences({
    x: { data: sentences.map(({ words }) => coder.encode(words)), shape: [WORD_FIELDS] },
    target: sentences.map(({ tags }) => Int32Array.from(tags, numberOf)),
    usual: sentences.map(({ words }) => Int32Array.from(words, (word) => numberOf(usual(word)))),
  })
}
