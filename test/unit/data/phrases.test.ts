// Phrases: pairs of words whose score is worked out by hand become one word.
import { describe, expect, it } from 'vitest'
import { countWords, DataError, learnPhrases, type WordCounts } from '../../../lib/data/index.js'
import { PairTable } from '../../../lib/data/text/corpora/pair-table.js'
import { generator } from '../../support/random.js'
import { inMemory } from './corpora.js'
import { collectAll } from './support.js'

const counted = ({ words, counts }: WordCounts) => words.map((word, i) => [word, counts[i]])

describe('learnPhrases', () => {
  // new 4, york 3, city 2, is 3, a 4, old 1: 17 words.
  const text = 'new york city is a\nnew york is a a\nnew york city\nnew is old a\n'

  it('scores pairs as word2phrase does', async () => {
    const phrases = await learnPhrases(inMemory(text), { least: 1, threshold: 0 })
    // (count - 1) / count / count * 17 words; pairs that stand there once have a score of 0.
    expect(phrases.list).toEqual([
      { words: ['new', 'york'], count: 3, score: expect.closeTo((2 * 17) / 12, 12) as number },
      { words: ['york', 'city'], count: 2, score: expect.closeTo(17 / 6, 12) as number },
      { words: ['is', 'a'], count: 2, score: expect.closeTo(17 / 12, 12) as number },
    ])
    expect([
      phrases.has('new', 'york'),
      phrases.has('york', 'new'),
      phrases.has('a', 'new'),
      phrases.has('x', 'a'),
    ]).toEqual([true, false, false, false])
    const strict = await learnPhrases(inMemory(text), { least: 1, threshold: 1.5 })
    expect(strict.list.map(({ words }) => words.join(' '))).toEqual(['new york', 'york city'])
    // Of what stands there less than twice there is no phrase, and a pair counts one less for each.
    const rare = await learnPhrases(inMemory(text), { least: 2, threshold: 0 })
    expect(rare.list).toEqual([{ words: ['new', 'york'], count: 3, score: expect.closeTo(17 / 12, 12) as number }])
  })

  it.each([1, 4, 1000])('joins them in a corpus, from the left, in pieces of %d bytes', async (piece) => {
    const phrases = await learnPhrases(inMemory(text), { least: 1, threshold: 0 })
    const joined = phrases.corpus(inMemory(['new  york city\tis a', 'york city\n\nnew york, is\n', 'a is'], piece))
    const written = Buffer.concat((await collectAll(joined.pieces())).map(({ bytes }) => bytes)).toString()
    expect(written).toBe('new_york city is_a\nyork_city\n\nnew york, is\na is\n')
    expect(counted(await countWords(joined, { least: 1 }))).toEqual([
      ['is', 2],
      ['a', 1],
      ['city', 1],
      ['is_a', 1],
      ['new', 1],
      ['new_york', 1],
      ['york,', 1],
      ['york_city', 1],
    ])
  })

  it('finds longer ones in a corpus with phrases', async () => {
    const lines = inMemory('p q r s\np q r t\np q r u\nv w x y\n')
    const first = await learnPhrases(lines, { least: 2, threshold: 1 })
    expect(first.list.map(({ words }) => words.join(' '))).toEqual(['p q', 'q r'])
    const joined = first.corpus(lines)
    const second = await learnPhrases(joined, { least: 2, threshold: 1 })
    expect((await countWords(second.corpus(joined), { least: 3 })).words).toEqual(['p_q_r'])
  })

  it('forgets rare pairs where there are too many', async () => {
    const lines = inMemory(['a b a b c a\n', 'b a b c\n'])
    const found = async (mostDifferent: number) => {
      const { list } = await learnPhrases(lines, { least: 1, threshold: 0, mostDifferent })
      return list.map(({ words, count }) => `${words.join(' ')} ${count}`)
    }
    expect(await found(4)).toEqual(['a b 3', 'b c 2', 'b a 2'])
    // After the first line a b is 2, and the three others are forgotten.
    expect(await found(3)).toEqual(['a b 3'])
  })

  it('refuses a corpus without words that are frequent enough', async () => {
    await expect(learnPhrases(inMemory('a b'))).rejects.toThrow(DataError)
    await expect(learnPhrases(inMemory(''))).rejects.toThrow(
      'expected words that stand in the corpus 5 times or more, got none',
    )
  })
})

describe('PairTable', () => {
  it('counts pairs as a map does, however many there are', () => {
    const random = generator(6)
    const range = 2 ** 26
    const [table, known] = [new PairTable(range), new Map<string, number>()]
    for (let i = 0; i < 30_000; i++) {
      const [first, second] = [random(), random()].map((x) => range - 1 - Math.floor(x ** 8 * range)) as [
        number,
        number,
      ]
      table.add(first, second)
      known.set(`${first} ${second}`, (known.get(`${first} ${second}`) ?? 0) + 1)
    }
    const found = new Map(Array.from(table.entries(), ([first, second, count]) => [`${first} ${second}`, count]))
    expect([table.size, found.size]).toEqual([known.size, known.size])
    expect([...known].filter(([pair, count]) => found.get(pair) !== count)).toEqual([])
    const often = [...known.values()].filter((count) => count > 1).length
    expect(often).toBeGreaterThan(100)
    table.keepOnly((count) => count > 1)
    expect(table.size).toBe(often)
    expect(
      [...known].filter(
        ([pair, count]) =>
          table.count(...(pair.split(' ').map(Number) as [number, number])) !== (count > 1 ? count : 0),
      ),
    ).toEqual([])
  })
})
