// Threads that make the examples of a packed set: each batch is cut into pieces, one for each thread, and their bytes are
// copied once into the batch. The threads keep nobody alive: a process may end with its set open.
import { Worker } from 'node:worker_threads'
import { elementsOf, type EpochKey } from '../dataset.js'
import { DataError } from '../errors.js'
import { checkRoom, type ImageSet } from './augment.js'
import type { GatherReply, GatherRequest, GatherSetup } from './gather-messages.js'

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
    this.#worker = new Worker(new URL('../data/image/gather-worker.js', import.meta.url), { workerData: setup })
    this.#worker.unref()
    this.#worker.on('message', (reply: GatherReply) => {
      const waiting = this.#waiting.get(reply.id)
      this.#waiting.delete(reply.id)
      if (this.#waiting.size === 0) this.#worker.unref()
      waiting?.resolve(reply)
    })
    this.#worker.on('error', (error) => {
      this.#fail(new DataError(`gather: expected a thread to read images, got ${error.message}`, { cause: error }))
    })
    this.#worker.on('exit', () => {
      this.#fail(new DataError('gather: expected a packed set that is open, got one that was closed'))
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
      this.#worker.postMessage({ id, ...request }, [request.x])
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

/** A fixed number of threads over one packed folder. */
export class GatherPool {
  readonly #threads: readonly Gatherer[]
  /** Memory for pieces, by bytes, to use again. */
  readonly #spare = new Map<number, ArrayBuffer[]>()

  constructor(count: number, setup: GatherSetup) {
    this.#threads = Array.from({ length: count }, () => new Gatherer(setup))
  }

  /** A set like `set` whose examples the threads make. */
  over(half: 'train' | 'validation', set: ImageSet): ImageSet {
    const { length, fields, views } = set
    const stride = elementsOf(fields.x.shape)
    return {
      length,
      fields,
      ...(views !== undefined && { views }),
      gather: async (indices, out, key) => {
        const { x, target } = out as Partial<typeof out>
        if (x === undefined) return set.gather(indices, out)
        checkRoom(x, indices.length * stride)
        const all = Uint32Array.from(indices)
        const each = Math.ceil(all.length / this.#threads.length)
        const pieces = this.#threads
          .slice(0, Math.ceil(all.length / Math.max(1, each)))
          .map((thread, i) => this.#piece(thread, half, all.slice(i * each, (i + 1) * each), key, stride))
        const replies = await Promise.allSettled(pieces)
        for (const [i, reply] of replies.entries()) {
          if (reply.status === 'rejected') throw reply.reason
          const { x: bytes, target: labels, error } = reply.value
          if (error === undefined) {
            x.set(new Uint8Array(bytes), i * each * stride)
            target?.set(labels, i * each)
          }
          this.#keep(bytes)
          if (error !== undefined) throw new DataError(error)
        }
      },
    }
  }

  #piece(
    thread: Gatherer,
    half: 'train' | 'validation',
    indices: Uint32Array,
    key: EpochKey | undefined,
    stride: number,
  ): Promise<GatherReply> {
    const bytes = indices.length * stride
    const x = this.#spare.get(bytes)?.pop() ?? new ArrayBuffer(bytes)
    return thread.ask({ half, indices, key, x })
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
