// Training on a pool of negative examples that is renewed all the time, made at the output of each layer and used to train the
// layers above it. Szegedy et al. 2013, "Intriguing properties of neural networks", section 4.2 (100-100-10, 1.6 to below 1.2 %).
import { type Dataset, type FieldArray, type Fields, type FieldSpec, permutation, PhiloxStream } from '../data/index.js'
import type { Tensor } from '../graph/index.js'
import * as nn from '../nn/index.js'
import * as ops from '../ops/index.js'
import type { Optimizer } from '../optim/index.js'
import { lbfgsAttack, type LbfgsAttack } from '../solvers/index.js'
import { type Network, type Objective, session, type Session } from '../train/index.js'
import { gatherExamples, wrongLabels } from './examples.js'
import { type Report, wrongShare } from './network.js'

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

/** Fields of a step, as an objective takes them. */
type Given = Readonly<Record<string, Tensor>>

const apply = (layers: readonly nn.Step[], x: Tensor): Tensor =>
  layers.reduce((value, layer) => (layer as unknown as (x: Tensor) => Tensor)(value), x)

/** Trains and measures. */
export async function trainOnPool(options: PoolOptions): Promise<PoolResult> {
  const { layers, widths, optimizer, train, test, seed, epochs, batch, levels, size = 2000 } = options
  const { fresh = 400, wait = Math.floor(epochs / 5), report } = options
  const share = options.share ?? Math.max(1, Math.round((batch * size) / train.length))
  const pools = levels.map((level): Level => {
    const width = widths[level]!
    const [x, target] = [new Float32Array(size * width), new Int32Array(size)]
    return { level, width, x, target, filled: 0, next: 0 }
  })
  const draw = new PhiloxStream(seed, 0, 0x9001)
  const steps = Math.floor(train.length / batch)
  let made = 0
  let makers: readonly Maker[] = []
  /** The batches of an epoch with some of each pool, once there are any. */
  async function* epochOf(epoch: number): AsyncGenerator<Record<string, FieldArray>> {
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
      const own = pools.map((pool) => (ready ? drawn(pool, share, draw) : none(pool, share)))
      yield { x, target, ...merged(own), ...(pools.length > 0 && { ready: Float32Array.of(Number(ready)) }) }
    }
  }
  const net = nn.named('pool', nn.sequential(nn.flatten(), ...(layers as []))) as unknown as Network
  const sizes = { batch, width: widths[0]!, share }
  await using run = await session(objectiveOf(net, layers, pools, sizes), {
    data: { train: epochOf, fields: fieldsOf(pools, sizes) },
    // A step is one example of these fields: its parts have different numbers of rows.
    ...{ optimizer, batch: 1, epochs, seed, precision: 'f32' },
  })
  makers = await Promise.all(pools.map((pool) => makerOf(run, options, pool)))
  for await (const event of run.events()) {
    if (event.type !== 'epoch') continue
    const [done, total] = [event.epoch * train.length, epochs * train.length]
    report?.({ what: 'training on a pool', done, total, unit: 'images' })
  }
  using asked = await run.compile((x: Tensor) => ({ logits: net(x) }), { x: [batch, sizes.width] })
  const error = (set: PoolOptions['train']) => wrongShare(set, batch, async ({ x }) => (await asked.run({ x })).logits)
  return { train: await error(train), test: await error(test), made }
}

interface Sizes {
  readonly batch: number
  /** Of the input. */
  readonly width: number
  /** Examples of each pool in a step. */
  readonly share: number
}

/** What a step holds: a batch, some of each pool, and whether the pools are filled. */
function fieldsOf(pools: readonly Level[], { batch, width, share }: Sizes): Fields {
  const fields: Record<string, FieldSpec> = {
    x: { dtype: 'f32', shape: [batch, width] },
    target: { dtype: 'i32', shape: [batch] },
  }
  for (const pool of pools) {
    fields[`x${pool.level}`] = { dtype: 'f32', shape: [share, pool.width] }
    fields[`target${pool.level}`] = { dtype: 'i32', shape: [share] }
  }
  return pools.length === 0 ? fields : { ...fields, ready: { dtype: 'f32', shape: [] } }
}

/** The mean loss of a batch, and of some of each pool, which the layers below a level do not see. */
function objectiveOf(net: Network, layers: readonly nn.Step[], pools: readonly Level[], sizes: Sizes): Objective {
  const { batch, width, share } = sizes
  const costs = (logits: Tensor, labels: Tensor, rows: number) =>
    ops.sum(ops.crossEntropy(ops.reshape(logits, [rows, -1]), ops.reshape(ops.cast(labels, 'i32'), [rows])))
  return (given: Given) => {
    const own = costs(net(ops.reshape(given['x']!, [batch, width])), given['target']!, batch)
    if (pools.length === 0) return { loss: ops.div(own, batch) }
    const parts = pools.map(({ level, width: columns }) => {
      const logits = apply(layers.slice(level), ops.reshape(given[`x${level}`]!, [share, columns]))
      return costs(logits, given[`target${level}`]!, share)
    })
    const ready = ops.reshape(ops.cast(given['ready']!, 'f32'), [])
    const sum = parts.reduce((all, part) => ops.add(all, ops.mul(part, ready)), own)
    return { loss: ops.div(sum, ops.add(ops.mul(ready, share * pools.length), batch)) }
  }
}

/** Renews some of a pool; gives how many examples were kept. */
type Maker = (pool: Level, draw: PhiloxStream, count: number) => Promise<number>

/** Makes examples of one level anew: the least change of a layer's output by which the layers above see the likeliest other class. */
async function makerOf(
  run: Session,
  { layers, widths, train, rounds = 6 }: PoolOptions,
  { level, width }: Level,
): Promise<Maker> {
  const rows = 100
  const above = (x: Tensor): Tensor => apply(layers.slice(level), x)
  const attack: LbfgsAttack = await lbfgsAttack(run, above, { shape: [rows, width], rounds })
  const below = await run.compile(
    (x: Tensor) => {
      const output = apply(layers.slice(0, level), x)
      return { output: ops.add(ops.cast(output, 'f32'), 0), logits: above(output) }
    },
    { x: [rows, widths[0]!] },
  )
  return async (pool, draw, count) => {
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

/** The fields of a pool in a step: none yet, and so zeros. */
function none({ level, width }: Level, share: number): Record<string, FieldArray> {
  return { [`x${level}`]: new Float32Array(share * width), [`target${level}`]: new Int32Array(share) }
}

/** The same, of examples that are drawn. */
function drawn(
  { level, width, x, target, filled }: Level,
  share: number,
  draw: PhiloxStream,
): Record<string, FieldArray> {
  const [rows, labels] = [new Float32Array(share * width), new Int32Array(share)]
  for (let i = 0; i < share; i++) {
    const place = draw.below(filled)
    rows.set(x.subarray(place * width, (place + 1) * width), i * width)
    labels[i] = target[place]!
  }
  return { [`x${level}`]: rows, [`target${level}`]: labels }
}

function merged(parts: readonly Readonly<Record<string, FieldArray>>[]): Record<string, FieldArray> {
  return Object.fromEntries(parts.flatMap((part) => Object.entries(part)))
}
