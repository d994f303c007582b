// N-gram models: learned ones against numbers worked by hand, and against the sum that probabilities have.
import { describe, expect, it } from 'vitest'
import { DataError, learnNgrams, type NgramModel, type NgramOptions, PhiloxStream } from '../../../lib/data/index.js'

const lines = ['a b', 'a c', 'a b']

/** p of a token behind others, the beginning of the line among them. */
function probability(model: NgramModel, before: readonly string[], token: string): number {
  const histories = model.open()
  // A history is where a line has come to, so the first of all stands behind <s>.
  const history = Int32Array.of(histories.start() as number)
  for (const one of before) {
    void histories.extend(1, history, Int32Array.of(model.numberOf(one)!))
  }
  return Math.exp(histories.score(history[0]!, model.numberOf(token)!))
}

describe('a bigram', () => {
  // Behind a: b twice, c once. Of 9 tokens that follow others 3 are a, 2 b, 1 c, 3 the end; 5 tokens can follow.
  it('by Witten and Bell has the numbers that hands work out', () => {
    const model = learnNgrams(lines)
    expect(model.counts).toEqual([6, 5])
    const wanted: readonly [readonly string[], string, number][] = [
      [[], 'a', 107 / 130],
      [['a'], 'b', 158 / 325],
      [['a'], 'c', 83 / 325],
      [['a', 'b'], '</s>', 149 / 195],
      [['a', 'c'], '</s>', 42 / 65],
      // Never seen: what is left for it, times the share of the token: a third of 14 / 65.
      [['a', 'b'], 'b', (1 / 3) * (14 / 65)],
      [['a'], '<unk>', (2 / 5) * (4 / 65)],
      [[], '</s>', (1 / 4) * (19 / 65)],
    ]
    for (const [before, token, p] of wanted) expect(probability(model, before, token)).toBeCloseTo(p, 12)
  })

  // Pairs counted once and twice are 2 and 2, so D is 1/3; tokens that follow one other token and two are 3 and 1, so it is 3/5.
  it('by Kneser and Ney has the numbers that hands work out', () => {
    const model = learnNgrams(lines, { smoothing: 'kneser-ney' })
    const wanted: readonly [readonly string[], string, number][] = [
      [[], 'a', 1022 / 1125],
      [['a'], 'b', 223 / 375],
      [['a'], 'c', 98 / 375],
      [['a', 'b'], '</s>', 112 / 125],
      [['a', 'c'], '</s>', 99 / 125],
      [['a', 'b'], 'b', (1 / 6) * (22 / 125)],
      [['a'], '<unk>', (2 / 9) * (12 / 125)],
    ]
    for (const [before, token, p] of wanted) expect(probability(model, before, token)).toBeCloseTo(p, 12)
  })

  it('gives a line the product of its parts', () => {
    const model = learnNgrams(lines)
    const p = (107 / 130) * (83 / 325) * (42 / 65)
    expect(model.logProbability('a c')).toBeCloseTo(Math.log(p), 12)
    expect(model.perplexity(['a c'])).toBeCloseTo(p ** (-1 / 3), 12)
    const unknown = (107 / 130) * (2 / 5) * (4 / 65) * (19 / 65)
    expect(model.logProbability('a zebra')).toBeCloseTo(Math.log(unknown), 12)
  })
})

describe('a trigram', () => {
  // Pairs that begin a line are counted as often as they are there, 3 and 1, others by what stands before them: D is 4 / (4 + 2).
  it('by Kneser and Ney has the numbers that hands work out', () => {
    const model = learnNgrams([...lines, 'b'], { order: 3, smoothing: 'kneser-ney' })
    expect(probability(model, [], 'a')).toBeCloseTo(343 / 540, 12)
    expect(probability(model, [], 'b')).toBeCloseTo(103 / 540, 12)
    expect(probability(model, ['a'], 'b')).toBeCloseTo(598 / 945, 12)
  })
})

/** Lines of a few words that often follow each other, and of rare ones. */
function drawnLines(count: number, seed: number): string[] {
  const stream = new PhiloxStream(seed, 0, 0)
  return Array.from({ length: count }, () => {
    let at = stream.below(6)
    const words = Array.from({ length: 1 + stream.below(7) }, () => {
      at = stream.below(3) === 0 ? stream.below(60) : (at * 5 + 1) % 12
      return `w${at}`
    })
    return words.join(' ')
  })
}

describe.each([
  { order: 1, smoothing: 'witten-bell' },
  { order: 2, smoothing: 'kneser-ney' },
  { order: 3, smoothing: 'witten-bell' },
  { order: 3, smoothing: 'kneser-ney' },
  { order: 4, smoothing: 'witten-bell', unit: 'character' },
] as const)('a model of %j', (options: NgramOptions) => {
  const model = learnNgrams(drawnLines(40, 2), options)

  it('has probabilities of sum 1 behind every history', () => {
    const histories = model.open()
    const stream = new PhiloxStream(7, 0, 0)
    const history = new Int32Array(1)
    for (let i = 0; i < 60; i++) {
      // What never begins a line is followed by something too.
      history[0] = histories.start() as number
      for (let n = stream.below(6); n > 0; n--) {
        void histories.extend(1, history, Int32Array.of(stream.below(model.tokens.length)))
      }
      const all = model.tokens.map((_, token) => Math.exp(histories.score(history[0]!, token)))
      expect(all[model.begin]).toBe(0)
      expect(all.reduce((a, b) => a + b)).toBeCloseTo(1, 10)
      expect(Math.min(...all.filter((_, token) => token !== model.begin))).toBeGreaterThan(0)
    }
  })

  it('guesses better than one of shorter histories what it has learned from', () => {
    const order = model.order
    if (order === 1) return
    const shorter = learnNgrams(drawnLines(40, 2), { ...options, order: order - 1 })
    expect(model.perplexity(drawnLines(40, 2))).toBeLessThan(shorter.perplexity(drawnLines(40, 2)))
  })
})

describe('characters', () => {
  it('have the space between words among them', () => {
    const model = learnNgrams(['ab  a', 'b a'], { unit: 'character' })
    expect(model.tokens).toEqual(['<s>', '</s>', '<unk>', 'a', 'b', '<space>'])
    expect(model.numberOf(' ')).toBe(5)
    expect(model.logProbability('a b')).toBeCloseTo(model.logProbability(' a   b '), 12)
    expect(learnNgrams(['a b']).numberOf(' ')).toBeUndefined()
  })
})

describe('learning', () => {
  it.each([
    [[], {}, 'learnNgrams[lines]: expected lines with tokens, got none'],
    [['a', '<s> b'], {}, 'expected no <s> within lines, got it in line 1'],
    [
      ['a b', 'a b'],
      { smoothing: 'kneser-ney' },
      'expected 1-grams that are counted once and twice, got 3 and 0 (witten-bell needs none)',
    ],
  ])('from %j with %j is refused', (some, options, message) => {
    expect(() => learnNgrams(some, options as NgramOptions)).toThrow(DataError)
    expect(() => learnNgrams(some, options as NgramOptions)).toThrow(message)
  })

  it.each([
    ['a b', {}, 'learnNgrams[lines]: expected lines of text, got "a b"'],
    [[3], {}, 'learnNgrams[lines[0]]: expected a text, got 3'],
    [['a'], { order: 0 }, 'learnNgrams[order]: expected a whole number from 1 to 20, got 0'],
    [['a'], { smoothing: 'none' }, 'learnNgrams[smoothing]: expected witten-bell, kneser-ney, got "none"'],
    [['a'], { orders: 2 }, 'did you mean order?'],
  ])('from %j with %j is refused as an option', (some, options, message) => {
    expect(() => learnNgrams(some as string[], options as NgramOptions)).toThrow(message)
  })
})
