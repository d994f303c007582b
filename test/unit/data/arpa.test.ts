// ARPA files: what they say and what follows from it by backing off, that what is written is read again, and what is refused, with its line.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DataError, learnNgrams, readArpa, writeArpa } from '../../../lib/data/index.js'
import { arpaText, parseArpa } from '../../../lib/data/text/arpa.js'
import { generator } from '../../support/random.js'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-arpa-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** A trigram "a b c" whose own ends, "b c", the file leaves out. */
const text = `made by hand, which a reader passes over

\\data\\
ngram 1=5
ngram  2 = 3
ngram 3=1

\\1-grams:
-99\t<s>\t-0.5
-1.0\t</s>
-0.5\ta\t-0.25
-0.6 b -0.125
-0.7\tc

\\2-grams:
-0.3\t<s> a\t-0.0625
-0.2\ta b\t-0.03125
-0.4\tb </s>

\\3-grams:
-0.1\ta b c

\\end\\
what follows is nothing to a reader
`
/** log10 of p of a line. */
const log10 = (line: string): number => parseArpa(text).logProbability(line) / Math.LN10

describe('an ARPA file', () => {
  it('has what it says, and what backing off makes of it', () => {
    const model = parseArpa(text)
    expect([model.order, model.counts]).toEqual([3, [5, 3, 1]])
    expect(model.tokens).toEqual(['<s>', '</s>', 'a', 'b', 'c', '<unk>'])
    // (<s> a), b behind a as <s> a b is none, the trigram, and the end behind "b c", which is none, nor is "c </s>".
    expect(log10('a b c')).toBeCloseTo(-0.3 + (-0.0625 - 0.2) - 0.1 - 1, 12)
    // Behind <s> there is no b: its weight, and b alone; then b </s>.
    expect(log10('b')).toBeCloseTo(-0.5 - 0.6 - 0.4, 12)
    // a a: the weights of "<s> a" and of "a".
    expect(log10('a a')).toBeCloseTo(-0.3 + (-0.0625 - 0.25 - 0.5) + (-0.25 - 1), 12)
    expect(log10('')).toBeCloseTo(-0.5 - 1, 12)
    // It says nothing of unknown words.
    expect(log10('z')).toBeCloseTo(-0.5 - 100 - 1, 10)
  })

  it('may lack the beginning of an n-gram', () => {
    const model = parseArpa(text.replace('-0.2\ta b\t-0.03125', '-0.2\tb b'))
    // "a b" is no n-gram now, but "a b c" is one.
    const p = -0.3 + (-0.0625 - 0.25 - 0.6) - 0.1 - 1
    expect(model.logProbability('a b c') / Math.LN10).toBeCloseTo(p, 12)
    expect(model.counts).toEqual([5, 3, 1])
  })

  it('may give its longest n-grams a backoff, which counts for nothing', () => {
    const other = parseArpa(text.replace('-0.1\ta b c', '-0.1\ta b c\t-0.5'))
    expect(other.logProbability('a b c')).toBe(parseArpa(text).logProbability('a b c'))
  })

  it('may have zeros, <UNK> in capitals, and other ends of lines', () => {
    const other = text.replace('-0.7\tc', '-inf\tc').replace('=5', '=6').replace('-1.0\t', '-2\t<UNK>\n-1.0\t')
    const model = parseArpa(other.replaceAll('\n', '\r\n'))
    expect(model.logProbability('c')).toBe(-Infinity)
    expect(model.logProbability('z') / Math.LN10).toBeCloseTo(-0.5 - 2 - 1, 12)
  })

  it('is read as it was written, to seven digits', async () => {
    const random = generator(5)
    const words = ['one', 'two', 'three', 'four']
    const lines = Array.from({ length: 30 }, () => {
      return Array.from({ length: 1 + Math.floor(4 * random()) }, () => words[Math.floor(4 * random())]!).join(' ')
    })
    const path = join(folder, 'model.arpa')
    for (const unit of ['word', 'character'] as const) {
      const model = learnNgrams(lines, { order: 3, unit })
      await writeArpa(path, model)
      const again = await readArpa(path, { unit })
      expect([again.order, again.counts, again.unit]).toEqual([3, model.counts, unit])
      for (const line of ['', 'one two', 'two zero', ...lines.slice(0, 5)]) {
        expect(again.logProbability(line)).toBeCloseTo(model.logProbability(line), 5)
      }
      expect(arpaText(parseArpa(arpaText(model), unit))).toBe(arpaText(again))
      await writeFile(path, gzipSync(arpaText(model)))
      expect((await readArpa(path, { unit })).logProbability('one')).toBe(again.logProbability('one'))
    }
  })

  it('does not become one that has an unknown word by being written', () => {
    expect(arpaText(parseArpa(text))).not.toContain('<unk>')
    expect(parseArpa(arpaText(parseArpa(text))).logProbability('z b')).toBe(parseArpa(text).logProbability('z b'))
  })

  const cut = (from: string, to: string): string => {
    expect(text).toContain(from)
    return text.replace(from, to)
  }
  it.each([
    ['', '', ':0: expected \\data\\, got the end of the file'],
    ['\\data\\', 'data', ':24: expected \\data\\, got the end of the file'],
    ['ngram 1=5\nngram  2 = 3\nngram 3=1\n', '', ':5: expected ngram 1=<count>, got "\\\\1-grams:"'],
    ['ngram 1=5', 'ngram 2=5', ':4: expected ngram 1=<count>, of at most 20 tokens, got "ngram 2=5"'],
    ['ngram 3=1', 'ngram 3=many', ':6: expected ngram 3=<count>'],
    ['ngram 1=5', 'ngram 1=6', ':15: expected 6 1-grams, as \\data\\ says, got 5 before "\\\\2-grams:"'],
    ['ngram 1=5', 'ngram 1=4', ':13: expected 4 1-grams, as \\data\\ says, got more'],
    ['ngram  2 = 3', 'ngram 2=9999999999999', ':20: expected 9999999999999 2-grams, as \\data\\ says, got 3'],
    ['\\2-grams:', '\\3-grams:', ':15: expected \\2-grams:, got "\\\\3-grams:"'],
    ['-0.2\ta b\t-0.03125', '-0.2\ta b\ta b', ':17: expected log10 p, 2 tokens and perhaps a backoff, got 5 fields'],
    ['-0.2\ta b\t-0.03125', '-0.2\ta', ':17: expected log10 p, 2 tokens and perhaps a backoff, got 2 fields'],
    ['-0.2\ta b', '-x\ta b', ':17: expected log10 p, got "-x"'],
    ['-0.2\ta b', 'NaN\ta b', ':17: expected log10 p, got "NaN"'],
    ['-0.2\ta b', '0.2\ta b', ':17: expected log10 p of at most 0, got 0.2'],
    ['a b\t-0.03125', 'a b\tx', ':17: expected a backoff, got "x"'],
    ['-0.2\ta b', '-0.2\ta zebra', ':17: expected tokens of 1-grams, got "zebra"'],
    ['-0.4\tb </s>', '-0.4\ta b', ':18: expected each n-gram once, got "-0.4\\ta b" again'],
    ['-0.5\ta\t-0.25', '-0.5\t<s>\t-0.25', ':11: expected each n-gram once'],
    ['\\end\\\nwhat follows is nothing to a reader\n', '', ':22: expected \\end\\, got the end of the file'],
    ['\\end\\', '-0.1\tb b b\n\\end\\', ':23: expected 1 3-grams, as \\data\\ says, got more'],
    ['-1.0\t</s>', '-1.0\td', 'expected tokens of 1-grams, got "</s>"'],
  ])('with %j as %j is refused', (from, to, message) => {
    const damaged = from === '' ? '' : cut(from, to)
    const read = (): unknown => parseArpa(damaged, 'word', 'lm.arpa')
    expect(read).toThrow(DataError)
    expect(read).toThrow(`lm.arpa${message.startsWith(':') ? message : ':'}`)
    expect(read).toThrow(message)
  })

  it('without a beginning or an end of lines is refused', () => {
    const small = '\\data\\\nngram 1=1\n\\1-grams:\n-1 a\n\\end\\\n'
    expect(() => parseArpa(small)).toThrow('arpa:5: expected <s> among the 1-grams, got none')
    expect(() => parseArpa(small.replace('-1 a', '-1 <s>'))).toThrow('expected </s> among the 1-grams')
  })

  it('cut short anywhere, or with a byte changed, is refused or read, and nothing else', () => {
    const random = generator(8)
    let refused = 0
    for (let i = 0; i < 400; i++) {
      const at = Math.floor(random() * text.length)
      const byte = String.fromCharCode(Math.floor(random() * 128))
      const damaged = i % 2 === 0 ? text.slice(0, at) : text.slice(0, at) + byte + text.slice(at + 1)
      try {
        expect(parseArpa(damaged).logProbability('a b c')).not.toBeNaN()
      } catch (error) {
        expect(error).toBeInstanceOf(DataError)
        refused++
      }
    }
    expect(refused).toBeGreaterThan(150)
  })

  it('that is absent, and options of another kind, are refused', async () => {
    await expect(readArpa(join(folder, 'none.arpa'))).rejects.toThrow(
      /none\.arpa: expected a text in UTF-8, got ENOENT/,
    )
    await expect(readArpa('a', { unit: 'letter' as never })).rejects.toThrow('readArpa[unit]: expected word, character')
    await expect(writeArpa(join(folder, 'a'), {} as never)).rejects.toThrow('expected an NgramModel, got {}')
    await expect(writeArpa(folder, learnNgrams(['a']))).rejects.toThrow(DataError)
  })
})
