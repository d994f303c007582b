// Subwords: what is learned beside a count made anew for each merge, and that every line comes back.
import { describe, expect, it } from 'vitest'
import { Subwords, tokenizerOf, Words } from '../../../lib/data/index.js'
import { learnBytePairs } from '../../../lib/data/text/byte-pairs.js'
import { alphabet, countPieces, piecesOf, writtenAsBytes } from '../../../lib/data/text/pieces.js'
import { hostile, jsonOf, plain } from '../../support/lines.js'

/** Learned the slow way: all pairs are counted anew for each merge. */
function learnSlowly(counts: ReadonlyMap<string, number>, most: number, least: number): string[] {
  const ids = new Map(alphabet.map((token, id) => [token, id]))
  const corpus = Array.from(counts, ([word, count]) => ({ parts: Array.from(writtenAsBytes(word)), count }))
  const merges: string[] = []
  while (merges.length < most) {
    const pairs = new Map<string, number>()
    for (const { parts, count } of corpus) {
      for (let i = 1; i < parts.length; i++) {
        const pair = `${parts[i - 1]!} ${parts[i]!}`
        pairs.set(pair, (pairs.get(pair) ?? 0) + count)
      }
    }
    const rank = (pair: string): number => {
      const [left = '', right = ''] = pair.split(' ')
      return ids.get(left)! * 2 ** 16 + ids.get(right)!
    }
    let best: readonly [string, number] | undefined
    for (const [pair, count] of pairs) {
      const [first, most] = best ?? ['', 0]
      if (count > most || (count === most && rank(pair) < rank(first))) best = [pair, count]
    }
    if (best === undefined || best[1] < least) break
    merges.push(best[0])
    const [left, right] = best[0].split(' ') as [string, string]
    if (!ids.has(left + right)) ids.set(left + right, ids.size)
    for (const word of corpus) {
      const merged: string[] = []
      for (let i = 0; i < word.parts.length; i++) {
        const both = word.parts[i] === left && word.parts[i + 1] === right
        merged.push(both ? left + right : word.parts[i]!)
        if (both) i++
      }
      word.parts = merged
    }
  }
  return merges
}

describe('byte pairs', () => {
  it.each([
    ['plain words', plain],
    ['hostile text', hostile.slice(0, 160)],
  ])('of %s are those of a count made anew for each merge', (_, lines) => {
    const counts = countPieces('test', lines, false)
    for (const least of [1, 2, 7]) {
      const { tokens, merges } = learnBytePairs(counts, { merges: 150, least })
      const slow = learnSlowly(counts, 150, least)
      expect(slow.length).toBeGreaterThan(20)
      expect(merges.map(([left, right]) => `${tokens[left]!} ${tokens[right]!}`)).toEqual(slow)
      expect(new Set(tokens).size).toBe(tokens.length)
    }
  })

  it('are the same for lines in another order', () => {
    const lines = [...plain, ...hostile]
    const one = Subwords.of(lines, { merges: 500 })
    const other = Subwords.of(lines.toReversed(), { merges: 500 })
    expect(jsonOf(other)).toEqual(jsonOf(one))
    expect(one.size).toBeGreaterThan(260)
  })

  it('end where no pair is there often enough', () => {
    expect(jsonOf(Subwords.of(['ab ab ab cd', 'ab'], { merges: 100, least: 3 })).model.merges).toEqual(['a b', 'Ġ ab'])
    expect(Subwords.of(['ab ab'], { merges: 1 }).size).toBe(261)
    expect(Subwords.of([], { merges: 10 }).size).toBe(260)
    expect(Subwords.of(['aaa aaa aaa'], { merges: 100 }).encode('aaa')).toHaveLength(1)
  })
})

describe('subwords', () => {
  const subwords = Subwords.of([...plain, ...hostile], { merges: 400 })

  it('give every line back as it was', () => {
    const lines = [
      ...plain,
      ...hostile,
      '',
      ' ',
      '  a  ',
      '\ufeffa',
      '<pad></s><unk>',
      'never met: žluťoučký 𝒳',
      '\r\n',
    ]
    for (const line of lines) expect(subwords.decode(subwords.encode(line))).toBe(line)
    // Half a pair of surrogates is in no UTF-8.
    expect(subwords.decode(subwords.encode('a\ud800b'))).toBe('a\ufffdb')
  })

  it('make the merges in the order in which they were learned, from left to right', () => {
    const { vocab, merges } = jsonOf(subwords).model
    const ranks = new Map(merges.map((merge, rank) => [merge, rank]))
    for (const piece of new Set([...hostile, ...plain].flatMap((line) => piecesOf(line, false)))) {
      const parts = Array.from(writtenAsBytes(piece))
      for (;;) {
        const all = parts.slice(1).map((part, i) => ranks.get(`${parts[i]!} ${part}`) ?? Infinity)
        const least = Math.min(...all)
        if (least === Infinity) break
        const at = all.indexOf(least)
        parts.splice(at, 2, parts[at]! + parts[at + 1]!)
      }
      const line = piece.startsWith(' ') ? piece.slice(1) : undefined
      if (line === undefined || piecesOf(line, false).length !== 1) continue
      expect([...subwords.encode(line)]).toEqual(parts.map((part) => vocab[part]))
    }
  })

  it('have the special tokens first, and never read them in a text', () => {
    expect(subwords.special).toEqual({ pad: 0, bos: 1, eos: 2, unk: 3 })
    expect(Math.min(...subwords.encode('<pad><s></s><unk>'))).toBeGreaterThan(3)
    expect(subwords.decode([1, ...subwords.encode('ein Mann'), 2, 0, 0])).toBe('ein Mann')
    expect(subwords.decode([...subwords.encode('ein'), 3, ...subwords.encode('Mann')])).toBe('ein <unk> Mann')
    expect(() => subwords.decode([subwords.size])).toThrow(`decode: expected tokens in [0, ${subwords.size}), got`)
    expect(() => subwords.decode([-1])).toThrow('got -1')
    // Any bytes can be written; those that are no UTF-8 are shown as such.
    const umlaut = Subwords.of([], { merges: 0 }).encode('ä')
    expect(Subwords.of([], { merges: 0 }).decode(umlaut.subarray(0, 2))).toBe('\ufffd')
  })

  it('read lower case where they are told to', () => {
    const low = Subwords.of(plain, { merges: 100, lowercase: true })
    expect(low.decode(low.encode('EIN Mann FÄHRT'))).toBe('ein mann fährt')
    expect(tokenizerOf(jsonOf(low)).encode('EIN')).toEqual(low.encode('ein'))
  })

  it('take a word of a hundred thousand letters', () => {
    const long = 'ab'.repeat(50_000)
    const own = Subwords.of([long, long], { merges: 40 })
    expect(own.decode(own.encode(long))).toBe(long)
    expect(own.encode(long).length).toBeLessThan(100)
  }, 20_000)

  it('refuse lines and options that are none', () => {
    expect(() => Subwords.of('one text')).toThrow('subwords[lines]: expected lines of text, got "one text"')
    expect(() => Subwords.of([7] as never)).toThrow('subwords[lines]: expected lines of text, got 7')
    expect(() => Subwords.of([], { merges: -1 })).toThrow(/subwords\[merges\]: expected a whole number from 0/)
    expect(() => Subwords.of([], { merge: 1 } as never)).toThrow(/did you mean merges/)
    expect(() => Words.of([], { least: 0 })).toThrow(/words\[least\]/)
  })
})
