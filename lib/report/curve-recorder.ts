// Collects the points of a run's curves in bounded memory, however long the run is.

/** A point of a curve. */
export interface Point {
  readonly step: number
  readonly value: number
}

/** What a run's curves show. */
export interface Curves {
  /** Training loss over steps. */
  readonly loss: readonly Point[]
  /** Validation metrics by name, a point per evaluation. */
  readonly metrics: ReadonlyMap<string, readonly Point[]>
}

/** Past this many loss points neighbours are averaged in pairs: more than a plot has pixels. */
const MOST_POINTS = 4096

/** Collects points as a run goes on. */
export class CurveRecorder {
  #loss: Point[] = []
  readonly #metrics = new Map<string, Point[]>()
  #stride = 1
  #open = { count: 0, step: 0, sum: 0 }

  /** Adds the loss of a step; a loss that is not finite leaves a hole. */
  addLoss(step: number, value: number): void {
    this.#open = { count: this.#open.count + 1, step, sum: this.#open.sum + value }
    if (this.#open.count < this.#stride) return
    this.#loss.push({ step, value: this.#open.sum / this.#open.count })
    this.#open = { count: 0, step: 0, sum: 0 }
    if (this.#loss.length < MOST_POINTS) return
    const pairs = this.#loss
    this.#loss = []
    for (let i = 0; i + 1 < pairs.length; i += 2) {
      const [first, second] = [pairs[i]!, pairs[i + 1]!]
      this.#loss.push({ step: second.step, value: (first.value + second.value) / 2 })
    }
    this.#stride *= 2
  }

  /** Adds a validation metric. */
  addMetric(name: string, step: number, value: number): void {
    const points = this.#metrics.get(name) ?? []
    points.push({ step, value })
    this.#metrics.set(name, points)
  }

  /** Forgets what came after a step: a run that resumes there does it again. */
  cutAfter(step: number): void {
    this.#loss = this.#loss.filter((point) => point.step <= step)
    for (const [name, points] of this.#metrics)
      this.#metrics.set(
        name,
        points.filter((point) => point.step <= step),
      )
    this.#open = { count: 0, step: 0, sum: 0 }
  }

  /** The points so far, those of a half-filled average included. */
  curves(): Curves {
    const { count, step, sum } = this.#open
    return { loss: count > 0 ? [...this.#loss, { step, value: sum / count }] : this.#loss, metrics: this.#metrics }
  }
}
