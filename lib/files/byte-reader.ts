// A stream of bytes as a window that is moved along: what is looked at lies in one piece, however it came.

/** Reads a stream from its beginning to its end, once. */
export class ByteReader {
  /** What is there; from `at` on it has not been taken. */
  bytes: Uint8Array = new Uint8Array(0)
  at = 0
  readonly #source: AsyncIterator<Uint8Array>
  #isAtEnd = false

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  /** Bytes that can be taken. */
  get left(): number {
    return this.bytes.length - this.at
  }

  /** Waits until `count` bytes are there, or all that will come. @returns whether they are */
  async fill(count: number): Promise<boolean> {
    if (this.left >= count) return true
    const pieces = [this.bytes.subarray(this.at)]
    let length = this.left
    while (length < count && !this.#isAtEnd) {
      const next = await this.#source.next()
      if (next.done === true) this.#isAtEnd = true
      else {
        pieces.push(next.value)
        length += next.value.length
      }
    }
    if (pieces.length > 1) {
      const joined = new Uint8Array(length)
      let to = 0
      for (const piece of pieces) {
        joined.set(piece, to)
        to += piece.length
      }
      this.bytes = joined
      this.at = 0
    }
    return length >= count
  }

  /** Ends the stream where it was not read to its end. */
  async close(): Promise<void> {
    if (!this.#isAtEnd) await this.#source.return?.()
    this.#isAtEnd = true
  }
}
