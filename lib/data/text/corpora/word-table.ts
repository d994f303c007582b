// Words by number, looked up by their bytes: a hash table in typed arrays, as a corpus has tens of millions of words and a text made of
// each would cost more than all else that is done with it.

const FIRST_WORDS = 2 ** 10

/** Different words, numbered from 0 in the order in which they came, and a count of each. */
export class WordTable {
  /** Different words. */
  size = 0
  /** Of each word; longer than `size`. */
  counts = new Float64Array(FIRST_WORDS)
  /** All words one behind the other; word i from `#starts[i]` to `#starts[i + 1]`. */
  #bytes = new Uint8Array(8 * FIRST_WORDS)
  #starts = new Float64Array(FIRST_WORDS + 1)
  #hashes = new Int32Array(FIRST_WORDS)
  /** A word's number + 1 at the first free place from its hash on; at most half of them are taken. */
  #slots = new Int32Array(2 * FIRST_WORDS)

  /** The number of a word; -1 where it is none of them. */
  find(bytes: Uint8Array, from: number, to: number): number {
    return this.#slots[this.#slotOf(hashOf(bytes, from, to), bytes, from, to)]! - 1
  }

  /** The number of a word, a new one where it is none of them; its count is left as it is. */
  add(bytes: Uint8Array, from: number, to: number): number {
    const hash = hashOf(bytes, from, to)
    const slot = this.#slotOf(hash, bytes, from, to)
    const known = this.#slots[slot]! - 1
    if (known >= 0) return known
    this.#append(hash, bytes, from, to)
    if (2 * this.size > this.#slots.length) this.#rehash()
    else this.#slots[slot] = this.size
    return this.size - 1
  }

  /** Adds a word with its count. */
  put(bytes: Uint8Array, count: number): void {
    // Adding it may make room for more counts.
    const number = this.add(bytes, 0, bytes.length)
    this.counts[number] = count
  }

  /** The bytes of a word. */
  bytesOf(number: number): Uint8Array {
    return this.#bytes.subarray(this.#starts[number], this.#starts[number + 1])
  }

  /** Those of the words that a filter keeps, numbered anew in these words' order. */
  only(keeps: (count: number) => boolean): WordTable {
    const table = new WordTable()
    for (let i = 0; i < this.size; i++) {
      if (!keeps(this.counts[i]!)) continue
      const bytes = this.bytesOf(i)
      table.put(bytes, this.counts[i]!)
    }
    return table
  }

  /** Where a word is, or else the free place where it belongs. */
  #slotOf(hash: number, bytes: Uint8Array, from: number, to: number): number {
    const slots = this.#slots
    const mask = slots.length - 1
    let slot = hash & mask
    for (let number = slots[slot]!; number !== 0; number = slots[slot]!) {
      if (this.#hashes[number - 1] === hash && this.#isAt(number - 1, bytes, from, to)) break
      slot = (slot + 1) & mask
    }
    return slot
  }

  #isAt(number: number, bytes: Uint8Array, from: number, to: number): boolean {
    const start = this.#starts[number]!
    if (this.#starts[number + 1]! - start !== to - from) return false
    const own = this.#bytes
    for (let i = from, at = start; i < to; i++, at++) if (own[at] !== bytes[i]) return false
    return true
  }

  #append(hash: number, bytes: Uint8Array, from: number, to: number): void {
    const { size } = this
    const start = this.#starts[size]!
    const end = start + to - from
    if (end > this.#bytes.length)
      this.#bytes = grown(this.#bytes, new Uint8Array(Math.max(2 * this.#bytes.length, end)))
    if (size === this.counts.length) {
      this.counts = grown(this.counts, new Float64Array(2 * size))
      this.#hashes = grown(this.#hashes, new Int32Array(2 * size))
      this.#starts = grown(this.#starts, new Float64Array(2 * size + 1))
    }
    this.#bytes.set(bytes.subarray(from, to), start)
    this.#hashes[size] = hash
    this.#starts[size + 1] = end
    this.size++
  }

  #rehash(): void {
    const mask = 2 * this.#slots.length - 1
    const slots = new Int32Array(mask + 1)
    for (let number = 0; number < this.size; number++) {
      let slot = this.#hashes[number]! & mask
      while (slots[slot] !== 0) slot = (slot + 1) & mask
      slots[slot] = number + 1
    }
    this.#slots = slots
  }
}

/** FNV-1a, its high bits mixed into the low ones that choose the place. */
function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193)
  return hash ^ (hash >>> 15)
}

function grown<A extends Float64Array | Int32Array | Uint8Array>(from: A, to: A): A {
  to.set(from)
  return to
}
