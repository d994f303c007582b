// Word vectors in use: neighbours by hand-worked numbers, correlations, lists, files; unknown words and what is no table are refused.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DataError } from '../../../lib/data/index.js'
import { CheckpointError, openSafetensors, writeSafetensors } from '../../../lib/files/index.js'
import { KeyedVectors } from '../../../lib/infer/index.js'
import { pearson, spearman } from '../../../lib/infer/vectors/correlation.js'
import { parseAnalogies, parseWordPairs } from '../../../lib/infer/vectors/word-lists.js'
import { sharedData } from '../../support/shared-data.js'

/** Of lengths 2, 1, sqrt 2, 3, 0 and 1; directions 0, 90, 45, 180 degrees, none, and about 53.13. */
const small = new KeyedVectors({
  words: ['east', 'north', 'northeast', 'west', 'nowhere', 'steep'],
  vectors: Float32Array.of(2, 0, 0, 1, 1, 1, -3, 0, 0, 0, 0.6, 0.8),
  counts: [9, 8, 7, 6, 5, 4],
})

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

describe('files of word vectors', () => {
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ostrich-vectors-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  const expectSmall = (found: KeyedVectors): void => {
    expect(found.words).toEqual(small.words)
    for (const word of small.words) expect([...found.vector(word)]).toEqual([...small.vector(word)])
  }

  it.each(['a.txt', 'a.vec', 'a.bin', 'a', 'a.safetensors'])('come back from %s', async (name) => {
    const path = join(folder, name)
    await small.save(path)
    const found = await KeyedVectors.load(path)
    expectSmall(found)
    expect(found.count('north')).toBe(name === 'a.safetensors' ? 8 : undefined)
    expect((await KeyedVectors.load(path, { limit: 2 })).words).toEqual(['east', 'north'])
    if (name === 'a.safetensors') return
    await writeFile(`${path}.gz`, gzipSync(await readFile(path)))
    expectSmall(await KeyedVectors.load(`${path}.gz`))
  })

  it('have the format that they are told', async () => {
    const path = join(folder, 'a.dat')
    await small.save(path, { format: 'text' })
    expect((await readFile(path, 'utf8')).split('\n').slice(0, 2)).toEqual(['6 2', 'east 2 0'])
    await small.save(path, { format: 'safetensors' })
    await expect(KeyedVectors.load(path)).rejects.toThrow('expected a first line of two numbers')
    expectSmall(await KeyedVectors.load(path, { format: 'safetensors' }))
  })

  it('tell what they leave out', async () => {
    const path = join(folder, 'a.vec')
    await writeFile(path, Buffer.from('3 1\na 1\nb\xff 2\na 3\n', 'latin1'))
    await expect(KeyedVectors.load(path)).rejects.toThrow('expected words in UTF-8, each once, at word 2 of 3')
    const said: string[] = []
    const found = await KeyedVectors.load(path, { skipBadWords: true, onWarning: (message) => said.push(message) })
    expect([found.words, said]).toEqual([['a'], [`${path}: 2 words are left out, the first is other bytes`]])
  })

  it('that are absent, cut or others are refused by name', async () => {
    const path = join(folder, 'a.bin')
    await expect(KeyedVectors.load(path)).rejects.toThrow(`${path}: expected a file of word vectors, got ENOENT`)
    await expect(KeyedVectors.load(folder)).rejects.toThrow(`${folder}: expected a file of word vectors, got EISDIR`)
    await small.save(path)
    const packed = gzipSync(await readFile(path))
    await writeFile(path, packed.subarray(0, -12))
    await expect(KeyedVectors.load(path)).rejects.toThrow(`${path}: expected a file of word vectors, got Z_BUF_ERROR`)
    await writeFile(path, '99999 4\na 1 2 3 4\n')
    await expect(KeyedVectors.load(path)).rejects.toThrow(
      'expected at least 999989 bytes more for 99999 words of 4 numbers',
    )
    await expect(KeyedVectors.load(path)).rejects.toThrow(CheckpointError)
  })

  const words = { dtype: 'U8', shape: [3], data: new TextEncoder().encode('a\nb') } as const
  const vectors = { dtype: 'F32', shape: [2, 1], data: Float32Array.of(1, 2) } as const
  it.each<[string, Parameters<typeof writeSafetensors>[1], string]>([
    ['no vectors', { words }, '[vectors]: expected a tensor F32 or BF16 or F16 or F64 of 2 axes, got none'],
    ['flat vectors', { words, vectors: { ...vectors, shape: [2] } }, 'of 2 axes, got F32 [2]'],
    ['no words', { vectors }, '[words]: expected a tensor U8 of 1 axis, got none'],
    [
      'too few words',
      { vectors, words: { ...words, shape: [1], data: Uint8Array.of(97) } },
      '[words]: expected 2, one for each row of vectors, got 1',
    ],
    [
      'words of other bytes',
      { vectors, words: { ...words, data: Uint8Array.of(97, 10, 255) } },
      '[words]: expected words in UTF-8, got other bytes',
    ],
    [
      'too many counts',
      { vectors, words, counts: { dtype: 'I64', shape: [3], data: BigInt64Array.of(1n, 2n, 3n) } },
      '[counts]: expected 2, got 3',
    ],
  ])('as safetensors with %s are refused', async (_, tensors, message) => {
    const path = join(folder, 'a.safetensors')
    await writeSafetensors(path, tensors)
    await expect(KeyedVectors.load(path)).rejects.toThrow(message)
  })

  it('as safetensors hold tensors that Python finds by name', async () => {
    const path = join(folder, 'a.safetensors')
    await small.save(path)
    const file = await openSafetensors(path)
    expect([...file.tensors].map(([name, { dtype, shape }]) => [name, dtype, shape]).sort()).toEqual([
      ['counts', 'I64', [6]],
      ['vectors', 'F32', [6, 2]],
      ['words', 'U8', [39]],
    ])
    await file.close()
  })
})
