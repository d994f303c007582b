// Data of variable length: what a batch holds, how an epoch is cut, and what is refused.
import { describe, expect, it } from 'vitest'
import {
  arrays,
  type Batch,
  batches,
  type BatchOptions,
  type Dataset,
  fromBatches,
  permutation,
  PhiloxStream,
  sequences,
  subset,
} from '../../../lib/data/index.js'
import { cutsOf, paddingOf, shapesOf } from '../../../lib/data/buckets.js'
import { firstRows } from '../../../lib/data/rows.js'

const noise = new PhiloxStream(5, 0, 0)
const lengths = Array.from({ length: 203 }, () => 1 + noise.below(40) + (noise.below(20) === 0 ? 60 : 0))
/** Example i is the number i as often as it is long. */
const words = lengths.map((length, i) => new Int32Array(length).fill(i))
const own = Int32Array.from(lengths.keys())
const make = (more: Parameters<typeof sequences>[1] = {}) => sequences({ words, own }, { ...more })

interface Seen {
  readonly step: number
  readonly count: number
  readonly steps: number | undefined
  readonly words: readonly number[]
  readonly own: readonly number[]
  readonly lengths: readonly number[]
}

async function collect(set: Dataset, options: BatchOptions): Promise<Seen[]> {
  const seen: Seen[] = []
  for await (const { step, count, steps, feeds } of batches(set, options) as AsyncIterable<Batch>) {
    const lists = Object.fromEntries(Object.entries(feeds).map(([name, values]) => [name, [...values]]))
    const none = { words: [], own: [], lengths: [] }
    seen.push({ step, count, steps, ...none, ...lists })
  }
  return seen
}

describe('sequences', () => {
  it('gives time-major rows, padded with what is said, and their lengths', async () => {
    const set = sequences(
      {
        word: [Int32Array.of(5, 6, 7), Int32Array.of(8)],
        tag: [Uint8Array.of(1, 2, 3), Uint8Array.of(4)],
        sound: { data: [Float32Array.of(1, 2, 3, 4, 5, 6), Float32Array.of(7, 8)], shape: [2] },
        speaker: Int32Array.of(20, 30),
      },
      { multiple: 4, pad: { word: -1, tag: 9 } },
    )
    expect(set.fields).toEqual({
      word: { dtype: 'i32', shape: [4], batchAxis: 1, varies: true },
      tag: { dtype: 'u8', shape: [4], batchAxis: 1, varies: true },
      sound: { dtype: 'f32', shape: [4, 2], batchAxis: 1, varies: true },
      speaker: { dtype: 'i32', shape: [] },
      lengths: { dtype: 'i32', shape: [] },
    })
    const [batch] = await collect(set, { batch: 2 })
    expect(batch).toEqual({
      ...{ step: 0, count: 2, steps: 4, words: [], own: [] },
      word: [5, 8, 6, -1, 7, -1, -1, -1],
      tag: [1, 4, 2, 9, 3, 9, 9, 9],
      sound: [1, 2, 7, 8, 3, 4, 0, 0, 5, 6, 0, 0, 0, 0, 0, 0],
      speaker: [20, 30],
      lengths: [3, 1],
    })
  })

  it('gives every example once an epoch, in batches of a multiple of steps, in no more room than its longest needs', async () => {
    const seen = await collect(make({ multiple: 10 }), { batch: 8, shuffle: true, seed: 3 })
    expect(seen.flatMap((batch) => batch.own).sort((a, b) => a - b)).toEqual([...own])
    for (const { count, steps, words: values, own: examples, lengths: told } of seen) {
      expect(steps! % 10).toBe(0)
      expect(values).toHaveLength(count * steps!)
      expect(told).toEqual(examples.map((i) => lengths[i]))
      for (const [row, i] of examples.entries()) {
        const column = values.filter((_, at) => at % count === row)
        expect(column).toEqual(Array.from({ length: steps! }, (_, t) => (t < lengths[i]! ? i : 0)))
      }
    }
    // All batches but one are full, and none holds an example of a longer bucket.
    expect(seen.filter(({ count }) => count !== 8)).toHaveLength(1)
    expect(new Set(seen.map(({ steps }) => steps)).size).toBeGreaterThan(4)
    const ranks = seen.map(({ steps }) => steps)
    expect(ranks).not.toEqual(ranks.toSorted((a, b) => a! - b!))
  })

  it('has batches of one set of shapes in every epoch, in an order of each', async () => {
    const set = make({ multiple: 16, tokens: 320 })
    const kinds = (batches: readonly Seen[]) => batches.map(({ count, steps }) => `${count}x${steps}`)
    const [one, two] = [
      await collect(set, { batch: 64, shuffle: true, epoch: 0 }),
      await collect(set, { batch: 64, shuffle: true, epoch: 1 }),
    ]
    expect(kinds(one)).not.toEqual(kinds(two))
    expect(kinds(one).sort()).toEqual(kinds(two).sort())
    expect(one.map((batch) => batch.own)).not.toEqual(two.map((batch) => batch.own))
    for (const { count, steps } of one) expect(count * steps!).toBeLessThanOrEqual(320)
    expect(Math.max(...one.map(({ count }) => count))).toBe(20)
    const shapes = shapesOf(set, set.buckets!, 64)
    expect(shapes.map(({ rows, steps }) => `${rows}x${steps}`).sort()).toEqual([...new Set(kinds(one))].sort())
    const [largest] = shapes
    expect(largest!.rows * largest!.steps!).toBe(Math.max(...one.map(({ count, steps }) => count * steps!)))
    expect(largest!.fields['words']).toMatchObject({ shape: [largest!.steps] })
    const all = one.reduce((sum, { count, steps }) => sum + count * steps!, 0)
    const real = lengths.reduce((sum, length) => sum + length, 0)
    expect(paddingOf(set.buckets!, 64)).toBeCloseTo(1 - real / all, 12)
  })

  it('goes on in the middle of an epoch as it would have', async () => {
    const set = make({ tokens: 256 })
    const options = { batch: 16, shuffle: true, seed: 9, epoch: 4 }
    const whole = await collect(set, options)
    expect(await collect(set, { ...options, startStep: 7 })).toEqual(whole.slice(7))
  })

  it('leaves a short last batch out where it is told to', async () => {
    const whole = await collect(make(), { batch: 8 })
    const full = await collect(make(), { batch: 8, dropLast: true })
    expect(whole.at(-1)!.count).toBe(203 % 8)
    expect(full).toEqual(whole.slice(0, -1))
    expect(() => batches(make(), { batch: 204, dropLast: true })).toThrow(/batches\[batch\]: expected.*203.*got 204/)
  })

  it('can be parted', async () => {
    const places = permutation(203, 1, 0).subarray(0, 50)
    const part = subset(make({ multiple: 5 }), places)
    expect([...part.buckets!.lengths]).toEqual(Array.from(places, (place) => lengths[place]))
    const seen = await collect(part, { batch: 8 })
    expect(seen.flatMap((batch) => batch.own).sort((a, b) => a - b)).toEqual([...places].sort((a, b) => a - b))
  })

  it('refuses examples longer than the longest allowed, or leaves them out and says so', async () => {
    const first = lengths.findIndex((length) => length > 50)
    expect(() => make({ longest: 50 })).toThrow(
      `sequences: example ${first}: expected at most 50 steps, got ${lengths[first]} (longer: 'leave out' leaves such examples out)`,
    )
    const set = make({ longest: 50, longer: 'leave out' })
    const short = [...own].filter((i) => lengths[i]! <= 50)
    expect(set.buckets!.leftOut).toBe(203 - short.length)
    expect(set.length).toBe(short.length)
    const seen = await collect(set, { batch: 8 })
    expect(seen.flatMap((batch) => batch.own).sort((a, b) => a - b)).toEqual(short)
    expect(() => make({ longest: 0 })).toThrow(/longest/)
    expect(() => sequences({ words: [new Int32Array(4)] }, { longest: 2, longer: 'leave out' })).toThrow(/longest/)
  })

  it.each([
    [
      'no fields of variable length',
      () => sequences({ own } as never),
      /expected a field with one typed array.*arrays/,
    ],
    [
      'an example without steps',
      () => sequences({ a: [new Int32Array(2), new Int32Array(0)] }),
      /sequences\[a\]: example 1: expected at least one step, got none/,
    ],
    [
      'fields of different lengths in one example',
      () => sequences({ a: [new Int32Array(2), new Int32Array(3)], b: [new Int32Array(2), new Int32Array(4)] }),
      "sequences[b]: example 1: expected 3 steps, as in 'a', got 4",
    ],
    [
      'fields of different numbers of examples',
      () => sequences({ a: [new Int32Array(2)], b: [] }),
      /sequences\[b\]: expected.*got no examples/,
    ],
    [
      'too few fixed values',
      () => sequences({ a: [new Int32Array(2)], b: new Int32Array(3) }),
      'sequences[b]: expected 1 examples, got 3',
    ],
    [
      'half a step',
      () => sequences({ a: { data: [new Float32Array(5)], shape: [2] } }),
      /example 0: expected a positive multiple of 2 values.*got 5/,
    ],
    [
      'kinds that differ',
      () => sequences({ a: [new Int32Array(2), new Float32Array(2)] }),
      /expected Int32Array for example 1, got Float32Array/,
    ],
    [
      'other arrays',
      () => sequences({ a: [[1, 2]] } as never),
      /expected a Uint8Array, Int32Array or Float32Array for each example/,
    ],
    [
      'a name that it adds',
      () => sequences({ a: [new Int32Array(2)], lengths: new Int32Array(1) }),
      /sequences\[lengths\]/,
    ],
    [
      'fewer tokens than the longest example',
      () => sequences({ a: [new Int32Array(9)] }, { tokens: 15 }),
      'sequences[tokens]: expected at least 16, the longest example, of 9 steps, rounded up to a multiple of 8, got 15',
    ],
    ['a multiple of 0', () => sequences({ a: [new Int32Array(9)] }, { multiple: 0 }), /sequences\[multiple\]/],
    [
      'padding of a strange field',
      () => sequences({ a: [new Int32Array(9)] }, { pad: { b: 1 } } as never),
      /sequences\[pad\]: expected fields of variable length \(a\), got b/,
    ],
    [
      'padding that a byte cannot hold',
      () => sequences({ a: [new Uint8Array(9)] }, { pad: { a: 256 } }),
      /sequences\[pad.a\]: expected a number of u8, got 256/,
    ],
    [
      'an unknown option',
      () => sequences({ a: [new Int32Array(9)] }, { bucket: 8 } as never),
      /sequences: expected the options.*got bucket/,
    ],
  ] as const)('refuses %s', (_, made, message) => {
    expect(made).toThrow(message)
  })

  it('cuts by lengths alone', () => {
    const set = make({ multiple: 4 })
    const other = subset(set, permutation(203, 2, 0))
    expect(cutsOf(other.buckets!, 8)).toEqual(cutsOf(set.buckets!, 8))
  })
})

describe('the axis of the batch', () => {
  const x = Int32Array.from({ length: 30 }, (_, i) => i)

  it('is that of arrays where they say so', async () => {
    const set = arrays({ x: { data: x, shape: [3, 2], batchAxis: 1 }, own: Int32Array.of(0, 1, 2, 3, 4) })
    expect(set.fields.x).toEqual({ dtype: 'i32', shape: [3, 2], batchAxis: 1 })
    const seen: number[][] = []
    for await (const { feeds } of batches(set, { batch: 2 })) seen.push([...feeds.x])
    expect(seen[0]).toEqual([0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11])
    // The short last batch has zeros beside its row, at each step.
    expect(seen[2]).toEqual([24, 25, 0, 0, 26, 27, 0, 0, 28, 29, 0, 0])
    expect([...firstRows(set.fields.x, Int32Array.from(seen[2]!), 1)]).toEqual([24, 25, 26, 27, 28, 29])
  })

  it('is that of batches of one’s own', async () => {
    const fields = { x: { dtype: 'i32', shape: [3], batchAxis: 1 } } as const
    const given = fromBatches([{ x: Int32Array.of(1, 2, 3) }], { fields, batch: 2 })
    const { value } = await given.next()
    expect([...value!.feeds.x]).toEqual([1, 0, 2, 0, 3, 0])
  })
})
