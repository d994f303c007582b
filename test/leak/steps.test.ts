// 10,000 steps: the JavaScript heap and the resident set stay where they were after the first thousand.
import { describe, expect, it } from 'vitest'
import { openDevice } from '../../lib/runtime/index.js'
import { doubling } from '../support/tiny-program.js'
import { settled } from './memory.js'

describe('memory', () => {
  it('is flat over 10,000 steps with two in flight', async () => {
    await using device = await openDevice({ device: 'cpu' })
    const n = 20_000
    const w = device.alloc({ name: 'w', dtype: 'f32', shape: [n] })
    const program = await device.compile(doubling(n), [w])
    const feeds = { x: new Float32Array(n) }
    const slots = [{ y: new Float32Array(n) }, { y: new Float32Array(n) }]
    const steps = async (count: number): Promise<void> => {
      let earlier: Promise<unknown> = Promise.resolve()
      for (let step = 0; step < count; step++) {
        const run = program.run(feeds, slots[step % 2])
        await earlier
        earlier = run
      }
      await earlier
    }
    await steps(1000)
    const before = await settled()
    await steps(10_000)
    const after = await settled()
    // A leak of one array reference a step would be 500 kB of heap, of one slot's memory 1.6 GB.
    expect(after.heap - before.heap).toBeLessThan(256 * 1024)
    expect(after.resident - before.resident).toBeLessThan(8 * 1024 * 1024)
  }, 120_000)

  it('comes back from programs and buffers that are disposed, and from those that are forgotten', async () => {
    await using device = await openDevice({ device: 'cpu' })
    const n = 250_000
    const round = async (dispose: boolean): Promise<void> => {
      const w = device.alloc({ name: 'w', dtype: 'f32', shape: [n] })
      const program = await device.compile(doubling(n), [w])
      await program.run({ x: new Float32Array(n) })
      if (!dispose) return
      program.dispose()
      w.dispose()
    }
    for (let i = 0; i < 40; i++) await round(i % 2 === 0)
    const before = await settled()
    for (let i = 0; i < 200; i++) {
      await round(i % 2 === 0)
      if (i % 20 === 0) await settled()
    }
    const after = await settled()
    // Each round holds at least 3 MB: 200 of them would be 600 MB.
    expect(after.resident - before.resident).toBeLessThan(60 * 1024 * 1024)
  }, 120_000)

  it('comes back from programs that are disposed while they run', async () => {
    await using device = await openDevice({ device: 'cpu' })
    const n = 2_000_000
    const w = device.alloc({ name: 'w', dtype: 'f32', shape: [n] })
    const x = new Float32Array(n)
    const round = async (): Promise<void> => {
      const program = await device.compile(doubling(n), [w])
      const run = program.run({ x }, {})
      program.dispose()
      await run
    }
    for (let i = 0; i < 10; i++) await round()
    const before = await settled()
    for (let i = 0; i < 40; i++) {
      await round()
      if (i % 5 === 0) await settled()
    }
    const after = await settled()
    // Each round copies 8 MB of feeds and has room for as many of results: 40 of them would be 640 MB.
    expect(after.resident - before.resident).toBeLessThan(60 * 1024 * 1024)
  }, 120_000)
})

describe('a device that is forgotten', () => {
  it('settles the disposal that was asked for', async () => {
    // Giving this much memory back keeps the device's thread busy until nobody holds the device any more.
    const forgotten = async (): Promise<{ disposal: Promise<void> }> => {
      const device = await openDevice({ device: 'cpu' })
      const buffers = Array.from({ length: 4 }, () => device.alloc({ name: 'w', dtype: 'f32', shape: [16 << 20] }))
      for (const buffer of buffers) buffer.dispose()
      return { disposal: device.dispose() }
    }
    const { disposal } = await forgotten()
    for (let i = 0; i < 5; i++) await settled()
    await disposal
  })
})
