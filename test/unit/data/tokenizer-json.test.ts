// Tokenizers in the form of Hugging Face's `tokenizer.json`: their library makes the same numbers, also on all of Multi30k; words as tokens; what is
// refused.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readTokenizer, Subwords, tokenizerOf, Words, writeTokenizer } from '../../../lib/data/index.js'
import { piecesOf } from '../../../lib/data/text/pieces.js'
import { readText } from '../../../lib/data/text/text.js'
import { hostile, type Json, jsonOf, plain, readAlike, theirLine, theirs } from '../../support/lines.js'
import { sharedData } from '../../support/shared-data.js'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-subwords-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

describe('subwords in a file', () => {
  const subwords = Subwords.of([...plain, ...hostile], { merges: 400 })

  it('are read by Hugging Face’s library, with the same numbers and lines', () => {
    for (const own of [
      subwords,
      Subwords.of(plain, { merges: 200, lowercase: true }),
      Subwords.of([], { merges: 0 }),
    ]) {
      const other = theirs(own)
      expect(other.get_vocab().size).toBe(own.size)
      for (const line of [...plain, ...readAlike]) {
        const { ids } = other.encode(line)
        expect([...own.encode(line)], JSON.stringify(line)).toEqual(ids)
        expect(theirLine(other, ids)).toBe(own.decode(ids))
      }
    }
  })

  it('survive a file', async () => {
    const path = join(folder, 'tokenizer.json')
    await writeTokenizer(path, subwords)
    const read = await readTokenizer(path)
    expect(read).toBeInstanceOf(Subwords)
    expect(jsonOf(read)).toEqual(jsonOf(subwords))
    for (const line of hostile) expect(read.encode(line)).toEqual(subwords.encode(line))
    await expect(readTokenizer(join(folder, 'none.json'))).rejects.toThrow(/expected a tokenizer in JSON, got ENOENT/)
    await writeFile(path, (await readFile(path, 'utf8')).slice(0, 1000))
    await expect(readTokenizer(path)).rejects.toThrow(/tokenizer.json: expected a tokenizer in JSON/)
    await expect(writeTokenizer(join(path, 'in'), subwords)).rejects.toThrow(/expected to write it, got/)
  })

  const special = (content: string): Json => {
    const json = jsonOf(subwords)
    json.added_tokens[1]!.content = content
    return json
  }
  const vocab = (change: (all: Record<string, number>) => unknown): Json => {
    const json = jsonOf(subwords)
    change(json.model.vocab)
    return json
  }
  const merges = (list: unknown) => ({ ...jsonOf(subwords), model: { ...jsonOf(subwords).model, merges: list } })
  const rename = (all: Record<string, number>, from: string, to: string): void => {
    all[to] = all[from]!
    // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- a vocabulary is an object in the file
    delete all[from]
  }

  const refused: readonly (readonly [string, () => unknown, string | RegExp])[] = [
    ['no object', () => null, /t: expected the contents of tokenizer.json, got null/],
    ['no model', () => ({ ...jsonOf(subwords), model: null }), /t\[model\]: expected a model, got null/],
    [
      'another kind of model',
      () => ({ ...jsonOf(subwords), model: { ...jsonOf(subwords).model, type: 'Unigram' } }),
      't[model.type]: expected "BPE", got "Unigram"',
    ],
    [
      'a model that keeps whole words',
      () => ({ ...jsonOf(subwords), model: { ...jsonOf(subwords).model, ignore_merges: true } }),
      't[model.ignore_merges]: expected false, got true',
    ],
    [
      'lines without the first space',
      () => ({ ...jsonOf(subwords), normalizer: null }),
      't[normalizer.type]: expected "Prepend", got null',
    ],
    [
      'another way to cut',
      () => ({ ...jsonOf(subwords), pre_tokenizer: { type: 'Whitespace' } }),
      't[pre_tokenizer.type]: expected "ByteLevel", got "Whitespace"',
    ],
    [
      'tokens around the line',
      () => ({ ...jsonOf(subwords), post_processor: { type: 'TemplateProcessing' } }),
      't[post_processor]: expected null',
    ],
    [
      'other special tokens',
      () => special('<mask>'),
      't[added_tokens]: expected <pad>, <s>, </s>, <unk>, got "<mask>"',
    ],
    ['a gap', () => vocab((all) => delete all['Ġ']), /t\[model.vocab\]: expected each number from 0 to \d+ once/],
    [
      'no vocabulary',
      () => ({ ...jsonOf(subwords), model: { type: 'BPE', merges: [] } }),
      /t\[model.vocab\].*got undefined/,
    ],
    ['no <pad>', () => vocab((all) => ([all['<s>'], all['<pad>']] = [0, 1])), 'expected <pad> as number 0, got "<s>"'],
    [
      'a byte too few',
      () =>
        vocab((all) => {
          rename(all, 'Z', 'Zé€')
        }),
      't[model.vocab]: expected characters that stand for bytes, got "Zé€"',
    ],
    [
      'another letter',
      () =>
        vocab((all) => {
          rename(all, 'Z', 'ZZZ')
        }),
      't[model.vocab]: expected tokens of the vocabulary, got "Z"',
    ],
    ['a merge of others', () => merges(['Q Q']), 't[model.merges]: expected tokens of the vocabulary, got "QQ"'],
    ['merges of three', () => merges(['a b c']), 't[model.merges]: expected pairs of tokens, got "a b c"'],
    ['no merges', () => merges(undefined), 't[model.merges]: expected pairs of tokens, got undefined'],
  ]
  it.each(refused)('refuse contents with %s', (_, contents, message) => {
    expect(() => tokenizerOf(contents(), 't')).toThrow(message)
  })
})

describe('words', () => {
  const lines = ['Ein Mann fährt.', 'ein Mann, ein Rad', 'Männer fahren Rad.']

  it('are known where they are there often enough, the most frequent first', () => {
    const known = Words.of(lines)
    expect(known.vocabulary.tokens).toEqual(['<pad>', '<s>', '</s>', '<unk>', ' Mann', ' Rad', ' ein', '.'])
    expect([...known.encode('Ein Mann, ein Rad.')]).toEqual([3, 4, 3, 6, 5, 7])
    expect(known.decode(known.encode('ein Rad. Mann'))).toBe('ein Rad. Mann')
    expect(known.decode(known.encode('ein Hund.'))).toBe('ein <unk>.')
    expect(known.decode([1, 6, 5, 2, 0])).toBe('ein Rad')
    expect(known.size).toBe(8)
    // Half a pair of surrogates is U+FFFD in every file.
    expect([...Words.of(['\ud800'], { least: 1 }).encode('\ud800')]).toEqual([4])
  })

  it('are as many as is said, in lower case where it is said', () => {
    expect(Words.of(lines, { least: 1, most: 6 }).vocabulary.tokens.slice(4)).toEqual([' Mann', ' Rad'])
    const low = Words.of(lines, { lowercase: true })
    expect(low.vocabulary.tokens.slice(4)).toEqual([' ein', ' mann', ' rad', '.'])
    expect(low.decode(low.encode('EIN MANN'))).toBe('ein mann')
  })

  it('survive a file, and are read by Hugging Face’s library', async () => {
    const known = Words.of([...hostile, ...plain])
    const path = join(folder, 'words.json')
    await writeTokenizer(path, known)
    const read = await readTokenizer(path)
    expect(read).toBeInstanceOf(Words)
    expect(jsonOf(read)).toEqual(jsonOf(known))
    const other = theirs(known)
    for (const line of [...readAlike, ...plain, 'never met']) {
      expect([...known.encode(line)]).toEqual(other.encode(line).ids)
      const whole = ![...known.encode(line)].includes(known.special.unk)
      if (whole) expect(known.decode(known.encode(line))).toBe(line)
    }
    expect(() => new Words(jsonOf(Subwords.of(lines)))).toThrow('words[model.type]: expected "WordLevel", got "BPE"')
  })
})

describe('Multi30k', () => {
  const files = ['train', 'val', 'test_2016_flickr'].flatMap((part) =>
    ['de', 'en'].map((language) => `${part}.${language}.gz`),
  )
  const paths = files.map((file) => sharedData('multi30k', file))

  it.skipIf(paths.includes(undefined))('has the numbers of Hugging Face’s library', { timeout: 300_000 }, async () => {
    const texts = await Promise.all(paths.map(async (path) => (await readText(path!)).trimEnd().split('\n')))
    expect(texts.map((lines) => lines.length)).toEqual([29_000, 29_000, 1_014, 1_014, 1_000, 1_000])
    const training = [...texts[0]!, ...texts[1]!]
    const from = process.cpuUsage()
    const own = Subwords.of(training, { merges: 10_000 })
    const { user } = process.cpuUsage(from)
    // A count made anew for each merge takes minutes.
    expect(user / 1e6).toBeLessThan(20)
    expect(jsonOf(own).model.merges).toHaveLength(10_000)
    const other = theirs(own)
    let [tokens, pieces] = [0, 0]
    const differ: string[] = []
    for (const line of texts.flat()) {
      const ids = own.encode(line)
      if (ids.join() !== other.encode(line).ids.join() || own.decode(ids) !== line) differ.push(line)
      tokens += ids.length
      pieces += piecesOf(line, false).length
    }
    expect(differ).toEqual([])
    // Most words are one token.
    expect(tokens / pieces).toBeCloseTo(1.1, 1)
    const known = Words.of(texts[0]!, { lowercase: true })
    const same = theirs(known)
    const unlike = texts
      .slice(2)
      .flat()
      .filter((line) => known.encode(line).join() !== same.encode(line).ids.join())
    expect(unlike).toEqual([])
    expect([known.size, Words.of(texts[1]!, { lowercase: true }).size]).toEqual([8_065, 6_005])
  })
})
