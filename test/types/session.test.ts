// The page of API that every user reads: it must compile as it stands. Never run beyond its types.
import { expectTypeOf, it } from 'vitest'
import { mnist } from '../../lib/data/index.js'
import { grad, nn, optim, type Tensor, train } from '../../lib/index.js'

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
