// Optimisers have kernels of their own on a GPU, and so has a ReLU after a product: they must be found for what is
// emitted, and compute the same.
import { describe, expect, it } from 'vitest'
import * as nn from '../../lib/nn/index.js'
import * as optim from '../../lib/optim/index.js'
import { mlp } from '../../lib/models/index.js'
import { type DeviceName, diagnose, openDevice } from '../../lib/runtime/index.js'
import { supervised } from '../../lib/train/objective.js'
import { Programs } from '../../lib/train/programs.js'
import { StateStore } from '../../lib/train/state.js'
import { Trainer } from '../../lib/train/trainer.js'

const absent = !diagnose().backends.some(({ name, available }) => name === 'cuda' && available)
// So many weights that the first layer is worth a kernel of its own, and an odd number in the second.
const [batch, inputs, hidden, classes] = [128, 128, 129, 128]

const schedule = optim.oneCycle(0.1, { total: 20 })
const optimizers = {
  momentum: optim.sgd({ rate: 0.1, momentum: 0.9 }),
  decay: optim.sgd({ rate: 0.1, momentum: 0.9, weightDecay: 5e-4 }),
  nesterov: optim.sgd({ rate: 0.1, momentum: 0.9, nesterov: true, weightDecay: 5e-4 }),
  clipped: optim.sgd({ rate: 1, clipNorm: 0.01 }),
  adam: optim.adam({ rate: 0.01 }),
  varied_momentum: optim.sgd({ rate: schedule, momentum: 0.9 }),
  varied_decay: optim.sgd({ rate: schedule, momentum: 0.9, weightDecay: 5e-4 }),
  varied_nesterov: optim.sgd({ rate: schedule, momentum: 0.9, nesterov: true, weightDecay: 5e-4 }),
  varied_clipped: optim.sgd({ rate: schedule, clipNorm: 0.01 }),
}

const perceptron = { net: mlp({ inputs, hidden: [hidden], classes }), shape: [inputs] }
const convolutional = {
  net: nn.sequential(
    nn.conv2d(1, 8, { kernel: 3, padding: 1 }),
    nn.relu(),
    nn.flatten(),
    nn.linear(8 * inputs, classes),
  ),
  shape: [1, 8, inputs / 8],
}

async function trained(
  device: DeviceName,
  precision: 'f32' | 'bf16',
  optimizer: optim.Optimizer,
  { net, shape } = perceptron,
) {
  const opened = await openDevice({ device, deterministic: true })
  try {
    const trainer = await Trainer.create(new Programs(opened, new StateStore(opened), 1), {
      task: { objective: supervised(net, nn.crossEntropy), inputs: {} },
      shapes: [
        {
          rows: batch,
          steps: undefined,
          fields: { x: { dtype: 'f32', shape }, target: { dtype: 'i32', shape: [] } },
        },
      ],
      optimizer,
      precision,
    })
    const x = Float32Array.from({ length: batch * inputs }, (_, i) => Math.sin(i * i))
    const target = Int32Array.from({ length: batch }, (_, i) => (i * 7) % classes)
    const losses: number[] = []
    for (let step = 0; step < 6; step++) {
      losses.push(await trainer.start({ epoch: 1, step, count: batch, feeds: { x, target } }, step))
    }
    return { losses, plan: trainer.stats.explain }
  } finally {
    await opened.dispose()
  }
}

describe.skipIf(absent)('the kernel of an optimiser on CUDA', () => {
  const cases = Object.entries(optimizers).flatMap(([name, optimizer]) =>
    (['f32', 'bf16'] as const).map((precision) => ({ name, optimizer, precision })),
  )
  it.for(cases)('is found and does what the CPU does: $name, $precision', async ({ name, optimizer, precision }) => {
    const wanted = await trained('cpu', precision, optimizer)
    const got = await trained('cuda', precision, optimizer)
    expect(got.plan).toContain(`] ${name}_${precision}`)
    // Sums in another order; in bf16, of values of eight bits.
    got.losses.forEach((loss, i) => {
      expect(Math.abs(loss - wanted.losses[i]!)).toBeLessThan((precision === 'f32' ? 1e-4 : 3e-2) * wanted.losses[i]!)
    })
    expect(got.losses.at(-1)).toBeLessThan(got.losses[0]!)
  })
})

describe.skipIf(absent)('the kernel of a ReLU on CUDA', () => {
  it.for(['f32', 'bf16'] as const)('is found after a convolution in %s', async (precision) => {
    const { plan } = await trained('cuda', precision, optimizers.momentum, convolutional)
    expect(plan).toContain(`, relu_${precision}`)
  })
})
