// Error rates: hand-worked cases, the fewest edits against every alignment there is, real transcripts by their published counts, refusals.
import { describe, expect, it } from 'vitest'
import {
  characterErrorRate,
  DataError,
  editAlignment,
  type EditedPlace,
  phonemeErrorRate,
  timitPhonemes,
  wordErrorRate,
} from '../../../lib/data/index.js'
import { countEdits } from '../../../lib/data/text/edits.js'
import { generator } from '../../support/random.js'

/** Edits of every alignment of two sequences. */
function* everyAlignment(own: string, wanted: string): Generator<readonly [number, number, number]> {
  if (own === '' && wanted === '') yield [0, 0, 0]
  if (own !== '' && wanted !== '') {
    const wrong = own[0] === wanted[0] ? 0 : 1
    for (const [s, d, i] of everyAlignment(own.slice(1), wanted.slice(1))) yield [s + wrong, d, i]
  }
  if (wanted !== '') for (const [s, d, i] of everyAlignment(own, wanted.slice(1))) yield [s, d + 1, i]
  if (own !== '') for (const [s, d, i] of everyAlignment(own.slice(1), wanted)) yield [s, d, i + 1]
}

const random = generator(11)
const draw = (): string =>
  Array.from({ length: Math.floor(6 * random()) }, () => 'abc'[Math.floor(3 * random())]!).join('')
const pairs = Array.from({ length: 150 }, () => [draw(), draw()] as const)

describe('edits', () => {
  it('are the fewest of every alignment, and of those with the fewest substitutions', () => {
    for (const [own, wanted] of pairs) {
      const all = [...everyAlignment(own, wanted)].map(([s, d, i]) => ({ edits: s + d + i, s, d, i }))
      const [best] = all.sort((a, b) => a.edits - b.edits || a.s - b.s)
      const found = countEdits(Array.from(own), Array.from(wanted))
      expect(found).toEqual({ substitutions: best!.s, deletions: best!.d, insertions: best!.i })
    }
  })

  it('are those of the alignment that is told, which reads as both sequences', () => {
    for (const [own, wanted] of pairs) {
      const places = editAlignment(Array.from(own), Array.from(wanted))
      expect(places.map(({ hypothesis = '' }) => hypothesis).join('')).toBe(own)
      expect(places.map(({ reference = '' }) => reference).join('')).toBe(wanted)
      const count = (wantedKind: EditedPlace['kind']): number => places.filter(({ kind }) => kind === wantedKind).length
      const { substitutions, deletions, insertions } = countEdits(Array.from(own), Array.from(wanted))
      expect([count('substitution'), count('deletion'), count('insertion')]).toEqual([
        substitutions,
        deletions,
        insertions,
      ])
      for (const { kind, hypothesis, reference } of places) expect(kind === 'same').toBe(hypothesis === reference)
    }
  })

  it('leave what can be left', () => {
    expect(countEdits(['b', 'c'], ['a', 'b'])).toEqual({ substitutions: 0, deletions: 1, insertions: 1 })
    expect(editAlignment(['b', 'c'], ['a', 'b']).map(({ kind }) => kind)).toEqual(['deletion', 'same', 'insertion'])
  })
})

describe('error rates', () => {
  it('add up over lines', () => {
    const found = wordErrorRate(['one two', 'three', 'four five six'], ['one oh two', 'three', 'four fine six ten'])
    expect(found).toEqual({
      ...{ rate: 3 / 8, errors: 3, substitutions: 1, deletions: 2, insertions: 0 },
      ...{ symbols: 8, lines: 3, wrongLines: 2 },
      text: '%WER 37.50 [ 3 / 8, 0 ins, 2 del, 1 sub ]',
    })
  })

  it('can be above 1, and take a line of nothing', () => {
    expect(wordErrorRate(['a b c d', ''], ['x', 'y z'])).toMatchObject({ rate: 2, insertions: 3, deletions: 2 })
  })

  it('compare in lower case where that is asked for, and accents however they are written', () => {
    expect(wordErrorRate(['One'], ['ONE']).rate).toBe(1)
    expect(wordErrorRate(['One'], ['ONE'], { lowercase: true }).rate).toBe(0)
    expect(wordErrorRate(['cafe\u0301'], ['caf\u00e9']).rate).toBe(0)
    expect(characterErrorRate(['A B'], ['a b'], { lowercase: true }).rate).toBe(0)
  })

  it('of characters count spaces between words, or not', () => {
    expect(characterErrorRate(['tens'], ['ten s'])).toMatchObject({ rate: 1 / 5, deletions: 1, symbols: 5 })
    expect(characterErrorRate([' ten   s '], ['ten s']).rate).toBe(0)
    expect(characterErrorRate(['tens'], ['ten s'], { spaces: false })).toMatchObject({ rate: 0, symbols: 4 })
    expect(characterErrorRate(['\u{1f600}'], ['\u{1f600}\u{1f601}'])).toMatchObject({ symbols: 2, deletions: 1 })
  })

  it('of phonemes are those of the folded ones', () => {
    const found = phonemeErrorRate(['h# q ix z kcl'], ['h# ih s sil'], { fold: timitPhonemes })
    expect(found).toMatchObject({ substitutions: 1, symbols: 4, errors: 1 })
    expect(found.text).toBe('%PER 25.00 [ 1 / 4, 0 ins, 0 del, 1 sub ]')
    expect(phonemeErrorRate(['ix'], ['ih']).rate).toBe(1)
  })

  it.each([
    [[], [], 'wordErrorRate[hypotheses]: expected at least one line, got none'],
    [['a'], ['a', 'b'], 'wordErrorRate[references]: expected as many lines as hypotheses, 1, got 2'],
    [['a', 3], ['a', 'b'], 'wordErrorRate[hypotheses][1]: expected a text, got number'],
    [['a'], 'a', 'wordErrorRate[references]: expected a list of texts, got string'],
    [['a'], [' '], 'wordErrorRate[references]: expected lines with something in them, got empty ones'],
  ])('of %j and %j are refused', (hypotheses, references, message) => {
    const measure = (): unknown => wordErrorRate(hypotheses as string[], references as string[])
    expect(measure).toThrow(DataError)
    expect(measure).toThrow(message)
  })

  it('refuse options, and phonemes that a folding lacks', () => {
    expect(() => wordErrorRate(['a'], ['a'], { lowerCase: true } as never)).toThrow(
      'got lowerCase (did you mean lowercase?)',
    )
    expect(() => phonemeErrorRate(['a'], ['a'], { fold: { a: 3 } as never })).toThrow(
      'phonemeErrorRate[fold.a]: expected a text, got 3',
    )
    expect(() => phonemeErrorRate(['ax xx'], ['ax'], { fold: timitPhonemes })).toThrow(
      'expected phonemes that fold has, got "xx"',
    )
    expect(() => phonemeErrorRate(['constructor'], ['ax'], { fold: timitPhonemes })).toThrow('got "constructor"')
  })
})

describe("TIMIT's phonemes", () => {
  it('are 61, and sil, folded to 39', () => {
    const folded = Object.entries(timitPhonemes)
    expect(folded.filter(([phoneme]) => phoneme !== 'sil')).toHaveLength(61)
    const kept = new Set(folded.map(([, to]) => to).filter((to) => to !== ''))
    expect(kept.size).toBe(39)
    for (const phoneme of kept) expect(timitPhonemes[phoneme]).toBe(phoneme)
    expect(folded.filter(([, to]) => to === '').map(([phoneme]) => phoneme)).toEqual(['q'])
  })
})
