// Objectives over any fields: several inputs, several heads, masked losses, measures of the program and of the host.
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { arrays, PhiloxStream } from '../../lib/data/index.js'
import type { Tensor } from '../../lib/graph/index.js'
import { inspectCheckpoint, measures, session } from '../../lib/train/index.js'
import * as nn from '../../lib/nn/index.js'
import * as ops from '../../lib/ops/index.js'
import * as optim from '../../lib/optim/index.js'
import { all, options } from './tasks.js'

const { device } = options()
const shared = { batch: 16, precision: 'f32', seed: 1, ...(device && { device }) } as const
const adam = (rate: number) => optim.adam({ rate })

/** Pixels and a number -> two classes, and a quantity that only some examples tell (`known` is 1 there). */
function measurements(length: number, seed = 7) {
  const noise = new PhiloxStream(seed, 0, 0)
  const image = new Uint8Array(length * 16)
  const [height, amount, known] = [0, 0, 0].map(() => new Float32Array(length)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ]
  const [kind, tall] = [new Int32Array(length), new Int32Array(length)]
  for (let i = 0; i < length; i++) {
    kind[i] = noise.below(3)
    for (let p = 0; p < 16; p++) image[16 * i + p] = noise.below(60) + (p % 3 === kind[i] ? 150 : 0)
    height[i] = noise.below(1000) / 500 - 1
    tall[i] = height[i]! > 0 ? 1 : 0
    known[i] = noise.below(2)
    // What nobody knows is nonsense, and must not be learned from.
    amount[i] = known[i] === 1 ? height[i]! * 2 + kind[i]! : 1e4
  }
  return arrays({
    image: { data: image, shape: [1, 4, 4] },
    height: { data: height, shape: [1] },
    kind,
    tall,
    amount,
    known,
  })
}

/** Two inputs, three heads, one of them masked. */
function heads() {
  const seen = nn.linear(16, 24)
  const felt = nn.linear(1, 24)
  const [kinds, talls, amounts] = [nn.linear(24, 3), nn.linear(24, 2), nn.linear(24, 1)] as const
  return (image: Tensor<'f32', [number, 1, 4, 4]>, height: Tensor<'f32', [number, 1]>) => {
    const code = ops.tanh(ops.add(seen(ops.reshape(image, [-1, 16] as [number, 16])), felt(height)))
    return { kind: kinds(code), tall: talls(code), amount: ops.reshape(amounts(code), [-1]) }
  }
}

function objective(net = heads()) {
  return ({ image, height, kind, tall, amount, known }: Fed) => {
    const out = net(image, height)
    const errors = ops.mul(ops.square(ops.sub(out.amount, amount)), known)
    const missing = { sum: ops.sum(errors), count: ops.sum(known) }
    return {
      loss: ops.add(
        ops.add(nn.crossEntropy(out.kind, kind), ops.mul(nn.crossEntropy(out.tall, tall), 0.5)),
        ops.div(missing.sum, ops.maximum(missing.count, 1)),
      ),
      kind: measures.accuracy(out.kind, kind),
      tall: measures.accuracy(out.tall, tall),
      error: measures.mean({ ...missing, better: 'less', format: { digits: 4 } }),
    }
  }
}

interface Fed {
  readonly image: Tensor<'f32', [number, 1, 4, 4]>
  readonly height: Tensor<'f32', [number, 1]>
  readonly kind: Tensor<'i32', [number]>
  readonly tall: Tensor<'i32', [number]>
  readonly amount: Tensor<'f32', [number]>
  readonly known: Tensor<'f32', [number]>
}

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-objective-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

describe('an objective', () => {
  it('learns three answers of two inputs, one of them from the examples that tell it', async () => {
    const data = { train: measurements(320), validation: measurements(75, 8) }
    await using run = await session(objective(), { ...shared, data, optimizer: adam(0.02), epochs: 40 })
    const { validation } = await run.run()
    expect(validation.kind).toBeGreaterThan(0.95)
    expect(validation.tall).toBeGreaterThan(0.95)
    // Errors that were not masked would be of the order of 1e8.
    expect(validation.error).toBeLessThan(0.1)
    expect(Object.keys(run.measures)).toEqual(['kind', 'tall', 'error'])
  })

  it('is measured exactly over what a mask leaves, whatever the batches are', async () => {
    const set = measurements(75, 8)
    await using run = await session(objective(), { ...shared, data: set, optimizer: adam(0.02) })
    const whole = await run.evaluate(set, 75)
    for (const batch of [1, 16, 50]) {
      const got = await run.evaluate(set, batch)
      expect(got.error / whole.error).toBeCloseTo(1, 5)
      expect(got.kind).toBe(whole.kind)
    }
  })

  it('may give its loss as a sum and a count, so that its mean is over tokens and not over batches', async () => {
    const set = arrays({
      x: { data: Float32Array.from({ length: 12 }, (_, i) => i), shape: [1] },
      mask: Float32Array.from({ length: 12 }, (_, i) => (i < 9 ? 1 : 0)),
    })
    const layer = nn.linear(1, 1)
    const mean = ({ x, mask }: { x: Tensor<'f32', [number, 1]>; mask: Tensor<'f32', [number]> }) => {
      const off = ops.mul(ops.sum(ops.mul(layer(x), 0)), 0)
      return { loss: { sum: ops.add(ops.sum(ops.mul(ops.reshape(x, [-1]), mask)), off), count: ops.sum(mask) } }
    }
    await using run = await session(mean, { ...shared, batch: 4, data: set, optimizer: adam(0.1) })
    // 0 + ... + 8 over 9, where a mean of the batches' means would be (1.5 + 5.5 + 8) / 3.
    expect((await run.evaluate(set)).loss).toBeCloseTo(4, 6)
    const steps = (await all(run.events())).flatMap((event) => (event.type === 'step' ? [event.loss] : []))
    expect(steps).toHaveLength(3)
  })

  it('has measures of the host, which reads what it fetches', async () => {
    const set = measurements(75, 8)
    const net = heads()
    const rows: number[] = []
    const of = ({ image, height, kind, tall, amount, known }: Fed) => {
      const { loss, kind: share } = objective(net)({ image, height, kind, tall, amount, known })
      const guess = ops.argmax(net(image, height).kind)
      const right = measures.host({
        outputs: { guess, kind },
        better: 'more',
        format: 'percent',
        tally() {
          let [hits, all] = [0, 0]
          return {
            add: ({ guess, kind }) => {
              rows.push(guess.length)
              guess.forEach((value, i) => (hits += Number(value === kind[i])))
              all += guess.length
            },
            value: () => hits / all,
          }
        },
      })
      return { loss, share, right }
    }
    await using run = await session(of, { ...shared, data: set, optimizer: adam(0.02) })
    const got = await run.evaluate()
    expect(got.right).toBeNaN()
    const { share, right } = await run.evaluate(set)
    expect(right).toBe(share)
    expect(rows).toEqual([16, 16, 16, 16, 11])
  })

  it('is refused where it is none, in words that say what was expected', async () => {
    const set = measurements(32)
    const open = (of: unknown) =>
      session(of as ReturnType<typeof objective>, { ...shared, data: set, optimizer: adam(0.1) })
    const layer = nn.linear(1, 1)
    const loss = ({ height }: Fed) => ops.mean(layer(height))
    await expect(open((fed: Fed) => loss(fed))).rejects.toThrow(
      'session[objective]: expected { loss, ...measures }, got a tensor',
    )
    await expect(open((fed: Fed) => ({ cost: loss(fed) }))).rejects.toThrow(
      'session[objective]: expected { loss, ...measures }, got an object with cost',
    )
    await expect(open((fed: Fed) => ({ loss: loss(fed), hits: loss(fed) }))).rejects.toThrow(
      /session\[objective\]\[hits\]: expected a measure, such as measures\.accuracy.*got a tensor, f32\[\]/,
    )
    await expect(open((fed: Fed) => ({ loss: layer(fed.height) }))).rejects.toThrow(
      'session[objective][loss]: expected an f32 scalar, got f32[16, 1]',
    )
    await expect(open((fed: Fed) => ({ loss: { sum: loss(fed) } }))).rejects.toThrow(
      'session[objective][loss]: expected an f32 scalar, or { sum, count } of f32 scalars, got an object with sum',
    )
    await expect(open((fed: Record<string, Tensor>) => ({ loss: ops.mean(fed['heigth']!) }))).rejects.toThrow(
      'session[data]: expected a field heigth, got image, height, kind, tall, amount, known (did you mean height?)',
    )
    await expect(open((fed: Fed) => ({ loss: loss(fed) }))).rejects.toThrow(
      /session\[data\]\[image\]: expected fields that the objective reads \(height\), got image too/,
    )
    await expect(open(async (fed: Fed) => Promise.resolve({ loss: loss(fed) }))).rejects.toThrow('got a promise')
  })

  it('has no network to predict with, unless it is told', async () => {
    const set = arrays({ x: { data: new Float32Array(32), shape: [1] }, target: new Int32Array(32) })
    const net = nn.linear(1, 2)
    const of = ({ x, target }: { x: Tensor<'f32', [number, 1]>; target: Tensor<'i32', [number]> }) => ({
      loss: nn.crossEntropy(net(x), target),
    })
    await using run = await session(of, { ...shared, data: set, optimizer: adam(0.1) })
    expect(() => run.predict(new Float32Array(1))).toThrow(/predict: expected a session of a network/)
    await using asked = await session(of, { ...shared, data: set, optimizer: adam(0.1), net })
    expect(await asked.predict(new Float32Array(3))).toHaveLength(6)
  })
})

describe('a measure that is monitored', () => {
  const set = { train: measurements(64), validation: measurements(32, 8) }

  it('ends the run when it becomes no better, and keeps the best epoch, through a resume too', async () => {
    const net = heads()
    const open = (name: string, signal?: AbortSignal) =>
      session(objective(net), {
        ...{ ...shared, data: set, optimizer: adam(0.2), epochs: 60, folder: join(folder, name) },
        ...{ monitor: 'error', patience: 3, ...(signal && { signal }) },
      })
    await using run = await open('whole')
    const events = await all(run.events())
    const errors = events.flatMap((event) => (event.type === 'epoch' ? [event.validation['error']!] : []))
    const end = events.at(-1)!
    const least = Math.min(...errors)
    expect(end).toMatchObject({
      type: 'end',
      best: { measure: 'error', value: least, epoch: errors.indexOf(least) + 1 },
    })
    expect(errors.length).toBe(errors.indexOf(least) + 1 + 3)
    expect(await readdir(join(folder, 'whole'))).toEqual(['best.safetensors', 'last.safetensors'])
    const best = await inspectCheckpoint(join(folder, 'whole/best.safetensors'))
    expect(best?.epoch).toBe(errors.indexOf(least) + 1)

    const stop = new AbortController()
    await using first = await open('half', stop.signal)
    for await (const event of first.events())
      if (event.type === 'epoch' && event.epoch === errors.length - 1) stop.abort()
    await using second = await open('half')
    await second.resume(join(folder, 'half/last.safetensors'))
    const rest = await all(second.events())
    expect(rest.filter((event) => event.type === 'epoch')).toHaveLength(1)
    expect(rest.at(-1)).toMatchObject({ type: 'end', best: { value: least } })
  })
})
