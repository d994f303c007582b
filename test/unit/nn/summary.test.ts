// Summaries: rows, totals and the table.
import { expect, test } from 'vitest'
import { read, type Tensor } from '../../../lib/graph/index.js'
import { lenet } from '../../../lib/models/index.js'
import * as nn from '../../../lib/nn/index.js'
import { mul, relu, reshape } from '../../../lib/ops/index.js'

test('counts of LeNet', () => {
  const { rows, parameters, multiplyAdds } = nn.summary(lenet(), { x: [2, 1, 28, 28] })
  // (25 + 1) 32 + (25 * 32 + 1) 64 + (3136 + 1) 1024 + (1024 + 1) 10
  expect(parameters).toBe(3_274_634)
  expect(multiplyAdds).toBe(2 * (784 * 32 * 25 + 196 * 64 * 800 + 3136 * 1024 + 1024 * 10))
  expect(rows).toHaveLength(11)
  expect(rows[3]).toEqual({
    path: 'lenet/conv2',
    kind: 'conv',
    output: [2, 64, 14, 14],
    parameters: 51_264,
    multiplyAdds: 2 * 196 * 64 * 800,
  })
})

test('counts of a locally connected layer after normalisation', () => {
  const net = nn.sequential(nn.lrn({ convention: 'caffe' }), nn.local2d(4, 3, { size: 6, kernel: 3, padding: 1 }))
  const { rows } = nn.summary(net, { x: [2, 4, 6, 6] })
  expect(rows).toEqual([
    { path: 'lrn1', kind: 'lrn', output: [2, 4, 6, 6], parameters: 0, multiplyAdds: 0 },
    {
      path: 'local1',
      kind: 'local',
      output: [2, 3, 6, 6],
      parameters: 36 * 3 * (4 * 9 + 1),
      multiplyAdds: 2 * 36 * 3 * 4 * 9,
    },
  ])
})

test('shared layers, names and closures', () => {
  const cell = nn.linear(4, 4, { name: 'cell' })
  const net = nn.sequential(cell, (x: nn.Features<4>) => relu(x), cell)
  const { rows, parameters } = nn.summary(net, { x: [1, 4] })
  expect(parameters).toBe(20)
  expect(rows).toEqual([
    { path: 'cell', kind: 'linear', output: [1, 4], parameters: 20, multiplyAdds: 32 },
    { path: '', kind: 'relu', output: [1, 4], parameters: 0, multiplyAdds: 0 },
  ])
})

test('a function: what runs between its layers stands where it runs', () => {
  const [first, second] = [nn.linear(8, 4), nn.linear(4, 2)]
  const gain = nn.parameter('gain', [2], nn.init.fill(1))
  const net = (x: Tensor<'f32', [number, 2, 4]>) =>
    mul(
      second(relu(first(reshape(x, [-1, 8]) as nn.Features<8>) as nn.Features<4>)) as Tensor<'f32'>,
      read(gain) as Tensor as Tensor<'f32'>,
    )
  const { rows, parameters } = nn.summary(net, { x: [3, 2, 4] })
  expect(rows).toEqual([
    { path: '', kind: 'reshape', output: [3, 8], parameters: 0, multiplyAdds: 0 },
    { path: 'linear1', kind: 'linear', output: [3, 4], parameters: 36, multiplyAdds: 96 },
    { path: '', kind: 'relu', output: [3, 4], parameters: 0, multiplyAdds: 0 },
    { path: 'linear2', kind: 'linear', output: [3, 2], parameters: 10, multiplyAdds: 24 },
    { path: '', kind: 'mul', output: [3, 2], parameters: 2, multiplyAdds: 0 },
  ])
  expect(parameters).toBe(48)
})

test('indices as input', () => {
  const net = nn.sequential(nn.embedding(100, 8), nn.linear(8, 100))
  expect(nn.summary(net, { x: [2, 3], dtype: 'i32' }).parameters).toBe(800 + 900)
})

test('the table is aligned', () => {
  const table = nn.formatSummary(
    nn.summary(nn.named('mlp', nn.sequential(nn.linear(300, 100), nn.relu())), { x: [1, 300] }),
  )
  expect(table).toBe(`layer        kind    output    parameters  multiply-adds
-----------  ------  --------  ----------  -------------
mlp/linear1  linear  [1, 100]      30,100         30,000
mlp/relu1    relu    [1, 100]           0              0
-----------  ------  --------  ----------  -------------
total                              30,100         30,000
`)
})
