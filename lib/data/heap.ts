// A binary heap: of many values the one that comes first.

/** Values in the order of `before`, of which the first can be taken. */
export class Heap<T> {
  readonly #before: (a: T, b: T) => boolean
  readonly #values: T[] = []

  constructor(before: (a: T, b: T) => boolean) {
    this.#before = before
  }

  push(value: T): void {
    const values = this.#values
    let at = values.length
    values.push(value)
    while (at > 0) {
      const above = (at - 1) >> 1
      if (!this.#before(value, values[above]!)) break
      values[at] = values[above]!
      at = above
    }
    values[at] = value
  }

  /** Takes the first value; undefined where there is none. */
  pop(): T | undefined {
    const values = this.#values
    const first = values[0]
    const last = values.pop()
    if (last === undefined || values.length === 0) return first
    let at = 0
    for (let below = 1; below < values.length; below = 2 * at + 1) {
      const right = below + 1
      if (right < values.length && this.#before(values[right]!, values[below]!)) below = right
      if (!this.#before(values[below]!, last)) break
      values[at] = values[below]!
      at = below
    }
    values[at] = last
    return first
  }
}
