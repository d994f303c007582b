// Bounds of layers against the operators themselves, written out as matrices.
import { describe, expect, test } from 'vitest'
import { convolutionNorm, largestSingular, lipschitzBounds } from '../../../lib/experiments/index.js'
import * as nn from '../../../lib/nn/index.js'
import { generator } from '../../support/random.js'

const random = generator(11)
const draw = (n: number) => Float64Array.from({ length: n }, () => 2 * random() - 1)

test('the largest singular value of a product of rotations and a stretch', () => {
  const [c, s] = [Math.cos(0.7), Math.sin(0.7)]
  // R diag(3, 0.5) [1 0 0; 0 1 0]
  expect(largestSingular([3 * c, -0.5 * s, 0, 3 * s, 0.5 * c, 0], 2, 3)).toBeCloseTo(3, 6)
  expect(largestSingular([2, 0, 0, -5], 2, 2)).toBeCloseTo(5, 6)
})

describe('a convolution on a circle', () => {
  test.each([
    [1, 1, 6, 3],
    [2, 1, 6, 3],
    [2, 1, 8, 5],
    [3, 1, 6, 2],
    [1, 2, 4, 3],
  ])('with stride %d, %d groups, %d pixels, kernel %d', (stride, groups, side, kernel) => {
    const [outputs, inputs] = [4, 2 * groups]
    const w = draw(outputs * 2 * kernel ** 2)
    const shape = [outputs, 2, kernel, kernel]
    const folded = side / stride
    const [rows, columns] = [outputs * folded ** 2, inputs * side ** 2]
    const matrix = new Float64Array(rows * columns)
    for (let o = 0; o < outputs; o++)
      for (let y = 0; y < folded; y++)
        for (let x = 0; x < folded; x++)
          for (let i = 0; i < 2; i++)
            for (let t = 0; t < kernel ** 2; t++) {
              const channel = Math.floor(o / (outputs / groups)) * 2 + i
              const [sy, sx] = [(y * stride + Math.floor(t / kernel)) % side, (x * stride + (t % kernel)) % side]
              const row = (o * folded + y) * folded + x
              matrix[row * columns + (channel * side + sy) * side + sx]! += w[(o * 2 + i) * kernel ** 2 + t]!
            }
    const norm = convolutionNorm({ w, shape, stride, groups, side })
    expect(norm / largestSingular(matrix, rows, columns)).toBeCloseTo(1, 3)
  })
})

test('finds the layers of a network with what they are given', () => {
  const net = nn.named(
    'small',
    nn.sequential(
      nn.conv2d(1, 2, { kernel: 3, padding: 1, stride: 2 }),
      nn.relu(),
      nn.flatten(),
      nn.linear(18, 3, { name: 'last' }),
    ),
  )
  const parameters = { 'small/conv1/w': draw(18), 'small/last/w': draw(54) }
  const bounds = lipschitzBounds(net, [1, 6, 6], parameters)
  expect(bounds.map(({ path, kind }) => [path, kind])).toEqual([
    ['small/conv1', 'convolution'],
    ['small/last', 'fully connected'],
  ])
  const shape = [2, 1, 3, 3]
  expect(bounds[0]!.bound).toBe(
    convolutionNorm({ w: parameters['small/conv1/w'], shape, stride: 2, groups: 1, side: 8 }),
  )
  expect(bounds[1]!.bound).toBe(largestSingular(parameters['small/last/w'], 3, 18))
})

test('an overlapping pool counts as often as windows share a pixel, one whose windows are apart does not', () => {
  const pools = (kernel: number, stride: number) =>
    lipschitzBounds(nn.named('pools', nn.maxPool2d(kernel, { stride })), [1, 7, 7], {}).map(({ bound }) => bound)
  expect([pools(3, 2), pools(2, 2), pools(3, 1)]).toEqual([[2], [], [3]])
})

test('weights that are neither of a convolution nor of a product are refused', () => {
  const net = nn.named('apart', nn.sequential(nn.local2d(1, 2, { size: 4, kernel: 3 })))
  expect(() => lipschitzBounds(net, [1, 4, 4], { 'apart/local1/w': draw(72) })).toThrow(
    'lipschitz[apart/local1/w]: expected weights of convolutions and fully connected layers alone',
  )
})
