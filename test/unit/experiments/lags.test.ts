// The adding problem as it is drawn, and the picture of what came of it.
import { describe, expect, test } from 'vitest'
import { PhiloxStream } from '../../../lib/data/index.js'
import { addingProblem, blind, lagsPicture, type LagResult, median } from '../../../lib/experiments/index.js'

describe('the adding problem', () => {
  test('marks one number in each half and asks for their sum', () => {
    const [count, length] = [200, 7]
    const { x, target } = addingProblem(count, length, new PhiloxStream(1, 0, 0))
    const places = new Set<number>()
    for (let row = 0; row < count; row++) {
      const steps = Array.from({ length }, (_, step) =>
        x.subarray(2 * (row * length + step), 2 * (row * length + step) + 2),
      )
      const marked = steps.flatMap(([, mark], step) => (mark === 1 ? [step] : []))
      expect(marked).toHaveLength(2)
      expect(marked[0]).toBeLessThan(3)
      expect(marked[1]).toBeGreaterThanOrEqual(3)
      expect(target[row]).toBeCloseTo(
        marked.reduce((sum, step) => sum + steps[step]![0]!, 0),
        6,
      )
      for (const step of marked) places.add(step)
    }
    expect(places.size).toBe(length)
    expect(Math.max(...x)).toBeLessThanOrEqual(1)
    expect(Math.min(...x)).toBeGreaterThanOrEqual(0)
  })

  test('who always answers 1 is wrong by a sixth', () => {
    const { target } = addingProblem(20_000, 2, new PhiloxStream(2, 0, 0))
    const error = target.reduce((sum, value) => sum + (value - 1) ** 2, 0) / target.length
    expect(error).toBeCloseTo(blind, 2)
  })
})

test('the median is the middle in order', () => {
  expect(median([3, 100, 20])).toBe(20)
  expect(median([1, Infinity, 2, 3])).toBe(2.5)
  expect(median([Infinity, Infinity])).toBe(Infinity)
  expect(median([])).toBeNaN()
})

describe('the picture', () => {
  const one = (cell: LagResult['cell'], length: number, error: number): LagResult => ({
    ...{ cell, length, seed: 1, weights: 1, sequences: undefined, error, seconds: 1 },
  })

  test('has a dot for each run, higher where the error is larger, and depends on its arguments alone', () => {
    const results = [one('rnn', 10, 0.005), one('rnn', 100, 0.16), one('lstm', 10, 0.006), one('lstm', 100, 0.008)]
    const svg = lagsPicture('3 < 4 seeds', results)
    const dots = [...svg.matchAll(/class="dot (\w+)" cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, cell, x, y]) => ({
      cell,
      x: Number(x),
      y: Number(y),
    }))
    expect(dots.map(({ cell }) => cell)).toEqual(['rnn', 'rnn', 'lstm', 'lstm'])
    expect(dots[1]!.y).toBeLessThan(dots[3]!.y)
    expect(dots[1]!.x).toBe(dots[3]!.x)
    expect(dots[0]!.x).toBeLessThan(dots[1]!.x)
    expect(svg).toContain('3 &lt; 4 seeds')
    expect(lagsPicture('3 < 4 seeds', results)).toBe(svg)
  })
})
