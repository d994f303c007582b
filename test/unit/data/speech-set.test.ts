// Spoken lines as data sets: what a batch of them holds, how they are put into buckets, and which ones are refused.
import { describe, expect, it } from 'vitest'
import { batches, type Labels, speechSet, speechSets, type Utterance } from '../../../lib/data/index.js'
import { DataError } from '../../../lib/data/errors.js'

/** a, b, c ... are 1, 2, 3 ...; other characters are refused. */
const alphabet: Labels = {
  encode: (line, what) =>
    Int32Array.from(line, (symbol) => {
      const number = symbol.charCodeAt(0) - 96
      if (number >= 1 && number <= 26) return number
      throw new DataError(`${what}: expected letters, got ${symbol}`)
    }),
}

/** A line whose samples are first, first + 1, ... */
const line = (transcript: string, count: number, first = 1, rate = 10): Utterance => ({
  name: `line ${transcript}`,
  transcript,
  sound: { samples: Float32Array.from({ length: count }, (_, i) => first + i), rate },
})

const lines = [line('cab', 7), line('', 2, 50), line('ab', 4, 100)]

describe('speechSet', () => {
  it('gives samples time-major with silence behind, and labels by line', () => {
    const set = speechSet(lines, { alphabet })
    expect(set.fields).toEqual({
      samples: { dtype: 'f32', shape: [10], batchAxis: 1, varies: true },
      sampleLengths: { dtype: 'i32', shape: [] },
      labels: { dtype: 'i32', shape: [3] },
      labelLengths: { dtype: 'i32', shape: [] },
    })
    expect([set.length, set.rate, set.utterances]).toEqual([3, 10, lines])
    const out = {
      samples: new Float32Array(2 * 5).fill(-1),
      sampleLengths: new Int32Array(2),
      labels: new Int32Array(2 * 3).fill(-1),
      labelLengths: new Int32Array(2),
    }
    void set.gather([2, 1], out)
    expect([...out.samples]).toEqual([100, 50, 101, 51, 102, 0, 103, 0, 0, 0])
    expect([...out.sampleLengths]).toEqual([4, 2])
    expect([...out.labels]).toEqual([1, 2, 0, 0, 0, 0])
    expect([...out.labelLengths]).toEqual([2, 0])
  })

  it('puts lines of about one length together, by half a second unless told', async () => {
    const seen: [number | undefined, number, number[]][] = []
    for await (const { steps, count, feeds } of batches(speechSet(lines, { alphabet }), { batch: 2 })) {
      seen.push([steps, count, [...(feeds.sampleLengths as Int32Array)]])
    }
    expect(seen).toEqual([
      [5, 2, [2, 4]],
      [10, 1, [7]],
    ])
    const { buckets } = speechSet(lines, { alphabet, multiple: 0.2, seconds: 1.6 })
    expect(buckets).toEqual({ lengths: Int32Array.of(7, 2, 4), multiple: 2, tokens: 16, leftOut: 0 })
  })

  it('asks for a sound when it is needed, and not before', () => {
    let asked = 0
    const lazy: Utterance = {
      transcript: 'a',
      get sound() {
        asked++
        return { samples: new Float32Array(3).fill(asked), rate: 10 }
      },
    }
    const set = speechSet([lazy, ...lines], { alphabet })
    expect(asked).toBe(1)
    const out = { samples: new Float32Array(5) }
    void set.gather([0], out as never)
    expect([asked, ...out.samples]).toEqual([2, 2, 2, 2, 0, 0])
  })

  it('leaves out what is longer than the longest allowed, where it is told to', () => {
    const set = speechSet(lines, { alphabet, longest: 0.6, longer: 'leave out' })
    expect([set.length, set.buckets?.leftOut, set.utterances.map(({ transcript }) => transcript)]).toEqual([
      2,
      1,
      ['', 'ab'],
    ])
    expect(() => speechSet(lines, { alphabet, longest: 0.6 })).toThrow(/^line cab: expected at most 0.6 s, got 0.70 s/)
    expect(() => speechSet(lines, { alphabet, longest: 0.1, longer: 'leave out' })).toThrow(
      'speechSet[longest]: expected 0.1 s to be enough for a line, got none',
    )
  })

  const other = (change: object): readonly Utterance[] => [lines[0]!, { ...line('x', 3), ...change }]
  const nothing = { samples: new Float32Array(0), rate: 10 }
  it.each([
    ['no lines', [], 'speechSet: expected spoken lines, got none'],
    ['what is no list', lines[0]!, 'speechSet[utterances]: expected a list of spoken lines, got an object with'],
    ['a line without samples', other({ sound: nothing }), 'line x: expected samples, got none'],
    [
      'a sample that is no number',
      other({ sound: { samples: Float32Array.of(0, NaN), rate: 10 } }),
      'line x: expected finite samples, got NaN at sample 1',
    ],
    [
      'a line of another rate',
      [lines[0]!, line('x', 3, 1, 20)],
      'line x: expected 10 Hz, as the first line has, got 20 Hz (`resample`',
    ],
    ['no transcript', other({ transcript: undefined }), 'line x: expected a transcript, got nothing'],
    [
      'a character outside the alphabet',
      [lines[0]!, { ...line('a-b', 3), name: undefined }],
      'speechSet: line 1: expected letters, got -',
    ],
  ])('refuses %s', (_, given, message) => {
    expect(() => speechSet(given as never, { alphabet })).toThrow(message)
  })

  it('refuses options that are not known, of another kind or too small', () => {
    expect(() => speechSet(lines, {} as never)).toThrow('speechSet[alphabet]: expected an alphabet, got undefined')
    expect(() => speechSet(lines, { alphabet, bucket: 3 } as never)).toThrow('got bucket')
    expect(() => speechSet(lines, { alphabet, multiple: 0 })).toThrow(
      'speechSet[multiple]: expected a number above 0, got 0',
    )
    expect(() => speechSet(lines, { alphabet, seconds: 0.9 })).toThrow(
      'speechSet[seconds]: expected at least 1, the longest',
    )
    expect(() => speechSet(lines, { alphabet: { encode: () => [1] } as never })).toThrow(
      'line cab: expected an Int32Array of the',
    )
  })

  it('refuses arrays that a batch does not fit in, and places that it has not', () => {
    const set = speechSet(lines, { alphabet })
    const gather = (indices: number[], out: object) => () => set.gather(indices, out as never)
    const expected = 'gather[samples]: expected Float32Array of 2 rows of at least 7 samples'
    expect(gather([0, 1], { samples: new Float32Array(12) })).toThrow(`${expected}, got Float32Array of length 12`)
    expect(gather([0, 1], { samples: new Int32Array(14) })).toThrow(`${expected}, got Int32Array of length 14`)
    expect(gather([0, 1], { labels: new Int32Array(5) })).toThrow(
      'gather[labels]: expected Int32Array of length 6 or more',
    )
    expect(gather([3], { samples: new Float32Array(10) })).toThrow('expected indices in [0, 3), got 3')
  })
})

describe('speechSets', () => {
  it('gives all parts labels of one extent', () => {
    const parts = { train: [lines[2]!], validation: [lines[1]!], test: [lines[0]!] }
    const { train, validation, test } = speechSets(parts, { alphabet })
    expect([train, validation!, test].map(({ fields }) => fields.labels.shape[0])).toEqual([3, 3, 3])
    expect(speechSets({ train: lines, test: lines }, { alphabet, labels: 9 })).not.toHaveProperty('validation')
    expect(speechSets({ train: lines, test: lines }, { alphabet, labels: 9 }).test.fields.labels.shape).toEqual([9])
    expect(() => speechSets({ train: lines, test: [] }, { alphabet })).toThrow(
      'speechSets[test]: expected spoken lines, got none',
    )
  })
})
