// One evaluation of rows, number by number: the direction against dense BFGS updates, and what becomes of a step that fails.
import { describe, expect, test } from 'vitest'
import { constant, feed, trace } from '../../../lib/graph/index.js'
import { dot, type Matrix, square, vector } from '../../../lib/solvers/dense.js'
import { direction } from '../../../lib/solvers/row-direction.js'
import { advance, type Rows, rowStatus } from '../../../lib/solvers/row-step.js'
import { interpret } from '../../support/interpreter.js'
import { ndarray } from '../../support/ndarray.js'
import { generator } from '../../support/random.js'

const random = generator(3)
const size = 6
const draw = () => vector(size, () => 2 * random() - 1)
const times = (a: Matrix, x: Float64Array) => vector(a.length, (i) => dot(a[i]!, x))

/** The inverse after BFGS updates of scale I by the pairs, oldest first, of vectors that only have the free variables. */
function inverse(pairs: readonly (readonly [Float64Array, Float64Array])[], n: number, scale: number): Matrix {
  let h = square(n, (i, j) => (i === j ? scale : 0))
  for (const [s, y] of pairs) {
    const rho = 1 / dot(s, y)
    const before = h
    const hy = times(before, y)
    const yhy = dot(y, hy)
    h = square(
      n,
      (i, j) => before[i]![j]! - rho * (hy[i]! * s[j]! + s[i]! * hy[j]!) + rho * s[i]! * s[j]! * (1 + rho * yhy),
    )
  }
  return h
}

test('the direction is that of BFGS among the free variables, and down the gradient elsewhere', () => {
  const free = [1, 0, 1, 1, 0, 1]
  const only = (v: Float64Array) => v.filter((_, i) => free[i] === 1)
  const gradient = draw()
  // Oldest first; the last one has no curvature among the free variables, the first is forgotten.
  const pairs = Array.from({ length: 4 }, () => {
    const s = draw()
    return [s, s.map((v) => 2 * v + 0.3 * random())] as [Float64Array, Float64Array]
  })
  pairs.push([draw(), pairs[0]![0].map((_v, i) => (free[i] === 1 ? 0 : 1))])
  const graph = trace({ name: 'direction' }, () => {
    const input = (name: string) => feed(name, 'f32', [1, size])
    const newestFirst = pairs.map((_, k) => ({ s: input(`s${k}`), y: input(`y${k}`) })).reverse()
    const one = (value: number) => constant('f32', [1, 1], value)
    const model = { gradient: input('g'), free: constant('u8', [1, size], free), pairs: newestFirst }
    return { d: direction({ ...model, known: one(4), scale: one(0.4) }) }
  })
  const vectors = pairs.flatMap<[string, Float64Array]>(([s, y], k) => [
    [`s${k}`, s],
    [`y${k}`, y],
  ])
  const feeds = [...vectors, ['g', gradient] as const].map(([name, v]) => [name, ndarray([1, size], [...v])] as const)
  const { d } = interpret(graph, Object.fromEntries(feeds)).fetches
  const kept = pairs.slice(1, 4).map(([s, y]) => [only(s), only(y)] as const)
  const step = times(inverse(kept, 4, 0.4), only(gradient))
  let next = 0
  for (let i = 0; i < size; i++) {
    expect(d!.data[i]).toBeCloseTo(free[i] === 1 ? -step[next++]! : -0.4 * gradient[i]!, 10)
  }
})

const settings = { history: 2, valueTolerance: 0, gradientTolerance: 0, maxEvaluations: 99, maxLineSearch: 3 }

/** One evaluation of one row of one variable that finds `value` and `gradient` at its trial, 1. */
function after(rows: Partial<Record<keyof Rows, number>>, value: number, gradient = -1) {
  const start = {
    x: 0,
    value: 5,
    gradient: -2,
    trial: 1,
    step: 1,
    tries: 0,
    known: 2,
    scale: 0.5,
    iterations: 7,
    evaluations: 9,
  }
  const graph = trace({ name: 'advance' }, () => {
    const one = (number: number) => constant('f32', [1, 1], number)
    const before = Object.fromEntries(Object.entries({ ...start, status: 0, ...rows }).map(([k, v]) => [k, one(v)]))
    const pairs = [1, 2].map(() => ({ s: one(0), y: one(0) }))
    const box = { lower: one(-10), upper: one(10), near: one(1e-3) }
    const [next, pair] = advance(before as unknown as Rows, { value: one(value), gradient: one(gradient) }, pairs, {
      ...settings,
      ...box,
      keepPairs: false,
    })
    return { ...next, ...pair }
  })
  const { fetches } = interpret(graph, {})
  return Object.fromEntries(Object.entries(fetches).map(([name, { data }]) => [name, data[0]!]))
}

describe('a step', () => {
  test('that brings its part of the predicted fall is taken, and a pair made of it', () => {
    expect(after({}, 4.5)).toMatchObject({
      x: 1,
      value: 4.5,
      gradient: -1,
      s: 1,
      y: 1,
      step: 1,
      tries: 0,
      known: 2,
      iterations: 8,
      evaluations: 10,
      scale: 1,
    })
  })

  test('that brings less is followed by one at the minimum of the parabola', () => {
    // 5 - 2 t + 2 t^2 through both values
    expect(after({}, 5)).toMatchObject({
      x: 0,
      value: 5,
      gradient: -2,
      s: 0,
      y: 0,
      step: 0.5,
      tries: 1,
      known: 2,
      iterations: 7,
      evaluations: 10,
      scale: 0.5,
    })
    expect(after({}, 7)).toMatchObject({ step: 0.25 })
    expect(after({}, 1e6)).toMatchObject({ step: 0.1 })
    expect(after({}, NaN)).toMatchObject({ step: 0.1, value: 5, status: rowStatus.running })
    expect(after({ step: 0.5 }, Infinity)).toMatchObject({ step: 0.05, x: 0 })
  })

  test('against the gradient must bring a fall', () => {
    expect(after({ gradient: 2 }, 5.0001)).toMatchObject({ x: 0, tries: 1 })
    expect(after({ gradient: 2 }, 4.9999)).toMatchObject({ x: 1, tries: 0 })
  })

  test('without curvature makes no pair', () => {
    expect(after({}, 4.5, -3)).toMatchObject({ x: 1, s: 0, y: 0, scale: 0.5, known: 2 })
  })

  test('after too many makes a row forget its pairs, or end where it has none', () => {
    expect(after({ tries: 2 }, 9)).toMatchObject({ tries: 3, known: 2, status: rowStatus.running })
    expect(after({ tries: 3, step: 0.1 }, 9)).toMatchObject({
      tries: 0,
      known: 0,
      step: 1,
      status: rowStatus.running,
      trial: 1,
    })
    expect(after({ tries: 3, known: 0 }, 9)).toMatchObject({ known: 0, status: rowStatus.stalled, x: 0 })
  })

  test('is not taken by a row that has ended', () => {
    expect(after({ status: rowStatus.converged }, 1)).toMatchObject({
      x: 0,
      value: 5,
      evaluations: 9,
      status: rowStatus.converged,
    })
  })

  test('may be the last that is allowed', () => {
    expect(after({ evaluations: 98 }, 1)).toMatchObject({ x: 1, evaluations: 99, status: rowStatus.evaluations })
  })
})
