// Counts of words: of a corpus, in the table that finds them, and in files.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { countWords, DataError, readWordCounts, writeWordCounts } from '../../../lib/data/index.js'
import { WordTable } from '../../../lib/data/text/corpora/word-table.js'
import { generator } from '../../support/random.js'
import { counted, inMemory } from './corpora.js'

describe('countWords', () => {
  const text = 'to be or\tnot  to be\r\n\n that is\vthe question\fbe  größer\nbe'

  it.each([1, 2, 3, 5, 7, 1000])('counts words, the most frequent first, in pieces of %d bytes', async (piece) => {
    const counts = await countWords(inMemory(text, piece), { least: 1 })
    expect(counted(counts)).toEqual([
      [
        ['be', 4],
        ['to', 2],
        ['größer', 1],
        ['is', 1],
        ['not', 1],
        ['or', 1],
        ['question', 1],
        ['that', 1],
        ['the', 1],
      ],
      13,
    ])
    expect([counts.size, counts.kept, counts.numberOf('to'), counts.numberOf('größer'), counts.numberOf('no')]).toEqual(
      [9, 13, 1, 2, undefined],
    )
  })

  it('leaves out rare words, and all but the most frequent', async () => {
    const all = 'a a a b b b c c d d e'
    expect(counted(await countWords(inMemory(all), { least: 2 }))).toEqual([
      [
        ['a', 3],
        ['b', 3],
        ['c', 2],
        ['d', 2],
      ],
      11,
    ])
    const few = await countWords(inMemory(all), { least: 2, most: 3 })
    expect(counted(few)).toEqual([
      [
        ['a', 3],
        ['b', 3],
        ['c', 2],
      ],
      11,
    ])
    expect([few.kept, few.numberOf('d')]).toEqual([8, undefined])
    expect((await countWords(inMemory('a a a a a b b b b'))).words).toEqual(['a'])
  })

  it('forgets rare words where there are too many, rarer ones first', async () => {
    // Of a 2, b 1, c 1 those of 1 are forgotten; of a 3, d 2, e 1 those of up to 2.
    const lines = ['a a b c\n', 'a d d e\n', 'f f f a\n']
    const counts = await countWords(inMemory(lines), { least: 1, mostDifferent: 2 })
    expect(counted(counts)).toEqual([
      [
        ['a', 4],
        ['f', 3],
      ],
      12,
    ])
  })

  it('tells how far it is, and stops by a signal', async () => {
    const told: unknown[] = []
    await countWords(inMemory(['a a ', 'b\n'], 2), { least: 1, onProgress: (progress) => told.push(progress) })
    expect(told).toEqual([
      { done: 2, total: 6, words: 1 },
      { done: 4, total: 6, words: 2 },
      { done: 6, total: 6, words: 3 },
    ])
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(countWords(inMemory('a'), { signal })).rejects.toThrow('enough')
  })

  it.each<[string, string | string[], string]>([
    ['nothing', '', 'countWords: expected words that stand in the corpus 5 times or more, got none'],
    ['white space', ' \n\t\n', 'got none'],
    [
      'rare words',
      'a b a',
      'expected words that stand in the corpus 5 times or more, got 2 different ones that stand there less often',
    ],
    ['a NUL', ['a\n', 'b\nc\n\nd\0e'], 'file1, line 4: expected a text in UTF-8, got a NUL byte'],
    [
      'a word without end',
      `a\n${'b'.repeat(70_000)}`,
      'file0, line 2: expected words of at most 65536 bytes, got a longer one',
    ],
  ])('refuses %s', async (_, texts, message) => {
    await expect(countWords(inMemory(texts, 30_000))).rejects.toThrow(DataError)
    await expect(countWords(inMemory(texts, 30_000))).rejects.toThrow(message)
  })
})

describe('WordTable', () => {
  it('numbers words as a map does, however many there are', () => {
    const random = generator(5)
    const [table, known] = [new WordTable(), new Map<string, number>()]
    const encoder = new TextEncoder()
    const wrong: string[] = []
    for (let i = 0; i < 60_000; i++) {
      const word = Math.floor(random() ** 2 * 30_000).toString(36)
      const bytes = encoder.encode(`<${word}>`)
      if (table.find(bytes, 1, bytes.length - 1) !== (known.get(word) ?? -1)) wrong.push(word)
      if (!known.has(word)) known.set(word, known.size)
      const number = table.add(bytes, 1, bytes.length - 1)
      if (number !== known.get(word)) wrong.push(word)
      table.counts[number]!++
    }
    expect(wrong).toEqual([])
    expect(table.size).toBe(known.size)
    expect(table.size).toBeGreaterThan(10_000)
    const decoder = new TextDecoder()
    expect([...known].filter(([word, number]) => decoder.decode(table.bytesOf(number)) !== word)).toEqual([])
    const often = table.only((count) => count > 1)
    expect(often.size).toBe(table.counts.subarray(0, table.size).filter((count) => count > 1).length)
    expect(often.counts.subarray(0, often.size).reduce((sum, count) => sum + count, 0)).toBe(
      table.counts.filter((count) => count > 1).reduce((sum, count) => sum + count, 0),
    )
  })

  it('tells apart words of one length and one hash', () => {
    const table = new WordTable()
    const numbers = ['declinate', 'macallums', 'declinate', 'macallums'].map((word) => {
      return table.add(new TextEncoder().encode(word), 0, word.length)
    })
    expect(numbers).toEqual([0, 1, 0, 1])
  })
})

describe('files of counts', () => {
  let path = ''
  beforeEach(async () => {
    path = join(await mkdtemp(join(tmpdir(), 'ostrich-counts-')), 'counts')
  })
  afterEach(() => rm(join(path, '..'), { recursive: true }))

  it('are those of the C program', async () => {
    const counts = await countWords(inMemory('b größer b c größer b d'), { least: 2 })
    await writeWordCounts(path, counts)
    expect(await readFile(path, 'utf8')).toBe('b 3\ngrößer 2\n')
    const back = await readWordCounts(path)
    expect(counted(back)).toEqual([
      [
        ['b', 3],
        ['größer', 2],
      ],
      5,
    ])
    expect(back.numberOf('größer')).toBe(1)
    await writeFile(path, gzipSync('</s> 1\r\na\t7\n\nb 7 \n'))
    expect(counted(await readWordCounts(path))).toEqual([
      [
        ['a', 7],
        ['b', 7],
        ['</s>', 1],
      ],
      15,
    ])
  })

  it.each([
    ['', 'counts: expected words and their counts, got none'],
    ['a 1\nb\n', 'counts, line 2: expected a word and how often it is there, got "b"'],
    ['a 1 2\n', 'counts, line 1: expected a word and how often it is there, got "a 1 2"'],
    ['a -1\n', 'got "a -1"'],
    ['a 0\n', 'got "a 0"'],
    ['a 1e3\n', 'got "a 1e3"'],
    ['a 1\nb 2\na 3\n', 'counts, line 3: expected each word once, got "a" again'],
  ])('that hold %j are refused', async (text, message) => {
    await writeFile(path, text)
    await expect(readWordCounts(path)).rejects.toThrow(DataError)
    await expect(readWordCounts(path)).rejects.toThrow(message)
  })

  it('that are absent, or cannot be written, are refused by name', async () => {
    await expect(readWordCounts(path)).rejects.toThrow(`${path}: expected a text in UTF-8, got ENOENT`)
    const counts = await countWords(inMemory('a'), { least: 1 })
    await writeFile(path, '')
    await expect(writeWordCounts(join(path, 'a'), counts)).rejects.toThrow(/counts\/a: expected to write it, got E/)
  })
})
