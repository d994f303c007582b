// The measure by which a run is judged: its best epoch, and how long that is ago.
import type { Best, Metrics } from './events.js'
import type { MeasureInfo } from './measure.js'

/** What a checkpoint keeps, so that a resumed run ends where the whole one would. */
export interface Monitored {
  readonly best?: Best
  /** Epochs since then. */
  readonly stale: number
  /** Epochs since then, or since the rate fell last. */
  readonly waited?: number
}

/** After how many epochs that are no better something happens. */
export interface Patience {
  /** The run ends. Default: never. */
  readonly end?: number | undefined
  /** The rate falls. Default: never. */
  readonly fall?: number | undefined
}

/** Follows one measure. A value that is no number is never the best. */
export class Monitor {
  readonly #measure: string
  readonly #info: MeasureInfo
  readonly #end: number
  readonly #fall: number
  #best: Best | undefined
  #stale = 0
  #waited = 0

  constructor(measure: string, info: MeasureInfo, { end = Infinity, fall = Infinity }: Patience = {}) {
    this.#measure = measure
    this.#info = info
    this.#end = end
    this.#fall = fall
  }

  /** Takes what an epoch (from 1) has come to; gives whether it is the best so far. */
  take(metrics: Metrics, epoch: number): boolean {
    const value = metrics[this.#measure] ?? NaN
    const before = this.#best?.value
    const better =
      !Number.isNaN(value) && (before === undefined || (this.#info.better === 'more' ? value > before : value < before))
    if (better) this.#best = { measure: this.#measure, value, epoch }
    this.#stale = better ? 0 : this.#stale + 1
    this.#waited = better ? 0 : this.#waited + 1
    return better
  }

  /** Whether the rate falls now; if so, the next fall has to wait as long again. */
  takeFall(): boolean {
    if (this.#waited < this.#fall) return false
    this.#waited = 0
    return true
  }

  get best(): Best | undefined {
    return this.#best
  }

  /** Whether the best is so old that the run ends. */
  get isSpent(): boolean {
    return this.#stale >= this.#end
  }

  get state(): Monitored {
    return { ...(this.#best && { best: this.#best }), stale: this.#stale, waited: this.#waited }
  }

  restore({ best, stale, waited = stale }: Monitored): void {
    const same = best?.measure === this.#measure
    this.#best = same ? best : undefined
    this.#stale = same ? stale : 0
    this.#waited = same ? waited : 0
  }
}
