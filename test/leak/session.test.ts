// 10,000 steps of a session as it is used: data in a new order each epoch, a loop over events, measurements, checkpoints.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { images, perceptron, using } from '../e2e/tasks.js'
import { type Memory, settled } from './memory.js'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-leak-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

describe('a session', () => {
  it('is flat over 10,000 steps', async () => {
    const [warm, measured] = [2000, 10_000]
    // 50 steps an epoch; a checkpoint at each epoch's end and between.
    const data = { train: images(800), validation: images(100, 9) }
    const more = { data, folder, monitor: 'accuracy', checkpointEvery: { steps: 30 }, epochs: (warm + measured) / 50 }
    await using(perceptron(), more, async (run) => {
      let before: Memory | undefined
      let [took, last] = [0, 0]
      for await (const event of run.events()) {
        if (event.type !== 'step') continue
        last = event.step
        if (event.step === warm) {
          before = await settled()
          took = performance.now()
        }
      }
      took = performance.now() - took
      const after = await settled()
      expect(last).toBe(warm + measured)
      expect(took / measured, 'ms of a step').toBeLessThan(3)
      // A leak of one event of a step would be 1 MB of heap, of one batch's fields 10 MB; without any, the heap ends up to 0.6 MB apart.
      expect(after.heap - before!.heap).toBeLessThan(768 * 1024)
      expect(after.resident - before!.resident).toBeLessThan(8 * 1024 * 1024)
    })
  }, 240_000)
})
