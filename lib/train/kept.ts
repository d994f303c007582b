// Programs by the kind of batch that they are for, each made when it is first needed. Refuses nothing: beyond so many of them, the
// one that was used longest ago is given up, and made again when it is needed again.

/** What is kept. */
interface Entry<T> {
  readonly made: Promise<T>
  /** Once it is made. */
  value?: T
}

export class Kept<T> {
  readonly #entries = new Map<string, Entry<T>>()
  readonly #most: number
  readonly #drop: (value: T) => void

  /** @param drop takes back what is given up */
  constructor(most: number, drop: (value: T) => void) {
    this.#most = most
    this.#drop = drop
  }

  /** What is there under this key, which counts as a use of it. */
  get(key: string): T | undefined {
    const entry = this.#entries.get(key)
    if (entry !== undefined && this.#entries.size > 1) this.#used(key, entry)
    return entry?.value
  }

  /** What is there under this key, or what `make` gives; what fails is made again at the next call. */
  async made(key: string, make: () => Promise<T>): Promise<T> {
    const known = this.#entries.get(key)
    if (known !== undefined) {
      this.#used(key, known)
      return known.made
    }
    const entry: Entry<T> = { made: make() }
    this.#entries.set(key, entry)
    try {
      entry.value = await entry.made
    } catch (error) {
      this.#entries.delete(key)
      throw error
    }
    for (const [old, { value }] of this.#entries) {
      if (this.#entries.size <= this.#most) break
      if (value === undefined || old === key) continue
      this.#entries.delete(old)
      this.#drop(value)
    }
    return entry.value
  }

  /** Gives up all that is there. */
  clear(): void {
    for (const { value } of this.#entries.values()) if (value !== undefined) this.#drop(value)
    this.#entries.clear()
  }

  /** The entries stand in the order of their last use. */
  #used(key: string, entry: Entry<T>): void {
    this.#entries.delete(key)
    this.#entries.set(key, entry)
  }
}
