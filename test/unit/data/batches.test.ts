// Batching: which examples, in which order, in which buffers, and resuming in the middle of an epoch.
import { describe, expect, it } from 'vitest'
import { arrays, batches, DataError, permutation, stepsPerEpoch, type BatchOptions } from '../../../lib/data/index.js'
import { collectAll } from './support.js'

const ten = arrays({
  x: { data: Float32Array.from({ length: 20 }, (_, i) => i), shape: [2] },
  target: Int32Array.from({ length: 10 }, (_, i) => i),
})

async function collect(options: BatchOptions): Promise<{ step: number; count: number; target: number[] }[]> {
  const seen = []
  for await (const { step, count, feeds } of batches(ten, options))
    seen.push({ step, count, target: [...feeds.target] })
  return seen
}

describe('permutation', () => {
  it('holds every index once and depends on seed and epoch', () => {
    const order = permutation(1000, 1, 0)
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i))
    expect(order).toEqual(permutation(1000, 1, 0))
    expect(order).not.toEqual(permutation(1000, 1, 1))
    expect(order).not.toEqual(permutation(1000, 2, 0))
    expect(order).not.toEqual(permutation(1000, 1 + 2 ** 32, 0))
  })

  it('stays what it was: a checkpoint of today resumes tomorrow', () => {
    expect([...permutation(8, 1, 0)]).toEqual([0, 4, 5, 3, 7, 2, 6, 1])
  })

  it('puts every element everywhere equally often', () => {
    const counts = new Float64Array(16)
    for (let seed = 0; seed < 8000; seed++)
      permutation(4, seed, 0).forEach((value, place) => counts[4 * place + value]!++)
    // Expected 2000 each, standard deviation 39.
    for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(5 * 39)
  })

  it.each([
    [-1, 0, 0],
    [2 ** 32, 0, 0],
    [4, -1, 0],
    [4, 1.5, 0],
    [4, 0, Number.NaN],
  ])('refuses (%d, %d, %d)', (length, seed, epoch) => {
    expect(() => permutation(length, seed, epoch)).toThrow(DataError)
  })
})

describe('batches', () => {
  it('goes in order, with a short last batch padded by zeros', async () => {
    expect(await collect({ batch: 4 })).toEqual([
      { step: 0, count: 4, target: [0, 1, 2, 3] },
      { step: 1, count: 4, target: [4, 5, 6, 7] },
      { step: 2, count: 2, target: [8, 9, 0, 0] },
    ])
  })

  it('pads also where the ring was used before', async () => {
    const seen = await collect({ batch: 1 })
    expect(seen.map(({ target }) => target[0])).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    const all = await collectAll(batches(arrays({ x: new Uint8Array(29).fill(5) }), { batch: 3 }))
    expect([...(all.at(-1)?.feeds.x ?? [])]).toEqual([5, 5, 0])
  })

  it('drops a short last batch when asked', async () => {
    expect((await collect({ batch: 4, dropLast: true })).map(({ count }) => count)).toEqual([4, 4])
    expect(stepsPerEpoch(60_000, 128, true)).toBe(468)
    expect(stepsPerEpoch(60_000, 128)).toBe(469)
  })

  it('shuffles by seed and epoch, the same for every field', async () => {
    const order = permutation(10, 3, 2)
    const seen: number[] = []
    for await (const { epoch, feeds } of batches(ten, { batch: 5, shuffle: true, seed: 3, epoch: 2 })) {
      expect(epoch).toBe(2)
      expect([...feeds.x].filter((_, i) => i % 2 === 0)).toEqual([...feeds.target].map((target) => 2 * target))
      seen.push(...feeds.target)
    }
    expect(seen).toEqual([...order])
  })

  it('resumes at a step exactly, reading nothing before it', async () => {
    const whole = await collect({ batch: 3, shuffle: true, seed: 9, epoch: 1 })
    const read: number[] = []
    const spied = {
      ...ten,
      gather(indices: Uint32Array | readonly number[], out: Parameters<typeof ten.gather>[1]) {
        read.push(...indices)
        return ten.gather(indices, out)
      },
    }
    const rest = []
    for await (const { step, count, feeds } of batches(spied, {
      batch: 3,
      shuffle: true,
      seed: 9,
      epoch: 1,
      startStep: 2,
    })) {
      rest.push({ step, count, target: [...feeds.target] })
    }
    expect(rest).toEqual(whole.slice(2))
    expect(read).toEqual([...permutation(10, 9, 1).subarray(6)])
    expect(await collect({ batch: 5, startStep: 2 })).toEqual([])
  })

  it('keeps a batch valid until two further ones were taken, however far ahead it reads', async () => {
    const data = arrays({ x: Int32Array.from({ length: 40 }, (_, i) => i) })
    const iterator = batches(data, { batch: 1 })
    const buffers = new Set<unknown>()
    let before: { step: number; x: Int32Array } | undefined
    for await (const { step, feeds } of iterator) {
      const x = feeds.x as Int32Array
      // Time for the producer to run as far ahead as it ever does.
      await new Promise((resolve) => setTimeout(resolve, 2))
      expect(x[0]).toBe(step)
      if (before !== undefined) expect(before.x[0]).toBe(before.step)
      before = { step, x }
      buffers.add(x)
    }
    expect(buffers.size).toBe(4)
  })

  it('passes on an error of the data set', async () => {
    const broken = { ...ten, gather: () => Promise.reject(new Error('disk gone')) }
    await expect(batches(broken, { batch: 4 }).next()).rejects.toThrow('disk gone')
  })

  it.each<[Partial<BatchOptions>, RegExp]>([
    [{ batch: 0 }, /\[batch\]: expected an integer of 1 or more, got 0/],
    [{ batch: 2.5 }, /\[batch\].*got 2.5/],
    [{ batch: 11, dropLast: true }, /expected at most 10 .*dropLast, got 11/],
    [{ seed: -1 }, /\[seed\].*got -1/],
    [{ epoch: Number.NaN }, /\[epoch\].*got NaN/],
    [{ startStep: 4 }, /\[startStep\]: expected an integer from 0 to 3, got 4/],
    [{ batch: '4' as unknown as number }, /\[batch\].*got 4/],
  ])('refuses %j', (options, message) => {
    expect(() => batches(ten, { batch: 4, ...options })).toThrow(message)
    expect(() => batches(ten, { batch: 4, ...options })).toThrow(DataError)
  })

  it('refuses an empty data set', () => {
    expect(() => batches({ ...ten, length: 0 }, { batch: 1 })).toThrow(/expected a data set with examples/)
  })
})
