// The line search against SciPy's dcsrch (test/golden/make_lbfgsb.py), step by step, on functions of Moré & Thuente 1994.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { LineSearch } from '../../../lib/solvers/more-thuente.js'

interface Golden {
  readonly name: string
  readonly decrease: number
  readonly curvature: number
  /** Value and slope at 0. */
  readonly start: readonly [number, number]
  readonly steps: readonly number[]
}

const file = new URL('../../golden/solvers/line-search.json', import.meta.url)
const golden = JSON.parse(readFileSync(file, 'utf8')) as readonly Golden[]

/** Eq. 5.4 of the paper, by Yanai, Ozawa & Kaneko */
function yanai(t: number, a: number, b: number): [number, number] {
  const [left, right] = [Math.hypot(b, 1 - t), Math.hypot(a, t)]
  const [p, q] = [Math.hypot(a, 1) - a, Math.hypot(b, 1) - b]
  return [p * left + q * right, (p * (t - 1)) / left + (q * t) / right]
}

const lines: Record<string, (t: number) => [number, number]> = {
  '5.1': (t) => [-t / (t * t + 2), (t * t - 2) / (t * t + 2) ** 2],
  '5.2': (t) => [(t + 0.004) ** 5 - 2 * (t + 0.004) ** 4, 5 * (t + 0.004) ** 4 - 8 * (t + 0.004) ** 3],
  '5.4': (t) => yanai(t, 0.001, 0.001),
  '5.5': (t) => yanai(t, 0.01, 0.001),
  '5.6': (t) => yanai(t, 0.001, 0.01),
  loose: (t) => [t ** 4 / 4 - t + Math.sin(9 * t) / 20, t ** 3 - 1 + 0.45 * Math.cos(9 * t)],
  narrow: (t) => [Math.abs(t - 0.3) - 0.5 * t, (t > 0.3 ? 1 : -1) - 0.5],
}

test.each(golden)('$name from $steps.0', ({ name, decrease, curvature, start, steps }) => {
  const [value, slope] = start
  const search = new LineSearch({ value, slope }, steps[0]!, { decrease, curvature, interval: 0.1, largest: 100 })
  const tried: number[] = []
  do {
    tried.push(search.step)
  } while (!search.advance(...lines[name]!(search.step)) && tried.length < 50)
  expect(tried).toHaveLength(steps.length)
  for (const [i, step] of steps.entries()) expect(Math.abs(tried[i]! - step), `step ${i}`).toBeLessThan(1e-9 * step)
  expect(search.step).toBe(tried.at(-1))
})
