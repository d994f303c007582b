// Sounds of any number, length and rate, transcribed by a network that has learned which of three tones it hears.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Alphabet, learnNgrams, PhiloxStream, resample, type Sound, speechSet } from '../../lib/data/index.js'
import { speech } from '../../lib/models/index.js'
import * as nn from '../../lib/nn/index.js'
import * as optim from '../../lib/optim/index.js'
import { ctcGreedy, transcriber } from '../../lib/train.js'
import { measures, type Session, session } from '../../lib/train/index.js'
import { options } from './tasks.js'

const { device } = options()
const RATE = 2000
const alphabet = Alphabet.of(['high low mid'], 'word')
const hertz = { high: 800, low: 200, mid: 450 } as const

/** Words as tones of a tenth of a second, with silence around each; and the words. */
function spoken(seed: number): { readonly sound: Sound; readonly transcript: string } {
  const random = new PhiloxStream(seed, 0, 0)
  const words = Array.from({ length: 1 + random.below(4) }, () => (['high', 'low', 'mid'] as const)[random.below(3)]!)
  const silence = (): number[] => Array.from({ length: 60 + random.below(80) }, () => (random.below(100) - 50) / 5000)
  const tone = (hz: number): number[] =>
    Array.from({ length: 200 }, (_, i) => 0.4 * Math.sin((2 * Math.PI * hz * i) / RATE))
  const samples = [...words.flatMap((word) => [...silence(), ...tone(hertz[word])]), ...silence()]
  return { sound: { samples: Float32Array.from(samples), rate: RATE }, transcript: words.join(' ') }
}

const lines = Array.from({ length: 120 }, (_, i) => spoken(i))
const fresh = Array.from({ length: 21 }, (_, i) => spoken(1000 + i))
const sounds = fresh.map(({ sound }) => sound)
const net = speech({
  features: {
    banks: { convention: 'kaldi', rate: RATE, frameLength: 16, frameShift: 8, filters: 8 },
    ...{ stack: 2, normalise: 'sound' as const },
  },
  ...{ layers: 1, units: 24, classes: alphabet.size },
})

let run: Session
beforeAll(async () => {
  run = await session(
    ({ samples, sampleLengths, labels, labelLengths }) => {
      const { output: logits, lengths: frames } = net.run(samples, { lengths: sampleLengths })
      return {
        loss: nn.ctcLoss(logits, labels, labelLengths, frames),
        wordErrorRate: measures.wordErrorRate({ logits, frames, labels, labelLengths, alphabet }),
      }
    },
    {
      ...{ data: { train: speechSet(lines, { alphabet }), validation: speechSet(fresh, { alphabet }) } },
      ...{ optimizer: optim.adam({ rate: 0.02 }), batch: 12, epochs: 12, seed: 1, precision: 'f32' as const },
      ...(device && { device }),
    },
  )
  const { validation } = await run.run()
  expect(validation['wordErrorRate']).toBeLessThan(0.1)
}, 120_000)
afterAll(async () => {
  await run.dispose()
})

const textsOf = (found: readonly (readonly { readonly text: string }[])[]): string[] =>
  found.map(([best]) => best?.text ?? '')

describe('transcriber', () => {
  it('hears what is said, each sound as it is alone, in any batches', async () => {
    using listen = transcriber(run, net, { alphabet, search: 'greedy' })
    const all = textsOf(await listen.transcribe(sounds))
    const right = all.filter((text, i) => text === fresh[i]!.transcript)
    expect(right.length).toBeGreaterThan(17)
    for (const batch of [1, 4]) {
      using other = transcriber(run, net, { alphabet, search: 'greedy', batch })
      expect(textsOf(await other.transcribe(sounds))).toEqual(all)
    }
    // Every sound by itself says what it says beside others.
    const [first] = await listen.transcribe([sounds[3]!])
    expect(first![0]!.text).toBe(all[3])
  })

  it('gives what the network says of each frame, and words with their times', async () => {
    using listen = transcriber(run, net, { alphabet, search: 'greedy' })
    const [heard] = await listen.hear([sounds[0]!])
    expect(heard!.frames).toBe(net.frames(sounds[0]!.samples.length))
    expect(heard!.logits).toHaveLength(heard!.frames * alphabet.size)
    expect(heard!.shift).toBeCloseTo(0.016, 9)
    const [found = []] = await listen.transcribe([sounds[0]!])
    const own = found[0]!
    const [greedy] = ctcGreedy(alphabet, heard!.logits)
    expect(own.text).toBe(greedy.text)
    expect(own.words[0]!.start).toBeCloseTo(greedy.words[0]!.start * 0.016, 9)
    // The first tone begins after 60 to 140 samples.
    expect(own.words[0]!.start).toBeGreaterThan(0.01)
    expect(own.words[0]!.start).toBeLessThan(0.2)
  })

  it('searches with a beam and a language model, and tells several', async () => {
    const languageModel = learnNgrams(
      lines.map(({ transcript }) => transcript),
      { order: 2 },
    )
    using listen = transcriber(run, net, { alphabet, beam: 20, best: 3, languageModel, alpha: 0.3 })
    const found = await listen.transcribe(sounds)
    expect(textsOf(found).filter((text, i) => text === fresh[i]!.transcript).length).toBeGreaterThan(17)
    for (const some of found) {
      expect(some.length).toBeGreaterThan(1)
      expect(some[0]!.score).toBeGreaterThanOrEqual(some[1]!.score!)
    }
  })

  it('brings sounds of another rate to its own', async () => {
    using listen = transcriber(run, net, { alphabet, search: 'greedy' })
    const wide = sounds.slice(0, 8).map((sound) => resample(sound, 8000))
    const [own, other] = [await listen.transcribe(sounds.slice(0, 8)), await listen.transcribe(wide)]
    const alike = textsOf(other).filter((text, i) => text === own[i]![0]!.text)
    expect(alike.length).toBeGreaterThan(6)
  })

  it('hears nothing in what is too short for a frame', async () => {
    using listen = transcriber(run, net, { alphabet, beam: 5 })
    const found = await listen.transcribe([{ samples: new Float32Array(9), rate: RATE }, sounds[0]!])
    expect(found[0]).toEqual([{ text: '', words: [], confidence: 1 }])
    expect(found[1]![0]!.text).toBe(fresh[0]!.transcript)
    expect(await listen.transcribe([])).toEqual([])
  })

  it('refuses what is no sound, an alphabet of other symbols, and weights without a beam', async () => {
    using listen = transcriber(run, net, { alphabet })
    const bad = { samples: new Float32Array([0, NaN]), rate: RATE }
    await expect(listen.transcribe([sounds[0]!, bad])).rejects.toThrow('sound 1: expected finite samples, got NaN')
    await expect(listen.transcribe([{ samples: new Float32Array(0), rate: RATE }])).rejects.toThrow('got none')
    using other = transcriber(run, net, { alphabet: Alphabet.of(['a b'], 'word') })
    await expect(other.transcribe(sounds)).rejects.toThrow("transcriber[alphabet]: expected the network's 4 symbols")
    expect(() => transcriber(run, net, { alphabet, search: 'greedy', alpha: 1 })).toThrow(
      "transcriber[alpha]: expected it with search 'beam', got it with 'greedy'",
    )
    expect(() => transcriber(run, net, { alphabet, beam: 0 })).toThrow('prefixBeamSearch[beam]')
    expect(() => transcriber(run, net, {} as never)).toThrow('alphabet')
    const ended = transcriber(run, net, { alphabet })
    ended.dispose()
    await expect(ended.transcribe(sounds)).rejects.toThrow('expected a live one')
  })
})
