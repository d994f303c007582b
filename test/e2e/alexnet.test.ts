// Both AlexNets beside PyTorch in float64: loss, logits and every gradient, of a shrunken copy in float64 and of the full
// network on each backend in f32.
import { readFileSync } from 'node:fs'
import { afterAll, describe, test } from 'vitest'
import { grad } from '../../lib/autodiff/index.js'
import {
  feed,
  type Graph,
  read,
  type Shape,
  type Tensor,
  trace,
  type Variable,
  variablesRead,
} from '../../lib/graph/index.js'
import { alexnet, alexnetOneTower, imagenetAlexnet, imagenetOneTower } from '../../lib/models/index.js'
import * as nn from '../../lib/nn/index.js'
import { type Device, openDevice } from '../../lib/runtime/index.js'
import { Programs } from '../../lib/train/programs.js'
import { StateStore } from '../../lib/train/state.js'
import { interpret } from '../support/interpreter.js'
import { compare, type ModelGolden } from '../support/model-golden.js'
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
    const variables = variablesRead().filter(({ role }) => role === 'parameter')
    const gradients = grad(
      loss,
      variables.map((variable) => read(variable)),
    )
    return { loss, logits, ...Object.fromEntries(variables.map((one, i) => [pathOf(one), gradients[i]!])) }
  }
}

const pathOf = (variable: Variable) => read(variable).node.path.split('/').slice(1).join('/')

const size = (shape: Shape) => shape.reduce((product, extent) => product * extent, 1)

/** As in make_models.py: He's variance for weights, a small last layer, biases of the pattern's own size. */
function valueOf(path: string, shape: Shape, order: number): { readonly seed: number; readonly scale: number } {
  const gain = path === 'fc8/w' ? 0.01 : 1
  return { seed: order + 1, scale: path.endsWith('/w') ? gain * Math.sqrt(24 / size(shape.slice(1))) : 1 }
}

const targets = ({ config: { batch, classes } }: Golden) => Array.from({ length: batch }, (_, i) => (i * 7) % classes)

describe.each(goldens.filter(({ config }) => config.side < 100))('a shrunken $name', (golden) => {
  test('float64', () => {
    const graph: Graph = trace({ name: 'golden', mode: 'eval' }, build(golden))
    const parameters = graph.states.filter(({ variable }) => variable.role === 'parameter')
    const states: Record<string, NDArray> = {}
    for (const [order, { name, variable }] of parameters.entries()) {
      const { seed, scale } = valueOf(name.slice(golden.name.length + 1), variable.shape, order)
      states[name] = { shape: variable.shape, data: pattern(new Float64Array(variable.count), seed, scale) }
    }
    const { batch, side } = golden.config
    const x = { shape: [batch, 3, side, side], data: pattern(new Float64Array(batch * 3 * side ** 2), 100, 256) }
    const { fetches } = interpret(graph, { x, target: ndarray([batch], targets(golden)) }, states)
    const results = Object.fromEntries(Object.entries(fetches).map(([name, { data }]) => [name, data]))
    compare(golden, results, 1e-10)
  })
})

describe.each(backends())('on $name', ({ name: backend, reason }) => {
  const devices: Device[] = []
  afterAll(async () => {
    for (const device of devices) await device.dispose()
  })

  test.skipIf(reason !== undefined).each(goldens)('$name, $config.side pixels, f32', async (golden) => {
    const device = await openDevice({ device: backend as 'cpu', threads: 2 })
    devices.push(device)
    const store = new StateStore(device)
    const programs = new Programs(device, store, 1)
    const { program, traced } = await programs.build(
      { name: 'golden', mode: 'eval', precision: 'f32', brings: true },
      build(golden),
    )
    const parameters = store.entries().filter(({ variable }) => variable.role === 'parameter')
    for (const [order, { name, buffer, variable }] of parameters.entries()) {
      const { seed, scale } = valueOf(name.slice(golden.name.length + 1), variable.shape, order)
      await buffer.write(pattern(new Float32Array(variable.count), seed, scale))
    }
    const { batch, side } = golden.config
    const x = pattern(new Float32Array(batch * 3 * side ** 2), 100, 256)
    const fetches = Object.fromEntries(
      traced.fetches.map(({ name, tensor }) => [name, new Float32Array(size(tensor.shape))]),
    )
    await program.run({ x, target: Int32Array.from(targets(golden)) }, fetches)
    // Sums of up to 9216 products, through eight layers and back. In the full networks a few maxima are decided by rounding:
    // PyTorch in f32 is 2.4e-3 of a norm away from itself in f64.
    compare(golden, fetches, side < 100 ? 2e-5 : 5e-3)
    programs.dispose()
    store.dispose()
  })
})
