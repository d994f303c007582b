// Rows that are minimised together, in float64 by the interpreter, against `lbfgsb` of each alone.
import { describe, expect, test } from 'vitest'
import { constant, type Tensor } from '../../../lib/graph/index.js'
import * as ops from '../../../lib/ops/index.js'
import { type Bounds, type Evaluation, lbfgsb } from '../../../lib/optim.js'
import { rowMinimizer, type RowOptions } from '../../../lib/solvers/index.js'
import { generator } from '../../support/random.js'
import { interpreted } from './interpreted.js'

const tight = { valueTolerance: 0, gradientTolerance: 1e-9, history: 3 }
type Matrix = Tensor<'f32', [number, number]>

/** sum of 100 (x1 - x0^2)^2 + (a - x0)^2: a is given for each row. */
function valley(x: Matrix, { a }: { a: Tensor<'f32', [number]> }): Tensor {
  const rows = x.shape[0]
  const column = (j: number) => ops.reshape(ops.slice(x, [0, j], [rows, 1]), [rows])
  const [left, right] = [column(0), column(1)]
  const bend = ops.sub(right, ops.square(left))
  return ops.add(ops.mul(ops.square(bend), 100), ops.square(ops.sub(a, left)))
}

function valleyAlone(a: number) {
  return (x: Float64Array): Evaluation => {
    const bend = x[1]! - x[0]! ** 2
    const gradient = [-400 * bend * x[0]! - 2 * (a - x[0]!), 200 * bend]
    return { value: 100 * bend ** 2 + (a - x[0]!) ** 2, gradient }
  }
}

const size = 12
const random = generator(5)
const draw = (n: number, scale = 1) => Array.from({ length: n }, () => scale * (2 * random() - 1))
const factors = draw(size * size, 0.7)

/** |F x|^2 / 2 - b'x + |x|^2 / 50: b is given for each row. */
function bowl(x: Matrix, { b }: { b: Matrix }): Tensor {
  const y = ops.matmul(x, constant('f32', [size, size], factors), { transposeB: true })
  const half = ops.mul(ops.sum(ops.square(y), 1), 0.5)
  return ops.add(ops.sub(half, ops.sum(ops.mul(b, x), 1)), ops.mul(ops.sum(ops.square(x), 1), 0.02))
}

function bowlAlone(b: readonly number[]) {
  return (x: Float64Array): Evaluation => {
    const y = Array.from({ length: size }, (_, i) => x.reduce((sum, v, j) => sum + factors[i * size + j]! * v, 0))
    const gradient = Array.from(
      x,
      (v, j) => y.reduce((sum, z, i) => sum + factors[i * size + j]! * z, 0) - b[j]! + 0.04 * v,
    )
    const value = y.reduce((sum, z) => sum + z * z, 0) / 2 - x.reduce((sum, v, j) => sum + b[j]! * v - 0.02 * v * v, 0)
    return { value, gradient }
  }
}

async function solveValleys(
  starts: readonly (readonly [number, number])[],
  a: readonly number[],
  more: Partial<RowOptions> = {},
) {
  const given = { a: [starts.length] }
  const minimizer = await rowMinimizer(interpreted(), valley, { shape: [starts.length, 2], given, ...tight, ...more })
  return minimizer.run(Float32Array.from(starts.flat()), { a: Float32Array.from(a) })
}

const starts = [
  [-1.25, 1],
  [2, -3],
  [0.5, 0.5],
  [-0.25, 4],
] as const
const wells = [1, 0.5, 1, -2]

function limits(bounds: Bounds, i: number, side: 'lower' | 'upper'): number {
  const given = bounds[side]
  return (typeof given === 'number' ? given : given?.[i]) ?? (side === 'lower' ? -Infinity : Infinity)
}

describe('each row reaches what lbfgsb reaches alone', () => {
  const boxes: Bounds[] = [
    {},
    { upper: 0.75 },
    { lower: [-1, -Infinity], upper: [0.25, 5] },
    { lower: 0, upper: [1, 0.125] },
  ]
  test.each(boxes)('in a valley, box %#', async (bounds) => {
    const { x, value, status, residual } = await solveValleys(starts, wells, { bounds })
    for (const [row, start] of starts.entries()) {
      const alone = await lbfgsb(valleyAlone(wells[row]!), [...start], bounds, tight)
      expect(value[row]! - alone.value, `row ${row}`).toBeLessThan(1e-9)
      for (const i of [0, 1]) {
        expect(Math.abs(x[2 * row + i]! - alone.x[i]!), `row ${row}, x${i}`).toBeLessThan(1e-5)
        expect(x[2 * row + i]).toBeGreaterThanOrEqual(limits(bounds, i, 'lower'))
        expect(x[2 * row + i]).toBeLessThanOrEqual(limits(bounds, i, 'upper'))
      }
      expect(['converged', 'stalled']).toContain(status[row])
      expect(residual[row]).toBeLessThan(1e-6)
    }
  })

  test.each([2, 5])('in a bowl with many limits in the way, history %d', async (history) => {
    const rows = 4
    const b = draw(rows * size, 4)
    const options = {
      shape: [rows, size],
      bounds: { lower: -0.5, upper: 1 },
      given: { b: [rows, size] },
      ...tight,
      history,
    }
    const minimizer = await rowMinimizer(interpreted(), bowl, options)
    const { x, value, status } = await minimizer.run(new Float32Array(rows * size), { b: Float32Array.from(b) })
    let held = 0
    for (let row = 0; row < rows; row++) {
      const own = Array.from(Float32Array.from(b.slice(row * size, (row + 1) * size)))
      const alone = await lbfgsb(bowlAlone(own), new Float64Array(size), { lower: -0.5, upper: 1 }, tight)
      expect(Math.abs(value[row]! - alone.value), `row ${row}`).toBeLessThan(1e-9)
      alone.x.forEach((at, i) => {
        expect(Math.abs(x[row * size + i]! - at)).toBeLessThan(1e-6)
        if (at === -0.5 || at === 1) held += 1
      })
      expect(status[row]).not.toBe('evaluations')
    }
    expect(held).toBeGreaterThan(rows * 2)
  })

  test('in about as many iterations', async () => {
    const { iterations, evaluations } = await solveValleys(starts, wells)
    for (const [row, start] of starts.entries()) {
      const alone = await lbfgsb(valleyAlone(wells[row]!), [...start], {}, tight)
      expect(iterations[row]).toBeLessThan(2.5 * alone.iterations)
      expect(evaluations[row]).toBeLessThan(2.5 * alone.evaluations)
    }
  })
})

describe('rows', () => {
  test('do not see each other', async () => {
    const together = await solveValleys(starts, wells)
    for (const [row, start] of starts.entries()) {
      const alone = await solveValleys([start], [wells[row]!])
      expect(alone.value[0]).toBe(together.value[row])
      expect(alone.evaluations[0]).toBe(together.evaluations[row])
    }
  })

  test('that are not finite end, and the others go on', async () => {
    const { status, value } = await solveValleys([starts[0], [NaN, 1], [1e30, 0], starts[3]], [1, 1, 1, NaN])
    expect(status).toEqual([expect.stringMatching(/converged|stalled/), 'notFinite', 'notFinite', 'notFinite'])
    expect(value[0]).toBeLessThan(1e-9)
  })

  test('whose gradient alone is not finite end as well', async () => {
    // The derivative of a root at 0 is infinite, and 0 times that no number.
    const f = (x: Matrix) => ops.sum(ops.sqrt(ops.square(x)), 1)
    const minimizer = await rowMinimizer(interpreted(), f, { shape: [2, 1], ...tight })
    expect((await minimizer.run(Float32Array.of(0, 1))).status).toEqual([
      'notFinite',
      expect.not.stringMatching('notFinite'),
    ])
  })

  test('meet a pole on their way and turn back', async () => {
    // x - log(x): where x is not above 0, no number.
    const f = (x: Matrix) => ops.reshape(ops.sub(x, ops.log(x)), [x.shape[0]])
    const minimizer = await rowMinimizer(interpreted(), f, { shape: [3, 1], ...tight })
    const { x, status } = await minimizer.run(Float32Array.of(0.001, 5, 100))
    for (const at of x) expect(at).toBeCloseTo(1, 5)
    expect(status).not.toContain('notFinite')
  })

  test('end at the limit on evaluations, each its own', async () => {
    const { status, evaluations } = await solveValleys(starts, wells, { maxEvaluations: 7 })
    expect(status).toEqual(Array.from(starts, () => 'evaluations'))
    expect([...evaluations]).toEqual([7, 7, 7, 7])
  })

  test('stall where the gradient points up', async () => {
    const f = (x: Matrix) => {
      const y = ops.sum(ops.square(x), 1)
      return ops.sub(ops.mul(ops.stopGradient(y), 2), y)
    }
    const minimizer = await rowMinimizer(interpreted(), f, { shape: [1, 3], ...tight })
    expect((await minimizer.run(Float32Array.of(1, 2, 3))).status).toEqual(['stalled'])
  })

  test('end at the tolerance of the value', async () => {
    const loose = await solveValleys(starts, wells, { valueTolerance: 1e-2, gradientTolerance: 0 })
    const exact = await solveValleys(starts, wells)
    expect(loose.status).toEqual(Array.from(starts, () => 'converged'))
    expect(Math.max(...loose.evaluations)).toBeLessThan(Math.max(...exact.evaluations))
  })
})

describe('a minimizer', () => {
  test('is the same after all passes', async () => {
    const solve = async (passes: boolean) => {
      const options = { shape: [2, 2], given: { a: [2] }, ...tight }
      const minimizer = await rowMinimizer(interpreted({ passes }), valley, options)
      return minimizer.run(Float32Array.from(starts.slice(0, 2).flat()), { a: Float32Array.of(1, 0.5) })
    }
    const [plain, passed] = [await solve(false), await solve(true)]
    expect([...passed.evaluations]).toEqual([...plain.evaluations])
    expect([...passed.value]).toEqual([...plain.value])
  })

  test('starts anew at each run, and frees its programs', async () => {
    const compiler = interpreted()
    const minimizer = await rowMinimizer(compiler, valley, { shape: [1, 2], given: { a: [1] } })
    expect(compiler.alive.size).toBe(3)
    const run = (a: number) => minimizer.run(Float32Array.of(-1, 1), { a: Float32Array.of(a) })
    const first = await run(1)
    await run(-3)
    expect(await run(1)).toEqual(first)
    minimizer.dispose()
    minimizer.dispose()
    expect(compiler.alive.size).toBe(0)
  })

  test('makes as many calls for a thousand rows as for one', async () => {
    const calls = async (rows: number) => {
      const compiler = interpreted()
      const minimizer = await rowMinimizer(compiler, bowl, { shape: [rows, size], given: { b: [rows, size] } })
      await minimizer.run(new Float32Array(rows * size), { b: new Float32Array(rows * size).fill(0.5) })
      return compiler.runs
    }
    expect(await calls(30)).toBe(await calls(1))
  })

  test('takes one call at a time', async () => {
    const minimizer = await rowMinimizer(interpreted(), valley, { shape: [1, 2], given: { a: [1] } })
    const run = () => minimizer.run(Float32Array.of(-1, 1), { a: Float32Array.of(1) })
    const first = run()
    await expect(run()).rejects.toThrow('rowMinimizer: expected one call at a time, got a second')
    await first
    await run()
  })

  const f = (x: Matrix) => ops.sum(ops.square(x), 1)
  const refusals: [string, () => Promise<unknown>, RegExp][] = [
    [
      'one extent',
      () => rowMinimizer(interpreted(), f, { shape: [3] }),
      /\[shape\]: expected a shape of rows and at least one more extent, got \[3\]/,
    ],
    ['no rows', () => rowMinimizer(interpreted(), f, { shape: [0, 3] }), /\[shape\]: .* got \[0, 3\]/],
    [
      'a box without a point',
      () => rowMinimizer(interpreted(), f, { shape: [1, 2], bounds: { lower: 2, upper: 1 } }),
      /expected lower <= upper at 0, got 2 and 1/,
    ],
    [
      'limits of another length',
      () => rowMinimizer(interpreted(), f, { shape: [1, 2], bounds: { lower: [1] } }),
      /expected 2 lower limits, got 1/,
    ],
    [
      'no history',
      () => rowMinimizer(interpreted(), f, { shape: [1, 2], history: 0 }),
      /expected history to be a whole number from 1 to 16777215, got 0/,
    ],
    [
      'a tolerance that is no number',
      () => rowMinimizer(interpreted(), f, { shape: [1, 2], valueTolerance: NaN }),
      /expected valueTolerance to be a number of at least 0, got NaN/,
    ],
    [
      'other rows of what is given',
      () => rowMinimizer(interpreted(), f, { shape: [4, 2], given: { a: [3] } }),
      /\[given\]: expected 4 rows of a, got \[3\]/,
    ],
    [
      'x given',
      () => rowMinimizer(interpreted(), f, { shape: [4, 2], given: { x: [4] } }),
      /\[given\]: expected names other than x, got x/,
    ],
    [
      'one value for all rows',
      () => rowMinimizer(interpreted(), (x: Matrix) => ops.sum(x), { shape: [4, 2] }),
      /expected f to give one value a row, f32\[4\], got f32\[\]/,
    ],
    [
      'values that are no rows',
      () => rowMinimizer(interpreted(), f, { shape: [4, 2, 2] }),
      /expected f to give one value a row, f32\[4\], got f32\[4, 2\]/,
    ],
  ]
  test.each(refusals)('refuses %s', async (_name, make, message) => {
    await expect(make()).rejects.toThrow(message)
  })

  test('frees what it compiled where f cannot be traced', async () => {
    const compiler = interpreted()
    await expect(rowMinimizer(compiler, (x: Matrix) => ops.sum(x), { shape: [4, 2] })).rejects.toThrow()
    expect(compiler.alive.size).toBe(0)
  })
})
