// Training on sequences of variable length: one program for each kind of batch, all over one state and one arena.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { grad } from '../../lib/autodiff/index.js'
import { PhiloxStream, sequences } from '../../lib/data/index.js'
import { read, type Tensor, type Variable } from '../../lib/graph/index.js'
import * as nn from '../../lib/nn/index.js'
import * as ops from '../../lib/ops/index.js'
import * as optim from '../../lib/optim/index.js'
import { measures, session } from '../../lib/train/index.js'
import { lossesOf, options } from './tasks.js'

const { device } = options()
const symbols = 6
let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-buckets-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

/** Sequences of symbols; the tag of a step is 1 where the symbol two steps later is one of the first half. Nothing is 0. */
function tagged(count: number, most = 40, seed = 3, more = {}) {
  const noise = new PhiloxStream(seed, 0, 0)
  const words = Array.from({ length: count }, (_, i) => {
    return Int32Array.from({ length: i === 0 ? most : 1 + noise.below(most) }, () => 1 + noise.below(symbols))
  })
  const tags = words.map((own) => own.map((_, t) => (t + 2 < own.length && own[t + 2]! <= symbols / 2 ? 1 : 0)))
  return sequences({ words, tags }, { multiple: 4, pad: { words: 0 }, ...more })
}

/** A network that reads sentences from either end, and its parts. */
function tagger(dropout = 0) {
  const embed = nn.embedding(symbols + 1, 8)
  const both = nn.bidirectional(nn.lstm({ units: 8, inputs: 8 }), nn.lstm({ units: 8, inputs: 8, reverse: true }))
  const choice = nn.linear(16, 2)
  const drop = nn.dropout(dropout)
  return {
    parameters: [embed, both, choice].flatMap(({ parameters }) => parameters),
    logits: (words: Tensor<'i32'>, lengths?: Tensor<'i32'>) =>
      choice(drop(both.run(embed(words), lengths === undefined ? {} : { lengths }).output)),
  }
}

/** -log p(tag) of each step, [T, N]. */
function costs(logits: Tensor<'f32'>, tags: Tensor<'i32'>): Tensor<'f32'> {
  const flat: Tensor<'f32'> = ops.crossEntropy(ops.reshape(logits, [-1, 2]), ops.reshape(tags, [-1]))
  return ops.reshape(flat, tags.shape)
}

function open(
  net: ReturnType<typeof tagger>,
  set: ReturnType<typeof tagged>,
  more: Partial<Parameters<typeof session>[1]> = {},
) {
  return session(
    ({ words, tags, lengths }) => {
      const mask: Tensor<'f32'> = ops.cast(ops.sequenceMask(lengths, words.shape[0]!), 'f32')
      const logits = net.logits(words, lengths)
      return {
        loss: { sum: ops.sum(ops.mul(costs(logits, tags), mask)), count: ops.sum(mask) },
        accuracy: measures.accuracy(logits, tags, mask),
      }
    },
    {
      ...{ data: { train: set, validation: set }, optimizer: optim.adam({ rate: 0.02 }), batch: 8 },
      ...{ seed: 1, precision: 'f32' as const, ...(device && { device }) },
      ...(more as object),
    },
  )
}

describe('a session over sequences', () => {
  it('learns from batches of many lengths, and tells the share of padding', async () => {
    const set = tagged(160)
    await using run = await open(tagger(), set, { epochs: 12 })
    let [padding, perStep, steps] = [NaN, 0, 0]
    for await (const event of run.events()) {
      if (event.type === 'start') {
        padding = event.padding!
        perStep = event.perStep
        steps = event.stepsPerEpoch!
      }
      if (event.type === 'end') {
        expect(event.validation.accuracy).toBeGreaterThan(0.95)
        expect(event.step).toBe(12 * steps)
      }
    }
    expect(steps).toBe(20)
    expect(perStep).toBe(8)
    expect(padding).toBeGreaterThan(0.02)
    expect(padding).toBeLessThan(0.3)
    // Every step of every example counts once, however they are cut.
    const whole = await run.evaluate(set, 8)
    for (const batch of [1, 3, 200]) {
      const cut = await run.evaluate(set, batch)
      expect(cut.loss).toBeCloseTo(whole.loss, 5)
      expect(cut.accuracy).toBeCloseTo(whole.accuracy, 10)
    }
  })

  it('has the loss and the gradients of one sentence at a time', async () => {
    const noise = new PhiloxStream(9, 0, 0)
    const words = [7, 1, 12, 5, 16, 2].map((length) => Int32Array.from({ length }, () => 1 + noise.below(symbols)))
    const tags = words.map((own) => own.map(() => noise.below(2)))
    const set = sequences({ words, tags }, { multiple: 16 })
    const net = tagger()
    await using run = await open(net, set, {
      optimizer: optim.sgd({ rate: 1 }),
      shuffle: false,
    })
    const before = await run.parameters()
    const alone: Record<string, Float64Array> = {}
    let [sum, count] = [0, 0]
    for (const [i, own] of words.entries()) {
      const one = await run.compile(
        (words: Tensor<'i32'>, tags: Tensor<'i32'>) => {
          const loss = ops.sum(costs(net.logits(words), tags))
          const values = net.parameters.map((variable: Variable) => read(variable))
          const gradients = grad(loss, values)
          return { loss, ...Object.fromEntries(values.map(({ node }, k) => [node.path, gradients[k]!])) }
        },
        { words: { dtype: 'i32', shape: [own.length, 1] }, tags: { dtype: 'i32', shape: [own.length, 1] } },
      )
      const { loss, ...gradients } = (await one.run({ words: own, tags: tags[i]! })) as Record<string, Float32Array>
      one.dispose()
      sum += loss![0]!
      count += own.length
      for (const [path, values] of Object.entries(gradients)) {
        alone[path] = Float64Array.from(values, (value, k) => value + (alone[path]?.[k] ?? 0))
      }
    }
    const [loss] = await lossesOf(run.events())
    expect(loss).toBeCloseTo(sum / count, 5)
    const after = await run.parameters()
    expect(Object.keys(alone).sort()).toEqual(Object.keys(before).sort())
    for (const [path, values] of Object.entries(alone)) {
      // w - 1 * gradient: what is left of the gradient is as exact as w is.
      const gradient = Float64Array.from(before[path]!, (value, k) => value - after[path]![k]!)
      expect(Math.max(...gradient.map((value, k) => Math.abs(value - values[k]! / count)))).toBeLessThan(1e-6)
      expect(Math.max(...values.map(Math.abs)) / count).toBeGreaterThan(1e-4)
    }
  })

  it('goes on in the middle of an epoch to the bit, also where few programs are kept', async () => {
    const path = join(folder, 'half.safetensors')
    const set = tagged(50, 24, 3, { tokens: 80 })
    const dropped = () => tagger(0.2)
    await using whole = await open(dropped(), set, { epochs: 2 })
    const expected = await lossesOf(whole.events())
    const first = await open(dropped(), set, { epochs: 2, programs: { most: 1 } })
    for await (const event of first.events()) if (event.type === 'step' && event.step === 13) break
    await first.save(path)
    const done = first.step
    expect(done % (expected.length / 2)).toBeGreaterThan(0)
    await first.dispose()
    await using second = await open(dropped(), set, { epochs: 2, programs: { most: 3, ahead: true } })
    await second.resume(path)
    expect(await lossesOf(second.events())).toEqual(expected.slice(done))
    expect(await second.parameters()).toEqual(await whole.parameters())
    // Another cut of the same examples is other data.
    const told: string[] = []
    await using other = await open(dropped(), tagged(50, 24, 3, { tokens: 96 }), {
      onWarning: (message) => told.push(message),
    })
    await other.resume(path)
    expect(told.join()).toMatch(/training data/)
  })

  it('tells what was left out, and refuses what no program can be made for', async () => {
    const told: string[] = []
    const set = tagged(60, 40, 3, { longest: 30, longer: 'leave out' })
    await using run = await open(tagger(), set, { onWarning: (message) => told.push(message) })
    expect(told).toContain(
      `data[train]: ${set.buckets!.leftOut} examples are longer than the longest allowed, and left out`,
    )
    const bad: [object, string][] = [
      [{ programs: { most: 0 } }, 'session[programs][most]: expected a whole number of at least 1, got 0'],
      [{ programs: { kept: 1 } }, 'session[programs]: expected the options most, ahead, got kept'],
    ]
    for (const [more, message] of bad) await expect(open(tagger(), set, more)).rejects.toThrow(message)
    expect(run.step).toBe(0)
  })
})
