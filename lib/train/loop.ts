// The training loop: epochs of steps with two runs in flight, measured and saved at their boundaries. It knows when;
// what a step, a measurement and a checkpoint are is the session's. Leaving it at any event stops cleanly.
import type { Batch } from '../data/index.js'
import { OstrichError } from '../graph/index.js'
import type { Best, EpochEvent, Metrics, StartEvent, StepEvent, TrainEvent } from './events.js'

/** Runs that the device may have before it: one runs, one waits, so that the device never does. */
const IN_FLIGHT = 2

/** Where a run stands. Counts what the device has done once all runs in flight are. */
export interface Position {
  /** Epoch under way, from 0. */
  epoch: number
  stepInEpoch: number
  /** Steps since the very beginning. */
  step: number
}

/** When to save besides the end of each epoch. */
export interface CheckpointEvery {
  readonly steps?: number
  readonly seconds?: number
}

/** What the loop asks of the session. */
export interface LoopParts {
  readonly epochs: number
  readonly batch: number
  readonly signal: AbortSignal | undefined
  readonly every: CheckpointEvery
  readonly about: Omit<StartEvent, 'type' | 'epoch' | 'step' | 'elapsed' | 'epochs'>
  epoch(epoch: number, startStep: number): AsyncGenerator<Batch, void, undefined>
  /** Makes ready for such a batch; undefined where nothing is to be done. */
  prepare(batch: Batch): Promise<void> | undefined
  /** Calls `start` when a step may start. */
  turn(start: () => void): Promise<void>
  /** Starts a step; the promise is of its loss. */
  start(batch: Batch, step: number): Promise<number>
  /** Called when a loss is not finite: says which parameter is not. */
  explainNotFinite(step: number, loss: number): Promise<Error>
  /** Measures what an epoch has come to, and calls `advance`, by which the next begins. */
  endEpoch(advance: () => void): Promise<Measured>
  /** Saves into the run's folder, as the last or the best; undefined where there is none. */
  save(name: 'last' | 'best'): Promise<string | undefined>
  warnings(): string[]
  /** What stands for the measures of an epoch before one is done. */
  readonly unmeasured: Metrics
  /** Whether the run ends before its last epoch, as it becomes no better. */
  ended(): boolean
  /** The best epoch so far, where a measure is monitored. */
  best(): Best | undefined
}

/** What an epoch has come to. */
export interface Measured extends Pick<EpochEvent, 'validation' | 'averaged' | 'best' | 'rateFactor'> {
  /** Whether it is the best so far, by what is monitored. */
  readonly better: boolean
}

interface Flight {
  readonly step: number
  readonly stepInEpoch: number
  readonly examples: number
  readonly loss: Promise<number>
}

export class Loop {
  readonly position: Position
  readonly #parts: LoopParts
  readonly #flights: Flight[] = []
  readonly #clock = { began: 0, resumed: 0, trained: 0, savedAt: 0 }
  #examples = 0
  #epochLoss = { sum: 0, steps: 0 }
  #validation: Metrics

  constructor(parts: LoopParts, position: Position) {
    this.#parts = parts
    this.position = position
    this.#validation = parts.unmeasured
  }

  /** Waits for what is in flight: the position then says what the device has done. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#flights.map((flight) => flight.loss))
  }

  async *events(): AsyncGenerator<TrainEvent, void, undefined> {
    const { epochs, about } = this.#parts
    this.#clock.began = this.#clock.savedAt = performance.now()
    try {
      yield { type: 'start', ...this.#at(), epochs, ...about }
      yield* this.#warnings()
      while (this.position.epoch < epochs && !this.#aborted() && !this.#parts.ended()) {
        yield* this.#epoch()
      }
      if (this.#aborted()) yield await this.#stopped()
      else yield this.#end()
    } finally {
      await this.settled()
    }
  }

  async *#epoch(): AsyncGenerator<TrainEvent, void, undefined> {
    const { position } = this
    const first = position.stepInEpoch
    this.#epochLoss = { sum: 0, steps: 0 }
    this.#clock.resumed = performance.now()
    for await (const batch of this.#parts.epoch(position.epoch, first)) {
      await this.#parts.prepare(batch)
      await this.#parts.turn(() => {
        this.#launch(batch)
      })
      if (this.#flights.length >= IN_FLIGHT) yield await this.#settle()
      if (this.#aborted()) break
      if (this.#due()) yield* this.#checkpoint()
    }
    yield* this.#drain()
    if (this.#aborted()) return
    if (position.stepInEpoch === 0) {
      throw new OstrichError('ERR_DATA', `epoch ${position.epoch + 1}: expected at least one batch, got none`)
    }
    yield* this.#endEpoch()
  }

  async *#endEpoch(): AsyncGenerator<TrainEvent, void, undefined> {
    const { sum, steps } = this.#epochLoss
    const rate = this.#rate()
    const { epoch } = this.#at()
    const { better, ...measured } = await this.#parts.endEpoch(() => {
      this.position.epoch++
      this.position.stepInEpoch = 0
    })
    this.#validation = measured.validation
    const done: EpochEvent = { type: 'epoch', ...this.#at(), epoch, loss: sum / steps, ...measured, rate }
    yield done
    yield* this.#save('last')
    if (better) yield* this.#save('best')
  }

  #launch(batch: Batch): void {
    const { position } = this
    position.step++
    position.stepInEpoch++
    const { step, stepInEpoch } = position
    const loss = this.#parts.start(batch, step)
    loss.catch(() => undefined)
    this.#flights.push({ step, stepInEpoch, examples: batch.tokens ?? batch.count, loss })
  }

  /** Waits for the oldest run and reports it. */
  async #settle(): Promise<StepEvent> {
    const [flight] = this.#flights
    if (flight === undefined) throw new OstrichError('ERR_STATE', 'loop: expected a run in flight, got none')
    const loss = await flight.loss
    this.#flights.shift()
    if (!Number.isFinite(loss)) {
      await this.settled()
      throw await this.#parts.explainNotFinite(flight.step, loss)
    }
    this.#examples += flight.examples
    this.#epochLoss.sum += loss
    this.#epochLoss.steps++
    const { step, stepInEpoch } = flight
    return { type: 'step', ...this.#at(), step, stepInEpoch, loss, rate: this.#rate() }
  }

  async *#drain(): AsyncGenerator<TrainEvent, void, undefined> {
    while (this.#flights.length > 0) yield await this.#settle()
    this.#clock.trained += performance.now() - this.#clock.resumed
    this.#clock.resumed = performance.now()
  }

  #due(): boolean {
    const { steps, seconds } = this.#parts.every
    if (steps !== undefined && this.position.step % steps === 0) return true
    return seconds !== undefined && performance.now() - this.#clock.savedAt >= seconds * 1000
  }

  async *#checkpoint(): AsyncGenerator<TrainEvent, void, undefined> {
    yield* this.#drain()
    yield* this.#save('last')
    this.#clock.resumed = performance.now()
  }

  async *#save(name: 'last' | 'best'): AsyncGenerator<TrainEvent, void, undefined> {
    const path = await this.#parts.save(name)
    this.#clock.savedAt = performance.now()
    if (path !== undefined) yield { type: 'checkpoint', ...this.#at(), path }
    yield* this.#warnings()
  }

  *#warnings(): Generator<TrainEvent, void, undefined> {
    for (const message of this.#parts.warnings()) yield { type: 'warning', ...this.#at(), message }
  }

  async #stopped(): Promise<TrainEvent> {
    const checkpoint = await this.#parts.save('last')
    return { type: 'stopped', ...this.#at(), checkpoint, validation: this.#validation }
  }

  #end(): TrainEvent {
    const best = this.#parts.best()
    return { type: 'end', ...this.#at(), validation: this.#validation, ...(best && { best }) }
  }

  #aborted(): boolean {
    return this.#parts.signal?.aborted === true
  }

  #rate(): number {
    const trained = this.#clock.trained + performance.now() - this.#clock.resumed
    return trained > 0 ? (this.#examples / trained) * 1000 : 0
  }

  #at(): { epoch: number; step: number; elapsed: number } {
    const epoch = Math.min(this.position.epoch + 1, this.#parts.epochs)
    return { epoch, step: this.position.step, elapsed: (performance.now() - this.#clock.began) / 1000 }
  }
}
