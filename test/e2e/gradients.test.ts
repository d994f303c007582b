// Gradients of a session, to look at: those of the loss on a batch, with no step taken.
import { expect, it } from 'vitest'
import type { Network } from '../../lib/train/index.js'
import { grad } from '../../lib/autodiff/index.js'
import { read, type Tensor } from '../../lib/graph/index.js'
import * as nn from '../../lib/nn/index.js'
import { convolutional, images, using } from './tasks.js'
import { using as usingText } from '../support/small-language.js'

const length = 32
const data = images(length)

it('are those that a compiled function gives of the same batch', async () => {
  const net = nn.sequential(nn.flatten(), nn.linear(64, 16), nn.relu(), nn.linear(16, 5))
  await using(net as Network, { data, batch: length, shuffle: false, epochs: 2 }, async (run) => {
    await run.run()
    const before = await run.parameters()
    const own = await run.gradients()
    expect(Object.keys(own)).toEqual(Object.keys(before))
    expect(await run.parameters()).toEqual(before)
    expect(run.step).toBe(2)
    const weights = (net as unknown as nn.LayerInfo).parameters
    const compiled = await run.compile(
      (x: Tensor, target: Tensor) => {
        const values = weights.map((variable) => read(variable))
        const gradients = grad(nn.crossEntropy((net as Network)(x) as Tensor<'f32'>, target as Tensor<'i32'>), values)
        return Object.fromEntries(values.map(({ node }, i) => [node.path, gradients[i]!]))
      },
      { x: [length, 1, 8, 8], target: [length] },
    )
    const [x, target] = [new Uint8Array(length * 64), new Int32Array(length)]
    await data.gather(
      Array.from({ length }, (_, i) => i),
      { x, target },
    )
    const expected = await compiled.run({ x: Float32Array.from(x, (byte) => byte / 255), target })
    for (const [path, values] of Object.entries(own)) {
      const wanted = expected[path]!
      expect(values).toHaveLength(wanted.length)
      for (const [i, value] of values.entries()) expect(Math.abs(value - Number(wanted[i]))).toBeLessThan(1e-6)
    }
  })
})

it('are without dropout, the same each time, and finite while it trains', async () => {
  await using(convolutional(), { data, batch: 8, epochs: 2 }, async (run) => {
    for await (const event of run.events()) {
      if (event.type !== 'epoch') continue
      const [one, two] = [await run.gradients(), await run.gradients()]
      expect(one).toEqual(two)
      for (const values of Object.values(one)) expect(values.every(Number.isFinite)).toBe(true)
    }
  })
})

it('are of windows of a text too', async () => {
  await usingText({ epochs: 1 }, async (run) => {
    const gradients = await run.gradients()
    expect(Object.values(gradients).some((values) => values.some((value) => value !== 0))).toBe(true)
  })
})
