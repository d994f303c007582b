// Steps along the sign of the gradient, number by number on a linear classifier.
import { describe, expect, test } from 'vitest'
import { constant, type Tensor } from '../../../lib/graph/index.js'
import * as ops from '../../../lib/ops/index.js'
import { fgsm, pgd } from '../../../lib/solvers/index.js'
import { interpreted } from './interpreted.js'

type Matrix = Tensor<'f32', [number, number]>

/** The loss of label 1 falls with the first two elements and does not see the third. */
const linear = (x: Matrix) => ops.matmul(x, constant('f32', [3, 2], [0, 2, 0, 1, 0, 0]))
/** A valley along x0 = x1: the sign of the gradient changes from side to side. */
const bent = (x: Matrix) => {
  const away = ops.square(ops.sub(ops.slice(x, [0, 0], [1, 1]), ops.slice(x, [0, 1], [1, 1])))
  return ops.concat<'f32'>([ops.mul(away, 0), ops.mul(away, 9)], 1)
}

const images = Float32Array.of(0.5, 0.9, 0.3, 0.5, 0.05, 0.3)
const labels = Int32Array.of(1, 0)
const shape = [2, 3]

function expectClose(got: Float32Array, wanted: readonly number[]): void {
  expect(got).toHaveLength(wanted.length)
  wanted.forEach((want, i) => {
    expect(got[i], `element ${i}`).toBeCloseTo(want, 6)
  })
}

describe('fgsm', () => {
  test('raises the loss of the label by one step, and stays in the box', async () => {
    using attack = await fgsm(interpreted(), linear, { shape, epsilon: 0.25 })
    expectClose(await attack.run(images, labels), [0.25, 0.65, 0.3, 0.75, 0.3, 0.3])
    using wide = await fgsm(interpreted(), linear, { shape, epsilon: 0.75, bounds: { lower: -0.125, upper: 0.875 } })
    expectClose(await wide.run(images, labels), [-0.125, 0.15, 0.3, 0.875, 0.8, 0.3])
  })

  test('lowers that of a label to be reached', async () => {
    using attack = await fgsm(interpreted(), linear, { shape, epsilon: 0.125, targeted: true })
    expectClose(await attack.run(images, labels), [0.625, 1, 0.3, 0.375, 0, 0.3])
  })
})

describe('pgd', () => {
  test('goes step by step as far as epsilon', async () => {
    const run = async (steps: number) => {
      using attack = await pgd(interpreted(), linear, { shape, epsilon: 0.25, steps, rate: 0.1 })
      return await attack.run(images, labels)
    }
    expectClose(await run(1), [0.4, 0.8, 0.3, 0.6, 0.15, 0.3])
    expectClose(await run(2), [0.3, 0.7, 0.3, 0.7, 0.25, 0.3])
    expectClose(await run(5), [0.25, 0.65, 0.3, 0.75, 0.3, 0.3])
  })

  test('looks at the gradient anew at each step', async () => {
    // 0.1 apart; a step of 0.08 on both sides overshoots to -0.06, and the next one comes back.
    const options = { shape: [1, 2], epsilon: 1, rate: 0.08 }
    const run = async (steps: number) => {
      using attack = await pgd(interpreted(), bent, { ...options, steps })
      return await attack.run(Float32Array.of(0.5, 0.4), Int32Array.of(1))
    }
    expectClose(await run(1), [0.42, 0.48])
    expectClose(await run(2), [0.5, 0.4])
  })

  test('crosses the distance where no rate is given', async () => {
    using attack = await pgd(interpreted(), linear, { shape, epsilon: 0.2, steps: 7 })
    expectClose(await attack.run(images, labels), [0.3, 0.7, 0.3, 0.7, 0.25, 0.3])
  })
})

test.each([
  [{ epsilon: 0 }, 'pgd: expected epsilon to be a number above 0, got 0'],
  [{ steps: 1.5 }, 'pgd: expected steps to be a whole number above 0, got 1.5'],
  [{ rate: NaN }, 'pgd: expected rate to be a number above 0, got NaN'],
  [{ bounds: { lower: 2, upper: 1 } }, 'pgd[bounds]: expected lower <= upper at 0, got 2 and 1'],
])('refuses %o', async (more, message) => {
  await expect(pgd(interpreted(), linear, { shape, epsilon: 0.1, steps: 2, ...more })).rejects.toThrow(message)
})

test('refuses what is no classifier', async () => {
  const flat = (x: Matrix) => ops.reshape(x, [6])
  const message = 'fgsm: expected logits f32[2, classes], got f32[6]'
  await expect(fgsm(interpreted(), flat, { shape, epsilon: 1 })).rejects.toThrow(message)
})
