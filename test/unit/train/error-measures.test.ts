// Error rates as measures: what the host makes of paths and labels, however they are cut into batches.
import { describe, expect, it } from 'vitest'
import { Alphabet, wordErrorRate } from '../../../lib/data/index.js'
import { feed, type HostArray, trace } from '../../../lib/graph/index.js'
import { measures } from '../../../lib/train/index.js'

const alphabet = Alphabet.of(['ab c'], 'character')

interface Line {
  readonly path: string
  readonly labels: string
}

/** What a program would fetch: paths i32 [T, N], padded behind their ends, labels i32 [N, L]. */
function fetched(lines: readonly Line[]): Readonly<Record<string, HostArray>> {
  const number = (symbol: string): number => (symbol === '-' ? 0 : alphabet.numberOf(symbol)!)
  const [steps, most] = [
    Math.max(...lines.map(({ path }) => path.length)),
    Math.max(...lines.map(({ labels }) => labels.length)),
  ]
  const path = new Int32Array(steps * lines.length).fill(alphabet.numberOf('c')!)
  const labels = new Int32Array(most * lines.length).fill(-7)
  for (const [n, line] of lines.entries()) {
    for (const [t, symbol] of Array.from(line.path).entries()) path[t * lines.length + n] = number(symbol)
    labels.set(Array.from(line.labels, number), n * most)
  }
  return {
    ...{ path, labels },
    frames: Int32Array.from(lines, (line) => line.path.length),
    labelLengths: Int32Array.from(lines, (line) => line.labels.length),
  }
}

const lines: readonly Line[] = [
  { path: 'aa-b  -c', labels: 'ab c' },
  { path: '-a-a', labels: 'a' },
  { path: 'b  c-  a', labels: 'b a a' },
  { path: '---', labels: 'c' },
]

function measured(name: 'wordErrorRate' | 'characterErrorRate', batches: readonly (readonly Line[])[]): number {
  let value = NaN
  trace({ name: 'test' }, () => {
    const measure = measures[name]({
      logits: feed('logits', 'f32', [8, 2, alphabet.size]),
      frames: feed('frames', 'i32', [2]),
      labels: feed('labels', 'i32', [2, 5]),
      labelLengths: feed('labelLengths', 'i32', [2]),
      alphabet,
    })
    const tally = measure.tally()
    for (const batch of batches) tally.add(fetched(batch))
    value = tally.value()
    return measure.outputs
  })
  return value
}

describe('error rates as measures', () => {
  it('are those of the texts, of whatever batches', () => {
    const wanted = wordErrorRate(['ab c', 'aa', 'b c a', ''], ['ab c', 'a', 'b a a', 'c']).rate
    expect(wanted).toBe(3 / 7)
    expect(measured('wordErrorRate', [lines])).toBe(wanted)
    expect(measured('wordErrorRate', [lines.slice(0, 1), lines.slice(1)])).toBe(wanted)
    expect(measured('characterErrorRate', [lines])).toBe(3 / 11)
  })

  it('are NaN of no references', () => {
    expect(measured('wordErrorRate', [])).toBeNaN()
  })

  it('refuse tensors of other extents, and what is no alphabet', () => {
    const make = (more: object) => (): unknown =>
      trace({ name: 'test' }, () => {
        const measure = measures.wordErrorRate({
          logits: feed('logits', 'f32', [8, 2, 5]),
          frames: feed('frames', 'i32', [2]),
          labels: feed('labels', 'i32', [2, 4]),
          labelLengths: feed('labelLengths', 'i32', [2]),
          alphabet,
          ...more,
        })
        return measure.outputs
      })
    expect(make({})).not.toThrow()
    expect(make({ alphabet: Alphabet.of(['a'], 'character') })).toThrow('expected logits [T, N, 2], frames i32[N]')
    expect(make({ alphabet: {} })).toThrow('measures.wordErrorRate[alphabet]: expected an Alphabet, got {}')
    const other = (name: string, shape: readonly number[]) => (): unknown =>
      trace({ name: 'test' }, () => {
        const field = (own: string, extents: readonly number[]) =>
          feed(own, 'i32', own === name ? [...shape] : [...extents])
        return measures.wordErrorRate({
          logits: feed('logits', 'f32', [8, 2, 5]),
          frames: field('frames', [2]),
          labels: field('labels', [2, 4]),
          labelLengths: field('labelLengths', [2]),
          alphabet,
        }).outputs
      })
    for (const name of ['frames', 'labels', 'labelLengths']) {
      expect(other(name, [3])).toThrow(/^measures\.wordErrorRate: expected logits/)
    }
    expect(other('labels', [3, 4])).toThrow('got f32[8, 2, 5], i32[2], i32[3, 4], i32[2]')
  })
})
