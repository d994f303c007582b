// Worker threads that load the addon, work, and end in every way: nothing crashes, and the main thread goes on.
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { addonPath, openDevice } from '../../../lib/runtime/index.js'
import { doubling } from '../../support/tiny-program.js'

const elements = 200_000
const script = new URL('worker.mjs', import.meta.url)

/** First result of a worker, and how it ended. */
function end(ending: string): Promise<{ value: unknown; error: string | undefined }> {
  const worker = new Worker(script, {
    workerData: { addon: addonPath(), program: doubling(elements), elements, ending },
  })
  return new Promise((resolve) => {
    let value: unknown
    let error: string | undefined
    worker.on('message', (message) => {
      value = message
      if (ending === 'terminate') setTimeout(() => void worker.terminate(), 20)
    })
    worker.on('error', (thrown) => {
      error = thrown instanceof Error ? thrown.message : String(thrown)
    })
    worker.on('exit', () => {
      resolve({ value, error })
    })
  })
}

describe('worker threads', () => {
  it.each(['dispose', 'leave', 'exit', 'terminate', 'throw'])('end by %s with runs under way', async (ending) => {
    for (let round = 0; round < 3; round++) {
      const ends = await Promise.all([end(ending), end(ending)])
      const error = ending === 'throw' ? 'on purpose' : undefined
      expect(ends).toEqual([
        { value: 2, error },
        { value: 2, error },
      ])
    }
    await using device = await openDevice({ device: 'cpu' })
    expect(device.info()['backend']).toBe('cpu')
  })
})
