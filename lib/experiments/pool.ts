// Training on a pool of negative examples that is renewed all the time, made at the output of each layer and used to train the
// layers above it. Szegedy et al. 2013, "Intriguing properties of neural networks", section 4.2 (100-100-10, 1.6 to below 1.2 %).
import { grad } from '../autodiff/index.js'
import { type Dataset, type Fields, permutation, PhiloxStream } from '../data/index.js'
import { assign, type HostArray, read, type Tensor, type Variable } from '../graph/index.js'
import * as nn from '../nn/index.js'
import * as ops from '../ops/index.js'
import type { Optimizer } from '../optim/index.js'
import { lbfgsAttack, type LbfgsAttack } from '../solvers/index.js'
import { type Compiled, type Extent, session, type Session } from '../train/index.js'
import { gatherExamples, wrongLabels } from './examples.js'
import type { Report } from './network.js'

/** What trains on a pool. */
export interface PoolOptions {
  /** Layers of the network on flat images, first to last; all but the last give outputs in [0, 1]. */
  readonly layers: readonly nn.Step[]
  /** Widths of the input and of each layer's output but the last. */
  readonly widths: readonly number[]
  readonly optimizer: Optimizer
  readonly train: Dataset<Fields<'x' | 'target'>>
  readonly test: Dataset<Fields<'x' | 'target'>>
  readonly seed: number
  readonly epochs: number
  readonly batch: number
  /** Levels at which negative examples are made: 0 is the input, k the output of layer k. None: training as ever. */
  readonly levels: readonly number[]
  /** Examples of a level's pool. Default: 2000. */
  readonly size?: number
  /** Examples of each level that are made anew in each epoch. Default: 400. */
  readonly fresh?: number
  /** Examples of each pool in a step. Default: as if the pool were a part of the training set. */
  readonly share?: number
  /** Epochs before the first examples are made. Default: a fifth. */
  readonly wait?: number
  /** Values of c that each example tries. Default: 6. */
  readonly rounds?: number
  readonly report?: Report
}

/** Errors of a network that was trained on a pool. */
export interface PoolResult {
  readonly train: number
  readonly test: number
  /** Negative examples that were made, of all levels. */
  readonly made: number
}

/** Negative examples of one level, with the labels that they should have. */
interface Level {
  readonly level: number
  readonly width: number
  readonly x: Float32Array
  readonly target: Int32Array
  /** Filled, and where the next comes. */
  filled: number
  next: number
}

const apply = (layers: readonly nn.Step[], x: Tensor): Tensor =>
  layers.reduce((value, layer) => (layer as unknown as (x: Tensor) => Tensor)(value), x)

/** Trains and measures. */
export async function trainOnPool(options: PoolOptions): Promise<PoolResult> {
  const { layers, widths, optimizer, train, test, seed, epochs, batch, levels, size = 2000 } = options
  const net = nn.named('pool', nn.sequential(nn.flatten(), ...(layers as [])))
  const { fresh = 400, wait = Math.floor(epochs / 5), report } = options
  const share = options.share ?? Math.max(1, Math.round((batch * size) / train.length))
  // The session owns the weights and measures; its own training step is never run.
  await using run = await session(net, { data: train, loss: nn.crossEntropy, optimizer, batch, seed, precision: 'f32' })
  const pools = levels.map((level): Level => {
    const width = widths[level]!
    const [x, target] = [new Float32Array(size * width), new Int32Array(size)]
    return { level, width, x, target, filled: 0, next: 0 }
  })
  const parameters = (net as unknown as nn.LayerInfo).parameters
  const plain = await trainingStep(run, { layers, parameters, optimizer, batch, size: widths[0]!, pools: [], share })
  const mixed = await trainingStep(run, { layers, parameters, optimizer, batch, size: widths[0]!, pools, share })
  const makers = await Promise.all(pools.map((pool) => makerOf(run, options, pool)))
  const draw = new PhiloxStream(seed, 0, 0x9001)
  const steps = Math.floor(train.length / batch)
  let made = 0
  for (let epoch = 0; epoch < epochs; epoch++) {
    const ready = pools.length > 0 && epoch >= wait
    for (const [i, pool] of ready ? pools.entries() : []) {
      made += await makers[i]!(pool, draw, epoch === wait ? size : fresh)
      if (pool.filled === 0) {
        throw new Error(`pool[level ${pool.level}]: expected attacks that reach another label, got none`)
      }
    }
    const order = permutation(train.length, seed, epoch)
    for (let step = 0; step < steps; step++) {
      const { x, labels: target } = await gatherExamples(train, order.subarray(step * batch, (step + 1) * batch))
      if (!ready) await plain.run({ x, target })
      else await mixed.run({ x, target, ...merged(pools.map((pool) => drawn(pool, share, draw))) })
    }
    report?.({
      what: 'training on a pool',
      done: (epoch + 1) * train.length,
      total: epochs * train.length,
      unit: 'images',
    })
  }
  return { train: 1 - (await run.evaluate(train)).accuracy, test: 1 - (await run.evaluate(test)).accuracy, made }
}

interface StepOptions {
  readonly layers: readonly nn.Step[]
  readonly parameters: readonly Variable[]
  readonly optimizer: Optimizer
  readonly batch: number
  readonly size: number
  readonly pools: readonly Level[]
  /** Examples of each pool in a step. */
  readonly share: number
}

/** A training step on a batch and on some of each pool, which the layers below a level do not see. */
function trainingStep(run: Session, options: StepOptions): Promise<Compiled<Readonly<Record<string, Tensor>>>> {
  const { layers, parameters, optimizer, batch, size, pools, share } = options
  const extents: Record<string, Extent> = {}
  for (const { level, width } of pools) {
    extents[`x${level}`] = [share, width]
    extents[`target${level}`] = { dtype: 'i32', shape: [share] }
  }
  const body = (...inputs: Tensor[]): Readonly<Record<string, Tensor>> => {
    const [x, target, ...rest] = inputs as [Tensor, Tensor, ...Tensor[]]
    const costs = (value: Tensor, labels: Tensor) =>
      ops.crossEntropy(value as Tensor<'f32', [number, number]>, labels as Tensor<'i32', [number]>)
    let sum: Tensor<'f32'> = ops.sum(costs(apply(layers, x), target))
    for (const [i, { level }] of pools.entries()) {
      sum = ops.add(sum, ops.sum(costs(apply(layers.slice(level), rest[2 * i]!), rest[2 * i + 1]!)))
    }
    const loss = ops.div(sum, batch + share * pools.length) as Tensor<'f32', []>
    const values = parameters.map((variable) => read(variable))
    const gradients = grad(loss, values)
    const count = read(ops.step)
    optimizer.update(
      parameters.map((variable, i) => ({ variable, gradient: gradients[i]! })),
      count,
    )
    assign(ops.step, ops.add(count, 1))
    return { loss }
  }
  const given = { x: [batch, size], target: { dtype: 'i32', shape: [batch] } } as const
  return run.compile(body, { ...given, ...extents }, { mode: 'train' })
}

/** Makes examples of one level anew: the least change of a layer's output by which the layers above see the likeliest other class. */
async function makerOf(run: Session, { layers, widths, train, rounds = 6 }: PoolOptions, { level, width }: Level) {
  const rows = 100
  const above = (x: Tensor): Tensor => apply(layers.slice(level), x)
  const attack: LbfgsAttack = await lbfgsAttack(run, above, { shape: [rows, width], rounds })
  const below = await run.compile(
    (x: Tensor) => {
      const output = apply(layers.slice(0, level), x)
      return { output: ops.add(output as Tensor<'f32'>, 0), logits: above(output) }
    },
    { x: [rows, widths[0]!] },
  )
  return async (pool: Level, draw: PhiloxStream, count: number): Promise<number> => {
    let kept = 0
    for (let made = 0; made < count; made += rows) {
      const places = Uint32Array.from({ length: rows }, () => draw.below(train.length))
      const { x, labels: target } = await gatherExamples(train, places)
      const { output, logits } = await below.run({ x })
      const wrong = wrongLabels('runner-up', { labels: target }, logits, { seed: 0 })
      const found = await attack.run(output, wrong)
      for (let i = 0; i < rows; i++) {
        if (found.reached[i] === 0) continue
        pool.x.set(found.x.subarray(i * width, (i + 1) * width), pool.next * width)
        pool.target[pool.next] = target[i]!
        pool.next = (pool.next + 1) % pool.target.length
        pool.filled = Math.min(pool.filled + 1, pool.target.length)
        kept++
      }
    }
    return kept
  }
}

/** Some examples of a pool, by the names of a step's inputs. */
function drawn({ level, width, x, target, filled }: Level, share: number, draw: PhiloxStream) {
  const [rows, labels] = [new Float32Array(share * width), new Int32Array(share)]
  for (let i = 0; i < share; i++) {
    const place = draw.below(filled)
    rows.set(x.subarray(place * width, (place + 1) * width), i * width)
    labels[i] = target[place]!
  }
  return { [`x${level}`]: rows, [`target${level}`]: labels }
}

function merged(parts: readonly Readonly<Record<string, HostArray>>[]): Record<string, HostArray> {
  return Object.fromEntries(parts.flatMap((part) => Object.entries(part)))
}
