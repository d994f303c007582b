// Shows a training run, or another long count, to a person: a live bar on a terminal, plain lines elsewhere, nothing when no stream is given.
// Writes to the stream that it is handed and reads the clock that it is handed; owns no timer and no process state.

import { expectOptions, is } from '../base/index.js'
import { grouped } from './digits.js'

/** Where to show progress: `process.stderr`, or anything with `write`. */
export interface ProgressStream {
  /** Takes text as it is to appear. */
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
  /** Whether colours may be used; none where it is absent. */
  hasColors?(): boolean
}

/** Options of `createProgress`. */
export interface ProgressOptions {
  /** None: everything is silent. */
  readonly stream?: ProgressStream | undefined
  /** Milliseconds from any origin. Default `performance.now`. */
  readonly clock?: () => number
  /** Seconds between plain lines where the stream is no terminal. Default 10. */
  readonly everySeconds?: number
}

/** Where a run stands after a step. */
export interface ProgressState {
  /** The current epoch, from 1. */
  readonly epoch: number
  readonly epochs: number
  /** Steps done in this epoch. */
  readonly step: number
  /** Steps in an epoch. */
  readonly steps: number
  /** Examples per step. */
  readonly batch: number
  /** What examples are called, in the plural. Default: examples. */
  readonly unit?: string
  /** The latest (or smoothed) training loss. */
  readonly loss?: number
  /** What is measured besides, as it is written: `accuracy 98.12 %`. */
  readonly measures?: readonly string[]
}

/** How far a count has come (files packed, images decoded). */
export interface CountState {
  /** What is being done, one or two words. */
  readonly what: string
  readonly done: number
  readonly total: number
  /** What is counted, in the plural. */
  readonly unit: string
}

/** A progress display. */
export interface Progress {
  /** Tells where the run stands; redraws at most ten times a second. */
  update(state: ProgressState | CountState): void
  /** Prints a line that stays, above the bar. */
  line(text: string): void
  /** Draws the last state once more and leaves the cursor on a fresh line; later calls do nothing. */
  finish(): void
}

const REDRAW_MS = 100
/** The rate is an average that forgets at this pace: steady enough to read, quick enough to believe. */
const RATE_MEMORY_MS = 5000
const BAR_MOST = 30
const BAR_LEAST = 8
const GREEN = '\x1b[32m'
const DIM = '\x1b[2m'
const PLAIN = '\x1b[0m'

/**
 * A progress display on a stream.
 *
 * @example
 * const progress = createProgress({ stream: process.stderr })
 * progress.update({ epoch: 1, epochs: 5, step: 10, steps: 468, batch: 128, loss: 0.71 })
 * progress.finish()
 */
export function createProgress(options: ProgressOptions = {}): Progress {
  const sink = is.withMethods('a stream', 'write')
  expectOptions('createProgress', options, { stream: sink, clock: is.callable, everySeconds: is.number })
  const { stream, clock = () => performance.now(), everySeconds = 10 } = options
  if (stream === undefined) return { update: () => undefined, line: () => undefined, finish: () => undefined }
  return stream.isTTY === true ? new LiveBar(stream, clock) : new PlainLines(stream, clock, everySeconds * 1000)
}

/** A state as it is shown. */
interface View {
  readonly head: string
  /** Where a plain line says that the run is. */
  readonly place: readonly string[]
  /** Of the bar, 0 to 1. */
  readonly share: number
  /** Things done, and things left to the very end. */
  readonly done: number
  readonly left: number
  readonly unit: string
  readonly loss?: number | undefined
  readonly measures?: readonly string[] | undefined
}

function viewOf(state: ProgressState | CountState): View {
  if ('what' in state) {
    const { what, done, total, unit } = state
    const place = [what, `${grouped(Math.round(done))}/${grouped(Math.round(total))}`]
    return { head: what, place, share: done / Math.max(1, total), done, left: total - done, unit }
  }
  const { epoch, epochs, step, steps, batch, unit = 'examples', loss, measures } = state
  const head = `epoch ${epoch}/${epochs}`
  const stepsDone = (epoch - 1) * steps + step
  return {
    head,
    place: [head, `step ${step}/${steps}`],
    share: step / steps,
    done: stepsDone * batch,
    left: (epochs * steps - stepsDone) * batch,
    unit,
    loss,
    measures,
  }
}

/** Things per second, from the states that were reported. */
class Meter {
  #last: { at: number; done: number } | undefined
  #rate = 0

  /** Takes note of a state; the first one only starts the clock, as its step held the set-up. */
  observe({ done }: View, now: number): void {
    if (this.#last === undefined || done < this.#last.done) {
      this.#last = { at: now, done }
      return
    }
    const elapsed = now - this.#last.at
    if (elapsed <= 0 || done === this.#last.done) return
    const current = ((done - this.#last.done) / elapsed) * 1000
    const weight = this.#rate === 0 ? 1 : 1 - Math.exp(-elapsed / RATE_MEMORY_MS)
    this.#rate += weight * (current - this.#rate)
    this.#last = { at: now, done }
  }

  get rate(): number {
    return this.#rate
  }

  /** Seconds until nothing is left, or undefined while there is no rate. */
  remaining({ left }: View): number | undefined {
    return this.#rate > 0 ? Math.max(0, left) / this.#rate : undefined
  }
}

class LiveBar implements Progress {
  readonly #stream: ProgressStream
  readonly #clock: () => number
  readonly #meter = new Meter()
  #view: View | undefined
  #drawnAt = -Infinity
  #done = false

  constructor(stream: ProgressStream, clock: () => number) {
    this.#stream = stream
    this.#clock = clock
  }

  update(state: ProgressState | CountState): void {
    if (this.#done) return
    const now = this.#clock()
    this.#view = viewOf(state)
    this.#meter.observe(this.#view, now)
    if (now - this.#drawnAt >= REDRAW_MS) this.#draw(now)
  }

  line(text: string): void {
    if (this.#done) return
    this.#stream.write(`\r\x1b[K${text}\n`)
    this.#draw(this.#clock())
  }

  finish(): void {
    if (this.#done) return
    this.#draw(this.#clock())
    this.#done = true
    if (this.#view !== undefined) this.#stream.write('\n')
  }

  #draw(now: number): void {
    if (this.#view === undefined) return
    this.#drawnAt = now
    const width = this.#stream.columns ?? 80
    const colour = this.#stream.hasColors?.() === true
    this.#stream.write(`\r${barLine(this.#view, this.#meter, width, colour)}\x1b[K`)
  }
}

class PlainLines implements Progress {
  readonly #stream: ProgressStream
  readonly #clock: () => number
  readonly #every: number
  readonly #meter = new Meter()
  #view: View | undefined
  #printed: View | undefined
  #printedAt = -Infinity
  #done = false

  constructor(stream: ProgressStream, clock: () => number, every: number) {
    this.#stream = stream
    this.#clock = clock
    this.#every = every
  }

  update(state: ProgressState | CountState): void {
    if (this.#done) return
    const now = this.#clock()
    this.#view = viewOf(state)
    this.#meter.observe(this.#view, now)
    if (now - this.#printedAt >= this.#every) this.#print(now)
  }

  line(text: string): void {
    if (!this.#done) this.#stream.write(`${text}\n`)
  }

  finish(): void {
    if (!this.#done && this.#view !== this.#printed) this.#print(this.#clock())
    this.#done = true
  }

  #print(now: number): void {
    if (this.#view === undefined) return
    this.#printed = this.#view
    this.#printedAt = now
    this.#stream.write(`${[...this.#view.place, ...facts(this.#view, this.#meter)].join('  ')}\n`)
  }
}

/** What is worth saying beside the position, the most important first. */
function facts(view: View, meter: Meter): string[] {
  const remaining = meter.remaining(view)
  return [
    ...(view.loss === undefined ? [] : [`loss ${formatLoss(view.loss)}`]),
    ...(remaining === undefined ? [] : [`eta ${formatSeconds(remaining)}`]),
    ...(view.measures ?? []),
    ...(meter.rate > 0 ? [`${formatRate(meter.rate)} ${view.unit}/s`] : []),
  ]
}

/** One line of at most width - 1 columns (the last column would wrap): facts drop off its end, then the bar, when it is narrow. */
function barLine(view: View, meter: Meter, width: number, colour: boolean): string {
  const room = width - 1
  const share = Math.min(1, Math.max(0, view.share))
  const { head } = view
  const percent = `${Math.floor(100 * share)} %`.padStart(5)
  const kept = facts(view, meter)
  const lengthWith = (bar: number): number => [head, 'x'.repeat(bar), percent, ...kept].join('  ').length
  while (kept.length > 0 && lengthWith(BAR_LEAST) > room) kept.pop()
  const bar = Math.min(BAR_MOST, BAR_LEAST + room - lengthWith(BAR_LEAST))
  if (bar < BAR_LEAST) return `${head}${percent}`.slice(0, Math.max(0, room))
  return [head, drawBar(share, bar, colour), percent, ...kept].join('  ')
}

function drawBar(share: number, length: number, colour: boolean): string {
  const full = Math.round(share * length)
  const [done, left] = ['━'.repeat(full), '─'.repeat(length - full)]
  return colour ? `${GREEN}${done}${PLAIN}${DIM}${left}${PLAIN}` : done + left
}

function formatLoss(loss: number): string {
  if (!Number.isFinite(loss)) return String(loss)
  return Math.abs(loss) >= 0.001 || loss === 0 ? loss.toFixed(4) : loss.toExponential(2)
}

function formatRate(rate: number): string {
  return rate >= 10 ? grouped(Math.round(rate)) : rate.toFixed(1)
}

/** Seconds as `m:ss` or `h:mm:ss`. */
export function formatSeconds(seconds: number): string {
  const whole = Math.ceil(seconds)
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const tail = rest.toString().padStart(2, '0')
  return hours > 0 ? `${hours}:${minutes.toString().padStart(2, '0')}:${tail}` : `${minutes}:${tail}`
}
