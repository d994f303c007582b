// 24,000 steps of a session as it is used: data in a new order each epoch, a loop over events, measurements, checkpoints.
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
  it('is flat over 24,000 steps', async () => {
    const [warm, between, times] = [4000, 3000, 8]
    // 50 steps an epoch; a checkpoint at each epoch's end and between.
    const data = { train: images(800), validation: images(100, 9) }
    const epochs = (warm + between * times) / 50
    const kept = { folder, monitor: 'accuracy', checkpointEvery: { steps: 30 } }
    await using(perceptron(), { data, ...kept, epochs, threads: 1 }, async (run) => {
      const seen: Memory[] = []
      let [last, took, since] = [0, 0, 0]
      for await (const event of run.events()) {
        if (event.type !== 'step') continue
        last = event.step
        if (last < warm || (last - warm) % between !== 0) continue
        if (seen.length > 0) took += performance.now() - since
        seen.push(await settled())
        since = performance.now()
      }
      expect(last).toBe(warm + between * times)
      expect(seen).toHaveLength(times + 1)
      expect(took / (between * times), 'ms of a step').toBeLessThan(3)
      // Code that V8 makes or drops weighs in few of the spans, by half a megabyte; what each step leaves weighs in all.
      const grown = seen.slice(1).map(({ heap }, i) => (heap - seen[i]!.heap) / between)
      expect(grown.sort((a, b) => a - b)[times / 2], 'bytes of heap that a step leaves').toBeLessThan(40)
      expect(seen.at(-1)!.resident - seen[0]!.resident).toBeLessThan(8 * 1024 * 1024)
    })
  }, 240_000)
})
