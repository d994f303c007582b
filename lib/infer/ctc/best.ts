// The best of many candidates, by score: a heap in flat arrays whose first is the worst that is kept.

/** At most so many numbers with the largest scores. Of equal scores those that came first are kept, and the smaller number comes first. */
export class Best {
  /** How many there are. */
  size = 0
  readonly #scores: Float64Array
  readonly #numbers: Int32Array

  constructor(readonly most: number) {
    this.#scores = new Float64Array(most)
    this.#numbers = new Int32Array(most)
  }

  /** What a score has to be above to be taken. */
  get floor(): number {
    return this.size < this.most ? -Infinity : this.#scores[0]!
  }

  /** Takes a candidate whose score is above the floor. */
  offer(score: number, number: number): void {
    if (!(score > this.floor)) return
    if (this.size < this.most) this.#up(this.size++, score, number)
    else this.#down(this.size, score, number)
  }

  /** Writes numbers and scores, the best first, gives how many they are, and is empty then. */
  drain(numbers: Int32Array, scores: Float64Array): number {
    const count = this.size
    while (this.size > 0) {
      const last = --this.size
      numbers[last] = this.#numbers[0]!
      scores[last] = this.#scores[0]!
      this.#down(last, this.#scores[last]!, this.#numbers[last]!)
    }
    return count
  }

  /** Whether one stands nearer to the first: it is worse, or came later. */
  #before(score: number, number: number, at: number): boolean {
    const other = this.#scores[at]!
    return score < other || (score === other && number > this.#numbers[at]!)
  }

  #up(from: number, score: number, number: number): void {
    let at = from
    while (at > 0) {
      const above = (at - 1) >> 1
      if (!this.#before(score, number, above)) break
      this.#move(above, at)
      at = above
    }
    this.#scores[at] = score
    this.#numbers[at] = number
  }

  /** Puts a candidate in the place of the first, among `size`. */
  #down(size: number, score: number, number: number): void {
    let at = 0
    for (let below = 1; below < size; below = 2 * at + 1) {
      const right = below + 1
      if (right < size && this.#before(this.#scores[right]!, this.#numbers[right]!, below)) below = right
      if (this.#before(score, number, below)) break
      this.#move(below, at)
      at = below
    }
    this.#scores[at] = score
    this.#numbers[at] = number
  }

  #move(from: number, to: number): void {
    this.#scores[to] = this.#scores[from]!
    this.#numbers[to] = this.#numbers[from]!
  }
}
