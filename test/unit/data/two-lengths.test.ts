// Data whose examples have two lengths, as a line and its translation: what a batch holds, how an epoch is cut, and what is refused.
import { describe, expect, it } from 'vitest'
import {
  batches,
  type BatchOptions,
  type Dataset,
  permutation,
  PhiloxStream,
  sequences,
  split,
  subset,
} from '../../../lib/data/index.js'
import { cutsOf, paddingOf, shapesOf } from '../../../lib/data/buckets.js'

const noise = new PhiloxStream(6, 0, 0)
const count = 307
const sourceLengths = Array.from({ length: count }, () => 1 + noise.below(30))
/** Mostly of about the same length, some of a quite different one. */
const targetLengths = sourceLengths.map((length) => {
  return noise.below(15) === 0 ? 1 + noise.below(50) : Math.max(1, length + noise.below(9) - 4)
})
/** Example i has 1000 + i in its source, 2000 + i and 3000 + i in the fields of its target. */
const filled = (lengths: readonly number[], first: number): Int32Array[] =>
  lengths.map((length, i) => new Int32Array(length).fill(first + i))
const fields = {
  source: filled(sourceLengths, 1000),
  input: filled(targetLengths, 2000),
  target: filled(targetLengths, 3000),
  own: Int32Array.from({ length: count }, (_, i) => i),
}
const lengths = { sourceLengths: ['source'], targetLengths: ['input', 'target'] } as const
const make = (more: object = {}): Dataset =>
  sequences(fields, { multiple: 4, lengths, pad: { source: -1, input: -2, target: -3 }, ...more })

interface Seen {
  readonly step: number
  readonly count: number
  readonly steps: number
  readonly extents: Readonly<Record<string, number>>
  readonly feeds: Readonly<Record<string, readonly number[]>>
}

async function collect(set: Dataset, options: BatchOptions): Promise<Seen[]> {
  const seen: Seen[] = []
  for await (const { step, count, steps, extents, feeds } of batches(set, options)) {
    const lists = Object.fromEntries(Object.entries(feeds).map(([name, values]) => [name, [...values]]))
    seen.push({ step, count, steps: steps!, extents: extents!, feeds: lists })
  }
  return seen
}

const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0)
const kindOf = ({ count, extents }: Seen): string => [count, ...Object.values(extents)].join('x')

describe('sequences of two lengths', () => {
  it('have a field for each length, and say which fields have it', () => {
    const set = sequences(fields, { multiple: 10, lengths })
    const [most, longest] = [Math.max(...sourceLengths), Math.max(...targetLengths)].map((n) => Math.ceil(n / 10) * 10)
    const spec = { dtype: 'i32', batchAxis: 1, varies: true }
    expect(set.fields).toEqual({
      source: { ...spec, shape: [most], lengths: 'sourceLengths' },
      input: { ...spec, shape: [longest], lengths: 'targetLengths' },
      target: { ...spec, shape: [longest], lengths: 'targetLengths' },
      own: { dtype: 'i32', shape: [] },
      sourceLengths: { dtype: 'i32', shape: [] },
      targetLengths: { dtype: 'i32', shape: [] },
    })
    // The names are known to the compiler.
    const { sourceLengths: told } = set.fields
    expect(told.dtype).toBe('i32')
    expect([...set.buckets!.lengths]).toEqual(sourceLengths.map((length, i) => Math.max(length, targetLengths[i]!)))
  })

  it('are each once in an epoch, every field padded to its own length with its own number', async () => {
    const seen = await collect(make(), { batch: 8, shuffle: true, seed: 3 })
    expect(seen.flatMap(({ feeds }) => feeds['own']!).sort((a, b) => a - b)).toEqual([...fields.own])
    for (const { count, steps, extents, feeds } of seen) {
      expect(steps).toBe(Math.max(...Object.values(extents)))
      for (const [length, all] of Object.entries({ sourceLengths, targetLengths })) {
        expect(extents[length]! % 4).toBe(0)
        expect(feeds[length]).toEqual(feeds['own']!.map((i) => all[i]))
      }
      for (const [name, first, pad, length] of [
        ['source', 1000, -1, 'sourceLengths'],
        ['input', 2000, -2, 'targetLengths'],
        ['target', 3000, -3, 'targetLengths'],
      ] as const) {
        expect(feeds[name]).toHaveLength(count * extents[length]!)
        for (const [row, i] of feeds['own']!.entries()) {
          const column = feeds[name]!.filter((_, at) => at % count === row)
          const own = feeds[length]![row]!
          expect(column).toEqual(Array.from({ length: extents[length]! }, (_, t) => (t < own ? first + i : pad)))
        }
      }
    }
    expect(seen.filter(({ count }) => count !== 8)).toHaveLength(1)
    expect(seen.some(({ extents }) => extents['sourceLengths']! < extents['targetLengths']!)).toBe(true)
    expect(seen.some(({ extents }) => extents['sourceLengths']! > extents['targetLengths']!)).toBe(true)
  })

  it('come in batches of one set of shapes in every epoch, of no more tokens of both than is said', async () => {
    const set = make({ tokens: 400 })
    const [one, two] = [
      await collect(set, { batch: 64, shuffle: true, epoch: 0 }),
      await collect(set, { batch: 64, shuffle: true, epoch: 1 }),
    ]
    expect(one.map(kindOf)).not.toEqual(two.map(kindOf))
    expect(one.map(kindOf).sort()).toEqual(two.map(kindOf).sort())
    const sizes = one.map(({ count, extents }) => count * sum(Object.values(extents)))
    expect(Math.max(...sizes)).toBeLessThanOrEqual(400)
    // One more row would be too many, in all batches but the last.
    const room = one.filter(({ count, extents }) => (count + 1) * sum(Object.values(extents)) <= 400 && count < 64)
    expect(room.length).toBeLessThanOrEqual(1)
    const shapes = shapesOf(set, set.buckets!, 64)
    const names = shapes.map(({ rows, extents }) => [rows, ...Object.values(extents!)].join('x'))
    expect([...names].sort()).toEqual([...new Set(one.map(kindOf))].sort())
    const [{ rows, extents, fields }] = shapes as [(typeof shapes)[0]]
    expect(rows * sum(Object.values(extents!))).toBe(Math.max(...sizes))
    expect(fields['source']!.shape).toEqual([extents!['sourceLengths']])
    expect(fields['target']!.shape).toEqual([extents!['targetLengths']])
    const real = sum(sourceLengths) + sum(targetLengths)
    expect(paddingOf(set.buckets!, 64)).toBeCloseTo(1 - real / sum(sizes), 12)
    // Cut by their one longest length they are padded far more.
    const joined = { ...set.buckets!, multiple: 2, tokens: undefined }
    const { each: _, ...longest } = joined
    const [pair, single] = [cutsOf(joined, 16), cutsOf(longest, 16)]
    const padded = (cuts: typeof pair): number =>
      sum(cuts.map(({ steps, extents, from, to }) => (to - from) * (extents ? sum(Object.values(extents)) : 2 * steps)))
    expect(1 - real / padded(pair)).toBeLessThan(0.8 * (1 - real / padded(single)))
  })

  it('go on in the middle of an epoch as they would have', async () => {
    const options = { batch: 16, shuffle: true, seed: 9, epoch: 4 }
    const whole = await collect(make({ tokens: 600 }), options)
    expect(whole.length).toBeGreaterThan(15)
    expect(await collect(make({ tokens: 600 }), { ...options, startStep: 7 })).toEqual(whole.slice(7))
  })

  it('are cut by lengths alone, and can be parted', async () => {
    const set = make()
    const places = permutation(count, 2, 0)
    expect(cutsOf(subset(set, places).buckets!, 8)).toEqual(cutsOf(set.buckets!, 8))
    const { train, validation } = split(set, { share: 0.2 })
    const seen = [...(await collect(train, { batch: 8 })), ...(await collect(validation, { batch: 8 }))]
    expect(seen.flatMap(({ feeds }) => feeds['own']!).sort((a, b) => a - b)).toEqual([...fields.own])
    for (const { feeds } of seen) expect(feeds['targetLengths']).toEqual(feeds['own']!.map((i) => targetLengths[i]))
  })

  it('are cut as sequences of one length where only one is named', async () => {
    const { source, own } = fields
    const named = sequences({ source, own }, { multiple: 4, tokens: 200, lengths: { many: ['source'] } })
    const plain = sequences({ source, own }, { multiple: 4, tokens: 200 })
    const options = { batch: 8, shuffle: true, seed: 2 }
    const [one, other] = [await collect(named, options), await collect(plain, options)]
    expect(one.map(({ steps, feeds: { source, own } }) => ({ steps, source, own }))).toEqual(
      other.map(({ steps, feeds: { source, own } }) => ({ steps, source, own })),
    )
    expect(one.map(({ feeds }) => feeds['many'])).toEqual(other.map(({ feeds }) => feeds['lengths']))
  })

  it('are left out or refused where either length is too long', async () => {
    const fits = (i: number): boolean => sourceLengths[i]! <= 20 && targetLengths[i]! <= 20
    const first = [...fields.own].find((i) => !fits(i))!
    expect(() => make({ longest: 20 })).toThrow(`sequences: example ${first}: expected at most 20 steps, got`)
    const set = make({ longest: 20, longer: 'leave out' })
    const short = [...fields.own].filter(fits)
    expect(set.buckets!.leftOut).toBe(count - short.length)
    expect(set.fields['source']!.shape).toEqual([20])
    const seen = await collect(set, { batch: 8 })
    expect(seen.flatMap(({ feeds }) => feeds['own']!).sort((a, b) => a - b)).toEqual(short)
    for (const { feeds } of seen) expect(feeds['targetLengths']).toEqual(feeds['own']!.map((i) => targetLengths[i]))
  })

  const a = [new Int32Array(2), new Int32Array(3)]
  const b = [new Int32Array(5), new Int32Array(1)]
  it.each([
    [
      'fields of different lengths without a name for each',
      () => sequences({ a, b }),
      "sequences[b]: example 0: expected 2 steps, as in 'a', got 5 (`lengths` names fields of other lengths)",
    ],
    [
      'fields of one length that differ',
      () => sequences({ a, b, c: a }, { lengths: { n: ['a'], m: ['b', 'c'] } }),
      "sequences[c]: example 0: expected 5 steps, as in 'b', got 2",
    ],
    [
      'a field without a length',
      () => sequences({ a, b }, { lengths: { n: ['a'] } }),
      'sequences[lengths]: expected a length for each field of variable length, got none for b',
    ],
    [
      'a field with two lengths',
      () => sequences({ a, b }, { lengths: { n: ['a', 'b'], m: ['b'] } }),
      'sequences[lengths.m]: expected fields of variable length (a, b), each once, got "b"',
    ],
    [
      'a length of a strange field',
      () => sequences({ a, b }, { lengths: { n: ['a'], m: ['c'] } } as never),
      'sequences[lengths.m]: expected fields of variable length (a, b), each once, got "c"',
    ],
    [
      'a length of no field',
      () => sequences({ a, b }, { lengths: { n: ['a', 'b'], m: [] } }),
      'sequences[lengths.m]: expected a list of fields, got []',
    ],
    [
      'a length named as a field',
      () => sequences({ a, b }, { lengths: { a: ['a'], m: ['b'] } }),
      'sequences[a]: expected no field of this name, which the set adds',
    ],
    [
      'other lengths',
      () => sequences({ a, b }, { lengths: 3 } as never),
      /sequences\[lengths\]: expected true or false or/,
    ],
    [
      'fields of different numbers of examples',
      () => sequences({ a, b: b.slice(1) }, { lengths: { n: ['a'], m: ['b'] } }),
      "sequences[b]: expected 2 examples, as in 'a', got 1",
    ],
    [
      'fewer tokens than the longest of both',
      () => sequences({ a, b }, { tokens: 15, lengths: { n: ['a'], m: ['b'] } }),
      'sequences[tokens]: expected at least 16, the longest example, of 3 and 5 steps, rounded up to a multiple of 8, got 15',
    ],
  ] as const)('refuse %s', (_, made, message) => {
    expect(made).toThrow(message)
  })
})
