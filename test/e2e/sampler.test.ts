// Language models at work, held to the same network in float64: draws, the streams' states, completions, keystrokes, ensembles.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PhiloxStream, type Text, Vocabulary } from '../../lib/data/index.js'
import { lstmLm, type LstmLmConfig } from '../../lib/models/index.js'
import * as nn from '../../lib/nn/index.js'
import * as optim from '../../lib/optim/index.js'
import { type Completer, completer, keystrokes, load, type Model } from '../../lib/infer/index.js'
import { session } from '../../lib/train/index.js'
import { perplexityOf, Reference } from '../support/language.js'

const letters = Array.from('\n abcdez')
const vocabulary = new Vocabulary({ unit: 'character', tokens: letters })
const config: LstmLmConfig = { vocabulary: letters.length, units: 16, layers: 2, dropout: 0.2, init: 0.3 }
const words = ['abba', 'abad', 'bed', 'cab', 'decade', 'add']

/** Words in a random order. */
function sentence(length: number, seed: number): string {
  const noise = new PhiloxStream(seed, 0, 0)
  return Array.from({ length }, () => words[noise.below(words.length)]!).join(' ')
}

let folder = ''
let model: Model
let parameters: Record<string, ArrayLike<number>> = {}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-sampler-'))
  const path = join(folder, 'model.safetensors')
  const data: Text = { tokens: vocabulary.encode(sentence(300, 1)), vocabulary }
  const run = await session(lstmLm(config), {
    data,
    loss: nn.crossEntropy,
    optimizer: optim.adam({ rate: 0.01 }),
    ...{ batch: 8, window: 10, epochs: 12, device: 'cpu', precision: 'f32' },
  })
  await run.run()
  parameters = await run.parameters()
  await run.save(path)
  await run.dispose()
  model = await load(path, lstmLm(config), { device: 'cpu' })
})
afterAll(async () => {
  await model.dispose()
  await rm(folder, { recursive: true })
})

const expectClose = (got: ArrayLike<number>, wanted: ArrayLike<number>, tolerance = 1e-4): void => {
  expect(got).toHaveLength(wanted.length)
  for (let i = 0; i < wanted.length; i++) expect(Math.abs(got[i]! - wanted[i]!)).toBeLessThan(tolerance)
}

/** How often each token was drawn by many streams behind the same letters, beside its probability. */
async function frequencies(draw: { temperature?: number; topK?: number }, wanted: ArrayLike<number>): Promise<void> {
  const streams = 4000
  const sampler = await model.sampler({ streams })
  await sampler.start(3)
  const { tokens } = await sampler.step(new Int32Array(streams).fill(2), draw)
  for (let token = 0; token < letters.length; token++) {
    const p = wanted[token]!
    const share = tokens.filter((one) => one === token).length / streams
    // Five standard deviations of a binomial share.
    expect(Math.abs(share - p)).toBeLessThanOrEqual(5 * Math.sqrt((p * (1 - p)) / streams) + 1e-9)
  }
}

const normalised = (values: readonly number[]): number[] => {
  const total = values.reduce((a, b) => a + b)
  return values.map((value) => value / total)
}

describe('a sampler', () => {
  it('has the probabilities of the network, for each stream its own', async () => {
    const sampler = await model.sampler({ streams: 3, probabilities: true })
    await sampler.start()
    const references = [0, 1, 2].map(() => new Reference(parameters))
    const noise = new PhiloxStream(9, 0, 0)
    for (let t = 0; t < 12; t++) {
      const given = Int32Array.from({ length: 3 }, () => noise.below(letters.length))
      const { logProbabilities } = await sampler.step(given)
      for (const [i, reference] of references.entries()) {
        const row = logProbabilities!.subarray(i * letters.length, (i + 1) * letters.length)
        expectClose(row, reference.next(given[i]!))
      }
    }
  })

  it('draws by them, at any temperature, from the k likeliest', async () => {
    const p = Array.from(new Reference(parameters).next(2), Math.exp)
    await frequencies({}, p)
    await frequencies({ temperature: 0.5 }, normalised(p.map((one) => one ** 2)))
    await frequencies({ temperature: 2 }, normalised(p.map(Math.sqrt)))
    const third = [...p].sort((a, b) => b - a)[2]!
    await frequencies({ topK: 3 }, normalised(p.map((one) => (one >= third ? one : 0))))
  })

  it('takes the likeliest with k = 1, each behind what it took before', async () => {
    const sampler = await model.sampler({ streams: 2 })
    await sampler.start()
    const reference = new Reference(parameters)
    let token = 0
    let given: Int32Array | undefined = new Int32Array(2)
    for (let t = 0; t < 30; t++) {
      const next = reference.next(token)
      token = next.indexOf(Math.max(...next))
      expect([...(await sampler.step(given, { topK: 1 })).tokens]).toEqual([token, token])
      given = undefined
    }
  })

  it('draws the same with the same seed, and otherwise with another', async () => {
    const sampler = await model.sampler({ streams: 4 })
    const drawn = async (seed: number): Promise<number[]> => {
      await sampler.start(seed)
      // Without waiting: the steps run in order.
      const steps = Array.from({ length: 20 }, (_, t) => sampler.step(t === 0 ? new Int32Array(4) : undefined))
      return (await Promise.all(steps)).flatMap(({ tokens }) => [...tokens])
    }
    const first = await drawn(5)
    expect(await drawn(5)).toEqual(first)
    expect(await drawn(6)).not.toEqual(first)
    // Streams of one batch draw apart.
    expect(new Set([0, 1, 2, 3].map((i) => first.filter((_, at) => at % 4 === i).join())).size).toBe(4)
  })

  it('lets streams go on from where others stand, and goes back', async () => {
    const sampler = await model.sampler({ streams: 3, probabilities: true })
    await sampler.start()
    const step = async (...given: number[]): Promise<Float32Array[]> => {
      const { logProbabilities } = await sampler.step(Int32Array.from(given))
      return [0, 1, 2].map((i) => logProbabilities!.subarray(i * letters.length, (i + 1) * letters.length))
    }
    await step(2, 3, 4)
    await sampler.save()
    const [, second] = await step(5, 5, 5)
    await sampler.restore()
    await sampler.select(Int32Array.of(1, 1, 0))
    const [a, b, c] = await step(5, 5, 5)
    expectClose(a!, second!, 1e-6)
    expectClose(b!, second!, 1e-6)
    expect(Math.abs(c![2]! - second![2]!)).toBeGreaterThan(1e-4)
  })

  it('refuses what it cannot do', async () => {
    await expect(model.sampler({ streams: 0 })).rejects.toThrow(
      'sampler[streams]: expected a whole number of at least 1, got 0',
    )
    const sampler = await model.sampler()
    for (const temperature of [0, -1, NaN, Infinity]) {
      await expect(sampler.step(undefined, { temperature })).rejects.toThrow(
        `sampler[temperature]: expected a number above 0, got ${temperature}`,
      )
    }
    await expect(sampler.step(undefined, { topK: 0 })).rejects.toThrow('sampler[topK]')
    await expect(sampler.step(undefined, { topK: 1.5 })).rejects.toThrow('sampler[topK]')
    await expect(sampler.step(Int32Array.of(99))).rejects.toMatchObject({ code: 'ERR_DATA' })
  })
})

describe('token losses', () => {
  it('are those of one pass, whatever the window', async () => {
    const text: Text = { tokens: vocabulary.encode(sentence(20, 4)), vocabulary }
    const [short, long] = [await model.tokenLosses(text, { window: 7 }), await model.tokenLosses(text)]
    expectClose(short, long, 1e-5)
    const mean = long.reduce((a, b) => a + b) / long.length
    expect(Math.exp(mean) / perplexityOf(parameters, text.tokens)).toBeCloseTo(1, 5)
    const { loss } = await model.evaluate({ data: text, loss: nn.crossEntropy })
    expect(loss).toBeCloseTo(mean, 5)
  })
})

/** Ends of a word by the reference, every one that is likely enough. */
function ends(text: string, most: number): { text: string; probability: number }[] {
  const after = (read: string): Float64Array => {
    const reference = new Reference(parameters)
    let next = reference.next(0)
    for (const letter of read) next = reference.next(letters.indexOf(letter))
    return next
  }
  const done: { text: string; probability: number }[] = []
  const visit = (end: string, probability: number): void => {
    if (probability < 1e-3 || end.length > 8) return
    const p = after(text + end).map(Math.exp)
    if (end !== '') done.push({ text: end, probability: probability * (p[0]! + p[1]!) })
    for (let i = 2; i < letters.length; i++) visit(end + letters[i]!, probability * p[i]!)
  }
  visit('', 1)
  return done.sort((a, b) => b.probability - a.probability).slice(0, most)
}

describe('completions', () => {
  it('of a model of characters are the likeliest ends of the word', async () => {
    const typed = await completer(model, vocabulary)
    for (const text of ['bed ab', 'bed abb', 'bed ', '', 'cab dec', 'bed a']) {
      await typed.read(text)
      const found = await typed.completions(3)
      const wanted = ends(text, 3)
      expect(found.map((one) => one.text)).toEqual(wanted.map((one) => one.text))
      expectClose(
        found.map((one) => one.probability),
        wanted.map((one) => one.probability),
      )
    }
    await expect(typed.read('x')).rejects.toThrow('got "x" at 0')
  })

  it('of a model of words are the words that begin so, by their probability', async () => {
    const known = new Vocabulary({
      unit: 'word',
      tokens: ['<eos>', 'able', 'about', '<unk>', 'above', 'bee', 'a', 'cat'],
    })
    const typed = await completer(model, known)
    const next = Array.from(
      ['<eos>', 'cat', '<unk>'].reduce<{ reference: Reference; next: Float64Array }>(
        ({ reference }, word) => ({ reference, next: reference.next(known.numberOf(word)!) }),
        { reference: new Reference(parameters), next: new Float64Array(0) },
      ).next,
      Math.exp,
    )
    await typed.read('cat zebra ab')
    const found = await typed.completions(5)
    const wanted = normalised([next[1]!, next[2]!, next[4]!])
    expect(new Map(found.map((one) => [one.text, one.probability.toFixed(4)]))).toEqual(
      new Map([
        ['le', wanted[0]!.toFixed(4)],
        ['out', wanted[1]!.toFixed(4)],
        ['ove', wanted[2]!.toFixed(4)],
      ]),
    )
    expect(found.map(({ probability }) => probability)).toEqual(
      found.map(({ probability }) => probability).sort((a, b) => b - a),
    )
    await typed.read('cat zebra q')
    expect(await typed.completions(5)).toEqual([])
  })
})

describe('keystrokes', () => {
  it('counts the keys of one who takes the right completion', async () => {
    let text = ''
    const fixed: Completer = {
      read: (given) => {
        text = given
        return Promise.resolve()
      },
      // Knows "decade" from its second letter on, and offers it for every other word, too.
      completions: () => Promise.resolve([{ text: text.endsWith('de') ? 'cade' : 'x', probability: 1 }]),
    }
    // d, e, Tab; b, e, d, space.
    expect(await keystrokes(fixed, 'decade bed')).toEqual({ words: 2, characters: 11, keys: 7, saved: 1 - 7 / 11 })
  })

  it('saves some with a trained model', async () => {
    const typed = await completer(model, vocabulary)
    const { words: count, saved } = await keystrokes(typed, sentence(12, 8))
    expect(count).toBe(12)
    expect(saved).toBeGreaterThan(0.2)
    expect(saved).toBeLessThan(0.8)
  })
})
