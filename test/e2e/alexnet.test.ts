// Both AlexNets beside PyTorch in float64: loss, logits and every gradient, of a shrunken copy in float64 and of the full
// network on each backend in f32.
import { readFileSync } from 'node:fs'
import { describe, test } from 'vitest'
import { feed, type Shape, type Tensor, trace } from '../../lib/graph/index.js'
import { alexnet, alexnetOneTower, imagenetAlexnet, imagenetOneTower } from '../../lib/models/index.js'
import * as nn from '../../lib/nn/index.js'
import { interpret } from '../support/interpreter.js'
import {
  compare,
  labels,
  type ModelGolden,
  numbersOf,
  onDevice,
  roomFor,
  spreadOf,
  stepOf,
  within,
} from '../support/model-golden.js'
import { backends } from '../support/native.js'
import { type NDArray, ndarray } from '../support/ndarray.js'
import { pattern } from '../support/pattern.js'

interface Golden extends ModelGolden {
  readonly name: 'alexnet' | 'alexnet-one-tower'
  readonly config: {
    readonly channels: readonly [number, number, number, number, number]
    readonly hidden: readonly [number, number]
    readonly classes: number
    readonly side: number
    readonly batch: number
  }
}

const goldens = JSON.parse(readFileSync(new URL('../golden/models.json', import.meta.url), 'utf8')) as Golden[]

type Results = Readonly<Record<string, Tensor>>

/** Loss, logits and the gradients by parameter, in evaluation mode: dropout draws other masks than PyTorch's. */
function build({ name, config }: Golden): () => Results {
  const { batch, side, ...sizes } = config
  const net =
    name === 'alexnet'
      ? alexnet({ ...imagenetAlexnet, ...sizes, side })
      : alexnetOneTower({ ...imagenetOneTower, ...sizes, side })
  return () => {
    const logits = net(feed('x', 'f32', [batch, 3, side, side]))
    const loss = nn.crossEntropy(logits, feed('target', 'i32', [batch]))
    return stepOf(logits, loss, within)
  }
}

/** As in make_models.py: a small last layer. */
function scaleOf(name: string, shape: Shape): number {
  const path = within(name)
  return (path === 'fc8/w' ? 0.01 : 1) * spreadOf(path, shape)
}

describe.each(goldens.filter(({ config }) => config.side < 100))('a shrunken $name', (golden) => {
  test('float64', () => {
    const graph = trace({ name: 'golden', mode: 'eval' }, build(golden))
    const parameters = graph.states.filter(({ variable }) => variable.role === 'parameter')
    const states: Record<string, NDArray> = {}
    for (const [order, { name, variable }] of parameters.entries()) {
      const { shape, count } = variable
      states[name] = { shape, data: pattern(new Float64Array(count), order + 1, scaleOf(name, shape)) }
    }
    const { batch, side, classes } = golden.config
    const x = { shape: [batch, 3, side, side], data: pattern(new Float64Array(batch * 3 * side ** 2), 100, 256) }
    const { fetches } = interpret(graph, { x, target: ndarray([batch], labels(batch, classes)) }, states)
    compare(golden, numbersOf(fetches), 1e-10)
  })
})

describe.each(backends())('on $name', ({ name: backend, reason }) => {
  test.skipIf(reason !== undefined).each(goldens)('$name, $config.side pixels, f32', (golden) =>
    onDevice(backend, async (programs, store) => {
      const options = { name: 'golden', mode: 'eval', precision: 'f32', brings: true } as const
      const built = await programs.build(options, build(golden))
      for (const [order, { name, buffer, variable }] of store.parameters().entries()) {
        const { shape, count } = variable
        await buffer.write(pattern(new Float32Array(count), order + 1, scaleOf(name, shape)))
      }
      const { batch, side, classes } = golden.config
      const x = pattern(new Float32Array(batch * 3 * side ** 2), 100, 256)
      const fetches = roomFor(built)
      await built.program.run({ x, target: Int32Array.from(labels(batch, classes)) }, fetches)
      // Sums of up to 9216 products, through eight layers and back. In the full networks a few maxima are decided by rounding:
      // PyTorch in f32 is 2.4e-3 of a norm away from itself in f64.
      compare(golden, fetches, side < 100 ? 2e-5 : 5e-3)
    }),
  )
})
