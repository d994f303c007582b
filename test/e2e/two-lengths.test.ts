// Training on examples of two lengths: a network that reads a line and writes another, over one program for each pair of extents.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parallelText, PhiloxStream, sequences } from '../../lib/data/index.js'
import type { Tensor } from '../../lib/graph/index.js'
import * as nn from '../../lib/nn/index.js'
import * as ops from '../../lib/ops/index.js'
import * as optim from '../../lib/optim/index.js'
import { measures, session } from '../../lib/train/index.js'
import { all, lossesOf, options } from './tasks.js'

const { device } = options()
const symbols = 5
let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-two-lengths-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

/** Lines of symbols; the translation says the first symbol as often as a length of its own. Symbol 0 is padding, 1 a beginning. */
function lines(count: number, more = {}) {
  const noise = new PhiloxStream(4, 0, 0)
  const source = Array.from({ length: count }, () =>
    Int32Array.from({ length: 1 + noise.below(20) }, () => 2 + noise.below(symbols - 2)),
  )
  const target = source.map(([first]) => new Int32Array(1 + noise.below(9)).fill(first!))
  const input = target.map((own) => Int32Array.of(1, ...own.subarray(0, -1)))
  const lengths = { sourceLengths: ['source'], targetLengths: ['input', 'target'] } as const
  return sequences({ source, input, target }, { multiple: 4, lengths, ...more })
}

/** Reads a line by one LSTM, whose last states are the first of one that writes. */
function translator(dropout = 0) {
  const [read, write] = [nn.embedding(symbols, 8), nn.embedding(symbols, 8)]
  const [encoder, decoder] = [nn.lstm({ units: 12, inputs: 8, reverse: true }), nn.lstm({ units: 12, inputs: 8 })]
  const drop = nn.dropout(dropout)
  const choice = nn.linear(12, symbols)
  return (source: Tensor<'i32'>, input: Tensor<'i32'>, sourceLengths: Tensor<'i32'>) => {
    const { last } = encoder.run(read(source), { lengths: sourceLengths })
    return choice(drop(decoder.run(write(input), { start: last }).output))
  }
}

function open(set: ReturnType<typeof lines>, dropout = 0, more: Partial<Parameters<typeof session>[1]> = {}) {
  const net = translator(dropout)
  return session(
    ({ source, input, target, sourceLengths, targetLengths }) => {
      const mask: Tensor<'f32'> = ops.cast(ops.sequenceMask(targetLengths, target.shape[0]!), 'f32')
      const logits = net(source, input, sourceLengths)
      const flat: Tensor<'f32'> = ops.crossEntropy(ops.reshape(logits, [-1, symbols]), ops.reshape(target, [-1]))
      return {
        loss: { sum: ops.sum(ops.mul(ops.reshape(flat, target.shape), mask)), count: ops.sum(mask) },
        accuracy: measures.accuracy(logits, target, mask),
      }
    },
    {
      ...{ data: { train: set, validation: set }, optimizer: optim.adam({ rate: 0.02 }), batch: 8 },
      ...{ seed: 1, precision: 'f32' as const, ...(device && { device }) },
      ...(more as object),
    },
  )
}

describe('a session over examples of two lengths', () => {
  it('learns, tells the share of padding of both, and measures every step once', async () => {
    const set = lines(160)
    await using run = await open(set, 0, { epochs: 12 })
    let padding = NaN
    for await (const event of run.events()) {
      if (event.type === 'start') padding = event.padding!
      if (event.type === 'end') expect(event.validation.accuracy).toBeGreaterThan(0.95)
    }
    expect(padding).toBeGreaterThan(0.05)
    expect(padding).toBeLessThan(0.35)
    // Padding and the company of other lengths change nothing: each example alone has the same loss.
    const whole = await run.evaluate(set, 8)
    for (const batch of [1, 3, 200]) {
      const cut = await run.evaluate(set, batch)
      expect(cut.loss).toBeCloseTo(whole.loss, 5)
      expect(cut.accuracy).toBeCloseTo(whole.accuracy, 10)
    }
  })

  it('tells what its data say of themselves, then what it finds in them', async () => {
    const files = ['text.de', 'text.en'].map((name) => join(folder, name)) as [string, string]
    await writeFile(files[0], 'eins\n\nzwei\ndrei\n')
    await writeFile(files[1], 'one\ntwo\ntwo\nthree\n')
    const { notes } = await parallelText(files, { heldBack: 0.5 })
    const set = lines(40, { longest: 12, longer: 'leave out' })
    const data = { train: set, validation: lines(20), notes }
    const told: string[] = []
    await using run = await open(set, 0, { data, onWarning: (message) => told.push(message) })
    expect(told).toEqual([
      'text.de, text.en: 1 pairs have an empty line, and are left out (lines 2)',
      `data[train]: ${set.buckets!.leftOut} examples are longer than the longest allowed, and left out`,
    ])
    const events = await all(run.events())
    expect(events.flatMap((event) => (event.type === 'warning' ? [event.message] : []))).toEqual(told)
    await expect(open(set, 0, { data: { ...data, notes: 'none' as never } })).rejects.toThrow(
      'session[data.notes]: expected a list of texts, got "none"',
    )
  })

  it('goes on in the middle of an epoch to the bit', async () => {
    const path = join(folder, 'half.safetensors')
    const set = lines(60, { tokens: 120 })
    await using whole = await open(set, 0.2, { epochs: 2 })
    const expected = await lossesOf(whole.events())
    const first = await open(set, 0.2, { epochs: 2, programs: { most: 2 } })
    for await (const event of first.events()) if (event.type === 'step' && event.step === 7) break
    await first.save(path)
    const done = first.step
    expect(done % (expected.length / 2)).toBeGreaterThan(0)
    await first.dispose()
    await using second = await open(set, 0.2, { epochs: 2, programs: { ahead: true } })
    await second.resume(path)
    expect(await lossesOf(second.events())).toEqual(expected.slice(done))
    expect(await second.parameters()).toEqual(await whole.parameters())
  })
})
