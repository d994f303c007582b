// Weights are made once: a network that makes its layers anew at each trace, or another network of the same layers, would be
// measured by weights that nobody has trained.
import { describe, expect, it } from 'vitest'
import { grad } from '../../lib/autodiff/index.js'
import { assign, read, type Tensor, Variable } from '../../lib/graph/index.js'
import * as nn from '../../lib/nn/index.js'
import * as ops from '../../lib/ops/index.js'
import * as optim from '../../lib/optim/index.js'
import { classes, convolutional, losses, perceptron, side, using } from './tasks.js'

const pixels = side * side
type Rows = Tensor<'f32', [number, number]>

describe('a network that makes its layers when it is called', () => {
  it('is refused, and says what to do', async () => {
    const within = (x: Tensor) => perceptron()(x)
    await expect(losses(within as never)).rejects.toMatchObject({ code: 'ERR_GRAPH' })
    await expect(losses(within as never)).rejects.toThrow(/variable\[w\].*make layers and variables once, outside/)
  })

  it('is refused as a loss with weights of its own too', async () => {
    const loss = (output: Rows, target: Tensor<'i32', [number]>) =>
      nn.crossEntropy(nn.linear(classes, classes)(output), target)
    await expect(losses(perceptron(), { loss })).rejects.toThrow(/variable\[w\]/)
  })

  it('is refused in a compiled function', async () => {
    await using(perceptron(), {}, async (run) => {
      const fn = (x: Rows) => ({ y: nn.linear(pixels, 2)(x) })
      await expect(run.compile(fn, { x: [1, pixels] })).rejects.toThrow(/variable\[w\]/)
    })
  })

  it('may make them at the first call and keep them', async () => {
    const lazy = nn.sequential(nn.flatten(), (x: Rows) => ops.reshape(x, [1, -1, pixels]), nn.lstm({ units: 8 }))
    const head = nn.sequential(lazy, (x: Tensor) => ops.reshape(x, [-1, 8]), nn.linear(8, classes))
    const curve = await losses(head, { epochs: 2, optimizer: optim.adam({ rate: 0.01 }) })
    expect(curve.at(-1)).toBeLessThan(curve[0]!)
  })
})

describe('a compiled function', () => {
  it('over another network of the same layers is refused by the path of its first weight', async () => {
    await using(convolutional(), {}, async (run) => {
      const other = convolutional()
      await expect(run.compile((x: Tensor) => ({ y: other(x) }), { x: [1, 1, side, side] })).rejects.toMatchObject({
        code: 'ERR_GRAPH',
        message: expect.stringMatching(
          /^compiled\[conv2\/w\]: expected parameters of the network that was trained.*same network object/,
        ) as string,
      })
    })
  })

  it('may bring a network that it trains, and others may use that one then', async () => {
    await using(perceptron(), {}, async (run) => {
      const critic = nn.linear(pixels, 1)
      const extents = { x: [4, pixels] } as const
      const train = await run.compile((x: Tensor<'f32', [4, 64]>) => {
        const loss = ops.mean(ops.square(critic(x)))
        const weights = critic.parameters.map((variable) => read(variable))
        const gradients = grad(loss, weights)
        critic.parameters.forEach((variable, i) => {
          assign(variable, ops.sub(weights[i]!, ops.mul(gradients[i]!, 0.1)))
        })
        return { loss }
      }, extents)
      const look = await run.compile((x: Tensor<'f32', [4, 64]>) => ({ y: critic(x) }), extents)
      const x = Float32Array.from({ length: 4 * pixels }, (_, i) => Math.sin(i))
      const before = await look.run({ x })
      await train.run({ x })
      expect((await look.run({ x })).y).not.toEqual(before.y)
    })
  })

  it('may keep state of its own', async () => {
    await using(perceptron(), {}, async (run) => {
      const count = new Variable<'f32', []>({
        ...{ label: 'count', dtype: 'f32', shape: [], role: 'statistic' },
        init: () => ops.zeros([]),
      })
      const raise = await run.compile(() => {
        const next = ops.add(read(count), 1)
        assign(count, next)
        return { next }
      }, {})
      await raise.run({})
      expect([...(await raise.run({})).next]).toEqual([2])
    })
  })
})
