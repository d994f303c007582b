// The parts of L-BFGS-B against slow definitions: the compact matrix against BFGS updates of a dense one, the Cauchy point
// against a search along the path, the subspace step against elimination.
import { describe, expect, test } from 'vitest'
import { largestStep, makeBox, project, projectedGradient } from '../../../lib/solvers/box.js'
import { cauchyPoint } from '../../../lib/solvers/cauchy.js'
import { CompactMatrix } from '../../../lib/solvers/compact.js'
import { dot, type Matrix, saddle, square, vector } from '../../../lib/solvers/dense.js'
import { subspaceMinimum } from '../../../lib/solvers/subspace.js'
import { generator } from '../../support/random.js'

const size = 7
const times = (a: Matrix, x: Float64Array) => vector(a.length, (i) => dot(a[i]!, x))
const random = generator(11)
const draw = (n: number, scale = 1) => vector(n, () => scale * (2 * random() - 1))

/** A dense matrix that is positive definite. */
function definite(n: number): Matrix {
  const rows = square(n, () => 2 * random() - 1)
  return square(n, (i, j) => dot(rows[i]!, rows[j]!) + (i === j ? 0.5 : 0))
}

/** Pairs of a made-up quadratic function, the matrix of the last `history`, and B by BFGS updates from theta I. */
function model(count: number, history: number): { matrix: CompactMatrix; b: Matrix } {
  const hessian = definite(size)
  const pairs = Array.from({ length: count }, () => {
    const s = draw(size)
    return { s, y: times(hessian, s) }
  })
  const matrix = new CompactMatrix(history)
  for (const { s, y } of pairs) matrix.update(s, y)
  let b = square(size, (i, j) => (i === j ? matrix.theta : 0))
  for (const { s, y } of pairs.slice(-history)) {
    const [before, bs] = [b, times(b, s)]
    const [sbs, sy] = [dot(s, bs), dot(s, y)]
    b = square(size, (i, j) => before[i]![j]! - (bs[i]! * bs[j]!) / sbs + (y[i]! * y[j]!) / sy)
  }
  return { matrix, b }
}

function expectClose(got: Float64Array, wanted: Float64Array, tolerance = 1e-9): void {
  for (const [i, want] of wanted.entries()) expect(Math.abs(got[i]! - want), `element ${i}`).toBeLessThan(tolerance)
}

describe('the compact matrix', () => {
  test.each([
    [1, 5],
    [4, 5],
    [9, 3],
  ])('of %d updates with a history of %d is that of BFGS', (count, history) => {
    const { matrix, b } = model(count, history)
    expect(matrix.pairs).toBe(Math.min(count, history))
    const x = draw(size)
    const bent = matrix.scatter(matrix.middle(matrix.gather(x)), size)
    expectClose(
      vector(size, (i) => matrix.theta * x[i]! - bent[i]!),
      times(b, x),
    )
    const unit = (i: number) => vector(size, (j) => (i === j ? 1 : 0))
    for (let i = 0; i < size; i++) expectClose(matrix.row(i), matrix.gather(unit(i)), 1e-15)
  })

  test('forgets all where it is told to', () => {
    const { matrix } = model(3, 5)
    matrix.reset()
    expect([matrix.pairs, matrix.theta, matrix.gather(draw(size)).length]).toEqual([0, 1, 0])
  })
})

test('a saddle matrix is solved, and refused where it is singular', () => {
  const [a, c] = [definite(3), square(3, () => 0)]
  const b = square(3, () => 2 * random() - 1)
  const x = draw(6)
  const [top, low] = [x.subarray(0, 3), x.subarray(3)]
  const right = vector(6, (i) =>
    i < 3 ? -dot(a[i]!, top) + [0, 1, 2].reduce((sum, j) => sum + b[j]![i]! * low[j]!, 0) : dot(b[i - 3]!, top),
  )
  expectClose(saddle(a, b, c)!(right), x)
  expect(saddle(a, c, c)).toBeUndefined()
  expect(
    saddle(
      square(3, () => NaN),
      b,
      c,
    ),
  ).toBeUndefined()
})

test('a box measures from its nearest sides', () => {
  const box = makeBox('test', { lower: [0, 0, -Infinity], upper: [1, 2, 3] }, 3)
  const x = Float64Array.of(0.25, 2, 3)
  expect(projectedGradient(box, x, Float64Array.of(-5, -7, -9))).toBe(0.75)
  expect(projectedGradient(box, x, Float64Array.of(5, 0.5, 0.125))).toBe(0.5)
  expect(largestStep(box, x, Float64Array.of(0.5, -1, -100))).toBe(1.5)
  expect(largestStep(box, x, Float64Array.of(0, -1, 0))).toBe(2)
  expect(largestStep(box, x, Float64Array.of(0, 0, -1))).toBe(Infinity)
  expect([...project(box, Float64Array.of(-1, 3, -9))]).toEqual([0, 2, -9])
  expect([box.bounded, box.closed, makeBox('test', {}, 3).bounded]).toEqual([true, false, false])
})

/** g' (z - x) + (z - x)' B (z - x) / 2 */
function modelValue(b: Matrix, gradient: Float64Array, x: Float64Array, z: Float64Array): number {
  const d = vector(size, (i) => z[i]! - x[i]!)
  return dot(gradient, d) + dot(d, times(b, d)) / 2
}

describe.each([1, 2, 3, 4, 5, 6])('model %d', (pairs) => {
  const { matrix, b } = model(pairs, 10)
  const [x, gradient] = [draw(size, 0.5), draw(size, 3)]
  const box = makeBox(
    'test',
    { lower: [-1, -0.6, -1, -1, -Infinity, -2, x[6]!], upper: [1, 1, 0.6, Infinity, 1, 2, x[6]!] },
    size,
  )
  const cauchy = cauchyPoint(box, x, gradient, matrix)

  test('its Cauchy point is the first minimum of the path', () => {
    let [best, least] = [x, 0]
    for (let t = 0; t < 4; t += 1e-4) {
      const z = vector(size, (i) => Math.min(Math.max(x[i]! - t * gradient[i]!, box.lower[i]!), box.upper[i]!))
      const value = modelValue(b, gradient, x, z)
      if (value > least) break
      ;[best, least] = [z, value]
    }
    expectClose(cauchy.point, best, 1e-3)
    expect(modelValue(b, gradient, x, cauchy.point)).toBeLessThanOrEqual(least + 1e-12)
    expectClose(cauchy.c, matrix.gather(vector(size, (i) => cauchy.point[i]! - x[i]!)))
  })

  test('its subspace step is the minimum over the free variables', () => {
    // Without limits on the way: only the set of free variables is kept.
    const open = makeBox('test', {}, size)
    const target = subspaceMinimum(open, { x, gradient }, cauchy, matrix)!
    const slope = times(
      b,
      vector(size, (i) => target[i]! - x[i]!),
    )
    for (let i = 0; i < size; i++) {
      if (cauchy.free[i] === 1) expect(Math.abs(slope[i]! + gradient[i]!), `slope at ${i}`).toBeLessThan(1e-8)
      else expect(target[i]).toBe(cauchy.point[i])
    }
  })

  test('its step stays in the box and lowers the model along the gradient', () => {
    const target = subspaceMinimum(box, { x, gradient }, cauchy, matrix)!
    for (let i = 0; i < size; i++) {
      expect(target[i]).toBeGreaterThanOrEqual(box.lower[i]!)
      expect(target[i]).toBeLessThanOrEqual(box.upper[i]!)
    }
    expect(
      dot(
        gradient,
        vector(size, (i) => target[i]! - x[i]!),
      ),
    ).toBeLessThan(0)
  })
})
