// Losses, metrics and initialisers by hand-made numbers, in float64.
import { describe, expect, test } from 'vitest'
import { grad } from '../../../lib/autodiff/index.js'
import { constant, count, type Shape, ShapeError, type Tensor, trace } from '../../../lib/graph/index.js'
import * as nn from '../../../lib/nn/index.js'
import { interpret } from '../../support/interpreter.js'
import { ndarray } from '../../support/ndarray.js'
import { evaluate } from './support.js'

function numbers(build: () => Readonly<Record<string, Tensor>>): Record<string, number[]> {
  const { fetches } = interpret(trace({ name: 'loss' }, build), {})
  return Object.fromEntries(Object.entries(fetches).map(([name, { data }]) => [name, [...data]]))
}

const logits = () => constant('f32', [3, 2], [0, 0, 2, -1, 1, 4])
const labels = () => constant('i32', [3], [0, 1, 1])

describe('losses', () => {
  test('cross-entropy', () => {
    const wanted = (Math.log(2) + Math.log1p(Math.exp(3)) + Math.log1p(Math.exp(-3))) / 3
    expect(numbers(() => ({ loss: nn.crossEntropy(logits(), labels()) }))['loss']).toEqual([expect.closeTo(wanted, 12)])
  })

  test('cross-entropy over a sequence', () => {
    const { flat, deep } = numbers(() => ({
      flat: nn.crossEntropy(logits(), labels()),
      deep: nn.crossEntropy(constant('f32', [1, 3, 2], [0, 0, 2, -1, 1, 4]), constant('i32', [1, 3], [0, 1, 1])),
    }))
    expect(deep).toEqual(flat)
  })

  test('mean squared error and its gradient', () => {
    const { loss, slope } = evaluate({ x: ndarray([2, 2], [1, 2, 3, 4]) }, ({ x }) => {
      const error = nn.meanSquaredError(x!, constant('f32', [2, 2], [1, 0, 0, 0]))
      return { loss: error, slope: grad(error, x!) }
    })
    expect([...loss!.data]).toEqual([29 / 4])
    expect([...slope!.data]).toEqual([0, 1, 1.5, 2])
  })

  test('binary cross-entropy: value and gradient, far out and at zero', () => {
    const x = [0, 0, 3, -2, 800, -800]
    const t = [1, 0.25, 0, 1, 1, 0]
    const { loss, slope } = evaluate({ x: ndarray([6], x), t: ndarray([6], t) }, ({ x, t }) => {
      const value = nn.binaryCrossEntropy(x!, t!)
      return { loss: value, slope: grad(value, x!) }
    })
    const wanted = (2 * Math.log(2) + Math.log1p(Math.exp(3)) + Math.log1p(Math.exp(2))) / 6
    expect(loss!.data[0]).toBeCloseTo(wanted, 12)
    x.forEach((value, i) => {
      expect(slope!.data[i]).toBeCloseTo((1 / (1 + Math.exp(-value)) - t[i]!) / 6, 12)
    })
  })

  test('accuracy', () => {
    // The first maximum counts: 0, 0, 1 against 0, 1, 1.
    expect(numbers(() => ({ share: nn.accuracy(logits(), labels()) }))['share']).toEqual([expect.closeTo(2 / 3, 12)])
  })

  test('operands that would only fit by broadcasting are refused', () => {
    const build = (act: () => Tensor) => () => trace({ name: 'loss' }, () => ({ loss: act() }))
    const column = () => constant('f32', [3, 1], 1)
    const row = () => constant('f32', [3], 1)
    expect(build(() => nn.meanSquaredError(column(), row()))).toThrow(
      'meanSquaredError: expected two tensors alike, got f32[3, 1] and f32[3]',
    )
    expect(build(() => nn.binaryCrossEntropy(column(), row()))).toThrow(ShapeError)
    expect(build(() => nn.crossEntropy(logits(), constant('i32', [2], 0)))).toThrow(
      'crossEntropy: expected labels of i32[3], got i32[2]',
    )
    expect(build(() => nn.accuracy(logits(), constant('i32', [3, 1], 0)))).toThrow(
      'accuracy: expected labels of i32[3]',
    )
  })
})

describe('initialisers', () => {
  const fans = { in: 300, out: 100 }
  const draw = (init: nn.Initializer, shape: Shape = [100, 300]) => {
    const states = { seed: ndarray([2], [1, 2]) }
    const data = interpret(
      trace({ name: 'init' }, () => ({ w: init(shape, fans) })),
      {},
      states,
    ).fetches['w']!.data
    const mean = data.reduce((sum, value) => sum + value, 0) / count(shape)
    const variance = data.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count(shape)
    return { mean, variance, largest: data.reduce((most, value) => Math.max(most, Math.abs(value)), 0) }
  }
  const cases: readonly [string, nn.Initializer, number, boolean][] = [
    ['lecunUniform', nn.init.lecunUniform, 1 / 300, true],
    ['lecunNormal', nn.init.lecunNormal, 1 / 300, false],
    ['glorotUniform', nn.init.glorotUniform, 2 / 400, true],
    ['glorotNormal', nn.init.glorotNormal, 2 / 400, false],
    ['heUniform', nn.init.heUniform, 2 / 300, true],
    ['heNormal', nn.init.heNormal, 2 / 300, false],
    ['normal', nn.init.normal(0.5), 0.25, false],
    ['uniform', nn.init.uniform(-3, 3), 3, true],
  ]
  test.each(cases)('%s', (_name, init, wanted, bounded) => {
    const { mean, variance, largest } = draw(init)
    // 30,000 draws: the standard error of the variance is at most 0.8 %, of the mean 0.6 % of the deviation.
    expect(Math.abs(variance / wanted - 1)).toBeLessThan(0.04)
    expect(Math.abs(mean)).toBeLessThan(0.03 * Math.sqrt(wanted))
    expect(largest <= Math.sqrt(3 * wanted)).toBe(bounded)
  })

  test('constants', () => {
    expect(draw(nn.init.zeros, [4]).largest).toBe(0)
    expect(draw(nn.init.fill(2), [4])).toEqual({ mean: 2, variance: 0, largest: 2 })
  })
})
