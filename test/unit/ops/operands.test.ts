// What the public functions make of numbers, options and defaults before they reach an op.
import { describe, expect, test } from 'vitest'
import { feed, type Graph, ShapeError, type Tensor, trace, type TraceMode } from '../../../lib/graph/index.js'
import * as ops from '../../../lib/ops/index.js'

function traced(build: () => Tensor, mode: TraceMode = 'eval'): Graph {
  return trace({ name: 'net', mode }, () => ({ y: build() }))
}
const only = (build: () => Tensor) => traced(build).nodes[0]
const f32 = (...shape: number[]) => feed('x', 'f32', shape)

describe('numbers as operands', () => {
  test('take the dtype of the tensor beside them', () => {
    expect(only(() => ops.add(2, feed('x', 'bf16', [3])))?.inputs[0]?.dtype).toBe('bf16')
    expect(only(() => ops.mul(feed('x', 'i32', [3]), 2))?.inputs[1]?.dtype).toBe('i32')
    expect(only(() => ops.where(feed('c', 'u8', [3]), 1, 0))?.outputs[0]?.dtype).toBe('f32')
  })

  test('keep their side', () => {
    const node = only(() => ops.sub(1, f32(3)))
    expect(node?.inputs.map((input) => input.node.op.name)).toEqual(['constant', 'feed'])
    expect(only(() => ops.greater(f32(3), 0))?.inputs.map((input) => input.node.op.name)).toEqual(['constant', 'feed'])
  })

  test.each([
    [0.5, /expected a finite i32 number, got 0.5/],
    [NaN, /expected a finite i32 number, got NaN/],
  ])('refuse %s for i32', (value, message) => {
    expect(() => traced(() => ops.add(feed('x', 'i32', [3]), value))).toThrow(message)
  })

  test('refuse infinity', () => {
    expect(() => traced(() => ops.add(f32(3), Infinity))).toThrow(/expected a finite f32 number, got Infinity/)
  })
})

describe('messages', () => {
  test('name the op, its place and the line of the caller', () => {
    const attempt = () =>
      traced(() => ops.matmul(f32(2, 3), feed('w', 'f32', [4, 5]) as Tensor as Tensor<'f32', [3, 5]>))
    expect(attempt).toThrow(ShapeError)
    expect(attempt).toThrow(
      /^matmul\[\]: expected b with 3 rows .* got 4 in \[4, 5\] \(at .*operands\.test\.ts:\d+:\d+\)$/,
    )
  })

  test.each<[string, () => Tensor, RegExp]>([
    ['sum', () => ops.sum(f32(2, 3), 2), /^sum: expected an axis from -2 to 1, got 2/],
    ['concat', () => ops.concat([f32(2), feed('y', 'f32', [2])], 1), /^concat: expected an axis from -1 to 0, got 1/],
    ['squeeze', () => ops.squeeze(f32(2, 3), 0), /^squeeze: expected extent 1 on axis 0, got \[2, 3\]/],
    [
      'reshape',
      () => ops.reshape(f32(2, 3), [4, -1]),
      /reshape\[\]: expected a shape of 2 integers >= 1, got \[4, 1.5\]/,
    ],
    ['flatten', () => ops.flatten(f32()), /^flatten: expected x with at least one axis/],
    ['dropout', () => ops.dropout(f32(2), 1), /^ops\.dropout\[rate\]: expected a number from 0 to below 1, got 1/],
    ['upsample2d', () => ops.upsample2d(f32(1, 1, 2, 2), 0.5), /^ops\.upsample2d\[factor\]: expected a whole number/],
    ['topK', () => ops.topK(f32(3), 0).values, /^ops\.topK\[k\]: expected a whole number of at least 1, got 0/],
    [
      'a uniform',
      () => ops.randomUniform([2], { low: 1, high: 0 }),
      /^ops\.randomUniform\[high\]: expected high of at least 1/,
    ],
    [
      'a normal',
      () => ops.randomNormal([2], { std: -1 }),
      /^ops\.randomNormal\[std\]: expected a number of at least 0, got -1/,
    ],
    [
      'a stride',
      () => ops.maxPool2d(feed('x', 'f32', [1, 1, 4, 4]), 2, { stride: 0 }),
      /^ops\.maxPool2d\[stride\]: expected a whole number/,
    ],
    [
      'a kernel',
      () => ops.avgPool2d(feed('x', 'f32', [1, 1, 4, 4]), 0),
      /^ops\.avgPool2d\[kernel\]: expected a whole number/,
    ],
    [
      'groups',
      () => ops.groupNorm(f32(1, 4), 0, ops.ones([4]), ops.zeros([4])),
      /^ops\.groupNorm\[groups\]: expected a whole number/,
    ],
  ])('%s', (_name, build, message) => {
    expect(() => traced(build)).toThrow(message)
  })
})

describe('options', () => {
  test('padding and stride in their short forms', () => {
    const convolution = (options: ops.Conv2dOptions<1>) =>
      only(() => ops.conv2d(feed('x', 'f32', [1, 1, 9, 9]), feed('w', 'f32', [1, 1, 3, 3]), options))?.attrs
    expect(convolution({})).toMatchObject({ stride: [1, 1], padding: [0, 0, 0, 0], dilation: [1, 1], groups: 1 })
    expect(convolution({ stride: 2, padding: 1 })).toMatchObject({ stride: [2, 2], padding: [1, 1, 1, 1] })
    expect(convolution({ padding: [1, 2] })).toMatchObject({ padding: [1, 2, 1, 2] })
    expect(convolution({ padding: [1, 2, 3, 4], stride: [1, 2] })).toMatchObject({
      padding: [1, 2, 3, 4],
      stride: [1, 2],
    })
  })

  test('a pool steps by its kernel, and counts padding', () => {
    const image = () => feed('x', 'f32', [1, 1, 6, 6])
    expect(only(() => ops.maxPool2d(image(), 3))?.attrs).toMatchObject({ kernel: [3, 3], stride: [3, 3] })
    expect(only(() => ops.avgPool2d(image(), [3, 2]))?.attrs).toMatchObject({ stride: [3, 2], countPadding: true })
  })

  test('negative axes count from the back', () => {
    expect(only(() => ops.sum(f32(2, 3, 4), [-1, 0]))?.attrs).toEqual({ axes: [0, 2], keepDims: false })
    expect(only(() => ops.argmax(f32(2, 3)))?.attrs).toEqual({ axis: 1 })
    expect(only(() => ops.expandDims(f32(2, 3), -1))?.outputs[0]?.shape).toEqual([2, 3, 1])
    expect(only(() => ops.reshape(f32(2, 3), [-1]))?.outputs[0]?.shape).toEqual([6])
  })

  test('what changes nothing makes no node', () => {
    const nothing = [
      () => ops.reshape(f32(2, 3), [2, 3]),
      () => ops.transpose(f32(2, 3), [0, 1]),
      () => ops.broadcastTo(f32(2), [2]),
      () => ops.cast(f32(2), 'f32'),
      () => ops.sum(f32(2), []),
      () => ops.concat([f32(2)], 0),
      () => ops.dropout(f32(2), 0),
      () => ops.dropout(f32(2), 0.5),
    ]
    for (const build of nothing) expect(traced(build).nodes).toEqual([])
  })
})

describe('random draws', () => {
  const twice = (mode: TraceMode) => traced(() => ops.add(ops.dropout(f32(2), 0.5), ops.randomUniform([2])), mode)

  test('share seed and step, at the root of the program', () => {
    expect(twice('train').states.map(({ name }) => name)).toEqual(['seed', 'step'])
    expect(twice('eval').nodes.map(({ op }) => op.name)).toEqual(['randomUniform', 'add'])
  })

  test('have streams of their own, the same in every trace', () => {
    const streams = () =>
      twice('train').nodes.flatMap(({ attrs }) => (attrs['stream'] === undefined ? [] : [attrs['stream']]))
    expect(new Set(streams()).size).toBe(2)
    expect(streams()).toEqual(streams())
  })
})
