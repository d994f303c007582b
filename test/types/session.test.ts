// The page of API that every user reads: it must compile as it stands, never run beyond its types. And what a session refuses of a
// network, a loss and their data, in which words.
import { describe, expect, expectTypeOf, it, test } from 'vitest'
import { mnist } from '../../lib/data/index.js'
import { grad, nn, optim, type Tensor, train } from '../../lib/index.js'
import { compile, compileFile } from './compiler.js'

export async function firstPage(signal: AbortSignal, images: Float32Array, labels: Int32Array): Promise<void> {
  const net = nn.sequential(
    ...([nn.conv2d(1, 32, { kernel: 5, padding: 2 }), nn.relu(), nn.maxPool2d(2)] as const),
    ...([nn.conv2d(32, 64, { kernel: 5, padding: 2 }), nn.relu(), nn.maxPool2d(2)] as const),
    ...([nn.flatten(), nn.linear(3136, 1024), nn.relu(), nn.dropout(0.5), nn.linear(1024, 10)] as const),
  )
  const session = await train.session(net, {
    data: await mnist(),
    loss: nn.crossEntropy,
    optimizer: optim.sgd({ rate: 0.05, momentum: 0.9 }),
    batch: 128,
    epochs: 5,
    device: 'auto',
    precision: 'bf16',
    seed: 1,
    signal,
  })
  for await (const event of session.events()) {
    if (event.type === 'epoch') expectTypeOf(event.validation.accuracy).toEqualTypeOf<number>()
  }
  await session.save('mnist.safetensors')

  const attack = await session.compile(
    (x: Tensor<'f32', [number, 1, 28, 28]>, target: Tensor<'i32', [number]>) => {
      const loss = nn.crossEntropy(net(x), target)
      return { loss, gradient: grad(loss, x) }
    },
    { x: [128, 1, 28, 28], target: [128] },
  )
  const { loss, gradient } = await attack.run({ x: images, target: labels })
  expectTypeOf(loss).toEqualTypeOf<Float32Array>()
  expectTypeOf(gradient).toEqualTypeOf<Float32Array>()
}

it('compiles', () => {
  expectTypeOf(firstPage).returns.resolves.toBeVoid()
})

test('what of a network, a loss and their data compiles and what does not', () => {
  expect(compileFile('session.ts')).toEqual([])
})

describe('messages', () => {
  const given = `
    import { arrays } from '../../lib/data/index.js'
    import { ops, optim, train } from '../../lib/index.js'
    declare const floats: Float32Array, bytes: Uint8Array, labels: Int32Array
    export const rest = { optimizer: optim.sgd({ rate: 0.1 }), batch: 1 }
    export const loss = nn.crossEntropy
    export const rows = arrays({ x: { data: floats, shape: [7] }, target: labels })
    export const pictures = arrays({ x: { data: bytes, shape: [1, 28, 28] }, target: labels })
    export const scaled = arrays({ x: { data: bytes, shape: [1, 28, 28] }, target: bytes })
    export const pairs = arrays({ x: { data: floats, shape: [7] }, target: { data: floats, shape: [2] } })
    export const three = (y: Tensor<'f32'>, target: Tensor<'f32', [number, 3]>) => ops.mean(ops.sub(y, target))
    export const picture = (y: Tensor<'f32'>, target: nn.Images) => ops.mean(ops.sub(y, target))
  `
  const cases: readonly [string, string, string][] = [
    ['features', 'nn.linear(784, 3), { data: rows, loss', 'the network expects features 784, but the field x gives 7'],
    [
      'channels',
      'nn.conv2d(3, 8, { kernel: 5 }), { data: pictures, loss',
      'the network expects channels 3, but the field x gives 1',
    ],
    [
      'rank',
      'nn.conv2d(3, 8, { kernel: 5 }), { data: rows, loss',
      'the network expects rank 4, but the field x gives rank 2',
    ],
    ['dtype', 'nn.embedding(9, 3), { data: rows, loss', 'the network expects i32, but the field x gives f32'],
    [
      'features as they are prepared',
      'nn.linear(784, 3), { data: rows, loss, inputs: { x: nn.standardise({ shape: [7] }) }',
      'the network expects features 784, but the field x, prepared by inputs, gives 7',
    ],
    [
      'a field that is not there',
      'nn.linear(784, 3), { data: arrays({ y: { data: floats, shape: [7] }, target: labels }), loss',
      'the network reads the field x, which the data does not have',
    ],
    [
      'labels of floats',
      'nn.linear(7, 3), { data: pairs, loss',
      'the loss expects i32, but the field target gives f32',
    ],
    [
      'labels of bytes',
      'nn.flatten(), { data: scaled, loss',
      'the loss expects i32, but the field target, bytes scaled to 0..1, gives f32',
    ],
    [
      'features of a target',
      'nn.linear(7, 3), { data: pairs, loss: three',
      'the loss expects features 3, but the field target gives 2',
    ],
    [
      'rank of a target',
      'nn.linear(7, 3), { data: pairs, loss: picture',
      'the loss expects rank 4, but the field target gives rank 2',
    ],
  ]
  test.each(cases)('%s', (_what, session, sentence) => {
    const { errors } = compile(`${given}\nvoid train.session(${session}, ...rest })`)
    expect(errors).toHaveLength(1)
    expect(errors[0]).toContain(sentence)
  })
})
