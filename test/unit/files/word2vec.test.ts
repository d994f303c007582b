// Word vectors in word2vec's formats: read exactly however the bytes come, and written so that they are read again.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CheckpointError } from '../../../lib/files/index.js'
import { readWord2vec, type WordRows, writeWord2vec } from '../../../lib/files/word2vec.js'
import { generator } from '../../support/random.js'
import { binary, encoder, numbers, rows, stream, text, words } from './word2vec.js'

async function expectRows(found: Promise<WordRows>): Promise<void> {
  const { words: read, vectors, dimension } = await found
  expect(read).toEqual(words)
  expect([...vectors]).toEqual([...numbers])
  expect(dimension).toBe(3)
}

describe('readWord2vec', () => {
  const files: Readonly<Record<string, Uint8Array>> = {
    text: text,
    'text as the C program writes it': encoder.encode(
      '3 3\nking 1.000000 -2.500000 0.250000 \ngröße 0.500000 4.000000 -0.001000 \n日本 300000.000000 0.000000 7.000000 \n',
    ),
    'text with carriage returns, and no last end of a line': encoder.encode(
      '3 3\r\nking 1 -2.5 0.25\r\ngröße 0.5\t4  -1e-3\r\n日本 3e5 0 7',
    ),
    'binary, as gensim writes it': binary(rows),
    'binary, as the C program writes it': binary(rows, '\n'),
  }

  describe.each(Object.entries(files))('of %s', (_, bytes) => {
    it.each([1, 2, 3, 5, 8, 13, 1000])('reads every number, in pieces of %d bytes', async (piece) => {
      await expectRows(readWord2vec(stream(bytes, piece), 'a.vec'))
      await expectRows(readWord2vec(stream(bytes, piece), 'a.vec', { length: bytes.length }))
    })
  })

  it('reads the first words alone where it is told to', async () => {
    const { words: read, vectors } = await readWord2vec(stream(text), 'a.vec', { limit: 2 })
    expect([read, vectors.length]).toEqual([words.slice(0, 2), 6])
    const cut = binary(rows).subarray(0, -5)
    expect((await readWord2vec(stream(cut), 'a.bin', { limit: 2 })).words).toEqual(words.slice(0, 2))
  })

  it.each(['text', 'binary'] as const)('grows its table as it reads %s', async (format) => {
    const many = Array.from({ length: 40_000 }, (_, i): [string, ...number[]] => [`w${i}`, i, -i, i / 4])
    const lines = many.map((row) => row.join(' ')).join('\n')
    const bytes = format === 'text' ? encoder.encode(`40000 3\n${lines}`) : binary(many)
    const found = await readWord2vec(stream(bytes, 4096), 'a.vec')
    expect(found.words.length).toBe(40_000)
    expect(found.words.findIndex((word, i) => word !== `w${i}`)).toBe(-1)
    expect(many.findIndex(([, ...own], i) => own.some((x, k) => found.vectors[3 * i + k] !== x))).toBe(-1)
  })

  it('takes one number for each word, and a text that looks like nothing else', async () => {
    expect([...(await readWord2vec(stream(encoder.encode('2 1\na 1\nb 2')), 'a.vec')).vectors]).toEqual([1, 2])
    expect([
      ...(
        await readWord2vec(
          stream(
            binary([
              ['a', 1],
              ['b', 2],
            ]),
          ),
          'a.bin',
        )
      ).vectors,
    ]).toEqual([1, 2])
  })

  it('leaves out words that are not UTF-8 or there twice, where it is told to', async () => {
    const bytes = Buffer.from('4 1\na 1\nb\xff 2\na 3\nc 4\n', 'latin1')
    const left: string[] = []
    const found = await readWord2vec(stream(bytes), 'a.vec', { onBadWord: (what) => left.push(what) })
    expect([found.words, [...found.vectors]]).toEqual([
      ['a', 'c'],
      [1, 4],
    ])
    expect(left).toEqual(['other bytes', '"a" a second time'])
    const none = readWord2vec(stream(Buffer.from('1 1\n\xff 1\n', 'latin1')), 'a.vec', { onBadWord: () => undefined })
    await expect(none).rejects.toThrow('a.vec: expected words, got none that can be read')
  })
})

describe('writeWord2vec', () => {
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ostrich-vectors-'))
  })
  afterEach(() => rm(folder, { recursive: true }))
  const table: WordRows = { words, vectors: numbers, dimension: 3 }

  it('writes what the C program does, with as many digits as are needed', async () => {
    const path = join(folder, 'a')
    await writeWord2vec(path, table, 'text')
    expect(await readFile(path, 'utf8')).toBe('3 3\nking 1 -2.5 0.25\ngröße 0.5 4 -0.001\n日本 300000 0 7\n')
    await writeWord2vec(path, table, 'binary')
    expect((await readFile(path)).equals(binary(rows, '\n'))).toBe(true)
    expect(await readdir(folder)).toEqual(['a'])
  })

  it.each(['text', 'binary'] as const)('writes %s that is read as the same bits', async (format) => {
    const random = generator(4)
    const vectors = new Float32Array(Uint32Array.from({ length: 30_000 }, () => random() * 2 ** 32).buffer)
    for (const [i, x] of vectors.entries()) if (!Number.isFinite(x)) vectors[i] = 0
    const many = Array.from({ length: 3000 }, (_, i) => `w${i}`)
    const path = join(folder, 'b')
    await writeWord2vec(path, { words: many, vectors, dimension: 10 }, format)
    const found = await readWord2vec(stream(await readFile(path), 5000), path)
    expect(found.words.length).toBe(3000)
    expect(found.vectors.findIndex((x, i) => x !== vectors[i])).toBe(-1)
  })

  it('says where it cannot write', async () => {
    const path = join(folder, 'nowhere', 'a')
    await expect(writeWord2vec(path, table, 'text')).rejects.toThrow(CheckpointError)
    await expect(writeWord2vec(path, table, 'text')).rejects.toThrow(`${path}: expected to write the file, got ENOENT`)
  })
})
