// Word vectors in use: neighbours by hand-worked numbers, correlations, and lists; unknown words are refused.
import { describe, expect, it } from 'vitest'
import { DataError } from '../../../lib/data/index.js'
import { KeyedVectors } from '../../../lib/infer/index.js'
import { pearson, spearman } from '../../../lib/infer/vectors/correlation.js'
import { parseAnalogies, parseWordPairs } from '../../../lib/infer/vectors/word-lists.js'
import { sharedData } from '../../support/shared-data.js'
import { small } from './small-vectors.js'

const rounded = (found: readonly { readonly word: string; readonly score: number }[]) =>
  found.map(({ word, score }) => [word, Math.round(score * 1e6) / 1e6 + 0])

describe('KeyedVectors', () => {
  it('knows its words', () => {
    expect([small.size, small.dimension, small.numberOf('west'), small.numberOf('south')]).toEqual([6, 2, 3, undefined])
    expect([...small.vector('steep')]).toEqual([Math.fround(0.6), Math.fround(0.8)])
    expect(small.count('north')).toBe(8)
    small.vector('east').fill(7)
    expect([...small.vector('east')]).toEqual([2, 0])
  })

  it('compares words by the cosine of their vectors', () => {
    expect(small.similarity('east', 'northeast')).toBeCloseTo(Math.SQRT1_2, 12)
    expect(small.similarity('east', 'west')).toBeCloseTo(-1, 12)
    expect(small.similarity('north', 'steep')).toBeCloseTo(0.8, 6)
    expect(small.similarity('nowhere', 'east')).toBe(0)
  })

  it('finds what is most similar, of equal ones the first', () => {
    expect(rounded(small.mostSimilar({ positive: ['east'] }))).toEqual([
      ['northeast', 0.707107],
      ['steep', 0.6],
      ['north', 0],
      ['nowhere', 0],
      ['west', -1],
    ])
    expect(rounded(small.mostSimilar({ positive: ['north'], most: 2 }))).toEqual([
      ['steep', 0.8],
      ['northeast', 0.707107],
    ])
    expect(rounded(small.mostSimilar({ positive: ['north'], most: 1, limit: 3 }))).toEqual([['northeast', 0.707107]])
  })

  it('adds and subtracts vectors of length 1', () => {
    // north - east is (-1, 1) / sqrt 2; of lengths 1 and 2 it would be (-2, 1) / sqrt 5.
    expect(rounded(small.mostSimilar({ positive: ['north'], negative: ['east'] }))).toEqual([
      ['west', 0.707107],
      ['steep', 0.141421],
      ['northeast', 0],
      ['nowhere', 0],
    ])
    expect(rounded(small.mostSimilar({ negative: ['north'], most: 1 }))).toEqual([['east', 0]])
  })

  it('takes vectors beside words, which may be their own answers', () => {
    expect(rounded(small.mostSimilar({ positive: [[0, 5]], most: 2 }))).toEqual([
      ['north', 1],
      ['steep', 0.8],
    ])
    const sum = small.mostSimilar({ positive: [Float32Array.of(0, 2), 'east'], most: 1 })
    expect(rounded(sum)).toEqual([['northeast', 1]])
  })

  it('multiplies cosines from 0 to 1 in 3CosMul', () => {
    const near = (cosine: number): number => (1 + cosine) / 2
    const scores = small.mostSimilar({ positive: ['north', 'west'], negative: ['east'], method: '3CosMul' })
    expect(scores.map(({ word }) => word)).toEqual(['nowhere', 'steep', 'northeast'])
    expect(scores[0]!.score).toBeCloseTo((near(0) * near(0)) / (near(0) + 1e-6), 9)
    expect(scores[1]!.score).toBeCloseTo((near(0.8) * near(-0.6)) / (near(0.6) + 1e-6), 6)
    expect(scores[2]!.score).toBeCloseTo((near(Math.SQRT1_2) * near(-Math.SQRT1_2)) / (near(Math.SQRT1_2) + 1e-6), 9)
  })

  it('finds the word that does not match', () => {
    expect(small.doesntMatch(['east', 'northeast', 'steep', 'west'])).toBe('west')
    expect(small.doesntMatch(['north', 'steep', 'east', 'northeast'])).toBe('east')
  })

  it.each<[() => unknown, string]>([
    [() => small.vector('esat'), 'vector: expected a word that has a vector, got "esat"; near are "east", "west"'],
    [() => small.vector('East'), 'got "East"; near are "east", "west"'],
    [() => small.count('zzzzzz'), 'count: expected a word that has a vector, got "zzzzzz"'],
    [
      () => small.similarity('east', 'norht'),
      'similarity: expected a word that has a vector, got "norht"; near are "north"',
    ],
    [
      () => small.mostSimilar({ positive: ['weest'] }),
      'mostSimilar[positive]: expected a word that has a vector, got "weest"; near are "west"',
    ],
    [() => small.mostSimilar({ positive: [[1, 2, 3]] }), 'mostSimilar[positive]: expected 2 finite numbers, got 3'],
    [() => small.mostSimilar({ negative: [[1, NaN]] }), 'mostSimilar[negative]: expected 2 finite numbers, got others'],
    [() => small.doesntMatch(['east', 'west', 'up']), 'doesntMatch: expected a word that has a vector, got "up"'],
    [
      () => new KeyedVectors({ words: [], vectors: new Float32Array(0) }),
      'KeyedVectors[words]: expected words, got none',
    ],
    [
      () => new KeyedVectors({ words: ['a', 'b'], vectors: new Float32Array(3) }),
      'KeyedVectors[vectors]: expected as many numbers for each of 2 words, got 3 in all',
    ],
    [() => new KeyedVectors({ words: ['a', 'b'], vectors: new Float32Array(0) }), 'got 0 in all'],
    [
      () => new KeyedVectors({ words: ['a', 'a'], vectors: new Float32Array(2) }),
      'expected each word once, got "a" a second time at 1',
    ],
    [
      () => new KeyedVectors({ words: ['a b'], vectors: new Float32Array(2) }),
      'expected words without white space, got "a b" at 0',
    ],
    [() => new KeyedVectors({ words: [''], vectors: new Float32Array(2) }), 'got "" at 0'],
    [
      () => new KeyedVectors({ words: ['a', 'b'], vectors: Float32Array.of(1, NaN) }),
      'KeyedVectors[vectors]: expected finite numbers, got others for "b"',
    ],
    [
      () => new KeyedVectors({ words: ['a'], vectors: Float32Array.of(1), counts: [1, 2] }),
      'KeyedVectors[counts]: expected 1, one for each word, got 2',
    ],
  ])('refuses %#', (call, message) => {
    expect(call).toThrow(DataError)
    expect(call).toThrow(message)
  })

  it.each<[() => unknown, string]>([
    [() => small.mostSimilar({}), 'mostSimilar[positive]: expected words or vectors, got none'],
    [
      () => small.mostSimilar({ negative: ['east'], method: '3CosMul' }),
      'mostSimilar[positive]: expected words or vectors, got none',
    ],
    [
      () => small.mostSimilar({ positive: 'east' as never }),
      'mostSimilar[positive]: expected a list of words or vectors, got "east"',
    ],
    [
      () => small.mostSimilar({ positive: ['east'], method: 'dot' as never }),
      'mostSimilar[method]: expected cosine, 3CosMul, got "dot"',
    ],
    [
      () => small.doesntMatch(['east', 'west']),
      'doesntMatch[words]: expected a list of three words or more, got ["east", "west"]',
    ],
  ])('refuses to be asked %#', (call, message) => {
    expect(call).toThrow(
      expect.objectContaining({ code: 'ERR_OPTION', message: expect.stringContaining(message) as string }),
    )
  })
})

describe('correlations', () => {
  it('are those worked out by hand', () => {
    expect(pearson([1, 2, 3, 4], [2, 4, 6, 8])).toBe(1)
    expect(pearson([1, 2, 3], [6, 4, 2])).toBe(-1)
    // Deviations -1, 0, 1 and -1, 1, 0: 1 / sqrt(2 * 2).
    expect(pearson([1, 2, 3], [1, 3, 2])).toBeCloseTo(0.5, 12)
    // Without ties 1 - 6 * sum of squares / (n (n^2 - 1)): differences 1, 1, 1, 1 of 4 ranks.
    expect(spearman([10, 20, 30, 40], [2, 1, 4, 3])).toBeCloseTo(1 - (6 * 4) / 60, 12)
    // Ranks 1, 2.5, 2.5, 4 and 1, 2, 3, 4: 4.5 / sqrt(4.5 * 5).
    expect(spearman([0, 7, 7, 9], [-3, 0, 1, 1e6])).toBeCloseTo(4.5 / Math.sqrt(22.5), 12)
    expect(spearman([1, 1, 1], [1, 2, 3])).toBeNaN()
  })
})

describe('evaluatePairs', () => {
  // Cosines 1/sqrt 2, 0, 0.8, -1; of what people said, the ranks are 4, 2, 3, 1: Spearman's is 1 - 6 * 2 / 60.
  const list = 'east\tnortheast\t9.5\neast north 3\n# a comment\nNorth  STEEP 7.25\n\neast west 0\nup down 5\n'

  it('correlates similarities with what people said', async () => {
    const found = await small.evaluatePairs(parseWordPairs(list, 'list'))
    expect(found.spearman).toBeCloseTo(0.8, 12)
    expect(found.pearson).toBeCloseTo(pearson([9.5, 3, 7.25, 0], [Math.SQRT1_2, 0, 0.8, -1]), 6)
    expect([found.pairs, found.skipped]).toEqual([4, 1])
    expect((await small.evaluatePairs(parseWordPairs(list, 'list'), { ignoreCase: false })).skipped).toBe(2)
    expect((await small.evaluatePairs(parseWordPairs(list, 'list'), { limit: 3 })).pairs).toBe(2)
  })

  it('takes the first of words that differ in case alone', async () => {
    const cased = new KeyedVectors({ words: ['a', 'b', 'c', 'B'], vectors: Float32Array.of(1, 0, 1, 1, 0, 1, -1, 0) })
    const pairs = parseWordPairs('A b 9\na c 1', 'list')
    expect((await cased.evaluatePairs(pairs)).spearman).toBe(1)
    expect((await cased.evaluatePairs(parseWordPairs('a B 9\na c 1', 'list'), { ignoreCase: false })).spearman).toBe(-1)
  })

  it.each([
    ['a b\n', 'list: expected two words and a number in line 1, got "a b"'],
    ['a b 1\nb c d\n', 'list: expected two words and a number in line 2, got "b c d"'],
    ['a b 1 2\n', 'list: expected two words and a number in line 1, got "a b 1 2"'],
    ['# none\n', 'list: expected pairs of words, got none'],
  ])('refuses %j', (text, message) => {
    expect(() => parseWordPairs(text, 'list')).toThrow(message)
  })

  it('refuses fewer than two pairs of known words', async () => {
    const pairs = parseWordPairs('east west 1\nup down 2\nin out 3', 'list')
    await expect(small.evaluatePairs(pairs)).rejects.toThrow(
      'expected two pairs of words that have vectors, or more, got 1 of 3',
    )
  })
})

describe('analogies', () => {
  it('are read by category', () => {
    expect(parseAnalogies(': capital\nAthens Greece Oslo Norway\n\n: gram1\r\na b c d\r\ne f g h\r\n', 'q')).toEqual([
      { name: 'capital', questions: [['Athens', 'Greece', 'Oslo', 'Norway']] },
      {
        name: 'gram1',
        questions: [
          ['a', 'b', 'c', 'd'],
          ['e', 'f', 'g', 'h'],
        ],
      },
    ])
  })

  it.each([
    ['a b c d\n', 'q: expected a line ": category" before the first question, got "a b c d"'],
    [': x\na b c\n', 'q: expected four words in line 2, got "a b c"'],
    [': x\na b c d e\n', 'q: expected four words in line 2, got "a b c d e"'],
    [': x\n: y\n', 'q: expected analogies, got none'],
    ['', 'q: expected analogies, got none'],
  ])('refuses %j', (text, message) => {
    expect(() => parseAnalogies(text, 'q')).toThrow(message)
  })

  const path = sharedData('text', 'questions-words.txt.gz')
  it.skipIf(path === undefined)('of the usual list are 19,544 in 14 categories', async () => {
    const { readAnalogies } = await import('../../../lib/infer/vectors/word-lists.js')
    const categories = await readAnalogies(path!)
    expect(categories.length).toBe(14)
    const asked = (part: typeof categories) => part.reduce((sum, { questions }) => sum + questions.length, 0)
    const syntactic = categories.filter(({ name }) => name.startsWith('gram'))
    expect([asked(categories), asked(syntactic)]).toEqual([19_544, 10_675])
  })
})
