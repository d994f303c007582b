// Texts: vocabularies, files, the Penn Treebank, and the windows of parallel streams.
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  DataError,
  getPtb,
  getShakespeare,
  ptb,
  shakespeare,
  text,
  type Text,
  Vocabulary,
  windows,
  windowsPerEpoch,
} from '../../../lib/data/index.js'
import { sharedData } from '../../support/shared-data.js'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-text-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true })
})

const numbers = (length: number): Text => ({
  tokens: Int32Array.from({ length }, (_, i) => i),
  vocabulary: new Vocabulary({ unit: 'word', tokens: Array.from({ length }, (_, i) => `w${i}`) }),
})

describe('a vocabulary', () => {
  it('of words ends each line with <eos>, the most frequent token first', () => {
    const vocabulary = Vocabulary.of(' a b  a \n\n a c', 'word')
    expect(vocabulary.tokens).toEqual(['<eos>', 'a', 'b', 'c'])
    expect([...vocabulary.encode(' a b  a \n\n a c')]).toEqual([1, 2, 1, 0, 0, 1, 3, 0])
    expect(vocabulary.decode([1, 2, 0, 3, 1])).toBe('a b\nc a')
  })

  it('of characters takes code points', () => {
    const vocabulary = Vocabulary.of('añ😀a', 'character')
    expect(vocabulary.tokens).toEqual(['a', 'ñ', '😀'])
    expect(vocabulary.decode(vocabulary.encode('😀ña'))).toBe('😀ña')
  })

  it('that is cut has <unk> for the rest', () => {
    const vocabulary = Vocabulary.of('a a a b b c d', 'word', 3)
    expect(vocabulary.tokens).toEqual(['a', 'b', '<unk>'])
    expect([...vocabulary.encode('d b')]).toEqual([2, 1, 2])
  })

  it('refuses what it does not know, and says where', () => {
    const letters = Vocabulary.of('abc', 'character')
    expect(() => letters.encode('abz', '--prompt')).toThrow(
      '--prompt: expected characters of the vocabulary ("abc"), got "z" at 2',
    )
    expect(() => letters.decode([3])).toThrow('expected tokens in [0, 3), got 3')
    expect(() => Vocabulary.of('', 'word')).toThrow('got an empty one')
    expect(() => new Vocabulary({ unit: 'word', tokens: ['a', 'a'] })).toThrow('"a" twice')
    expect(() => new Vocabulary({ unit: 'word', tokens: [] })).toThrow('at least one text')
    expect(() => new Vocabulary({ unit: 'letter' as 'word', tokens: ['a'] })).toThrow('got letter')
  })

  it.each([null, undefined, 7, 'abc', {}, { unit: 'word', tokens: null }])('is not made of %j', (data) => {
    expect(() => new Vocabulary(data as never)).toThrow(DataError)
    expect(() => new Vocabulary(data as never)).toThrow(/^vocabulary(\[\w+\])?: expected .*, got /)
  })

  it('survives JSON', () => {
    const before = Vocabulary.of('to be or not to be', 'word')
    const after = new Vocabulary(JSON.parse(JSON.stringify(before)) as Vocabulary)
    expect(after.tokens).toEqual(before.tokens)
    expect([...after.encode('be or')]).toEqual([...before.encode('be or')])
  })
})

describe('a text', () => {
  it('of a file holds its end back', async () => {
    const path = join(folder, 'a.txt')
    await writeFile(path, 'abcdefghij'.repeat(10))
    const { train, validation } = await text(path)
    expect([train.tokens.length, validation.tokens.length]).toEqual([90, 10])
    expect(train.vocabulary).toBe(validation.vocabulary)
    expect(train.vocabulary.decode(validation.tokens)).toBe('abcdefghij')
    await writeFile(path, gzipSync('one two\nthree'))
    const words = await text(path, { unit: 'word', heldBack: 0.4 })
    expect(words.train.vocabulary.decode(words.train.tokens)).toBe('one two\n')
  })

  it('that is none is refused', async () => {
    const path = join(folder, 'a.txt')
    await expect(text(path)).rejects.toThrow(/a\.txt: expected a text in UTF-8, got ENOENT/)
    await writeFile(path, '')
    await expect(text(path)).rejects.toThrow('expected a text, got an empty file')
    await writeFile(path, Uint8Array.of(0xc3, 0x28))
    await expect(text(path)).rejects.toThrow('got other bytes')
    await writeFile(path, 'a b')
    await expect(text(path, { heldBack: 1 })).rejects.toThrow('text[heldBack]')
    await expect(text(path, { most: 1 })).rejects.toThrow('text[most]')
  })
})

describe('windows', () => {
  it('cut a text into contiguous streams, time-major, each target one ahead', () => {
    const all = [...windows(numbers(14), { streams: 2, steps: 3 })].map(({ feeds, steps, step, count }) => ({
      ...{ steps, step, count },
      x: [...feeds.x],
      target: [...feeds.target],
      fresh: [...feeds.fresh],
    }))
    // 13 predictions: 6 for each stream, one left out.
    expect(all).toEqual([
      { steps: 3, step: 0, count: 2, x: [0, 6, 1, 7, 2, 8], target: [1, 7, 2, 8, 3, 9], fresh: [1, 1] },
      { steps: 3, step: 1, count: 2, x: [3, 9, 4, 10, 5, 11], target: [4, 10, 5, 11, 6, 12], fresh: [0, 0] },
    ])
  })

  it('of one stream predict every token but the first exactly once, in a short last window too', () => {
    const seen = [...windows(numbers(12), { streams: 1, steps: 4 })].flatMap(({ feeds, steps }) => {
      expect(feeds.x).toHaveLength(steps)
      return [...feeds.target]
    })
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
    const whole = [...windows(numbers(12), { streams: 1, steps: 4, dropLast: true })]
    expect(whole.map(({ steps }) => steps)).toEqual([4, 4])
  })

  it('go on in the middle of an epoch, where no stream is fresh', () => {
    const [first] = windows(numbers(40), { streams: 3, steps: 4, startStep: 2 })
    expect([first!.step, [...first!.feeds.fresh], first!.feeds.x[0]]).toEqual([2, [0, 0, 0], 8])
  })

  it('refuse a text that is too short', () => {
    expect(() => [...windows(numbers(5), { streams: 5, steps: 2 })]).toThrow(
      'expected a text of more than 5 tokens, for 5 streams, got 5',
    )
    expect(() => [...windows(numbers(20), { streams: 5, steps: 4, dropLast: true })]).toThrow(
      'expected a text of at least 21 tokens, for 5 streams of 4 steps, got 20',
    )
    expect(() => [...windows(numbers(20), { streams: 0, steps: 4 })]).toThrow('windows[streams]')
    expect(() => windowsPerEpoch(20, { streams: 1, steps: 0 })).toThrow('windows[steps]')
  })
})

describe('ptb', () => {
  it.skipIf(sharedData('ptb', 'ptb.train.txt.gz') === undefined)('has the published counts', async () => {
    const from = dirname(sharedData('ptb', 'ptb.train.txt.gz')!)
    expect(await getPtb({ from, dir: folder })).toBe(folder)
    expect((await readdir(folder)).sort()).toEqual(['ptb.test.txt.gz', 'ptb.train.txt.gz', 'ptb.valid.txt.gz'])
    const { train, validation, test, vocabulary } = await ptb({ dir: folder })
    expect([train, validation, test].map(({ tokens }) => tokens.length)).toEqual([929_589, 73_760, 82_430])
    expect(vocabulary.size).toBe(10_000)
    expect(vocabulary.tokens.slice(0, 4)).toEqual(['the', '<unk>', '<eos>', 'N'])
    const lines = [train, validation, test].map(
      ({ tokens }) => tokens.filter((token) => token === vocabulary.numberOf('<eos>')).length,
    )
    expect(lines).toEqual([42_068, 3370, 3761])
    expect(windowsPerEpoch(929_589, { streams: 20, steps: 20, dropLast: true })).toBe(2323)
  })

  it('that is absent or another is refused with the way to get it', async () => {
    await expect(ptb({ dir: folder })).rejects.toThrow('Run: ostrich data get ptb --from <folder>')
    await expect(getPtb({ dir: folder })).rejects.toThrow('expected --from <folder> with ptb.train.txt')
    await expect(getPtb({ from: folder, dir: join(folder, 'to') })).rejects.toThrow(/in .*, got not all of them/)
    const from = join(folder, 'from')
    await mkdir(from)
    for (const part of ['train', 'valid', 'test']) await writeFile(join(from, `ptb.${part}.txt`), ' a <unk> \n')
    await expect(getPtb({ from, dir: join(folder, 'to') })).rejects.toThrow('expected 10000 different tokens, got 3')
  })
})

describe('shakespeare', () => {
  const path = sharedData('text', 'tinyshakespeare.txt.gz')
  it.skipIf(path === undefined)('has 65 different characters', async () => {
    await getShakespeare({ from: path!, dir: folder })
    const { train, validation } = await shakespeare({ dir: folder })
    expect([train.tokens.length, validation.tokens.length]).toEqual([1_003_854, 111_540])
    expect(train.vocabulary.size).toBe(65)
  })

  it('that is absent or another is refused with the way to get it', async () => {
    await expect(shakespeare({ dir: folder })).rejects.toThrow('Run: ostrich data get shakespeare --from <file>')
    await expect(getShakespeare({ dir: folder })).rejects.toThrow('expected --from <file>')
    await expect(getShakespeare({ from: folder })).rejects.toThrow('expected tinyshakespeare.txt')
    await writeFile(join(folder, 'input.txt'), 'to be')
    await expect(getShakespeare({ from: folder })).rejects.toThrow(
      'expected 1115394 characters of tinyshakespeare, got 5',
    )
  })
})
