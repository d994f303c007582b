// Small things to learn, made of seeded noise: every test here takes seconds.
import { arrays, type Dataset, type Fields, PhiloxStream } from '../../lib/data/index.js'
import * as nn from '../../lib/nn/index.js'
import * as optim from '../../lib/optim/index.js'
import { session, type SessionOptions, type TrainEvent } from '../../lib/train/index.js'
import type { Network } from '../../lib/train/index.js'

export const classes = 5
export const side = 8

/** `length` images u8 [1, 8, 8] whose class is the brightest column pair; a last class has none. */
export function images(length: number, seed = 3): Dataset<Fields<'x' | 'target'>> {
  const noise = new PhiloxStream(seed, 0, 0)
  const x = new Uint8Array(length * side * side)
  const target = Int32Array.from({ length }, () => noise.below(classes))
  for (let i = 0; i < x.length; i++) {
    const [image, column] = [Math.floor(i / side ** 2), i % side]
    x[i] = noise.below(120) + (Math.floor(column / 2) === target[image] ? 100 : 0)
  }
  return arrays({ x: { data: x, shape: [1, side, side] }, target })
}

export function perceptron(): Network {
  return nn.sequential(nn.flatten(), nn.linear(side * side, 32), nn.relu(), nn.linear(32, classes))
}

/** Convolution, pooling and dropout: every kind of layer that training has a program for. */
export function convolutional(): Network {
  return nn.sequential(
    nn.conv2d(1, 8, { kernel: 3, padding: 1 }),
    nn.relu(),
    nn.maxPool2d(2),
    nn.flatten(),
    nn.linear(8 * (side / 2) ** 2, 32),
    nn.relu(),
    nn.dropout(0.2),
    nn.linear(32, classes),
  )
}

export function options(more: Partial<SessionOptions> = {}): SessionOptions {
  return {
    data: images(160),
    loss: nn.crossEntropy,
    optimizer: optim.sgd({ rate: 0.05, momentum: 0.9 }),
    batch: 16,
    seed: 1,
    device: process.env['OSTRICH_TEST_DEVICE'] === 'cuda' ? 'cuda' : 'cpu',
    precision: 'f32',
    ...more,
  }
}

/** Opens a session, does something with it, and ends it whatever happens. */
export async function using<T>(
  net: Network,
  more: Partial<SessionOptions>,
  work: (run: Awaited<ReturnType<typeof session>>) => Promise<T>,
): Promise<T> {
  const run = await session(net, options(more))
  try {
    return await work(run)
  } finally {
    await run.dispose()
  }
}

/** Losses of all steps to the end. */
export async function losses(net: Network, more: Partial<SessionOptions> = {}): Promise<number[]> {
  return using(net, more, async (run) => {
    const events = await all(run.events())
    return events.flatMap((event) => (event.type === 'step' ? [event.loss] : []))
  })
}

export async function all(events: AsyncIterable<TrainEvent>): Promise<TrainEvent[]> {
  const list: TrainEvent[] = []
  for await (const event of events) list.push(event)
  return list
}

/** The loss of each training step. */
export async function lossesOf(events: AsyncIterable<TrainEvent>): Promise<number[]> {
  const losses: number[] = []
  for await (const event of events) if (event.type === 'step') losses.push(event.loss)
  return losses
}
