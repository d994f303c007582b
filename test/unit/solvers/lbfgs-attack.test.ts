// The search for the nearest image of another class, in float64 by the interpreter, where it is known: a linear classifier's is the
// foot of the perpendicular on the border between two classes.
import { expect, test } from 'vitest'
import { constant, type Tensor } from '../../../lib/graph/index.js'
import * as ops from '../../../lib/ops/index.js'
import { fgsm, lbfgsAttack, type LbfgsAttackOptions } from '../../../lib/solvers/index.js'
import { interpreted } from './interpreted.js'

type Matrix = Tensor<'f32', [number, number]>

const w = [2, 1, -2]
const offset = -0.3

/** Class 1 where w'x > 0.3, class 2 nowhere. */
function linear(x: Matrix): Tensor {
  const score = ops.add(ops.matmul(x, constant('f32', [3, 1], w)), offset)
  return ops.concat([ops.mul(score, -0.5), ops.mul(score, 0.5), ops.sub(ops.mul(score, 0), 50)] as Tensor<'f32'>[], 1)
}

const score = (x: readonly number[]) => x.reduce((sum, v, i) => sum + w[i]! * v, offset)
const images = [
  [0.25, 0.25, 0.5],
  [0.75, 0.5, 0.25],
  [0.5, 0.125, 0.25],
  [0.25, 0.25, 0.5],
]
const target = [1, 0, 0, 2]

async function attack(more: Partial<LbfgsAttackOptions> = {}, rows = images, goals = target) {
  const compiler = interpreted()
  const options = { shape: [rows.length, 3], history: 2, ...more }
  const made = await lbfgsAttack(compiler, linear, options)
  const found = await made.run(Float32Array.from(rows.flat()), Int32Array.from(goals))
  made.dispose()
  expect(compiler.alive.size).toBe(0)
  return found
}

test('finds the border, from either side, and says where it cannot', async () => {
  const { x, reached, distortion, weight } = await attack({ bounds: {}, rounds: 16 })
  expect([...reached]).toEqual([1, 1, 1, 0])
  for (const row of [0, 1, 2]) {
    const nearest = Math.abs(score(images[row]!)) / Math.hypot(...w) / Math.sqrt(3)
    expect(distortion[row]! / nearest, `row ${row}`).toBeGreaterThanOrEqual(1)
    expect(distortion[row]! / nearest, `row ${row}`).toBeLessThan(1.01)
    const found = [...x.subarray(3 * row, 3 * row + 3)]
    expect(score(found) > 0).toBe(target[row] === 1)
    // The minimiser lies on the border where 2 c r = -loss' = w / 2 (softmax of two equal logits)
    const c = Math.hypot(...w) / 4 / (nearest * Math.sqrt(3))
    expect(weight[row]! / c, `row ${row}`).toBeGreaterThan(0.9)
    expect(weight[row]! / c, `row ${row}`).toBeLessThan(1.01)
  }
  expect([distortion[3], weight[3]]).toEqual([NaN, 0])
  expect([...x.subarray(9)]).toEqual(images[3])
})

test('stays in the box, on its side of the nearest image', async () => {
  const { x, reached, distortion } = await attack(
    { bounds: { lower: [0, 0, 0.4375], upper: 1 }, rounds: 14 },
    images.slice(0, 1),
    [1],
  )
  // Along the border within the box the third element stops at 0.4375: the others go on along (2, 1).
  const rest = 0.3 - (2 * 0.25 + 0.25 - 2 * 0.4375)
  const nearest = Math.sqrt((0.0625 ** 2 + rest ** 2 / 5) / 3)
  expect(reached[0]).toBe(1)
  expect(x[2]).toBe(0.4375)
  expect(distortion[0]! / nearest).toBeGreaterThanOrEqual(1)
  expect(distortion[0]! / nearest).toBeLessThan(1.01)
})

test('more rounds find no farther image', async () => {
  const few = await attack({ bounds: {}, rounds: 3 })
  const more = await attack({ bounds: {}, rounds: 8 })
  for (const row of [0, 1, 2]) {
    if (few.reached[row] === 1) expect(more.distortion[row]).toBeLessThanOrEqual(few.distortion[row]!)
  }
})

test('comes down from a weight that is too large, and up from one that is too small', async () => {
  const [middle, large, small] = await Promise.all([1, 1e4, 1e-4].map((weight) => attack({ weight, rounds: 14 })))
  for (const row of [0, 1, 2]) {
    expect(large!.distortion[row]! / middle!.distortion[row]!).toBeCloseTo(1, 1)
    expect(small!.distortion[row]! / middle!.distortion[row]!).toBeCloseTo(1, 1)
  }
})

test('ends with the last round', async () => {
  const compiler = interpreted()
  const once = await lbfgsAttack(compiler, linear, { shape: [4, 3], history: 2, rounds: 1, maxEvaluations: 2 })
  await once.run(Float32Array.from(images.flat()), Int32Array.from(target))
  // A start, one cycle of two evaluations, and what is read.
  expect(compiler.runs).toBe(3)
})

test('takes more images than it has rows, and finds for each what it finds alone', async () => {
  const compiler = interpreted()
  const made = await lbfgsAttack(compiler, linear, { shape: [2, 3], history: 2, rounds: 5 })
  const done: number[] = []
  const many = [...images, images[1]!]
  const goals = Int32Array.from([...target, 0])
  const found = await made.run(Float32Array.from(many.flat()), goals, { onProgress: (count) => done.push(count) })
  expect(done.at(-1)).toBe(5)
  expect(found.x).toHaveLength(15)
  for (const [row, image] of many.entries()) {
    const alone = await attack({ rounds: 5 }, [image], [goals[row]!])
    expect(found.distortion[row], `row ${row}`).toBe(alone.distortion[0])
    expect([...found.x.subarray(3 * row, 3 * row + 3)]).toEqual([...alone.x])
  }
})

test('finds as near an image whether each weight starts at the image or where the last one ended', async () => {
  const [resumed, anew] = [await attack({ rounds: 10 }), await attack({ rounds: 10, resume: false })]
  for (const row of [0, 1, 2]) expect(resumed.distortion[row]! / anew.distortion[row]!).toBeCloseTo(1, 3)
})

test('keeps its label after rounding to the levels that an image is kept in', async () => {
  const levels = 16
  const { x, reached, distortion } = await attack({ rounds: 10, levels })
  const plain = await attack({ rounds: 10 })
  for (const row of [0, 1, 2]) {
    expect(reached[row]).toBe(1)
    const kept = [...x.subarray(3 * row, 3 * row + 3)].map((value) => Math.floor(value * levels + 0.5) / levels)
    expect(score(kept) > 0).toBe(target[row] === 1)
    expect(distortion[row]).toBeGreaterThanOrEqual(plain.distortion[row]! - 1e-6)
  }
})

test('rows do not see each other', async () => {
  const together = await attack({ rounds: 5 })
  const alone = await attack({ rounds: 5 }, [images[1]!], [0])
  expect(alone.distortion[0]).toBe(together.distortion[1])
  expect([...alone.x]).toEqual([...together.x.subarray(3, 6)])
})

test('refuses a label that the image has already, and names the image', async () => {
  await expect(attack({ rounds: 6 }, images, [1, 0, 1, 2])).rejects.toThrow(
    'lbfgsAttack[target]: expected a label other than the one that the classifier gives to image 2, got 1',
  )
})

test('refuses images at which the loss or its gradient is no finite number', async () => {
  const message = 'lbfgsAttack: expected a finite loss and gradient at image 1, got one that is not'
  await expect(attack({}, [images[0]!, [NaN, 0, 0]], [1, 0])).rejects.toThrow(message)
  // A root has a value at 0, but no slope.
  const rooted = (x: Matrix) => linear(ops.sqrt(x))
  const made = await lbfgsAttack(interpreted(), rooted, { shape: [2, 3], history: 2 })
  const rows = Float32Array.from([...images[0]!, 0, 0.5, 0.25])
  await expect(made.run(rows, Int32Array.of(1, 1))).rejects.toThrow(message)
})

test('refuses a box that holds nothing', async () => {
  await expect(attack({ bounds: { lower: 0.75, upper: 0.25 } })).rejects.toThrow(
    'lbfgsAttack[bounds]: expected lower <= upper at 0, got 0.75 and 0.25',
  )
})

test('refuses a classifier through which no gradient comes', async () => {
  const stepped = (x: Matrix) => ops.cast(ops.less(ops.sub(linear(x), 0.1), 0), 'f32')
  const message = 'lbfgsAttack: expected a differentiable path from x to the logits, got none'
  await expect(lbfgsAttack(interpreted(), stepped, { shape: [2, 3] })).rejects.toThrow(message)
  const blind = (x: Matrix) => linear(ops.stopGradient(x))
  await expect(lbfgsAttack(interpreted(), blind, { shape: [2, 3] })).rejects.toThrow(message)
  await expect(fgsm(interpreted(), blind, { shape: [2, 3], epsilon: 0.1 })).rejects.toThrow('fgsm: expected a')
})

test('refuses inputs of another number of images', async () => {
  await expect(attack({}, images, [1, 0])).rejects.toThrow('lbfgsAttack[target]: expected 4 rows of 1, got 2')
})

test.each([
  [{ rounds: 0 }, 'lbfgsAttack: expected rounds to be a whole number above 0, got 0'],
  [{ weight: 0 }, 'lbfgsAttack: expected weight to be a number above 0, got 0'],
  [{ levels: 0.5 }, 'lbfgsAttack: expected levels to be a whole number above 0, got 0.5'],
  [
    { levels: 255, bounds: { lower: 0, upper: 255 } },
    'expected bounds from 0 to 1 beside levels, got {"lower":0,"upper":255}',
  ],
  [{ weight: NaN }, 'lbfgsAttack: expected weight to be a number above 0, got NaN'],
  [{ shape: [3] }, 'lbfgsAttack[shape]: expected a shape of rows and at least one more extent, got [3]'],
])('refuses %o', async (more, message) => {
  await expect(attack(more)).rejects.toThrow(message)
})

test('refuses what is no classifier', async () => {
  const sums = (x: Matrix) => ops.sum(x, 1)
  await expect(lbfgsAttack(interpreted(), sums, { shape: [2, 3] })).rejects.toThrow(
    'lbfgsAttack: expected logits f32[2, classes], got f32[2]',
  )
})
