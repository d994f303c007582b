// The binary tree of hierarchical softmax (Morin & Bengio 2005) as word2vec's C program builds it: Huffman's, so that frequent words have
// short codes. Inner nodes are numbered as they are made; the root is the last.
import { DataError } from '../../errors.js'

/** Codes of words. Word i has bits and nodes `starts[i]` to `starts[i + 1]`. */
export interface HuffmanCodes {
  /** Where each word's code starts; one more than there are words, i32 [V + 1]. */
  readonly starts: Int32Array
  /** 0 or 1 at each node on the way from the root to a word. */
  readonly bits: Uint8Array
  /** The nodes on the way, of V - 1: rows of the table of outputs. */
  readonly nodes: Int32Array
}

/**
 * Huffman codes of words.
 * @param counts of words, the most frequent first, as `countWords` gives them
 * @throws DataError for fewer than two words, counts below 1 or that rise
 * @see word2vec.c (`CreateBinaryTree`), whose codes these are, ties included
 * @example huffmanCodes([5, 3, 2, 1]) // bits 0, 11, 101, 100; nodes 2, 2 1, 2 1 0, 2 1 0
 */
export function huffmanCodes(counts: ArrayLike<number>): HuffmanCodes {
  const words = counts.length
  if (words < 2) throw new DataError(`huffmanCodes: expected counts of two words or more, got ${words}`)
  for (let i = 0; i < words; i++) {
    if (counts[i]! >= 1 && (i === 0 || counts[i]! <= counts[i - 1]!)) continue
    throw new DataError(`huffmanCodes: expected counts of at least 1 from the largest down, got ${counts[i]!} at ${i}`)
  }
  const { parents, isSecond } = treeOf(counts)
  const root = 2 * words - 2
  const starts = new Int32Array(words + 1)
  for (let word = 0; word < words; word++) {
    let length = 0
    for (let node = word; node !== root; node = parents[node]!) length++
    starts[word + 1] = starts[word]! + length
  }
  const bits = new Uint8Array(starts[words]!)
  const nodes = new Int32Array(starts[words]!)
  for (let word = 0; word < words; word++) {
    let at = starts[word + 1]!
    for (let node = word; node !== root; node = parents[node]!) {
      bits[--at] = isSecond[node]!
      nodes[at] = parents[node]! - words
    }
  }
  return { starts, bits, nodes }
}

/** Words are nodes 0 to V - 1, the others follow in the order in which they are made, each of the two of fewest words. */
function treeOf(counts: ArrayLike<number>): { readonly parents: Int32Array; readonly isSecond: Uint8Array } {
  const words = counts.length
  const sizes = new Float64Array(2 * words - 1).fill(Infinity)
  for (let i = 0; i < words; i++) sizes[i] = counts[i]!
  const parents = new Int32Array(2 * words - 1)
  const isSecond = new Uint8Array(2 * words - 1)
  // Words from the last, and nodes from the first that was made: both from the smallest up.
  let [word, inner] = [words - 1, words]
  const smallest = (): number => (word >= 0 && sizes[word]! < sizes[inner]! ? word-- : inner++)
  for (let made = words; made < 2 * words - 1; made++) {
    const [first, second] = [smallest(), smallest()]
    sizes[made] = sizes[first]! + sizes[second]!
    parents[first] = made
    parents[second] = made
    isSecond[second] = 1
  }
  return { parents, isSecond }
}
