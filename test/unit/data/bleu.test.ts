// BLEU and chrF against sacreBLEU's numbers (test/golden/make_bleu.py), what they refuse, and that long lines take no longer than
// their length.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { VERSION } from '../../../lib/base/index.js'
import {
  bleu,
  type BleuOptions,
  chrf,
  DataError,
  PhiloxStream,
  sentenceBleu,
  sentenceChrf,
} from '../../../lib/data/index.js'
import { fixed } from '../../../lib/data/text/scored.js'

interface Golden {
  /** Numbers of lines, here and in each set of references. */
  readonly hypotheses: readonly number[]
  readonly references: readonly (readonly number[])[]
  readonly sentence: boolean
  readonly options: Required<Omit<BleuOptions, 'smoothingValue'>> & Pick<BleuOptions, 'smoothingValue'>
  readonly score: number
  readonly precisions: readonly number[]
  readonly brevityPenalty: number
  readonly lengths: readonly [number, number]
  /** Of chrF2, and of chrF2++. */
  readonly chrf: readonly [number, number]
  readonly texts: readonly [string, string, string]
}

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8')
const { lines, cases } = JSON.parse(read('../../golden/translation/bleu.json')) as {
  readonly lines: readonly string[]
  readonly cases: readonly Golden[]
}
const linesOf = (numbers: readonly number[]): string[] => numbers.map((number) => lines[number]!)
/** The golden file's numbers have nine digits behind the point. */
const DIGITS = 6

describe('as sacreBLEU', () => {
  it('has cases of each kind', () => {
    expect(cases.length).toBeGreaterThanOrEqual(200)
    for (const smoothing of ['exp', 'floor', 'add-k', 'none']) {
      expect(cases.filter(({ options }) => options.smoothing === smoothing).length).toBeGreaterThan(20)
    }
    expect(cases.filter(({ sentence }) => !sentence).length).toBeGreaterThan(40)
    expect(cases.filter(({ references }) => references.length > 1).length).toBeGreaterThan(50)
    expect(cases.filter(({ brevityPenalty }) => brevityPenalty < 1).length).toBeGreaterThan(50)
  })

  it.each(cases.map((one, i) => ({ i, ...one })))('scores case $i, $options', (one) => {
    const [hypotheses, references] = [linesOf(one.hypotheses), one.references.map(linesOf)]
    const cased = { lowercase: one.options.lowercase }
    const ofLine = references.map((set) => set[0]!)
    const found = one.sentence
      ? sentenceBleu(hypotheses[0]!, ofLine, one.options)
      : bleu(hypotheses, references, one.options)
    const [characters, words] = [cased, { ...cased, wordOrder: 2 }].map((options) => {
      return one.sentence ? sentenceChrf(hypotheses[0]!, ofLine, options) : chrf(hypotheses, references, options)
    })
    expect([found.hypothesisLength, found.referenceLength]).toEqual(one.lengths)
    expect(found.score).toBeCloseTo(one.score, DIGITS)
    expect(found.brevityPenalty).toBeCloseTo(one.brevityPenalty, DIGITS)
    for (const [n, precision] of one.precisions.entries()) expect(found.precisions[n]).toBeCloseTo(precision, DIGITS)
    expect(characters!.score).toBeCloseTo(one.chrf[0], DIGITS)
    expect(words!.score).toBeCloseTo(one.chrf[1], DIGITS)
    const texts = [found, characters!, words!].map(({ text }) => text.replace(`|version:ostrich-${VERSION}`, ''))
    expect(texts).toEqual(one.texts)
  })
})

describe('bleu', () => {
  const two = ['A man rides a bike.', 'A dog runs across the green grass.']

  it('is 100 of what is the same, sums over lines, and has no order among them', () => {
    expect(bleu(two, [two]).score).toBeCloseTo(100, 10)
    const other = ['A man is riding a bike.', 'The dog runs across green grass.']
    const { matches, totals, score } = bleu(two, [other])
    const alone = two.map((line, i) => bleu([line], [[other[i]!]]))
    expect(matches).toEqual(alone[0]!.matches.map((count, n) => count + alone[1]!.matches[n]!))
    expect(totals).toEqual([14, 12, 10, 8])
    expect(bleu(two.toReversed(), [other.toReversed()]).score).toBe(score)
  })

  it('signs with the version of this package', () => {
    const { version } = JSON.parse(read('../../../package.json')) as { readonly version: string }
    expect(VERSION).toBe(version)
    const signature = `nrefs:2|case:lc|eff:no|tok:13a|smooth:exp|version:ostrich-${version}`
    expect(bleu(two, [two, two], { lowercase: true }).signature).toBe(signature)
    expect(sentenceBleu('a', ['a'], { smoothing: 'floor' }).signature).toContain('|eff:yes|tok:13a|smooth:floor[0.10]|')
    expect(chrf(two, [two]).signature).toBe(`nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:ostrich-${version}`)
  })

  it.each([
    ['bleu[hypotheses]: expected at least one line, got none', [], [[]]],
    ['bleu[references]: expected at least one set of lines, got none', two, []],
    ['bleu[references][1]: expected as many lines as hypotheses, 2, got 1', two, [two, ['A man.']]],
    ['bleu[references][0]: expected a list of texts, got string', two, two],
    ['bleu[references]: expected a list of sets of lines, got string', two, 'A man.'],
    ['bleu[hypotheses]: expected a list of texts, got nothing', undefined, [two]],
    ['bleu[hypotheses][1]: expected a text, got nothing', ['a', undefined], [two]],
    ['bleu[references][0][1]: expected a text, got null', two, [['a', null]]],
  ])('refuses lines: %s', (message, hypotheses, references) => {
    const [own, others] = [hypotheses as string[], references as string[][]]
    expect(() => bleu(own, others)).toThrow(new DataError(message))
    expect(() => chrf(own, others)).toThrow(new DataError(message.replace('bleu', 'chrf')))
  })

  it('refuses a sentence without references', () => {
    expect(() => sentenceBleu('a', [])).toThrow(
      'sentenceBleu[references]: expected at least one set of lines, got none',
    )
    expect(() => sentenceChrf('a', 'a' as never)).toThrow(
      'sentenceChrf[references]: expected a list of texts, got string',
    )
  })

  it.each([
    [{ lower: true }, 'bleu: expected the options tokenize, lowercase,'],
    [{ lower: true }, 'got lower (did you mean lowercase?)'],
    [{ tokenize: 'zh' }, 'bleu[tokenize]: expected 13a, none, got "zh"'],
    [{ smoothing: 'linear' }, 'bleu[smoothing]: expected exp, floor, add-k, none, got "linear"'],
    [{ smoothing: 'floor', smoothingValue: 0 }, 'bleu[smoothingValue]: expected a number above 0, got 0'],
    [{ smoothingValue: 0.1 }, 'bleu[smoothingValue]: expected smoothing floor or add-k beside it, got exp'],
  ])('refuses the options %o: %s', (options, message) => {
    expect(() => bleu(two, [two], options as BleuOptions)).toThrow(message)
  })

  it('refuses options of chrF', () => {
    expect(() => chrf(two, [two], { wordOrder: -1 })).toThrow(
      'chrf[wordOrder]: expected a whole number from 0 to 9, got -1',
    )
    expect(() => sentenceChrf('a', ['a'], { order: 1 } as never)).toThrow(
      'sentenceChrf: expected the options wordOrder',
    )
  })

  it('counts the n-grams of a line of many words as of a short one', () => {
    const noise = new PhiloxStream(26, 0, 0)
    const draw = (): string[] => Array.from({ length: 600 }, () => `w${noise.below(noise.below(2) === 0 ? 3 : 200)}`)
    const [hypothesis, reference] = [draw(), draw()]
    const ngrams = (words: readonly string[], n: number): Map<string, number> => {
      const counts = new Map<string, number>()
      for (let i = 0; i + n <= words.length; i++) {
        const gram = words.slice(i, i + n).join(' ')
        counts.set(gram, (counts.get(gram) ?? 0) + 1)
      }
      return counts
    }
    const matches = [1, 2, 3, 4].map((n) => {
      const wanted = ngrams(reference, n)
      return [...ngrams(hypothesis, n)].reduce((sum, [gram, count]) => sum + Math.min(count, wanted.get(gram) ?? 0), 0)
    })
    expect(sentenceBleu(hypothesis.join(' '), [reference.join(' ')]).matches).toEqual(matches)
  })

  it('takes time by the length of a line, not by its square', () => {
    const line = Array.from({ length: 50_000 }, (_, i) => `w${i}.`).join(' ')
    expect(bleu([line], [[line]]).totals[0]).toBe(100_000)
    expect(chrf([line], [[line]]).score).toBeCloseTo(100, 10)
  })
})

it('rounds what lies between two numbers to the even one', () => {
  const rounded = [6.25, 18.75, 0.35, 12.5, 100].map((value) => fixed(value, 1))
  expect(rounded).toEqual(['6.2', '18.8', '0.3', '12.5', '100.0'])
  expect([fixed(0.125, 2), fixed(0.375, 2), fixed(0.0625, 3)]).toEqual(['0.12', '0.38', '0.062'])
})
