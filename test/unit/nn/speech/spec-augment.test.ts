// Masks over frames and channels: where they lie, how large they are, and that evaluation has none.
import { describe, expect, test } from 'vitest'
import * as nn from '../../../../lib/nn/index.js'
import { fill, type NDArray, ndarray } from '../../../support/ndarray.js'
import { followed } from './support.js'

const [steps, rows, features] = [20, 6, 12]
const lengths = [20, 16, 9, 5, 1, 0]
/** No element is 0, so that zeros are masks. */
const x = fill([steps, rows, features], ([t, n, d]) => 1 + t! + n! + d!)

/** In training, at a step of a seed. */
function augmented(options: nn.SpecAugmentOptions, step: number): NDArray {
  const states = { seed: ndarray([2], [5, 7]), step: ndarray([], [step]) }
  return followed(nn.specAugment(options), x, lengths, 'train', states)
}

/** Which frames of a row are masked whole, and which channels in all its frames. */
function masksOf(got: NDArray, n: number, length: number) {
  const zero = (t: number, d: number) => got.data[(t * rows + n) * features + d] === 0
  const range = (count: number) => Array.from({ length: count }, (_, i) => i)
  const frames = range(length).filter((t) => range(features).every((d) => zero(t, d)))
  const open = range(length).filter((t) => !frames.includes(t))
  const channels = open.length === 0 ? [] : range(features).filter((d) => open.every((t) => zero(t, d)))
  const strange = open.flatMap((t) => range(features).filter((d) => zero(t, d) && !channels.includes(d)))
  const changed = open.flatMap((t) =>
    range(features).filter((d) => !zero(t, d) && got.data[(t * rows + n) * features + d] !== 1 + t + n + d),
  )
  return { frames, channels, strange, changed }
}

/** Lengths of runs of neighbours. */
function runsOf(places: readonly number[]): number[] {
  const runs: number[] = []
  for (const [i, place] of places.entries()) {
    if (i > 0 && place === places[i - 1]! + 1) runs[runs.length - 1]!++
    else runs.push(1)
  }
  return runs
}

const times = Array.from({ length: 48 }, (_, step) => step)

describe('specAugment', () => {
  test('masks runs of channels and frames of each row, and changes nothing else', () => {
    const seen = { frames: new Set<number>(), channels: new Set<number>(), both: new Set<string>() }
    for (const step of times) {
      const got = augmented({ frequency: { masks: 1, most: 4 }, time: { masks: 1, most: 5 } }, step)
      for (const [n, length] of lengths.entries()) {
        const { frames, channels, strange, changed } = masksOf(got, n, length)
        expect([strange, changed]).toEqual([[], []])
        expect(runsOf(frames).length).toBeLessThanOrEqual(1)
        expect(runsOf(channels).length).toBeLessThanOrEqual(1)
        if (n === 0) {
          seen.frames.add(frames.length)
          seen.channels.add(channels.length)
        }
        seen.both.add(`${frames.join()} ${channels.join()}`)
      }
    }
    // Every width from none to the most comes, and rows and steps differ.
    expect([...seen.frames].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5])
    expect([...seen.channels].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4])
    expect(seen.both.size).toBeGreaterThan(100)
  })

  test('reaches every frame and channel of a row, from its first to its last', () => {
    const hidden = { frames: new Set<number>(), channels: new Set<number>() }
    for (const step of times) {
      const got = augmented({ frequency: { masks: 2, most: 4 }, time: { masks: 2, most: 4 } }, step)
      const { frames, channels } = masksOf(got, 2, lengths[2]!)
      for (const t of frames) hidden.frames.add(t)
      for (const d of channels) hidden.channels.add(d)
    }
    expect(hidden.frames.size).toBe(lengths[2])
    expect(hidden.channels.size).toBe(features)
  })

  test('places a run whole: the one frame of a row is masked as often as not', () => {
    const many = 400
    const ones = ndarray([1, many, 1], new Array<number>(many).fill(1))
    const options = { frequency: { masks: 0, most: 0 }, time: { masks: 1, most: 1 } }
    const states = { seed: ndarray([2], [5, 7]), step: ndarray([], [0]) }
    const got = followed(nn.specAugment(options), ones, undefined, 'train', states)
    const masked = got.data.filter((value) => value === 0).length
    // Four deviations of as many throws of a coin.
    expect(Math.abs(masked - many / 2)).toBeLessThan(40)
  })

  test('masks no more than a share of a row', () => {
    const widths = times.map((step) => {
      const got = augmented({ frequency: { masks: 0, most: 0 }, time: { masks: 1, most: 100, share: 0.2 } }, step)
      return lengths.map((length, n) => masksOf(got, n, length).frames.length)
    })
    const most = lengths.map((_, n) => Math.max(...widths.map((row) => row[n]!)))
    expect(most).toEqual(lengths.map((length) => Math.floor(0.2 * length)))
  })

  test('masks the same channels of numbers and of their deltas', () => {
    let some = 0
    for (const step of times.slice(0, 10)) {
      const got = augmented({ frequency: { masks: 2, most: 2 }, time: { masks: 0, most: 0 }, blocks: 3 }, step)
      const { channels } = masksOf(got, 0, steps)
      const first = channels.filter((d) => d < 4)
      expect(channels).toEqual([0, 4, 8].flatMap((from) => first.map((d) => from + d)))
      some += first.length
    }
    expect(some).toBeGreaterThan(10)
  })

  test('a row is masked alike whatever it is padded to', () => {
    const options = { frequency: { masks: 1, most: 8 }, time: { masks: 2, most: 9 } }
    const short = fill([12, rows, features], ([t, n, d]) => 1 + t! + n! + d!)
    const states = { seed: ndarray([2], [5, 7]), step: ndarray([], [3]) }
    const own = lengths.map((length) => Math.min(12, length))
    const [whole, cut] = [x, short].map((given) => followed(nn.specAugment(options), given, own, 'train', states))
    const size = 12 * rows * features
    const differing = Array.from({ length: size }, (_, i) => i).filter((i) => whole!.data[i] !== cut!.data[i])
    expect(differing).toEqual([])
  })

  test('leaves evaluation alone, and is all of x without masks', () => {
    const none = { frequency: { masks: 0, most: 5 }, time: { masks: 3, most: 0 } }
    const states = { seed: ndarray([2], [5, 7]), step: ndarray([], [1]) }
    for (const got of [followed(nn.specAugment(), x), followed(nn.specAugment(none), x, undefined, 'train', states)]) {
      expect(got.data.every((value, i) => value === x.data[i])).toBe(true)
    }
  })

  test('refuses what is no run, and blocks that do not divide', () => {
    expect(() => nn.specAugment({ time: { masks: 1 } as never })).toThrow(
      'nn.specAugment[time][most]: expected a whole number of at least 0, got undefined',
    )
    expect(() => nn.specAugment({ frequency: { masks: 1, most: 2, share: 1 } as never })).toThrow('got share')
    expect(() => augmented({ blocks: 5 }, 0)).toThrow(
      'nn.specAugment[blocks]: expected blocks that divide 12 features, got 5',
    )
  })
})
