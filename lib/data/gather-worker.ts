// A thread that makes examples for another: indices in, arrays out, by transfer.
import { parentPort, workerData } from 'node:worker_threads'
import { type Dataset, type FieldArray, viewOf } from './dataset.js'
import type { GatherReply, GatherRequest, GatherSetup } from './gather-messages.js'

const port = parentPort
if (port === null) throw new Error('gather-worker: expected to be run as a thread')

/** The sets of a setup, by name. */
async function open(setup: GatherSetup): Promise<Readonly<Record<string, Dataset>>> {
  if (setup.kind === 'packed') {
    const { train, validation } = await (
      await import('./image/halves.js')
    ).openHalves(setup.folder, setup.options, true)
    return { train, validation }
  }
  if (setup.kind === 'strips') return (await import('./numbers/strip-sets.js')).stripSets(setup.parts)
  if (setup.kind === 'photos') return (await import('./numbers/photo-sets.js')).photoSets(setup.parts)
  return (await import('./video/moving-digits.js')).movingSets(setup.parts)
}

const sets = open(workerData as GatherSetup)
sets.catch(() => undefined)

async function gather({ set, indices, key, room, places = {} }: GatherRequest): Promise<void> {
  const from = (await sets)[set]
  if (from === undefined) throw new Error(`gather-worker: expected a set of the setup, got ${set}`)
  const out = Object.entries(room).map(([name, bytes]): [string, FieldArray] => [
    name,
    viewOf(from.fields[name]!.dtype, bytes),
  ])
  await from.gather(indices, Object.fromEntries(out), key)
  // In one go: rows that are written value by value are faster in memory of one's own.
  for (const [name, place] of Object.entries(places)) place.set(new Uint8Array(room[name]!))
}

port.on('message', (request: GatherRequest) => {
  const { id, room } = request
  const answer = (error?: string): void => {
    const reply = { id, room, ...(error !== undefined && { error }) } satisfies GatherReply
    port.postMessage(reply, Object.values(room))
  }
  gather(request).then(
    () => {
      answer()
    },
    (error: unknown) => {
      answer(error instanceof Error ? error.message : String(error))
    },
  )
})
