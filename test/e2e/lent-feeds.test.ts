// Feeds that are lent are read where they lie, in memory that threads share; of batches that threads make, this one copies nothing.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { numberStrips } from '../../dist/data/index.js'
import type { Tensor } from '../../lib/graph/index.js'
import * as nn from '../../lib/nn/index.js'
import * as optim from '../../lib/optim/index.js'
import { openDevice, Program } from '../../lib/runtime/index.js'
import { session } from '../../lib/train/index.js'
import { writeHandwriting } from '../support/handwriting.js'
import { doubling } from '../support/tiny-program.js'
import { lossesOf } from './tasks.js'

const device = process.env['OSTRICH_TEST_DEVICE'] === 'cuda' ? 'cuda' : 'cpu'

describe('a run', () => {
  const n = 4096
  const bytes = 4 * n
  /** Numbers in shared memory, not at its beginning. */
  const shared = () => new Float32Array(new SharedArrayBuffer(bytes + 4), 4, n).fill(3)

  async function withProgram(work: (program: Program) => Promise<void>): Promise<void> {
    await using opened = await openDevice({ device })
    const w = opened.alloc({ name: 'w', dtype: 'f32', shape: [n] })
    using program = await opened.compile(doubling(n), [w])
    await work(program)
  }

  it('reads what is lent where it lies', async () => {
    await withProgram(async (program) => {
      const { y } = await program.run({ x: shared() }, undefined, { lent: true })
      expect(y!.every((value) => value === 6)).toBe(true)
      expect(program.stats().copiedBytes).toBe(0)
    })
  })

  it('keeps what is lent alive until it ends', async () => {
    await withProgram(async (program) => {
      const runs = Array.from({ length: 50 }, () => program.run({ x: shared() }, undefined, { lent: true }))
      globalThis.gc?.()
      const results = await Promise.all(runs)
      // w becomes y in each run: 6, 12, 18 ...
      results.forEach(({ y }, i) => {
        expect(y![n - 1]).toBe(6 * (i + 1))
      })
    })
  })

  it('copies all other feeds, so that later changes do not count', async () => {
    await withProgram(async (program) => {
      const arrays = [shared(), new Float32Array(n).fill(3)] as const
      const runs = [program.run({ x: arrays[0] }), program.run({ x: arrays[1] }, undefined, { lent: true })]
      for (const array of arrays) array.fill(1000)
      const [first, second] = await Promise.all(runs)
      expect([first!['y']![0], second!['y']![0]]).toEqual([6, 12])
      expect(program.stats().copiedBytes).toBe(2 * bytes)
    })
  })
})

describe('a session over strips', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ostrich-lent-'))
    await writeHandwriting(folder)
  })
  afterAll(async () => {
    await rm(folder, { recursive: true })
  })

  /** Losses of two epochs, and the bytes that this thread has copied for them. */
  async function trained(workers: number): Promise<{ losses: readonly number[]; copied: number }> {
    const programs = new Set<Program>()
    const run = vi.spyOn(Program.prototype, 'run')
    const set = await numberStrips({ dir: folder, train: 80, validation: 0, workers })
    try {
      const net = nn.sequential(nn.avgPool2d(6), nn.flatten(), nn.linear(3 * 81, 7))
      const usual = { batch: 20, epochs: 2, seed: 1, precision: 'f32', device } as const
      const options = { ...usual, data: { train: set.train }, optimizer: optim.sgd({ rate: 0.01 }) }
      await using opened = await session((fields) => {
        const { x, length, ...others } = fields as { x: Tensor<'f32'>; length: Tensor<'i32'> }
        expect(Object.keys(others)).toEqual(['digits', 'mask'])
        return { loss: nn.crossEntropy(net(x), length) }
      }, options)
      const losses = await lossesOf(opened.events())
      for (const program of run.mock.contexts as Program[]) if (program.name === 'train') programs.add(program)
      return { losses, copied: [...programs].reduce((sum, program) => sum + program.stats().copiedBytes, 0) }
    } finally {
      run.mockRestore()
      await set.close()
    }
  }

  it('learns the same with threads as without, and copies nothing then', async () => {
    const [alone, threads] = [await trained(0), await trained(2)]
    expect(threads.losses).toEqual(alone.losses)
    expect(alone.losses).toHaveLength(8)
    expect(alone.copied).toBeGreaterThan(8 * 20 * 3 * 54 * 54)
    expect(threads.copied).toBe(0)
  })
})
