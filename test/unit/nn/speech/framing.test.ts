// Frames of sound: how many there are, where they lie, and that a row's frames depend on its own samples alone.
import { describe, expect, test } from 'vitest'
import { feed, Names, type Tensor, trace } from '../../../../lib/graph/index.js'
import { type Edges, framed, framesOf, type Framing } from '../../../../lib/nn/speech/framing.js'
import { difference } from '../../../support/compare.js'
import { interpret } from '../../../support/interpreter.js'
import { fill, type NDArray, ndarray } from '../../../support/ndarray.js'
import { side, tones } from '../../../support/sound.js'

const exact = { tolerance: 0, relativeTo: 'element' } as const
const all: readonly Edges[] = ['inside', 'reflect', 'centre']
const cuts: readonly Omit<Framing, 'edges'>[] = [
  { length: 8, shift: 3, points: 8 },
  { length: 7, shift: 4, points: 10 },
  { length: 5, shift: 5, points: 8 },
  { length: 4, shift: 9, points: 4 },
]

/** The sample that stands at a place, within or beyond a sound. */
function seen(sound: readonly number[], place: number, edges: Edges): number {
  const last = sound.length - 1
  let at = place
  while (at < 0 || at > last) {
    if (edges === 'centre') at = at < 0 ? -at : 2 * last - at
    else at = at < 0 ? -at - 1 : 2 * last + 1 - at
    if (last === 0) return sound[0]!
  }
  return sound[at]!
}

/** Frames by the words of each tool: HTK and Kaldi count whole shifts, torchaudio pads half a transform. */
function framesBy(sound: readonly number[], { length, shift, points, edges }: Framing): number[][] {
  const at = (start: number) => Array.from({ length }, (_, i) => seen(sound, start + i, edges))
  const samples = sound.length
  if (samples === 0) return []
  const half = (n: number) => Math.floor(n / 2)
  const count =
    edges === 'inside'
      ? Math.max(0, 1 + Math.floor((samples - length) / shift))
      : edges === 'reflect'
        ? Math.floor((samples + half(shift)) / shift)
        : 1 + Math.floor(samples / shift)
  return Array.from({ length: count }, (_, t) => {
    if (edges === 'inside') return at(t * shift)
    if (edges === 'reflect') return at(shift * t + half(shift) - half(length))
    return at(t * shift - half(points) + half(points - length))
  })
}

function run(samples: NDArray, framing: Framing, lengths?: readonly number[]): Record<string, NDArray> {
  const graph = trace({ name: 'net', names: new Names() }, () => {
    const x = feed('x', 'f32', samples.shape) as Tensor<'f32'>
    const given = lengths && (feed('lengths', 'i32', [lengths.length]) as Tensor<'i32'>)
    const { frames, mask, lengths: counts } = framed(x, given, framing, 'test')
    return { frames, counts, ...(mask && { mask }) }
  })
  return interpret(graph, { x: samples, ...(lengths && { lengths: ndarray([lengths.length], lengths) }) }).fetches
}

describe.each(all)('edges %s', (edges) => {
  test.each(cuts)('length $length, shift $shift: as many frames as the tools count', (cut) => {
    for (let samples = 0; samples <= 60; samples++) {
      const framing = { ...cut, edges }
      expect(framesOf(framing, samples), `${samples} samples`).toBe(framesBy(tones(samples), framing).length)
    }
  })

  test.each(cuts)('length $length, shift $shift: rows of a batch have the frames that they have alone', (cut) => {
    const framing = { ...cut, edges }
    const lengths = [31, 0, 17, 40, 9, 1]
    const rows = lengths.map((length, n) => tones(length, n))
    const { frames, mask, counts } = run(side(rows, 40, NaN), framing, lengths)
    for (const [n, row] of rows.entries()) {
      const want = framesBy(row, framing)
      expect(counts!.data[n]).toBe(want.length)
      const there = Array.from({ length: mask!.shape[0]! }, (_, t) => mask!.data[t * rows.length + n])
      expect(there).toEqual(there.map((_, t) => Number(t < want.length)))
      const got = fill([want.length, cut.length], ([t, i]) => frames!.data[(t! * rows.length + n) * cut.length + i!]!)
      expect(difference(got, ndarray(got.shape, want.flat()), exact), `row ${n}`).toBeUndefined()
    }
  })

  test('without lengths every row is as long as the batch', () => {
    const framing: Framing = { ...cuts[1]!, edges }
    const rows = [tones(29), tones(29, 1)]
    const { frames, counts, mask } = run(side(rows, 29), framing)
    const want = rows.map((row) => framesBy(row, framing))
    expect(mask).toBeUndefined()
    expect([...counts!.data]).toEqual(want.map(({ length }) => length))
    const both = fill(frames!.shape, ([t, n, i]) => want[n!]![t!]![i!]!)
    expect(difference(frames!, both, exact)).toBeUndefined()
  })
})

describe('refusals', () => {
  const framing: Framing = { length: 8, shift: 3, points: 8, edges: 'inside' }
  const trying = (shape: readonly number[], dtype: 'f32' | 'i32', lengths: readonly number[]) => {
    trace({ name: 'net' }, () => {
      const x = feed('x', dtype, shape) as unknown as Tensor<'f32'>
      return { y: framed(x, feed('lengths', 'i32', lengths), framing, 'banks[net]').frames }
    })
  }
  test.each([
    [[20], 'f32', [2], 'banks[net]: expected samples of f32[S, N], got f32[20]'],
    [[20, 2], 'i32', [2], 'banks[net]: expected samples of f32[S, N], got i32[20, 2]'],
    [[7, 2], 'f32', [2], 'banks[net]: expected at least 8 samples, got f32[7, 2]'],
    [[20, 2], 'f32', [3], 'banks[net]: expected lengths of i32[2], got i32[3]'],
  ] as const)('%o %s, lengths %o', (shape, dtype, lengths, message) => {
    expect(() => {
      trying(shape, dtype, lengths)
    }).toThrow(message)
  })
})
