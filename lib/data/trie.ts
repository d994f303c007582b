// Sequences of numbers that begin alike, as nodes of a tree: 0 is the empty sequence, every other node its parent with one more
// symbol. Children are found by hash in flat arrays, so that millions of nodes cost no objects.

/** Behind so many nodes for each place of the table it grows. */
const FULL = 0.6
const NONE = -1

/** A tree of sequences. */
export class Trie {
  #size = 1
  #parents = new Int32Array(64).fill(NONE, 0, 1)
  #symbols = new Int32Array(64).fill(NONE, 0, 1)
  /** Nodes by the hash of parent and symbol; 0, which is no child, where there is none. */
  #table = new Int32Array(128)

  /** Nodes, the empty sequence among them. */
  get size(): number {
    return this.#size
  }

  /** The node of a sequence with one more symbol (a whole number from 0 on); -1 where there is none. */
  child(node: number, symbol: number): number {
    const found = this.#table[this.#place(node, symbol)]!
    return found === 0 ? NONE : found
  }

  /** The same; it is made where there is none. */
  grow(node: number, symbol: number): number {
    const place = this.#place(node, symbol)
    const found = this.#table[place]!
    if (found !== 0) return found
    const made = this.#size++
    if (made === this.#parents.length) {
      this.#parents = longer(this.#parents)
      this.#symbols = longer(this.#symbols)
    }
    this.#parents[made] = node
    this.#symbols[made] = symbol
    this.#table[place] = made
    if (this.#size > FULL * this.#table.length) this.#widen()
    return made
  }

  /** The sequence without its last symbol; -1 of the empty one. */
  parentOf(node: number): number {
    return this.#parents[node]!
  }

  /** The last symbol of a sequence; -1 of the empty one. */
  symbolOf(node: number): number {
    return this.#symbols[node]!
  }

  /** The symbols of a sequence. */
  sequence(node: number): Int32Array {
    const symbols: number[] = []
    for (let at = node; at > 0; at = this.#parents[at]!) symbols.push(this.#symbols[at]!)
    return Int32Array.from(symbols.reverse())
  }

  /** Where a child stands in the table, or would. */
  #place(node: number, symbol: number): number {
    const mask = this.#table.length - 1
    for (let place = hash(node, symbol) & mask; ; place = (place + 1) & mask) {
      const found = this.#table[place]!
      if (found === 0 || (this.#parents[found] === node && this.#symbols[found] === symbol)) return place
    }
  }

  #widen(): void {
    this.#table = new Int32Array(2 * this.#table.length)
    for (let node = 1; node < this.#size; node++) {
      this.#table[this.#place(this.#parents[node]!, this.#symbols[node]!)] = node
    }
  }
}

function longer(array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const twice = new Int32Array(2 * array.length)
  twice.set(array)
  return twice
}

/** Mixes two numbers (the finaliser of MurmurHash3). */
function hash(node: number, symbol: number): number {
  let mixed = Math.imul(node, 0x9e3779b1) ^ Math.imul(symbol + 1, 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}
