// What a training tells, for TensorBoard.
import type { FileHandle } from 'node:fs/promises'
import { expectKind, is, OstrichError } from '../base/index.js'
import { eventOf, openEventFile, record, type SummaryValue } from '../files/index.js'
import type { HostArray } from '../graph/index.js'
import type { Bytes, png } from '../report/png.js'
import type { TrainEvent } from './events.js'

const aStep = is.whole(0)
const isNumbers = (value: unknown): boolean => ArrayBuffer.isView(value) && !(value instanceof DataView)
const someNumbers = is.kind('a typed array', isNumbers)
const anImage = is.kind('an image { data, channels, height, width }', (value) => {
  const { data, channels, height, width } = value as Partial<Bytes>
  if (channels === undefined || height === undefined || width === undefined) return false
  return [1, 3].includes(channels) && data?.length === channels * height * width
})

/** Writes an event file: made by `train.eventWriter`. Values go out in order, soon after they are given. */
export class EventWriter implements AsyncDisposable {
  readonly #file: FileHandle
  readonly #png: typeof png
  #waiting: Buffer[] = []
  #writing: Promise<void> | undefined
  #failure: Error | undefined
  #closed: Promise<void> | undefined

  /** @internal */
  constructor(file: FileHandle, encode: typeof png) {
    this.#file = file
    this.#png = encode
  }

  /**
   * One number of a curve.
   * @throws OstrichError `ERR_OPTION`, for a tag that is no text and a step that is no whole number; `ERR_DISPOSED` after `close`
   */
  scalar(tag: string, value: number, step: number): void {
    expectKind('scalar', 'value', is.number, value)
    this.#add('scalar', tag, step, { scalar: value })
  }

  /** How values are spread; what is NaN or infinite is left out. @throws as `scalar` */
  histogram(tag: string, values: HostArray, step: number): void {
    expectKind('histogram', 'values', someNumbers, values)
    this.#add('histogram', tag, step, { values: values as Float32Array })
  }

  /** An image of bytes [C, H, W], C 1 or 3. @throws as `scalar`, and for bytes of another length */
  image(tag: string, image: Bytes, step: number): void {
    expectKind('image', 'image', anImage, image)
    const { channels, height, width } = image
    this.#add('image', tag, step, { png: this.#png(image), channels, height, width })
  }

  /** A text; TensorBoard shows it as Markdown. @throws as `scalar` */
  text(tag: string, text: string, step: number): void {
    expectKind('text', 'text', is.text, text)
    this.#add('text', tag, step, { text })
  }

  /**
   * The numbers of a session's event: loss and rate of a step, loss and measures of an epoch.
   * @example for await (const event of session.events()) board.event(event)
   */
  event(event: TrainEvent): void {
    if (event.type === 'step') {
      this.scalar('loss/batch', event.loss, event.step)
      this.scalar('examples per second', event.rate, event.step)
    }
    if (event.type !== 'epoch') return
    this.scalar('loss/training', event.loss, event.step)
    for (const [name, value] of Object.entries(event.validation)) {
      if (!Number.isNaN(value)) this.scalar(name === 'loss' ? 'loss/validation' : name, value, event.step)
    }
  }

  /** Resolves when everything so far was handed to the system. @throws what the disk threw */
  async flush(): Promise<void> {
    await this.#writing
    const failure = this.#failure
    this.#failure = undefined
    if (failure !== undefined) throw failure
  }

  /** Flushes and closes; a second call does nothing more. */
  close(): Promise<void> {
    this.#closed ??= this.flush().finally(() => this.#file.close())
    return this.#closed
  }

  /** The same, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #add(call: string, tag: string, step: number, value: SummaryValue): void {
    expectKind(call, 'tag', is.text, tag)
    expectKind(call, 'step', aStep, step)
    if (this.#closed !== undefined) {
      throw new OstrichError('ERR_DISPOSED', `${call}: expected an open event file, got one that was closed`)
    }
    this.#waiting.push(record(eventOf({ tag, step, time: Date.now() / 1000, value })))
    this.#writing ??= this.#drain()
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const bytes = Buffer.concat(this.#waiting)
      this.#waiting = []
      try {
        await this.#file.appendFile(bytes)
      } catch (error) {
        this.#failure ??= error instanceof Error ? error : new Error(String(error))
      }
    }
    this.#writing = undefined
  }
}

/**
 * Opens a new event file in a folder, for TensorBoard: curves, histograms, images and texts.
 * @throws OstrichError `ERR_OPTION`; the system's error where the folder cannot be written
 * @example
 * await using board = await train.eventWriter('runs/mnist')
 * for await (const event of session.events()) {
 *   board.event(event)
 *   if (event.type !== 'epoch') continue
 *   for (const [path, values] of Object.entries(await session.parameters())) board.histogram(`weights/${path}`, values, event.step)
 *   for (const [path, values] of Object.entries(await session.gradients())) board.histogram(`gradients/${path}`, values, event.step)
 * }
 */
export async function eventWriter(folder: string): Promise<EventWriter> {
  expectKind('eventWriter', 'folder', is.text, folder)
  // Importing the library reads no compression.
  const { png: encode } = await import('../report/png.js')
  return new EventWriter(await openEventFile(folder), encode)
}
