// Networks that read house numbers: their size, a step beside PyTorch in float64, what an absent digit costs, and the likeliest number as graph.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { grad } from '../../../lib/autodiff/index.js'
import { feed, type Tensor, trace } from '../../../lib/graph/index.js'
import { decodeNumbers } from '../../../lib/infer/index.js'
import {
  houseNumbers,
  likeliestNumbers,
  numberCosts,
  numberHeads,
  rightNumbers,
  smallHouseNumbers,
  streetViewNumbers,
} from '../../../lib/models/index.js'
import * as nn from '../../../lib/nn/index.js'
import { mean } from '../../../lib/ops/index.js'
import { type HouseNumbersGolden, labelsOf, stepOfGolden, valueOf } from '../../support/house-number-golden.js'
import { interpret } from '../../support/interpreter.js'
import { compare, numbersOf } from '../../support/model-golden.js'
import { fill, type NDArray, ndarray } from '../../support/ndarray.js'
import { pattern } from '../../support/pattern.js'

const path = new URL('../../golden/house-numbers.json', import.meta.url)
const goldens = JSON.parse(readFileSync(path, 'utf8')) as HouseNumbersGolden[]

describe('the size of', () => {
  test('the paper’s network', () => {
    const { rows, parameters, multiplyAdds } = nn.summary(houseNumbers(), { x: [1, 3, 54, 54] })
    expect(parameters).toBe(38_142_809)
    expect(multiplyAdds).toBe(626_516_672)
    const places = rows.filter(({ path }) => /(pieces|conv\d|local1)$/.test(path)).map(({ output }) => output.slice(1))
    const sides = [54, 27, 27, 14, 14, 7, 7, 4]
    const units = [144, 64, 128, 160, 192, 192, 192, 192]
    expect(places).toEqual([...sides.map((side, i) => [units[i], side, side]), [192, 4, 4]])
  })

  test('the small network', () => {
    const { parameters, multiplyAdds } = nn.summary(houseNumbers(smallHouseNumbers), { x: [1, 3, 54, 54] })
    expect([parameters, multiplyAdds]).toEqual([3_611_545, 85_810_048])
  })
})

test('pools of another number or stride are refused', () => {
  expect(() => houseNumbers({ ...smallHouseNumbers, pools: [2, 2] })).toThrow(
    'houseNumbers[pools]: expected 0, 1 or 2 for each of 6 convolutions, got 2, 2',
  )
  expect(() => houseNumbers({ ...streetViewNumbers, pools: [2, 1, 2, 1, 2, 1, 2, 3] })).toThrow('houseNumbers[pools]')
  expect(() => houseNumbers({ ...streetViewNumbers, kernel: 4 })).toThrow('kernel')
  expect(() =>
    trace({ name: 'other', mode: 'eval' }, () => ({ y: numberHeads(feed('x', 'f32', [2, 50])).length })),
  ).toThrow('numberHeads: expected logits f32[N, 57], got f32[2, 50]')
})

test.each(goldens)('a step of a shrunken $name network in float64', (golden) => {
  const graph = trace({ name: 'golden', mode: 'train' }, stepOfGolden(golden))
  const states: Record<string, NDArray> = {}
  let order = 0
  for (const { name, variable } of graph.states) {
    const isTrained = variable.role === 'parameter'
    states[name] = isTrained
      ? { shape: variable.shape, data: valueOf(name, variable.shape, order++) }
      : fill(variable.shape, () => 0)
  }
  const { side } = golden.config
  const x = { shape: [4, 3, side, side], data: pattern(new Float64Array(12 * side ** 2), 100).map((v) => v + 0.5) }
  const { length, digits, mask } = labelsOf()
  const feeds = { x, length: ndarray([4], length), digits: ndarray([4, 5], digits), mask: ndarray([4, 5], mask) }
  compare(golden, numbersOf(interpret(graph, feeds, states).fetches), 1e-10)
})

describe('an absent digit', () => {
  const rows = 3
  const logits = ndarray([rows, 57], [...pattern(new Float64Array(rows * 57), 3, 6)])
  // Of no digit, of two, and of more than five: 5, 3 and 5 heads are of digits that are not there.
  const length = [0, 2, 6]
  const mask = length.flatMap((many) => Array.from({ length: 5 }, (_, i) => Number(i < many && many <= 5)))
  const costs = (digits: readonly number[]) => {
    const graph = trace({ name: 'costs', mode: 'train' }, () => {
      const x = feed('logits', 'f32', [rows, 57])
      const cost = numberCosts(x, {
        length: feed('length', 'i32', [rows]),
        digits: feed('digits', 'i32', [rows, 5]),
        mask: feed('mask', 'f32', [rows, 5]),
      })
      const loss: Tensor<'f32', []> = mean(cost)
      const [slope] = grad(loss, [x])
      return { cost, slope }
    })
    const feeds = {
      logits,
      length: ndarray([rows], length),
      digits: ndarray([rows, 5], digits),
      mask: ndarray([rows, 5], mask),
    }
    return interpret(graph, feeds).fetches
  }
  const digits = Array.from({ length: rows * 5 }, (_, i) => (3 * i) % 10)

  test('back-propagates exactly nothing, and one that is there something', () => {
    const { data } = costs(digits)['slope']!
    for (const [place, there] of mask.entries()) {
      const from = Math.floor(place / 5) * 57 + 7 + 10 * (place % 5)
      const slopes = [...data.subarray(from, from + 10)]
      if (there === 0) expect(slopes).toEqual(new Array(10).fill(0))
      else expect(slopes.every((slope) => slope !== 0)).toBe(true)
    }
    for (let row = 0; row < rows; row++) expect(data[row * 57]).not.toBe(0)
  })

  test('costs nothing, whatever stands in its place', () => {
    const others = digits.map((digit, i) => (mask[i] === 1 ? digit : (digit + 4) % 10))
    expect([...costs(others)['cost']!.data]).toEqual([...costs(digits)['cost']!.data])
    const wrong = digits.map((digit, i) => (mask[i] === 1 ? (digit + 4) % 10 : digit))
    expect(costs(wrong)['cost']!.data[1]).not.toBe(costs(digits)['cost']!.data[1])
  })
})

test('the likeliest number of a graph is that of the host, and right as a whole or not at all', () => {
  const rows = 64
  const logits = pattern(new Float64Array(rows * 57), 7, 9)
  const found = decodeNumbers(Float32Array.from(logits))
  const text = (i: number): string => found[i]!.number ?? ''
  // Of each reading: itself, one with another last digit, another length.
  const labels = found.map(({ length }, i) => {
    const own = Array.from(text(i), Number)
    if (i % 3 === 1 && own.length > 0) own[own.length - 1] = (own.at(-1)! + 1) % 10
    return { length: i % 3 === 2 ? (length + 1) % 7 : length, digits: [...own, 0, 0, 0, 0, 0].slice(0, 5) }
  })
  const graph = trace({ name: 'likeliest', mode: 'eval' }, () => {
    const likeliest = likeliestNumbers(feed('logits', 'f32', [rows, 57]))
    const right = rightNumbers(likeliest, {
      length: feed('length', 'i32', [rows]),
      digits: feed('digits', 'i32', [rows, 5]),
      mask: feed('mask', 'f32', [rows, 5]),
    })
    return { ...likeliest, right }
  })
  const mask = labels.flatMap(({ length }) => Array.from({ length: 5 }, (_, i) => Number(i < length && length <= 5)))
  const { fetches } = interpret(graph, {
    logits: { shape: [rows, 57], data: Float64Array.from(Float32Array.from(logits)) },
    length: ndarray(
      [rows],
      labels.map(({ length }) => length),
    ),
    digits: ndarray(
      [rows, 5],
      labels.flatMap(({ digits }) => digits),
    ),
    mask: ndarray([rows, 5], mask),
  })
  expect(new Set(found.map(({ length }) => length)).size).toBeGreaterThan(3)
  for (const [i, { length, confidence }] of found.entries()) {
    expect(fetches['length']!.data[i]).toBe(length)
    expect([...fetches['digits']!.data.subarray(5 * i, 5 * i + text(i).length)].join('')).toBe(text(i))
    expect(fetches['confidence']!.data[i]).toBeCloseTo(confidence, 12)
    const isRight = i % 3 === 0 || (i % 3 === 1 && text(i) === '')
    expect(fetches['right']!.data[i], `row ${i}`).toBe(Number(isRight))
  }
})
