// Batches that the user brings: what passes, what is padded, and a clear word about everything else.
import { describe, expect, it } from 'vitest'
import { DataError, fromBatches, type FieldSpec, type UserBatch } from '../../../lib/data/index.js'
import { collectAll } from './support.js'

const fields: Record<'x' | 'target', FieldSpec> = {
  x: { dtype: 'f32', shape: [2] },
  target: { dtype: 'i32', shape: [] },
}
type Names = keyof typeof fields
const good = (value: number): UserBatch<Names> => ({
  x: new Float32Array(4).fill(value),
  target: Int32Array.of(value, value),
})

async function take(items: Iterable<unknown>, startStep = 0) {
  return collectAll(fromBatches(items as Iterable<UserBatch<Names>>, { fields, batch: 2, startStep }))
}

describe('fromBatches', () => {
  it('passes full batches on without a copy', async () => {
    const item = good(1)
    const [batch] = await take([item])
    expect(batch).toEqual({ epoch: 0, step: 0, count: 2, feeds: item })
    expect(batch?.feeds.x).toBe(item.x)
  })

  it('takes async iterables and pads a short batch', async () => {
    async function* stream() {
      yield good(1)
      await Promise.resolve()
      yield { x: Float32Array.of(5, 6), target: Int32Array.of(3) }
    }
    const seen = await collectAll(fromBatches(stream(), { fields, batch: 2, epoch: 4 }))
    expect(seen[1]).toEqual({
      epoch: 4,
      step: 1,
      count: 1,
      feeds: { x: Float32Array.of(5, 6, 0, 0), target: Int32Array.of(3, 0) },
    })
  })

  it('skips to a step to resume', async () => {
    const seen = await take([good(0), good(1), good(2)], 2)
    expect(seen.map(({ step, feeds }) => [step, feeds.target[0]])).toEqual([[2, 2]])
  })

  it.each<[string, unknown, RegExp]>([
    ['a missing field', { x: new Float32Array(4) }, /batch 1\[target\]: expected Int32Array, got nothing/],
    ['an unknown field', { ...good(1), label: 3 }, /batch 1: expected only fields x, target, got 'label' as well/],
    [
      'another kind',
      { ...good(1), x: new Float64Array(4) },
      /batch 1\[x\]: expected Float32Array, got Float64Array of length 4/,
    ],
    ['a plain array', { ...good(1), target: [1, 2] }, /batch 1\[target\]: expected Int32Array, got Array of length 2/],
    [
      'half an example',
      { ...good(1), x: new Float32Array(3) },
      /batch 1\[x\]: expected 4 elements, 2 examples of 2 .*got 3/,
    ],
    ['too many', { ...good(1), x: new Float32Array(6) }, /batch 1\[x\]: expected 4 elements.*got 6/],
    ['none', { x: new Float32Array(0), target: new Int32Array(0) }, /batch 1\[x\].*got 0/],
    [
      'counts that disagree',
      { ...good(1), target: Int32Array.of(1) },
      /batch 1\[target\]: expected 2 examples, as in 'x', got 1/,
    ],
    ['no object', 7, /batch 1: expected an object with fields x, target, got number/],
    ['null', null, /batch 1: .*got null/],
  ])('refuses %s', async (_, item, message) => {
    await expect(take([good(0), item])).rejects.toThrow(message)
    await expect(take([good(0), item])).rejects.toThrow(DataError)
  })

  it.each([[undefined], [7], [{}]])('refuses %j as a source', (source) => {
    expect(() => fromBatches(source as unknown as UserBatch[], { fields, batch: 2 })).toThrow(/expected an iterable/)
  })
})
