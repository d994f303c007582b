// Threads that make the examples of a data set: each batch is cut into pieces, one for each thread, which put them into the batch
// where its memory is shared; else this one does. The threads keep nobody alive: a process may end with its set open.
import { Worker } from 'node:worker_threads'
import { BYTES, type Dataset, elementsOf, type FieldArray, type Fields, type FieldSpec, viewOf } from './dataset.js'
import { DataError } from './errors.js'
import type { GatherReply, GatherRequest, GatherSetup } from './gather-messages.js'
import { expectRoom, placeRows } from './rows.js'

interface Waiting {
  readonly resolve: (reply: GatherReply) => void
  readonly reject: (error: Error) => void
}

/** One thread, and who waits for it. */
class Gatherer {
  readonly #worker: Worker
  readonly #waiting = new Map<number, Waiting>()
  #failure: Error | undefined
  #next = 0

  constructor(setup: GatherSetup) {
    // From the room's bundle or a chunk of it.
    this.#worker = new Worker(new URL('../data/gather-worker.js', import.meta.url), { workerData: setup })
    this.#worker.unref()
    this.#worker.on('message', (reply: GatherReply) => {
      const waiting = this.#waiting.get(reply.id)
      this.#waiting.delete(reply.id)
      if (this.#waiting.size === 0) this.#worker.unref()
      waiting?.resolve(reply)
    })
    this.#worker.on('error', (error) => {
      this.#fail(new DataError(`gather: expected a thread to make examples, got ${error.message}`, { cause: error }))
    })
    this.#worker.on('exit', () => {
      this.#fail(new DataError('gather: expected a data set that is open, got one that was closed'))
    })
  }

  ask(request: Omit<GatherRequest, 'id'>): Promise<GatherReply> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) {
        reject(this.#failure)
        return
      }
      const id = this.#next++
      this.#waiting.set(id, { resolve, reject })
      // While somebody waits the thread is worth waiting for.
      this.#worker.ref()
      this.#worker.postMessage({ id, ...request }, Object.values(request.room))
    })
  }

  #fail(error: Error): void {
    this.#failure ??= error
    for (const { reject } of this.#waiting.values()) reject(this.#failure)
    this.#waiting.clear()
  }

  async close(): Promise<void> {
    await this.#worker.terminate()
  }
}

/** Whether threads can put rows into an array of a field: its memory is shared, and each row is one piece of it. */
const isShared = ({ batchAxis = 0 }: FieldSpec, { buffer }: FieldArray): boolean =>
  batchAxis === 0 && buffer instanceof SharedArrayBuffer

/** The bytes of `count` rows from `first` on, of those arrays whose memory is shared. */
function placesOf(
  fields: Fields,
  rows: Readonly<Record<string, FieldArray>>,
  wanted: readonly string[],
  first: number,
  count: number,
): GatherRequest['places'] {
  const shared = wanted.filter((name) => isShared(fields[name]!, rows[name]!))
  return Object.fromEntries(
    shared.map((name) => {
      const { dtype, shape } = fields[name]!
      const bytes = BYTES[dtype] * elementsOf(shape)
      const { buffer, byteOffset } = rows[name]!
      return [name, new Uint8Array(buffer as SharedArrayBuffer, byteOffset + first * bytes, count * bytes)]
    }),
  )
}

/** A fixed number of threads that have opened the same sets. */
export class GatherPool {
  readonly #threads: readonly Gatherer[]
  /** Memory for pieces, by bytes, to use again. */
  readonly #spare = new Map<number, ArrayBuffer[]>()

  constructor(count: number, setup: GatherSetup) {
    this.#threads = Array.from({ length: count }, () => new Gatherer(setup))
  }

  /**
   * A set like `set` whose examples the threads make, by its `name` in the setup. Where no `x` is wanted this thread makes them: the rest
   * of an example costs less than to ask.
   */
  over<F extends Fields<'x'>>(name: string, set: Dataset<F>): Dataset<F> {
    const fields: Fields = set.fields
    return {
      ...set,
      shared: true,
      gather: async (indices, out, key) => {
        const rows: Readonly<Record<string, FieldArray>> = out
        const wanted = Object.keys(fields).filter((field) => field in out)
        if (!wanted.includes('x')) return set.gather(indices, out, key)
        for (const field of wanted) expectRoom(field, fields[field]!, rows[field], indices.length)
        const all = Uint32Array.from(indices)
        const each = Math.ceil(all.length / this.#threads.length)
        const pieces = this.#threads.slice(0, Math.ceil(all.length / Math.max(1, each))).map((thread, i) => {
          const own = all.slice(i * each, (i + 1) * each)
          const room = this.#room(fields, wanted, own.length)
          return thread.ask({
            set: name,
            indices: own,
            key,
            room,
            places: placesOf(fields, rows, wanted, i * each, own.length),
          })
        })
        const replies = await Promise.allSettled(pieces)
        for (const [i, reply] of replies.entries()) {
          if (reply.status === 'rejected') throw reply.reason
          const { room, error } = reply.value
          const count = Math.min(each, all.length - i * each)
          for (const field of wanted) {
            const [bytes, spec] = [room[field]!, fields[field]!]
            const isPlaced = isShared(spec, rows[field]!)
            if (error === undefined && !isPlaced) {
              placeRows(spec, viewOf(spec.dtype, bytes), count, rows[field]!, i * each)
            }
            this.#keep(bytes)
          }
          if (error !== undefined) throw new DataError(error)
        }
      },
    }
  }

  #room(fields: Fields, wanted: readonly string[], count: number): Record<string, ArrayBuffer> {
    const entries = wanted.map((name): [string, ArrayBuffer] => {
      const { dtype, shape } = fields[name]!
      const bytes = BYTES[dtype] * count * elementsOf(shape)
      return [name, this.#spare.get(bytes)?.pop() ?? new ArrayBuffer(bytes)]
    })
    return Object.fromEntries(entries)
  }

  #keep(bytes: ArrayBuffer): void {
    const kept = this.#spare.get(bytes.byteLength) ?? []
    if (kept.length < 4 * this.#threads.length) kept.push(bytes)
    this.#spare.set(bytes.byteLength, kept)
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()))
  }
}
