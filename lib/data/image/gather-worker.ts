// A thread that reads, cuts and varies images of a packed folder for another: indices in, arrays out, by transfer.
import { parentPort, workerData } from 'node:worker_threads'
import type { GatherReply, GatherRequest, GatherSetup } from './gather-messages.js'
import { openHalves } from './halves.js'

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
