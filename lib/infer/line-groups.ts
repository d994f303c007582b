// How lines of tokens go through programs of fixed extents: which length each is padded to, which go together, where a line that is too long
// is parted.
import { SPECIAL_TOKENS, type Tokenizer } from '../data/text/tokenizer.js'

/** The least length that lines are padded to. */
const SHORTEST = 16
/** Places of the source that all beams look at together, at most. */
const MOST_PLACES = 2 ** 16

/** The length that a line is padded to: 16, 24, 32, 48, 64, ... and `longest`: at most half of a line more, and few programs. */
export function bucketOf(length: number, longest: number): number {
  let bucket = SHORTEST
  while (bucket < length) bucket = Math.log2(bucket) % 1 === 0 ? 1.5 * bucket : (bucket / 3) * 4
  return Math.min(bucket, longest)
}

/** Lines of one length that are translated one after the other, `size` of them at once. */
export interface Group {
  readonly steps: number
  readonly size: number
  readonly places: readonly number[]
}

export interface GroupOptions {
  readonly batch: number
  readonly beam: number
  /** Steps and size of programs that there are. */
  readonly known: readonly Pick<Group, 'steps' | 'size'>[]
}

/**
 * Lines in groups of one length: each by the smallest program that there is for as many as it has, or as are translated at once, and where
 * there is none by one for the next power of 4.
 * @param lengths those that the lines are padded to
 */
export function groupsOf(lengths: readonly number[], { batch, beam, known }: GroupOptions): readonly Group[] {
  return [...new Set(lengths)].map((steps): Group => {
    const places = [...lengths.keys()].filter((place) => lengths[place] === steps)
    const most = Math.max(1, Math.min(batch, Math.floor(MOST_PLACES / (beam * steps))))
    const least = Math.min(places.length, most)
    const sizes = known.flatMap((one) => (one.steps === steps && one.size >= least ? [one.size] : []))
    return { steps, size: sizes.length > 0 ? Math.min(...sizes) : Math.min(most, powerOf4(least)), places }
  })
}

function powerOf4(least: number): number {
  let size = 1
  while (size < least) size *= 4
  return size
}

/** Parts of at most so many tokens: parted before a word where one begins in the second half of a part. */
export function partsOf(ids: Int32Array, most: number, tokenizer: Tokenizer): readonly Int32Array[] {
  if (ids.length <= most) return [ids]
  const parts: Int32Array[] = []
  let rest = ids
  while (rest.length > most) {
    let at = most
    while (at > most / 2 && !pieceOf(tokenizer, rest, at).startsWith(' ')) at--
    if (at <= most / 2) at = most
    parts.push(rest.subarray(0, at))
    rest = rest.subarray(at)
  }
  return [...parts, rest]
}

/** What each token reads in its line, the space before a word among it; an end reads `</s>`. */
export function piecesOf(tokenizer: Tokenizer, ids: Int32Array): readonly string[] {
  return Array.from(ids, (id, i) => (id === tokenizer.special.eos ? SPECIAL_TOKENS[id]! : pieceOf(tokenizer, ids, i)))
}

function pieceOf(tokenizer: Tokenizer, ids: Int32Array, i: number): string {
  const alone = tokenizer.decode([ids[i]!])
  if (i === 0) return alone
  // Decoding takes away the space before a line, and must see half of a character beside its other half.
  const before = tokenizer.decode([ids[i - 1]!])
  const both = tokenizer.decode([ids[i - 1]!, ids[i]!])
  return both.startsWith(before) ? both.slice(before.length) : alone
}
