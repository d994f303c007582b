// What word vectors are trained on, drawn: words that stay, windows, negatives; and codes of words. Held to hand-worked numbers.
import { describe, expect, it } from 'vitest'
import {
  AliasTable,
  countWords,
  DataError,
  DynamicWindows,
  encodedLines,
  huffmanCodes,
  keepProbabilities,
  negativeWeights,
  PhiloxStream,
  Sentences,
  skipGrams,
} from '../../../lib/data/index.js'
import { generator } from '../../support/random.js'
import { inMemory } from './corpora.js'

/** How far a count of `draws` that has probability p may be from its mean: five standard deviations. */
const within = (draws: number, p: number): number => 5 * Math.sqrt(draws * p * (1 - p))

describe('keepProbabilities', () => {
  it('are those of the C program, not of the paper', () => {
    const [often, rare] = keepProbabilities([1000, 10], 1e-3)
    // t times 1010 words is 1.01.
    expect(often).toBeCloseTo((Math.sqrt(1000 / 1.01) + 1) * (1.01 / 1000), 12)
    expect(rare).toBeCloseTo((Math.sqrt(10 / 1.01) + 1) * (1.01 / 10), 12)
    expect(often).toBeCloseTo(0.0328, 4)
    expect(rare).toBeCloseTo(0.4188, 4)
    expect(Math.sqrt(1.01 / 10)).toBeCloseTo(0.3178, 4)
  })

  it('are 1 for rare words, and for all without a threshold', () => {
    expect([...keepProbabilities([99, 1], 0)]).toEqual([1, 1])
    // Of the share 2.6 t a word stays at least with probability (1.61 + 1) / 2.6: more than 1.
    expect([...keepProbabilities([26, 974], 0.01)][0]).toBe(1)
    expect([...keepProbabilities([27, 973], 0.01)][0]).toBeCloseTo((Math.sqrt(2.7) + 1) / 2.7, 12)
  })
})

describe('Sentences', () => {
  /** All sentences of a corpus of numbers of words. */
  async function sentencesOf(
    texts: string | string[],
    options: Partial<ConstructorParameters<typeof Sentences>[0]> = {},
    piece?: number,
  ) {
    const counts = await countWords(inMemory('a a a a b b b c c d'), { least: 1 })
    const sentences = new Sentences({ keep: new Float64Array(4).fill(1), ...options })
    const all: string[] = []
    const spell = (found: Iterable<Int32Array>): void => {
      for (const words of found) all.push(Array.from(words, (word) => counts.words[word]!).join(''))
    }
    for await (const block of encodedLines(inMemory(texts, piece), counts)) spell(sentences.of(block))
    spell(sentences.end())
    return all
  }

  it.each([1, 5, 1000])('are the lines, cut where they are too long, in pieces of %d bytes', async (piece) => {
    const text = ['a b c\n\nd x\ny\n', 'a b c d a b c']
    expect(await sentencesOf(text, {}, piece)).toEqual(['abc', 'd', 'abcdabc'])
    expect(await sentencesOf(text, { longest: 3 }, piece)).toEqual(['abc', 'd', 'abc', 'dab', 'c'])
  })

  it('are without the words that do not stay, of which the rest are cut', async () => {
    const keep = Float64Array.of(0, 1, 1, 1)
    expect(await sentencesOf('a b a c a d a\na\nb a b', { keep, longest: 2 })).toEqual(['bc', 'd', 'bb'])
  })

  it('keep words as often as they are to stay, others in each epoch, the same for one seed', async () => {
    const text = 'a b\n'.repeat(20_000)
    const keep = Float64Array.of(0.3, 1, 1, 1)
    const drawn = async (options: object): Promise<string> => (await sentencesOf(text, { keep, ...options })).join(' ')
    const first = await drawn({})
    const stayed = first.split('ab').length - 1
    expect(Math.abs(stayed - 6000)).toBeLessThan(within(20_000, 0.3))
    expect(first.split('b').length - 1).toBe(20_000)
    const same = await Promise.all([drawn({}), drawn({ epoch: 1 }), drawn({ seed: 2 })])
    expect(same.map((other) => other === first)).toEqual([true, false, false])
  })
})

describe('skipGrams', () => {
  it('foretell the word in the middle by each of those around it', () => {
    const pairs = skipGrams(Int32Array.of(7, 8, 9, 6), Int32Array.of(1, 2, 1, 3))
    expect([...pairs.outputs]).toEqual([7, 8, 8, 8, 9, 9, 6, 6, 6])
    expect([...pairs.inputs]).toEqual([8, 7, 9, 6, 8, 6, 7, 8, 9])
    expect(skipGrams(Int32Array.of(7), Int32Array.of(5)).inputs.length).toBe(0)
  })

  it('have windows of any width, all as often', () => {
    const windows = new DynamicWindows(5, 3)
    const drawn = windows.of(new Int32Array(50_000))
    const counts = [0, 1, 2, 3, 4, 5, 6].map((width) => drawn.filter((one) => one === width).length)
    expect([counts[0], counts[6]]).toEqual([0, 0])
    for (const count of counts.slice(1, 6)) expect(Math.abs(count - 10_000)).toBeLessThan(within(50_000, 0.2))
    const again = new DynamicWindows(5, 3).of(new Int32Array(50_000))
    expect(drawn.findIndex((width, i) => width !== again[i])).toBe(-1)
    expect(new DynamicWindows(5, 3, 1).of(new Int32Array(50)).join()).not.toBe(drawn.subarray(0, 50).join())
  })
})

describe('AliasTable', () => {
  /** The probability of each number, of all places. */
  function probabilities({ keep, other }: AliasTable): Float64Array {
    const found = new Float64Array(keep.length)
    for (const [i, share] of keep.entries()) {
      found[i]! += share / keep.length
      found[other[i]!]! += (1 - share) / keep.length
    }
    return found
  }

  it.each([
    ['one', [3]],
    ['equal ones', [2, 2, 2]],
    ['some that are 0', [0, 1, 0, 3]],
    ['counts', [1000, 300, 120, 60, 30, 10, 5, 5, 1]],
    ['many', Array.from({ length: 5000 }, (_, i) => 1e6 / (i + 1))],
  ])('has exactly the distribution of weights: %s', (_, weights) => {
    const table = new AliasTable(weights)
    const total = weights.reduce((sum, weight) => sum + weight, 0)
    const far = [...probabilities(table)].filter((p, i) => Math.abs(p - weights[i]! / total) > 1e-12)
    expect(far).toEqual([])
    expect(table.keep.every((share) => share >= 0 && share <= 1)).toBe(true)
    const never = [...table.keep.keys()].filter((i) => weights[i] === 0 && table.keep[i]! > 0)
    expect(never).toEqual([])
  })

  it('draws them, of counts to the power of 0.75', () => {
    const weights = negativeWeights([10_000, 625, 16])
    for (const [i, weight] of [1000, 125, 8].entries()) expect(weights[i]).toBeCloseTo(weight, 9)
    const table = new AliasTable(weights)
    const stream = new PhiloxStream(1, 0, 0)
    const counts = [0, 0, 0]
    for (let i = 0; i < 100_000; i++) counts[table.draw(stream)]!++
    for (const [i, weight] of [1000, 125, 8].entries()) {
      expect(Math.abs(counts[i]! - (1e5 * weight) / 1133)).toBeLessThan(within(1e5, weight / 1133))
    }
  })

  it('leaves the word itself out of its negatives', () => {
    const table = new AliasTable([1, 1, 1, 1])
    const stream = new PhiloxStream(1, 0, 0)
    const drawn = Array.from({ length: 4000 }, () => table.negatives(2, 5, stream))
    expect(drawn.flat().includes(2)).toBe(false)
    expect(Math.abs(drawn.flat().length - 15_000)).toBeLessThan(within(20_000, 0.25))
    expect(Math.max(...drawn.map(({ length }) => length))).toBe(5)
  })

  it.each([
    [[], 'a sum of 0'],
    [[0, 0], 'a sum of 0'],
    [[1, -1], '-1 at 1'],
    [[NaN], 'NaN at 0'],
    [[1, Infinity], 'Infinity at 1'],
  ])('refuses %j', (weights, got) => {
    expect(() => new AliasTable(weights)).toThrow(DataError)
    expect(() => new AliasTable(weights)).toThrow(`expected finite weights of at least 0 and a sum above 0, got ${got}`)
  })
})

describe('huffmanCodes', () => {
  const coded = (counts: readonly number[]): string[] => {
    const { starts, bits, nodes } = huffmanCodes(counts)
    return counts.map((_, i) => {
      const [from, to] = [starts[i]!, starts[i + 1]!]
      return `${bits.subarray(from, to).join('')} at ${nodes.subarray(from, to).join(' ')}`
    })
  }

  it('are those of the C program, worked out by hand', () => {
    expect(coded([5, 3, 2, 1])).toEqual(['0 at 2', '11 at 2 1', '101 at 2 1 0', '100 at 2 1 0'])
    expect(coded([7, 1])).toEqual(['1 at 0', '0 at 0'])
    // A word of 2 comes after the node of 1 + 1, not before it.
    expect(coded([2, 2, 1, 1])).toEqual(['0 at 2', '11 at 2 1', '101 at 2 1 0', '100 at 2 1 0'])
  })

  it('are as short in all as codes can be, and none begins another', () => {
    const random = generator(7)
    const counts = Array.from({ length: 2000 }, () => 1 + Math.floor(random() ** 6 * 1e6)).sort((a, b) => b - a)
    const { starts, bits, nodes } = huffmanCodes(counts)
    // The length of all codes is the sum of the sizes of all nodes, which are the two smallest each time.
    const heap = [...counts]
    let least = 0
    while (heap.length > 1) {
      heap.sort((a, b) => b - a)
      const joined = heap.pop()! + heap.pop()!
      least += joined
      heap.push(joined)
    }
    expect(counts.reduce((sum, count, i) => sum + count * (starts[i + 1]! - starts[i]!), 0)).toBe(least)
    const codes = counts.map((_, i) => bits.subarray(starts[i], starts[i + 1]).join('')).sort()
    expect(codes.filter((code, i) => i > 0 && code.startsWith(codes[i - 1]!))).toEqual([])
    expect(Math.max(...nodes)).toBe(counts.length - 2)
    expect(counts.every((_, i) => nodes[starts[i]!] === counts.length - 2)).toBe(true)
  })

  it.each([
    [[], 'expected counts of two words or more, got 0'],
    [[5], 'expected counts of two words or more, got 1'],
    [[1, 2], 'expected counts of at least 1 from the largest down, got 2 at 1'],
    [[1, 0], 'got 0 at 1'],
    [[NaN, 1], 'got NaN at 0'],
  ])('of %j are refused', (counts, message) => {
    expect(() => huffmanCodes(counts)).toThrow(DataError)
    expect(() => huffmanCodes(counts)).toThrow(message)
  })
})
