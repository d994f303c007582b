// Whether more threads pay on this machine as busy as it is: threads that share every step wait for the one whose core
// other work has.
import { arrays } from '../data/index.js'
import * as nn from '../nn/index.js'
import * as optim from '../optim/index.js'
import { session } from '../train/index.js'

/** Examples/s of a small perceptron on the CPU, with one thread and with as many as there are cores. */
export interface ThreadSpeeds {
  readonly threads: number
  readonly one: number
  readonly all: number
}

const examples = 2048
const pixels = 256
const classes = 10
const clearly = 0.9

interface Measured {
  readonly threads: number
  readonly rate: number
}

async function measure(threads: number): Promise<Measured> {
  const x = Float32Array.from({ length: examples * pixels }, (_, i) => (i % 251) / 251)
  const target = Int32Array.from({ length: examples }, (_, i) => i % classes)
  await using run = await session(
    nn.sequential(nn.linear(pixels, 128), nn.relu(), nn.linear(128, 128), nn.relu(), nn.linear(128, classes)),
    {
      data: arrays({ x: { data: x, shape: [pixels] }, target }),
      loss: nn.crossEntropy,
      optimizer: optim.sgd({ rate: 0.01 }),
      batch: 128,
      epochs: 6,
      device: 'cpu',
      precision: 'f32',
      threads,
    },
  )
  let measured = { threads: 1, rate: 0 }
  for await (const event of run.events()) {
    if (event.type === 'start') measured = { threads: event.threads, rate: 0 }
    if (event.type === 'epoch') measured = { ...measured, rate: event.rate }
  }
  return measured
}

/** Trains for some tenths of a second with all threads and with one, in turn; undefined where there is but one core. */
export async function threadSpeeds(): Promise<ThreadSpeeds | undefined> {
  const first = await measure(0)
  if (first.threads === 1) return undefined
  const one = [await measure(1), await measure(1)]
  const all = [first, await measure(0)]
  const fastest = (runs: readonly Measured[]): number => Math.round(Math.max(...runs.map(({ rate }) => rate)))
  return { threads: first.threads, one: fastest(one), all: fastest(all) }
}

/** The same in words, with what to do where one thread is faster. */
export function sayThreads({ threads, one, all }: ThreadSpeeds): string {
  const said = `${threads} threads ${all} examples/s, one ${one} (a small perceptron)`
  if (all >= clearly * one) return said
  return `${said}: one is faster, as where other work has the cores; try --threads 1`
}
