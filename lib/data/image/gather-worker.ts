// A thread that reads, cuts and varies images of a packed folder for another: indices in, arrays out, by transfer.
import { parentPort, workerData } from 'node:worker_threads'
import type { EpochKey } from '../dataset.js'
import type { PackedOptions } from './packed.js'
import { openHalves } from './packed.js'

/** What a thread is made with. */
export interface GatherSetup {
  readonly folder: string
  readonly options: PackedOptions
}

/** Examples that are wanted. */
export interface GatherRequest {
  readonly id: number
  readonly half: 'train' | 'validation'
  readonly indices: Uint32Array
  readonly key: EpochKey | undefined
  /** Memory to put them in. */
  readonly x: ArrayBuffer
}

/** What came of it; `x` comes back in any case. */
export interface GatherReply {
  readonly id: number
  readonly x: ArrayBuffer
  readonly target: Int32Array
  readonly error?: string
}

const port = parentPort
if (port === null) throw new Error('gather-worker: expected to be run as a thread')
const { folder, options } = workerData as GatherSetup
const halves = openHalves(folder, options, true)
halves.catch(() => undefined)

port.on('message', ({ id, half, indices, key, x }: GatherRequest) => {
  const target = new Int32Array(indices.length)
  const answer = (error?: string): void => {
    port.postMessage({ id, x, target, ...(error !== undefined && { error }) } satisfies GatherReply, [x])
  }
  halves
    .then((opened) => opened[half].gather(indices, { x: new Uint8Array(x), target }, key))
    .then(
      () => {
        answer()
      },
      (error: unknown) => {
        answer(error instanceof Error ? error.message : String(error))
      },
    )
})
