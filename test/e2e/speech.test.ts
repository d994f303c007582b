// A network over sound of lengths of its own: moments of what it is given, training with noise and masks, and going on to the bit.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PhiloxStream, sequences } from '../../lib/data/index.js'
import { openSafetensors } from '../../lib/files/index.js'
import { feed, type Shape, type Tensor, trace } from '../../lib/graph/index.js'
import { speech, type SpeechConfig } from '../../lib/models/index.js'
import * as nn from '../../lib/nn/index.js'
import { cast, div, maximum, mul, reshape, sum } from '../../lib/ops/index.js'
import * as optim from '../../lib/optim/index.js'
import { frameMoments, measures, session } from '../../lib/train/index.js'
import { interpret } from '../support/interpreter.js'
import { ndarray } from '../support/ndarray.js'
import { fixedStates } from '../support/sound.js'
import { lossesOf, options } from './tasks.js'

const { device } = options()
const place = { ...(device && { device }) }
const kinds = 3
const banks = { convention: 'kaldi', rate: 2000, frameLength: 16, frameShift: 8, filters: 6 } as const
const config: SpeechConfig = { features: { banks, deltas: 1 }, layers: 1, units: 12, classes: kinds }
let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-speech-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

/** Noisy tones of 100 to 400 samples, of one of three pitches. */
function tones(count: number, seed = 4) {
  const noise = new PhiloxStream(seed, 0, 0)
  const label = Int32Array.from({ length: count }, () => noise.below(kinds))
  const x = Array.from(label, (kind) => {
    const loud = 0.05 + noise.below(100) / 1000
    return Float32Array.from(
      { length: 100 + noise.below(300) },
      (_, i) => loud * Math.sin((0.4 + 0.6 * kind) * i) + (noise.below(1000) - 500) / 20_000,
    )
  })
  return sequences({ x, label }, { multiple: 80 })
}

const set = tones(90)
const held = tones(30, 5)

function open(own: SpeechConfig, more: object = {}) {
  const net = speech(own)
  return session(
    ({ x, label, lengths }) => {
      const { output, mask, lengths: frames } = net.run(x, { lengths })
      const there: Tensor<'f32'> = reshape(cast(mask!, 'f32'), [...mask!.shape, 1])
      const count = reshape(maximum<'f32', Shape>(cast(frames, 'f32'), 1), [-1, 1])
      const logits = div<'f32', Shape, Shape>(sum<'f32'>(mul<'f32', Shape, Shape>(output, there), 0), count)
      return { loss: nn.crossEntropy(logits, label), accuracy: measures.accuracy(logits, label) }
    },
    {
      ...{ data: { train: set, validation: held }, optimizer: optim.adam({ rate: 0.02 }), batch: 10 },
      ...{ seed: 1, precision: 'f32' as const, ...place },
      ...more,
    },
  )
}

describe('frameMoments', () => {
  it('are those of all frames that there are, whatever the batches', async () => {
    const net = speech(config)
    const [mean, deviation] = [new Float64Array(12), new Float64Array(12)]
    const numbers: number[][] = []
    const few = sequences(
      { x: Array.from({ length: 7 }, (_, i) => sample(i)), label: new Int32Array(7) },
      { multiple: 80 },
    )
    for (let i = 0; i < few.length; i++) {
      const own = sample(i)
      const graph = trace({ name: 'one' }, () => ({ y: net.features(feed('x', 'f32', [own.length, 1])).output }))
      const { data } = interpret(graph, { x: ndarray([own.length, 1], own) }, fixedStates(graph)).fetches['y']!
      for (let t = 0; t < data.length / 12; t++) numbers.push([...data.subarray(12 * t, 12 * t + 12)])
    }
    for (const row of numbers) for (const [d, v] of row.entries()) mean[d]! += v / numbers.length
    for (const row of numbers) for (const [d, v] of row.entries()) deviation[d]! += (v - mean[d]!) ** 2 / numbers.length
    for (const batch of [1, 3, 32]) {
      const found = await frameMoments(few, ({ x, lengths }) => net.features(x, lengths), { batch, ...place })
      expect(found.shape).toEqual([1, 12])
      for (let d = 0; d < 12; d++) {
        expect(Math.abs(found.mean[d]! - mean[d]!), `mean ${d}`).toBeLessThan(1e-4 * Math.max(1, Math.abs(mean[d]!)))
        expect(found.deviation[d]! / Math.sqrt(deviation[d]!), `deviation ${d}`).toBeCloseTo(1, 3)
      }
    }
  })

  it('are 1 for numbers that are all alike, and refuse what is no number of a frame', async () => {
    const flat = sequences({ x: [new Float32Array(100).fill(0.1), new Float32Array(90).fill(0.1)] })
    const layer = nn.filterBanks({ ...banks, energy: 'raw' })
    const of = ({ x, lengths }: { readonly x: Tensor<'f32'>; readonly lengths: Tensor<'i32'> }) =>
      layer.run(x as nn.Samples, { lengths })
    const { deviation } = await frameMoments(flat, of, place)
    expect([...deviation]).toEqual(new Array(7).fill(1))
    await expect(frameMoments(flat, ({ x }) => ({ output: x }), place)).rejects.toThrow(
      'frameMoments: expected numbers of f32[T, N, D], got f32[104, 2]',
    )
    await expect(frameMoments(flat, of, { batches: 3 } as never)).rejects.toThrow('got batches')
    const short = sequences({ x: [new Float32Array(20)] }, { multiple: 80 })
    await expect(frameMoments(short, of, place)).rejects.toThrow('frameMoments: expected frames, got none')
    const strange = sequences({ x: [new Float32Array(100).fill(NaN)] })
    await expect(frameMoments(strange, of, place)).rejects.toThrow(
      'frameMoments: expected finite numbers, got others as number 0 of a frame',
    )
  })
})

/** A short sound, other for each i. */
function sample(i: number): Float32Array {
  return Float32Array.from(
    { length: 60 + 37 * i },
    (_, t) => 0.3 * Math.sin((0.2 + 0.1 * i) * t) + 0.01 * Math.cos(t * t),
  )
}

describe('a network over sound', () => {
  it('learns with noise on weights and masks over its numbers, and its checkpoint has no fixed matrix', async () => {
    const path = join(folder, 'tones.safetensors')
    const net = speech(config)
    const moments = await frameMoments(set, ({ x, lengths }) => net.features(x, lengths), place)
    const augment = { frequency: { masks: 1, most: 1 }, time: { masks: 1, most: 3 } }
    const own = { ...config, features: { ...config.features, moments }, weightNoise: 0.05, dropout: 0.1, augment }
    await using run = await open(own, { epochs: 6 })
    const { validation } = await run.run()
    expect(validation.accuracy).toBeGreaterThan(0.9)
    await run.save(path)
    const file = await openSafetensors(path)
    const { tensors } = file
    await file.close()
    const names = [...tensors.keys()].filter((name) => name.startsWith('speech/') && !/\.(m|v|first|second)/.test(name))
    expect(names.filter((name) => name.includes('fourier') || name.includes('filters'))).toEqual([])
    expect(names).toContain('speech/standardise1/deviation')
    // Without the moments, a network has those of the file.
    await using other = await open(config, { epochs: 6 })
    await other.load(path)
    const [before, after] = [await run.evaluate(held, 10), await other.evaluate(held, 10)]
    expect(after.loss).toBeCloseTo(before.loss, 6)
  })

  it('goes on in the middle of an epoch to the bit', async () => {
    const path = join(folder, 'half.safetensors')
    const augment = { frequency: { masks: 1, most: 1 }, time: { masks: 1, most: 3 } }
    const own = { ...config, weightNoise: 0.05, dropout: 0.1, augment }
    await using whole = await open(own, { epochs: 2 })
    const expected = await lossesOf(whole.events())
    const first = await open(own, { epochs: 2 })
    for await (const event of first.events()) if (event.type === 'step' && event.step === 7) break
    await first.save(path)
    const done = first.step
    await first.dispose()
    await using second = await open(own, { epochs: 2 })
    await second.resume(path)
    expect(await lossesOf(second.events())).toEqual(expected.slice(done))
  })

  it('measures every sound as it is alone, whatever it is padded to', async () => {
    await using run = await open(config, { epochs: 1 })
    await run.run()
    const whole = await run.evaluate(held, 8)
    for (const batch of [1, 3, 30]) {
      expect((await run.evaluate(held, batch)).loss).toBeCloseTo(whole.loss, 5)
    }
  })
})
