// L-BFGS-B against SciPy's (test/golden/make_lbfgsb.py): the same ends, and the same way there; what must hold at every
// iterate; and refusals.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { lbfgsb, type LbfgsbOptions, type Point } from '../../../lib/optim.js'
import { NotFiniteError } from '../../../lib/solvers/index.js'
import { type Problem, problems } from './problems.js'

interface Golden {
  readonly name: string
  readonly x: readonly number[]
  readonly value: number
  /** f at x0, which tells whether both languages have the same function. */
  readonly start: number
  readonly iterations: number
  readonly evaluations: number
  /** f after each of the first iterations. */
  readonly values: readonly number[]
}

const file = new URL('../../golden/solvers/lbfgsb.json', import.meta.url)
const golden = JSON.parse(readFileSync(file, 'utf8')) as readonly Golden[]

const tight: LbfgsbOptions = { history: 5, valueTolerance: 0, gradientTolerance: 1e-10, maxIterations: 2000 }

function solve({ f, x0, bounds }: Problem, options: LbfgsbOptions = {}) {
  return lbfgsb(f, x0, bounds, { ...tight, ...options })
}

function limit(given: number | ArrayLike<number> | undefined, i: number, open: number): number {
  return (typeof given === 'number' ? given : given?.[i]) ?? open
}

describe.each(problems)('$name', (problem) => {
  const wanted = golden.find(({ name }) => name === problem.name)!

  test('is the same function in both languages', () => {
    expect(problem.f(Float64Array.from(problem.x0)).value).toBeCloseTo(wanted.start, 10)
  })

  test('ends where SciPy ends', async () => {
    const { x, value, status } = await solve(problem)
    expect(Math.abs(value - wanted.value)).toBeLessThanOrEqual(1e-8 * Math.max(1, Math.abs(wanted.value)))
    expect(['converged', 'stalled']).toContain(status)
    // Curvatures down to 1e-5 (hs3): a value to 1e-16 then leaves x to 1e-5.
    for (const [i, at] of wanted.x.entries()) expect(Math.abs(x[i]! - at), `x[${i}]`).toBeLessThan(1e-5)
  })

  test('goes the same way', async () => {
    const values: number[] = []
    await solve(problem, { onIteration: ({ value }) => values.push(value) })
    // The last iteration may be one that only rounding tells from its end.
    expect(values.length).toBeGreaterThanOrEqual(wanted.iterations < 30 ? wanted.iterations - 1 : 30)
    for (const [i, want] of wanted.values.slice(0, values.length).entries()) {
      // Both sum in other orders, and rounding grows with each step.
      expect(Math.abs(values[i]! - want), `f after iteration ${i + 1}`).toBeLessThan(1e-9 * Math.max(1, Math.abs(want)))
    }
  })

  test('stays in the box, falls, and ends stationary', async () => {
    const points: Point[] = []
    const { x, gradient } = await solve(problem, { onIteration: (point) => points.push(point) })
    const { lower, upper } = problem.bounds
    const inside = ({ x }: Point) =>
      x.every((value, i) => value >= limit(lower, i, -Infinity) && value <= limit(upper, i, Infinity))
    expect(points.every(inside)).toBe(true)
    for (const [i, { value }] of points.slice(1).entries()) expect(value).toBeLessThanOrEqual(points[i]!.value)
    x.forEach((value, i) => {
      if (value > limit(lower, i, -Infinity)) expect(gradient[i], `slope down at ${i}`).toBeLessThan(1e-5)
      if (value < limit(upper, i, Infinity)) expect(gradient[i], `slope up at ${i}`).toBeGreaterThan(-1e-5)
    })
  })
})

const bowl = (x: Float64Array) => ({
  value: x.reduce((sum, v) => sum + (v - 3) ** 2, 0),
  gradient: x.map((v) => 2 * (v - 3)),
})
const rosenbrock = problems[0]!

describe('what it takes', () => {
  test('a function that gives promises, with a gradient in single precision', async () => {
    const f = (x: Float64Array) => Promise.resolve({ ...bowl(x), gradient: Float32Array.from(bowl(x).gradient) })
    const { x, status } = await lbfgsb(f, [0, 0], { upper: [2, 9] })
    expect([...x]).toEqual([2, expect.closeTo(3, 6)])
    expect(status).toBe('converged')
  })

  test('a start outside the box, and variables that have no room', async () => {
    const { x } = await lbfgsb(bowl, [50, -50, 7], { lower: [0, 0, 1], upper: [2, 4, 1] })
    expect([...x]).toEqual([2, expect.closeTo(3, 6), 1])
  })

  test('a start that is the end, after one evaluation', async () => {
    expect(await lbfgsb(bowl, [3, 3])).toMatchObject({ iterations: 0, evaluations: 1, status: 'converged', value: 0 })
  })

  test('a function that keeps or changes its argument', async () => {
    const { x } = await lbfgsb(
      (x) => {
        const found = bowl(x)
        x.fill(NaN)
        return found
      },
      [0, 0],
    )
    expect([...x]).toEqual([expect.closeTo(3, 6), expect.closeTo(3, 6)])
  })

  test.each([1, 2, 20])('a history of %d', async (history) => {
    const { value } = await solve(rosenbrock, { history })
    expect(value).toBeCloseTo(0.04, 8)
  })
})

describe('how it ends', () => {
  test('at a limit on iterations', async () => {
    const result = await solve(rosenbrock, { maxIterations: 4 })
    expect(result).toMatchObject({ status: 'iterations', iterations: 4, message: 'after 4 iterations' })
  })

  test('at a limit on evaluations', async () => {
    const { status, evaluations } = await solve(rosenbrock, { maxEvaluations: 9 })
    expect(status).toBe('evaluations')
    expect(evaluations).toBeGreaterThanOrEqual(9)
    expect(evaluations).toBeLessThan(9 + 20)
  })

  test('at the tolerance of the value', async () => {
    const loose = await solve(rosenbrock, { valueTolerance: 1e-2 })
    expect(loose).toMatchObject({ status: 'converged', message: 'the value falls by at most 0.01 of itself' })
    expect(loose.iterations).toBeLessThan((await solve(rosenbrock)).iterations)
  })

  test('at its end all the same where a model misled it', async () => {
    // As many false values as a line search takes: it finds nothing lower.
    let calls = 0
    // No step of one whole line search seems to lower f.
    const f = (x: Float64Array) => {
      const found = rosenbrock.f(x)
      calls += 1
      return calls < 10 || calls > 14 ? found : { ...found, value: 1e3 }
    }
    const { value, status } = await solve({ ...rosenbrock, f }, { maxLineSearch: 5 })
    expect(status).toBe('converged')
    expect(value).toBeCloseTo(0.04, 8)
  })

  test('stalled, where the gradient points up', async () => {
    const wrong = (x: Float64Array) => ({ value: bowl(x).value, gradient: bowl(x).gradient.map((g) => -g) })
    expect(await lbfgsb(wrong, [0, 0])).toMatchObject({ status: 'stalled', value: 18 })
  })

  test('with the last good point, where the function is not finite', async () => {
    const log = (x: Float64Array) => ({ value: -Math.log(x[0]!) + x[0]!, gradient: [-1 / x[0]! + 1] })
    const broken = async (f: typeof log) => lbfgsb(f, [10]).catch((error: unknown) => error)
    const error = await broken((x) => (x[0]! < 5 ? { value: 0, gradient: [NaN] } : log(x)))
    expect(error).toBeInstanceOf(NotFiniteError)
    expect(error).toMatchObject({
      code: 'ERR_NOT_FINITE',
      message: 'lbfgsb: expected a finite gradient[0] in iteration 2, got NaN',
      iteration: 1,
    })
    expect((error as NotFiniteError).last?.x[0]).toBeLessThan(10)
    expect(await broken(() => ({ value: Infinity, gradient: [0] }))).toMatchObject({
      message: 'lbfgsb: expected a finite value in iteration 1, got Infinity',
      last: undefined,
    })
  })

  test('with what the function throws', async () => {
    await expect(lbfgsb(() => Promise.reject(new Error('mine')), [1])).rejects.toThrow('mine')
  })
})

describe('what it refuses', () => {
  const cases: [string, Parameters<typeof lbfgsb>, string][] = [
    ['no start', [bowl, []], 'expected x0 of at least one number, got none'],
    ['NaN at the start', [bowl, [1, NaN]], 'expected a finite x0[1], got NaN'],
    ['an infinite start', [bowl, [Infinity]], 'expected a finite x0[0], got Infinity'],
    [
      'a box without a point',
      [bowl, [1, 1], { lower: [0, 2], upper: 1 }],
      '[bounds]: expected lower <= upper at 1, got 2 and 1',
    ],
    ['limits of another length', [bowl, [1, 1], { lower: [0] }], '[bounds]: expected 2 lower limits, got 1'],
    [
      'a limit that is no number',
      [bowl, [1, 1], { upper: [1, NaN] }],
      '[bounds]: expected a number or Infinity as upper[1], got NaN',
    ],
    [
      'a limit beyond all numbers',
      [bowl, [1], { lower: Infinity }],
      '[bounds]: expected a number or -Infinity as lower[0], got Infinity',
    ],
    [
      'a gradient of another length',
      [() => ({ value: 0, gradient: [1] }), [1, 1]],
      'expected a gradient of 2 numbers, got 1',
    ],
    [
      'a function that gives nothing',
      [(() => undefined) as never, [1]],
      'expected a function that gives { value, gradient }, a number and a list of numbers, got undefined',
    ],
    [
      'a function that promises nothing',
      [() => Promise.resolve(null) as never, [1]],
      'expected a function that gives { value, gradient }, a number and a list of numbers, got null',
    ],
    [
      'a function that gives a value alone',
      [() => ({ value: 1 }) as never, [1]],
      'expected a function that gives { value, gradient }, a number and a list of numbers, got value number, gradient undefined',
    ],
    ['no history', [bowl, [1], {}, { history: 0 }], 'expected history to be a whole number above 0, got 0'],
    [
      'half an iteration',
      [bowl, [1], {}, { maxIterations: 1.5 }],
      'expected maxIterations to be a whole number above 0, got 1.5',
    ],
    [
      'a tolerance below 0',
      [bowl, [1], {}, { valueTolerance: -1 }],
      'expected valueTolerance to be a number of at least 0, got -1',
    ],
    [
      'a tolerance that is no number',
      [bowl, [1], {}, { gradientTolerance: NaN }],
      'expected gradientTolerance to be a number of at least 0, got NaN',
    ],
  ]
  test.each(cases)('%s', async (_name, args, message) => {
    const error: unknown = await lbfgsb(...args).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      code: 'ERR_ARGUMENT',
      message: `lbfgsb${message.startsWith('[') ? '' : ': '}${message}`,
    })
  })
})
