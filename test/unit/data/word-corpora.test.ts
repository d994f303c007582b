// Corpora: files and folders as streams of words, and their words as numbers.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Corpus, corpus, countWords, DataError, encodedLines, type WordCounts } from '../../../lib/data/index.js'
import { generator } from '../../support/random.js'
import { sharedData } from '../../support/shared-data.js'
import { counted, inMemory } from './corpora.js'
import { collectAll } from './support.js'

/** The lines of a corpus as words, those without a number left out. */
async function linesOf(of: Corpus, counts: WordCounts): Promise<string[]> {
  const [lines, open]: [string[], string[]] = [[], []]
  for await (const { tokens, ends } of encodedLines(of, counts)) {
    let from = 0
    for (const end of ends) {
      lines.push(
        [...open.splice(0), ...Array.from(tokens.subarray(from, end), (token) => counts.words[token]!)].join(' '),
      )
      from = end
    }
    open.push(...Array.from(tokens.subarray(from), (token) => counts.words[token]!))
  }
  return open.length === 0 ? lines : [...lines, `unended: ${open.join(' ')}`]
}

describe('encodedLines', () => {
  it.each([1, 3, 1000])('gives the words that were kept, line by line, in pieces of %d bytes', async (piece) => {
    const counts = await countWords(inMemory('a a b b c'), { least: 2 })
    const lines = await linesOf(inMemory(['a c b\nc\n\nb b\na', 'b a\n'], piece), counts)
    expect(lines).toEqual(['a b', '', '', 'b b', 'a', 'b a'])
  })

  it('tells the words that were read, and the bytes', async () => {
    const counts = await countWords(inMemory('a a'), { least: 2 })
    const blocks = await collectAll(encodedLines(inMemory('a c a\nc a', 4), counts))
    expect(blocks.map(({ tokens, ends, words, done }) => [[...tokens], [...ends], words, done])).toEqual([
      [[0], [], 2, 4],
      [[0], [1], 4, 8],
      [[], [], 4, 9],
      [[0], [1], 5, 9],
    ])
  })

  it('has room for lines of any length', async () => {
    const counts = await countWords(inMemory('a a'), { least: 1 })
    const [first] = await collectAll(encodedLines(inMemory(`${'a '.repeat(100_000)}${'\n'.repeat(10_000)}`), counts))
    expect([first!.tokens.length, first!.ends.length, first!.ends[0], first!.ends.at(-1)]).toEqual([
      100_000, 10_000, 100_000, 100_000,
    ])
  })
})

describe('corpus', () => {
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ostrich-corpus-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  const fileLines = async (path: string): Promise<string[]> => {
    const text = await corpus(path)
    return linesOf(text, await countWords(text, { least: 1 }))
  }

  it('reads a file, compressed or not, without the mark that some begin with', async () => {
    const text = '\ufeffone two\r\nthree'
    await writeFile(join(folder, 'a.txt'), text)
    await writeFile(join(folder, 'b'), gzipSync(text))
    expect(await fileLines(join(folder, 'a.txt'))).toEqual(['one two', 'three'])
    expect(await fileLines(join(folder, 'b'))).toEqual(['one two', 'three'])
    const packed = await corpus(join(folder, 'b'))
    const last = (await collectAll(packed.pieces())).at(-1)!
    expect([last.done, last.bytes.length]).toEqual([packed.size, text.length - 1])
  })

  it('reads a folder in the order of paths, without hidden files', async () => {
    await mkdir(join(folder, 'b'))
    await writeFile(join(folder, 'b', '2.txt'), 'third')
    await writeFile(join(folder, 'b', '10.txt'), 'second\n')
    await writeFile(join(folder, 'a.txt.gz'), gzipSync('first'))
    await writeFile(join(folder, '.hidden'), 'never')
    await writeFile(join(folder, 'aa.txt'), '')
    await writeFile(join(folder, 'c'), 'fourth')
    expect(await fileLines(folder)).toEqual(['first', 'second', 'third', 'fourth'])
  })

  it('reads large files, compressed ones of several parts, and can be left in the middle', async () => {
    const line = `${'word '.repeat(9)}end\n`
    const half = line.repeat(20_000)
    await writeFile(join(folder, 'a'), Buffer.concat([gzipSync(half), gzipSync(half)]))
    await writeFile(join(folder, 'b'), half)
    for (const [name, lines] of [
      ['a', 40_000],
      ['b', 20_000],
    ] as const) {
      const text = await corpus(join(folder, name))
      const counts = await countWords(text)
      expect(counted(counts)).toEqual([
        [
          ['word', 9 * lines],
          ['end', lines],
        ],
        10 * lines,
      ])
      for await (const { bytes } of text.pieces()) {
        expect(bytes.length).toBeGreaterThan(0)
        break
      }
    }
  })

  it('that is absent, empty, cut or of other bytes is refused by name', async () => {
    await expect(corpus(join(folder, 'none'))).rejects.toThrow(
      `${join(folder, 'none')}: expected a readable text, got ENOENT`,
    )
    await expect(corpus(folder)).rejects.toThrow(`${folder}: expected files of text, got an empty folder`)
    const path = join(folder, 'a')
    await writeFile(path, gzipSync('some words '.repeat(100)).subarray(0, -9))
    await expect(fileLines(path)).rejects.toThrow(`${path}: expected a readable text, got Z_BUF_ERROR`)
    await writeFile(path, Buffer.from('good\n\nbad w\xf6rd\n', 'latin1'))
    await expect(fileLines(path)).rejects.toThrow(`${path}, line 3: expected a text in UTF-8, got other bytes`)
    await expect(fileLines(path)).rejects.toThrow(DataError)
  })

  it('is refused by name or read, whatever its bytes', async () => {
    const random = generator(8)
    const below = (bound: number): number => Math.floor(random() * bound)
    const plain = new TextEncoder().encode('one two größer\n\nthree two\r\n one'.repeat(20))
    const outcomes = { read: 0, refused: 0, other: [] as unknown[] }
    const path = join(folder, 'a')
    for (let run = 0; run < 400; run++) {
      const source = run % 2 === 0 ? gzipSync(plain) : plain
      const bytes = Uint8Array.from(random() < 0.3 ? source.subarray(0, below(source.length)) : source)
      for (let changes = below(3); changes > 0; changes--) bytes[below(bytes.length)] = below(256)
      await writeFile(path, bytes)
      try {
        await fileLines(path)
        outcomes.read++
      } catch (error) {
        const isNamed =
          error instanceof DataError && /^(?:countWords|.*\/a(?:, line \d+)?): expected /.test(error.message)
        if (isNamed) outcomes.refused++
        else outcomes.other.push(error)
      }
    }
    expect(outcomes.other).toEqual([])
    expect(Math.min(outcomes.read, outcomes.refused)).toBeGreaterThan(50)
  })

  const wikipedia = sharedData('enwiki', 'enwiki-20m.txt.gz')
  it.skipIf(wikipedia === undefined)(
    'of 20 million words has the published counts',
    async () => {
      const text = await corpus(wikipedia!)
      const { size, total } = await countWords(text)
      expect([size, total]).toEqual([83_020, 20_002_273])
      expect((await countWords(text, { least: 1 })).size).toBe(288_954)
    },
    120_000,
  )
})
