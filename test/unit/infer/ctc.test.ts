// Greedy decoding, forced alignment and prefix beam search without a language model, held to the sums over all paths.
import { describe, expect, it } from 'vitest'
import { Alphabet, DataError } from '../../../lib/data/index.js'
import {
  ctcAlignment,
  ctcGreedy,
  type CtcHypothesis,
  prefixBeamSearch,
  type PrefixBeamSearchOptions,
} from '../../../lib/infer/index.js'
import { beamSearchOf, drawnLogits, everyPath, everyTranscript, forward, logProbabilities } from '../../support/ctc.js'
import { generator } from '../../support/random.js'

const letters = (count: number): Alphabet => Alphabet.of(['abcdefghijklmnopqrstuvwxyz'.slice(0, count)], 'character')

async function searched(
  alphabet: Alphabet,
  logits: Float32Array,
  options: PrefixBeamSearchOptions = {},
  lengths?: Int32Array,
): Promise<readonly (readonly CtcHypothesis[])[]> {
  return prefixBeamSearch(alphabet, options).run(logits, lengths && { lengths })
}

/** Logits in which each frame is sure of its symbol: p is 0.9, or as given. */
function said(alphabet: Alphabet, path: string, sure: readonly number[] = []): Float32Array {
  const numbers = Array.from(path, (symbol) => (symbol === '-' ? 0 : alphabet.numberOf(symbol)!))
  return Float32Array.from({ length: path.length * alphabet.size }, (_, i) => {
    const [t, k] = [Math.floor(i / alphabet.size), i % alphabet.size]
    const p = sure[t] ?? 0.9
    return Math.log(numbers[t] === k ? p : (1 - p) / (alphabet.size - 1))
  })
}

describe('prefix beam search', () => {
  it.each([
    [1, 2],
    [2, 3],
    [4, 3],
    [5, 2],
    [5, 3],
    [6, 2],
  ])('finds all transcripts of %i frames and %i letters, each with the sum of its paths', async (frames, count) => {
    const alphabet = letters(count)
    for (let seed = 1; seed <= 8; seed++) {
      const logits = drawnLogits(seed, frames, alphabet.size)
      const all = everyTranscript(alphabet, logProbabilities(logits, alphabet.size))
      const [found] = await searched(alphabet, logits, { beam: 2000, best: 2000 })
      expect(found!.length).toBe(all.size)
      for (const [i, { labels, logProbability, score, posterior, text }] of found!.entries()) {
        expect(logProbability).toBeCloseTo(all.get(labels.join())!, 5)
        expect(score).toBe(logProbability)
        // All paths together are 1.
        expect(posterior).toBeCloseTo(Math.exp(score), 5)
        expect(text).toBe(alphabet.decode(labels))
        expect(score).toBeLessThanOrEqual(found![Math.max(0, i - 1)]!.score)
      }
    }
  })

  it('adds repeats up by the rules that these have', async () => {
    const alphabet = letters(1)
    // aa needs a blank between: of three frames only a-a gives it.
    const [found] = await searched(alphabet, said(alphabet, 'aaa', [0.5, 0.6, 0.7]), { best: 9 })
    const byText = Object.fromEntries(found!.map(({ text, logProbability }) => [text, Math.exp(logProbability)]))
    expect(byText['aa']).toBeCloseTo(0.5 * 0.4 * 0.7, 6)
    expect(byText['']).toBeCloseTo(0.5 * 0.4 * 0.3, 6)
    expect(byText['a']).toBeCloseTo(1 - 0.5 * 0.4 * (0.7 + 0.3), 6)
  })

  it.each([1, 2, 3, 5, 8, 20])('with a beam of %i has each transcript once, of at most all its paths', async (beam) => {
    const alphabet = letters(5)
    for (let seed = 1; seed <= 25; seed++) {
      const logits = drawnLogits(100 + seed, 14, alphabet.size)
      const frames = logProbabilities(logits, alphabet.size)
      const [found] = await searched(alphabet, logits, { beam, best: beam })
      expect(found!.length).toBeLessThanOrEqual(beam)
      expect(new Set(found!.map(({ text }) => text)).size).toBe(found!.length)
      for (const { labels, logProbability } of found!) {
        expect(logProbability).toBeLessThanOrEqual(forward(frames, [...labels]) + 1e-9)
      }
      expect(found!.reduce((sum, { posterior }) => sum + posterior, 0)).toBeCloseTo(1, 9)
    }
  })

  it.each([1, 2, 4, 9, 30])('with a beam of %i keeps what one keeps that tries everything', async (beam) => {
    const alphabet = letters(6)
    for (let seed = 1; seed <= 12; seed++) {
      const logits = drawnLogits(200 + seed, 15, alphabet.size).map((x) => 1.5 * x)
      const wanted = beamSearchOf(logProbabilities(logits, alphabet.size), beam)
      const [found] = await searched(alphabet, logits, { beam, best: beam })
      expect(found!.map(({ labels }) => labels.join())).toEqual(wanted.map(([labels]) => labels))
      for (const [i, [, score]] of wanted.entries()) expect(found![i]!.score).toBeCloseTo(score, 5)
    }
  })

  it('loses nearly nothing of what is said in a beam of 100', async () => {
    const alphabet = letters(20)
    for (let seed = 1; seed <= 4; seed++) {
      const random = generator(seed)
      // Each frame is more or less sure of a symbol, of the blank every other time.
      const truth = Array.from({ length: 40 }, () => Math.max(0, Math.floor(42 * random()) - 21))
      const logits = drawnLogits(seed, 40, alphabet.size).map((x, i) => {
        return x + (i % alphabet.size === truth[Math.floor(i / alphabet.size)] ? 9 : 0)
      })
      const frames = logProbabilities(logits, alphabet.size)
      const [[best]] = (await searched(alphabet, logits)) as [[CtcHypothesis]]
      const whole = forward(frames, [...best.labels])
      expect(best.logProbability).toBeCloseTo(whole, 1)
      expect(whole).toBeGreaterThanOrEqual(forward(frames, [...ctcGreedy(alphabet, logits)[0].labels]))
    }
  })

  it('drops what is far below the best, and finds the best all the same', async () => {
    const alphabet = letters(4)
    for (let seed = 1; seed <= 10; seed++) {
      const logits = drawnLogits(seed, 8, alphabet.size)
      const [[whole], some, none] = await Promise.all([
        searched(alphabet, logits, { beam: 5000 }).then(([found]) => found!),
        searched(alphabet, logits, { beam: 5000, best: 5000, prune: 6 }).then(([found]) => found!),
        searched(alphabet, logits, { beam: 5000, best: 5000, prune: 1e-9 }).then(([found]) => found!),
      ])
      expect(some[0]!.text).toBe(whole!.text)
      expect(some.length).toBeLessThan(3000)
      for (const { score } of some) expect(score).toBeGreaterThanOrEqual(some[0]!.score - 6)
      expect(none).toHaveLength(1)
    }
  })

  it('has for an utterance what it has for it alone, whatever stands beside and behind it', async () => {
    const alphabet = letters(4)
    const lengths = Int32Array.of(7, 0, 9, 4)
    const rows = lengths.length
    const logits = drawnLogits(3, 9, alphabet.size, rows)
    const search = prefixBeamSearch(alphabet, { best: 5 })
    const [together, again] = await Promise.all([search.run(logits, { lengths }), search.run(logits, { lengths })])
    expect(together).toEqual(again)
    for (let row = 0; row < rows; row++) {
      const own = Float32Array.from({ length: lengths[row]! * alphabet.size }, (_, i) => {
        const t = Math.floor(i / alphabet.size)
        return logits[(t * rows + row) * alphabet.size + (i % alphabet.size)]!
      })
      if (own.length === 0) expect(together[row]!.map(({ text }) => text)).toEqual([''])
      else expect(together[row]).toEqual((await search.run(own))[0])
    }
    expect(ctcGreedy(alphabet, logits, { lengths })).toHaveLength(rows)
  })
})

describe('greedy decoding', () => {
  it('is the likeliest path without repeats and blanks', () => {
    const alphabet = letters(3)
    for (let seed = 1; seed <= 20; seed++) {
      const logits = drawnLogits(seed, 6, alphabet.size)
      const paths = everyPath(logProbabilities(logits, alphabet.size))
      const best = paths.reduce((a, b) => (b.logProbability > a.logProbability ? b : a))
      expect([...ctcGreedy(alphabet, logits)[0].labels]).toEqual([...alphabet.collapse(best.symbols)])
    }
  })

  it('tells the frames of each word, and how sure it is', () => {
    const alphabet = Alphabet.of(['ab c'], 'character')
    const [found] = ctcGreedy(
      alphabet,
      said(alphabet, '-aa-b  -cc--', [0.9, 0.8, 0.7, 0.9, 0.6, 0.9, 0.9, 0.9, 0.5, 0.99]),
    )
    expect(found.text).toBe('ab c')
    expect(found.words.map(({ text, start, end }) => [text, start, end])).toEqual([
      ['ab', 1, 5],
      ['c', 8, 10],
    ])
    expect(found.words[0]!.confidence).toBeCloseTo((0.8 * 0.7 * 0.6) ** (1 / 3), 5)
    expect(found.words[1]!.confidence).toBeCloseTo((0.5 * 0.99) ** (1 / 2), 5)
    expect(found.confidence).toBeCloseTo((0.8 * 0.7 * 0.6 * 0.5 * 0.99) ** (1 / 5), 5)
  })

  it('takes each symbol of an alphabet of words for a word', () => {
    const alphabet = Alphabet.of(['one two'], 'word')
    const row = (symbol: number): number[] => Array.from({ length: 3 }, (_, k) => (k === symbol ? 5 : 0))
    const [found] = ctcGreedy(alphabet, Float32Array.from([1, 1, 0, 2, 2, 0].flatMap(row)))
    expect(found.words.map(({ text, start, end }) => [text, start, end])).toEqual([
      ['one', 0, 2],
      ['two', 3, 5],
    ])
  })

  it('of nothing but blanks has no words, and is sure', () => {
    const alphabet = letters(2)
    const [found] = ctcGreedy(alphabet, said(alphabet, '---'))
    expect(found).toMatchObject({ text: '', words: [], confidence: 1 })
  })
})

describe('alignment', () => {
  it('is the likeliest of all paths that give the labels', () => {
    const alphabet = letters(2)
    for (let seed = 1; seed <= 12; seed++) {
      const logits = drawnLogits(seed, 6, alphabet.size)
      const frames = logProbabilities(logits, alphabet.size)
      const paths = everyPath(frames)
      for (const labels of [[1], [2, 1], [1, 1], [1, 2, 1], [2, 2, 1], [1, 1, 1]]) {
        const own = paths.filter(({ symbols }) => alphabet.collapse(symbols).join() === labels.join())
        const best = own.reduce((a, b) => (b.logProbability > a.logProbability ? b : a))
        const spans = ctcAlignment(alphabet, logits, Int32Array.from(labels))
        const path = new Array<number>(6).fill(0)
        for (const { label, start, end } of spans) path.fill(label, start, end)
        expect(path).toEqual(best.symbols)
        for (const { label, start, end, logProbability } of spans) {
          const sum = frames.slice(start, end).reduce((total, frame) => total + frame[label]!, 0)
          expect(logProbability).toBeCloseTo(sum, 5)
        }
      }
    }
  })

  it('refuses what would take a table of more than 2 GiB', () => {
    const many = Int32Array.from({ length: 30_000 }, (_, i) => 1 + (i % 2))
    expect(() => ctcAlignment(letters(2), new Float32Array(3 * 40_000), many)).toThrow(
      'expected frames times labels below 1073741824, got 40000 frames and 30000 labels (cut the sound into parts)',
    )
  })

  it('of no labels is none', () => {
    expect(ctcAlignment(letters(2), drawnLogits(1, 3, 3), new Int32Array(0))).toEqual([])
  })

  it('refuses labels that the frames have no room for, or that are none', () => {
    const alphabet = letters(2)
    const logits = drawnLogits(1, 4, 3)
    const align =
      (...labels: readonly number[]) =>
      (): unknown =>
        ctcAlignment(alphabet, logits, Int32Array.from(labels))
    expect(align(1, 1, 1)).toThrow('ctcAlignment: expected at least 5 frames for 3 labels with 2 repeats, got 4')
    expect(align(1, 2, 1, 2)).not.toThrow()
    expect(align(0)).toThrow('ctcAlignment[labels]: expected labels from 1 to 2, got 0')
    expect(align(3)).toThrow(DataError)
    const never = Float32Array.from(logits, (x, i) => (i % 3 === 2 ? -Infinity : x))
    expect(() => ctcAlignment(alphabet, never, Int32Array.of(2))).toThrow('labels of probabilities above 0')
    expect(() => ctcAlignment(alphabet, logits, [1] as never)).toThrow('ctcAlignment[labels]: expected an Int32Array')
  })
})
