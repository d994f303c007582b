// The measure by which a run is judged: its best epoch, and how long that is ago.
import type { Best, Metrics } from './events.js'
import type { MeasureInfo } from './measure.js'

/** What a checkpoint keeps, so that a resumed run ends where the whole one would. */
export interface Monitored {
  readonly best?: Best
  /** Epochs since then. */
  readonly stale: number
}

/** Follows one measure. A value that is no number is never the best. */
export class Monitor {
  readonly #measure: string
  readonly #info: MeasureInfo
  readonly #patience: number
  #best: Best | undefined
  #stale = 0

  constructor(measure: string, info: MeasureInfo, patience = Infinity) {
    this.#measure = measure
    this.#info = info
    this.#patience = patience
  }

  /** Takes what an epoch (from 1) has come to; gives whether it is the best so far. */
  take(metrics: Metrics, epoch: number): boolean {
    const value = metrics[this.#measure] ?? NaN
    const before = this.#best?.value
    const better =
      !Number.isNaN(value) && (before === undefined || (this.#info.better === 'more' ? value > before : value < before))
    if (better) this.#best = { measure: this.#measure, value, epoch }
    this.#stale = better ? 0 : this.#stale + 1
    return better
  }

  get best(): Best | undefined {
    return this.#best
  }

  /** Whether the best is `patience` epochs old. */
  get isSpent(): boolean {
    return this.#stale >= this.#patience
  }

  get state(): Monitored {
    return { ...(this.#best && { best: this.#best }), stale: this.#stale }
  }

  restore({ best, stale }: Monitored): void {
    this.#best = best?.measure === this.#measure ? best : undefined
    this.#stale = best?.measure === this.#measure ? stale : 0
  }
}
