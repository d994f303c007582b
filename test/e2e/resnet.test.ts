// The residual network for CIFAR-10 beside PyTorch in float64 (a training step, and what it gives by its running statistics after
// it), and as a recipe trains it: a short training, and statistics that come back from a checkpoint bit for bit.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { arrays, type Dataset, type Fields, PhiloxStream } from '../../lib/data/index.js'
import { openSafetensors } from '../../lib/files/index.js'
import { count, feed, Names, read, type Shape, type Tensor, trace } from '../../lib/graph/index.js'
import { resnetCifar } from '../../lib/models/index.js'
import * as nn from '../../lib/nn/index.js'
import * as ops from '../../lib/ops/index.js'
import * as optim from '../../lib/optim/index.js'
import { cifar10Resnet } from '../../lib/recipes/index.js'
import { planSession } from '../../lib/recipes/recipe.js'
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
import { fill, type NDArray, ndarray } from '../support/ndarray.js'
import { pattern } from '../support/pattern.js'

interface Golden extends ModelGolden {
  readonly config: {
    readonly channels: readonly [number, number, number]
    readonly blocks: number
    readonly classes: number
    readonly side: number
    readonly batch: number
  }
  /** Logits by the running statistics after one step in training that changed nothing else. */
  readonly evaluated: readonly number[]
}

const goldens = JSON.parse(readFileSync(new URL('../golden/resnet.json', import.meta.url), 'utf8')) as Golden[]
const [small, full] = goldens as [Golden, Golden]

/** A network of a golden, and what to trace of it. */
function built({ config: { side, batch, ...config } }: Golden) {
  const net = resnetCifar(config)
  const x = () => feed('x', 'f32', [batch, 3, side, side])
  return {
    evaluated: () => ({ evaluated: net(x()) }),
    trained: (): Readonly<Record<string, Tensor>> => {
      const logits = net(x())
      const loss = nn.crossEntropy(logits, feed('target', 'i32', [batch]))
      return stepOf(logits, loss, within)
    },
  }
}

/** As in make_models.py: scales about 1. */
function valueOf(path: string, shape: Shape, order: number): Float64Array {
  const values = pattern(new Float64Array(count(shape)), order + 1, spreadOf(path, shape))
  return path.endsWith('/scale') ? values.map((value) => value + 1) : values
}

function fed({ config: { batch, classes, side } }: Golden) {
  const shape = [batch, 3, side, side]
  return {
    x: { shape, data: pattern(new Float64Array(count(shape)), 100, 4) },
    target: ndarray([batch], labels(batch, classes)),
  }
}

function expectEvaluated(got: ArrayLike<number>, { evaluated }: Golden, relative: number): void {
  const most = Math.max(...evaluated.map(Math.abs))
  evaluated.forEach((wanted, i) => {
    expect(Math.abs(got[i]! - wanted), `logit ${i}: expected ${wanted}, got ${got[i]}`).toBeLessThan(relative * most)
  })
}

test('a shrunken network in float64', () => {
  const names = new Names()
  const { trained, evaluated } = built(small)
  const training = trace({ name: 'golden', mode: 'train', names }, trained)
  const states: Record<string, NDArray> = {}
  let order = 0
  for (const { name, variable } of training.states) {
    states[name] =
      variable.role === 'parameter'
        ? { shape: variable.shape, data: valueOf(name, variable.shape, order++) }
        : fill(variable.shape, () => (name.endsWith('/variance') ? 1 : 0))
  }
  const { fetches, states: after } = interpret(training, fed(small), states)
  compare(small, numbersOf(fetches), 1e-10)
  const evaluation = trace({ name: 'golden', mode: 'eval', names }, evaluated)
  expectEvaluated(interpret(evaluation, fed(small), after).fetches['evaluated']!.data, small, 1e-10)
})

describe.each(backends())('on $name', ({ name: backend, reason }) => {
  test.skipIf(reason !== undefined).each([
    // Sums of up to 576 products through six and twenty convolutions and back. Where rounding decides about a relu, a gradient jumps: images
    // that differ by 1e-7 move that of the first block's weights by 2.0e-3 of its norm, and back again.
    ['shrunken', small, 2e-5],
    ['whole', full, 4e-3],
  ] as const)('a %s network, f32', (_, golden, tolerance) =>
    onDevice(backend, async (programs, store) => {
      const { trained, evaluated } = built(golden)
      const options = { name: 'golden', precision: 'f32', brings: true } as const
      const training = await programs.build({ ...options, mode: 'train' }, trained)
      const evaluation = await programs.build({ ...options, mode: 'eval' }, evaluated)
      for (const [order, { name, buffer, variable }] of store.parameters().entries()) {
        await buffer.write(Float32Array.from(valueOf(name, variable.shape, order)))
      }
      const feeds = fed(golden)
      const [x, target] = [Float32Array.from(feeds.x.data), Int32Array.from(feeds.target.data)]
      const [step, use] = [roomFor(training), roomFor(evaluation)]
      await training.program.run({ x, target }, step)
      compare(golden, step, tolerance)
      await evaluation.program.run({ x }, use)
      expectEvaluated(use['evaluated']!, golden, tolerance)
    }),
  )
})

/** Images of noise whose class is the row that is bright. */
function stripes(length: number, seed: number): Dataset<Fields<'x' | 'target'>> {
  const noise = new PhiloxStream(seed, 0, 0)
  const target = Int32Array.from({ length }, () => noise.below(4))
  const x = Uint8Array.from({ length: length * 3 * 64 }, (_, i) => {
    const [image, row] = [Math.floor(i / 192), Math.floor((i % 64) / 8)]
    return noise.below(120) + (Math.floor(row / 2) === target[image] ? 100 : 0)
  })
  return arrays({ x: { data: x, shape: [3, 8, 8] }, target })
}

describe('a training', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ostrich-resnet-'))
  })
  afterAll(async () => {
    await rm(folder, { recursive: true })
  })

  test('learns, and its running statistics come back from a checkpoint bit for bit', async () => {
    const plan = () => ({
      ...cifar10Resnet.build({ batch: 32, epochs: 6 }),
      net: resnetCifar({ classes: 4, channels: [8, 8, 16], blocks: 1 }),
      optimizer: optim.sgd({ rate: 0.05, momentum: 0.9 }),
    })
    const data = { train: stripes(320, 1), validation: stripes(100, 2) }
    const given = { data, device: 'cpu', threads: 2, precision: 'f32' } as const
    const path = join(folder, 'whole.safetensors')
    const x = await examples(data.validation)
    await using first = await planSession(plan(), given)
    const end = await first.run()
    expect(end.validation['accuracy']).toBeGreaterThan(0.9)
    const before = await first.predict(x)
    await first.save(path)
    await using file = await openSafetensors(path)
    const statistics = [...file.tensors.keys()].filter((name) => /\/batchNorm\d\/(mean|variance)$/.test(name))
    expect(statistics).toHaveLength(2 * 7)
    await using second = await planSession(plan(), given)
    expect(await second.predict(x)).not.toEqual(before)
    await second.resume(path)
    expect(await second.predict(x)).toEqual(before)
    expect(await second.evaluate()).toEqual(await first.evaluate())
  })
})

async function examples(set: Dataset<Fields<'x' | 'target'>>): Promise<Uint8Array> {
  const x = new Uint8Array(set.length * 192)
  await set.gather(
    Array.from({ length: set.length }, (_, i) => i),
    { x, target: new Int32Array(set.length) },
  )
  return x
}

test('the recipe lets everything decay but batch normalisation', () => {
  const { net, optimizer } = cifar10Resnet.build()
  const parameters = (net as unknown as nn.LayerInfo).parameters
  expect(parameters.reduce((sum, { count }) => sum + count, 0)).toBe(269_722)
  const graph = trace({ name: 'update', mode: 'train' }, () => {
    void net(feed('x', 'f32', [2, 3, 8, 8]))
    const updates = parameters.map((variable) => ({ variable, gradient: ops.zeros(variable.shape) }))
    optimizer.update(updates, read(ops.step))
    return {}
  })
  // Without a gradient, momentum or decay a parameter keeps its value: what changes at the first step is decay alone.
  const states = Object.fromEntries(
    graph.states.map(({ name, variable }) => [
      name,
      fill(variable.shape, () => (variable.role === 'parameter' ? 1 : 0)),
    ]),
  )
  const after = interpret(graph, { x: fill([2, 3, 8, 8], () => 0) }, states).states
  const changed = graph.states.filter(
    ({ name, variable }) => variable.role === 'parameter' && after[name]!.data[0] !== 1,
  )
  const kept = graph.states.filter(({ name, variable }) => variable.role === 'parameter' && after[name]!.data[0] === 1)
  expect(kept.map(({ name }) => name).every((name) => /\/batchNorm\d\/(scale|shift)$/.test(name))).toBe(true)
  expect([kept.length, changed.length]).toEqual([2 * 19, 19 + 2])
})
