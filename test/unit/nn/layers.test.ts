// Layers: extents, paths, shared weights, values and gradients, and what they refuse.
import { describe, expect, test } from 'vitest'
import { grad } from '../../../lib/autodiff/index.js'
import { feed, Names, OstrichError, read, type Tensor, trace, verify } from '../../../lib/graph/index.js'
import * as nn from '../../../lib/nn/index.js'
import { mul, sum } from '../../../lib/ops/index.js'
import { interpret } from '../../support/interpreter.js'
import { ndarray } from '../../support/ndarray.js'
import { evaluate, outputShape, paths, traced, uneven, untyped } from './support.js'

const small = () => nn.sequential(nn.linear(3, 4), nn.tanh(), nn.linear(4, 2))

describe('extents', () => {
  const cases: readonly [string, nn.Step, readonly number[], readonly number[]][] = [
    ['linear', nn.linear(3, 5), [7, 3], [7, 5]],
    ['linear over a sequence', nn.linear(3, 5), [7, 2, 3], [7, 2, 5]],
    ['conv2d', nn.conv2d(2, 6, { kernel: [3, 5], stride: 2, padding: 1 }), [4, 2, 9, 11], [4, 6, 5, 5]],
    ['conv2d in groups', nn.conv2d(4, 6, { kernel: 3, groups: 2, dilation: 2 }), [1, 4, 9, 9], [1, 6, 5, 5]],
    ['conv1d', nn.conv1d(4, 6, { kernel: 3, groups: 2, stride: 2, dilation: 2, padding: 1 }), [5, 4, 9], [5, 6, 4]],
    [
      'convTranspose2d',
      nn.convTranspose2d(4, 6, { kernel: [3, 2], stride: 2, padding: 1, outputPadding: 1, groups: 2 }),
      [2, 4, 3, 4],
      [2, 6, 6, 7],
    ],
    ['globalAvgPool2d', nn.globalAvgPool2d(), [2, 4, 3, 5], [2, 4]],
    ['upsample2d', nn.upsample2d(3), [2, 4, 3, 5], [2, 4, 9, 15]],
    ['upsample2d by lines', nn.upsample2d(2, { by: 'bilinear' }), [2, 4, 1, 5], [2, 4, 2, 10]],
    ['standardise', nn.standardise({ shape: [3, 1] }), [5, 3, 4], [5, 3, 4]],
    ['maxPool2d', nn.maxPool2d(3, { stride: 2 }), [1, 4, 9, 9], [1, 4, 4, 4]],
    ['avgPool2d', nn.avgPool2d(2), [1, 4, 8, 6], [1, 4, 4, 3]],
    ['maxPool2d with ceil', nn.maxPool2d(3, { stride: 2, ceil: true }), [1, 4, 10, 9], [1, 4, 5, 4]],
    ['avgPool2d with ceil', nn.avgPool2d(3, { stride: 2, ceil: true }), [1, 4, 10, 9], [1, 4, 5, 4]],
    ['local2d', nn.local2d(2, 6, { size: [5, 7], kernel: [3, 5], stride: 2, padding: 1 }), [4, 2, 5, 7], [4, 6, 3, 3]],
    ['maxout', nn.maxout(3, 5, { pieces: 2 }), [7, 3], [7, 5]],
    ['lrn', nn.lrn({ convention: 'paper' }), [2, 8, 3, 4], [2, 8, 3, 4]],
    ['lrn within', nn.lrn({ convention: 'caffe', region: 'within' }), [2, 8, 3, 4], [2, 8, 3, 4]],
    ['flatten', nn.flatten(), [5, 2, 3, 4], [5, 24]],
    ['relu', nn.relu(), [5, 2], [5, 2]],
    ['leakyRelu', nn.leakyRelu(0.2), [5, 2], [5, 2]],
    ['softmax', nn.softmax(), [5, 2], [5, 2]],
    ['dropout', nn.dropout(0.5), [5, 2], [5, 2]],
  ]
  test.each(cases)('%s', (_name, step, x, y) => {
    expect(outputShape(step, x)).toEqual(y)
    verify(traced(step, x))
  })

  test('embedding and bytes', () => {
    expect(outputShape(nn.embedding(10, 4), [2, 3], 'i32')).toEqual([2, 3, 4])
    expect(traced(nn.fromBytes(), [2, 3], 'u8').fetches[0]!.tensor.dtype).toBe('f32')
  })

  test('an embedding with padding gives zeros for it, and trains nothing by it', () => {
    const layer = nn.embedding(3, 2, { padding: 1 })
    const graph = trace({ name: 'net', names: new Names() }, () => {
      const y = layer(feed('x', 'i32', [4]))
      return { y, slope: grad(sum(mul(y, 3)), read(layer.parameters[0]!)) }
    })
    const states = { 'embedding1/w': ndarray([3, 2], [1, 2, 5, 6, 3, 4]) }
    const { y, slope } = interpret(graph, { x: ndarray([4], [0, 1, 2, 1]) }, states).fetches
    expect([...y!.data]).toEqual([1, 2, 0, 0, 3, 4, 0, 0])
    expect([...slope!.data]).toEqual([3, 3, 0, 0, 3, 3])
    expect(() => nn.embedding(3, 2, { padding: 3 })).toThrow(
      'nn.embedding[padding]: expected a whole number from 0 to 2, got 3',
    )
  })

  test('dropout draws in training only', () => {
    const ops = (mode: 'train' | 'eval') =>
      trace({ name: 'net', mode }, () => ({ y: nn.dropout(0.5)(feed('x', 'f32', [4, 2])) })).nodes.map(
        ({ op }) => op.name,
      )
    expect(ops('train')).toEqual(['dropout'])
    expect(ops('eval')).toEqual([])
  })
})

describe('paths', () => {
  test('a chain leaves no trace unless it is named', () => {
    expect(paths(small(), [1, 3])).toEqual(['linear1/w', 'linear1/b', 'linear2/w', 'linear2/b'])
    const named = nn.named('net', nn.sequential(nn.linear(3, 4, { bias: false }), nn.linear(4, 2, { name: 'head' })))
    expect(paths(named, [1, 3])).toEqual(['net/linear1/w', 'net/head/w', 'net/head/b'])
    expect(named.name).toBe('net')
  })

  test('a layer called twice shares its weights', () => {
    const cell = nn.linear(4, 4)
    const net = nn.sequential(cell, nn.tanh(), cell)
    expect(paths(net, [1, 4])).toEqual(['linear1/w', 'linear1/b'])
    expect(traced(net, [1, 4]).nodes.map(({ path }) => path)).toEqual(['linear1', 'tanh1', 'linear1'])
    expect(net.parameters).toHaveLength(2)
    expect(nn.sequential(nn.linear(4, 4), nn.linear(4, 4)).parameters).toHaveLength(4)
  })

  test('two traces with the same names agree', () => {
    const names = new Names()
    const net = small()
    const states = () =>
      trace({ name: 'net', names }, () => ({ y: net(feed('x', 'f32', [1, 3])) })).states.map(({ name, variable }) => [
        name,
        variable,
      ])
    expect(states()).toEqual(states())
  })

  test('layers of one’s own, and closures', () => {
    const g = nn.parameter('g', [4], nn.init.fill(1))
    const gain = nn.layer({
      kind: 'gain',
      parameters: [g],
      apply: (x: nn.Features<4>) => mul<'f32', readonly number[], readonly number[]>(x, read(g)) as nn.Features<4>,
    })
    const bare = nn.parameter('scale', [], nn.init.fill(2))
    const scaled = (x: Tensor<'f32'>): Tensor<'f32'> => mul<'f32', readonly number[], readonly number[]>(x, read(bare))
    expect(paths(nn.sequential(nn.linear(3, 4), gain, scaled), [2, 3])).toEqual([
      'linear1/w',
      'linear1/b',
      'gain1/g',
      'scale',
    ])
  })
})

describe('values and gradients', () => {
  test('linear and conv2d', () => {
    const w = ndarray([2, 3], [1, 2, 3, 4, 5, 6])
    const b = ndarray([2], [10, 20])
    const layer = nn.linear(3, 2)
    const { y } = evaluate({ x: ndarray([1, 3], [1, 0, -1]) }, ({ x }) => ({ y: layer(x!) }), {
      'linear1/w': w,
      'linear1/b': b,
    })
    expect([...y!.data]).toEqual([8, 18])
    const conv = nn.conv2d(1, 1, { kernel: 2 })
    const states = { 'conv1/w': ndarray([1, 1, 2, 2], [1, 2, 3, 4]), 'conv1/b': ndarray([1], [0.5]) }
    const image = ndarray([1, 1, 2, 3], [1, 0, 2, 0, 1, 0])
    const { y: z } = evaluate({ x: image }, ({ x }) => ({ y: untyped(conv)(x!) }), states)
    expect([...z!.data]).toEqual([5.5, 7.5])
  })

  test('local2d has weights and biases of its own at each place', () => {
    const local = nn.local2d(1, 1, { size: [1, 3], kernel: [1, 2] })
    const states = { 'local1/w': ndarray([1, 2, 1, 2], [1, 2, 3, 4]), 'local1/b': ndarray([1, 1, 2], [0.5, -1]) }
    const { y } = evaluate({ x: ndarray([1, 1, 1, 3], [1, 10, 100]) }, ({ x }) => ({ y: untyped(local)(x!) }), states)
    expect([...y!.data]).toEqual([21.5, 429])
  })

  // By hand for [1, -2, 3, 0.5] in Python; `caffe` equals torch.nn.LocalResponseNorm(3, 0.3, 0.75, 1).
  test.each([
    ['paper', [0.3907949713907, -0.5090216197014, 0.7849966845632, 0.1547889564692]],
    ['caffe', [0.7377879464669, -1.037221628814, 1.593323775837, 0.3059475318222]],
    ['cuda-convnet2', [0.5029733718732, -0.7987682757159, 1.218365288874, 0.223550477331]],
  ] as const)('lrn as %s has it', (convention, expected) => {
    const lrn = nn.lrn({ convention, size: 3, alpha: 0.3, beta: 0.75 })
    const { y } = evaluate({ x: ndarray([1, 4, 1, 1], [1, -2, 3, 0.5]) }, ({ x }) => ({ y: untyped(lrn)(x!) }))
    expected.forEach((value, i) => {
      expect(y!.data[i]).toBeCloseTo(value, 12)
    })
  })

  test.each([0.6, 0.75])('lrn within channels sums over the square of places around each, beta %s', (beta) => {
    const [height, width] = [4, 3]
    const x = uneven([1, 2, height, width])
    const lrn = nn.lrn({ convention: 'caffe', region: 'within', size: 3, alpha: 0.9, beta, k: 2 })
    const { y } = evaluate({ x }, ({ x }) => ({ y: untyped(lrn)(x!) }))
    for (const [i, value] of x.data.entries()) {
      const [c, row, column] = [Math.floor(i / (height * width)), Math.floor(i / width) % height, i % width]
      let sum = 0
      for (let h = Math.max(0, row - 1); h <= Math.min(height - 1, row + 1); h++) {
        for (let w = Math.max(0, column - 1); w <= Math.min(width - 1, column + 1); w++) {
          sum += x.data[(c * height + h) * width + w]! ** 2
        }
      }
      expect(y!.data[i]).toBeCloseTo(value / (2 + (0.9 / 9) * sum) ** beta, 12)
    }
  })

  test('gradients of a chain equal central differences', () => {
    const net = small()
    const [x, c] = [uneven([2, 3]), uneven([2, 2], 1)]
    const states: Record<string, ReturnType<typeof uneven>> = {
      'linear1/w': uneven([4, 3], 2),
      'linear1/b': uneven([4], 3),
      'linear2/w': uneven([2, 4], 4),
      'linear2/b': uneven([2], 5),
    }
    const loss = (given: typeof states) =>
      evaluate(
        { x, c },
        ({ x, c }) => {
          const value = sum(mul<'f32', readonly number[], readonly number[]>(net(x!), c!))
          const weights: readonly Tensor[] = net.parameters.map((parameter) => read(parameter))
          return { value, ...grad(value, Object.fromEntries(weights.map((weight) => [weight.node.path, weight]))) }
        },
        given,
      )
    const analytic = loss(states)
    for (const [path, { shape, data }] of Object.entries(states)) {
      data.forEach((value, i) => {
        const moved = (by: number) =>
          ndarray(
            shape,
            data.map((old, j) => (i === j ? value + by : old)),
          )
        const at = (by: number) => loss({ ...states, [path]: moved(by) })['value']!.data[0]!
        expect(analytic[path]!.data[i]).toBeCloseTo((at(1e-5) - at(-1e-5)) / 2e-5, 7)
      })
    }
  })
})

describe('what is refused', () => {
  const refused: readonly [string, () => unknown, string][] = [
    [
      'features',
      () => outputShape(nn.linear(784, 10), [2, 500]),
      'linear[linear1]: expected x of f32[..., 784], got f32[2, 500]',
    ],
    ['an image before linear', () => outputShape(nn.linear(98, 10), [2, 2, 7, 7]), 'put nn.flatten() before it'],
    [
      'channels',
      () => outputShape(nn.conv2d(3, 8, { kernel: 3 }), [2, 1, 9, 9]),
      'conv2d[conv1]: expected x of f32[N, 3, H, W]',
    ],
    ['zero features', () => nn.linear(0, 10), 'linear: expected input features to be an integer of at least 1, got 0'],
    ['half a channel', () => nn.conv2d(1.5, 8, { kernel: 3 }), 'input channels'],
    [
      'groups',
      () => nn.conv2d(4, 6, { kernel: 3, groups: 4 }),
      'conv2d: expected groups that divide 4 and 6 channels, got 4',
    ],
    [
      'a size',
      () => outputShape(nn.local2d(3, 8, { size: 9, kernel: 3 }), [2, 3, 9, 8]),
      'local2d[local1]: expected x of f32[N, 3, 9, 9], got f32[2, 3, 9, 8]',
    ],
    ['a large kernel', () => nn.local2d(3, 8, { size: 2, kernel: 3 }), 'expected a window of at most 2'],
    [
      'an even window',
      () => nn.lrn({ convention: 'caffe', size: 4 }),
      'nn.lrn[size]: expected an odd number from 1 to 63',
    ],
    ['no k', () => nn.lrn({ convention: 'caffe', k: 0 }), 'nn.lrn[k]: expected a number above 0, got 0'],
    [
      'a region',
      () => nn.lrn({ convention: 'caffe', region: 'between' as 'within' }),
      'nn.lrn[region]: expected across, within, got "between"',
    ],
    [
      'a convention',
      () => nn.lrn({ convention: 'toString' as 'caffe' }),
      'nn.lrn[convention]: expected paper, caffe, cuda-convnet2, got "toString"',
    ],
    ['a rate', () => outputShape(nn.dropout(1), [2, 2]), 'dropout'],
    ['a vocabulary', () => nn.embedding(-1, 3), 'the vocabulary'],
  ]
  test.each(refused)('%s', (_what, act, words) => {
    expect(act).toThrow(OstrichError)
    expect(act).toThrow(words)
  })
})
