// Lines in groups of one length: every line once, few programs, little padding.
import { describe, expect, it } from 'vitest'
import { Subwords, Words } from '../../../lib/data/index.js'
import { bucketOf, groupsOf, partsOf, piecesOf } from '../../../lib/infer/line-groups.js'
import { hostile, plain } from '../../support/lines.js'

describe('bucketOf', () => {
  it('adds at most half of a line of 11 tokens or more', () => {
    const known = new Set<number>()
    for (let length = 1; length <= 300; length++) {
      const bucket = bucketOf(length, 300)
      known.add(bucket)
      expect(bucket).toBeGreaterThanOrEqual(length)
      if (length >= 11) expect(bucket).toBeLessThanOrEqual(1.5 * length)
    }
    expect([...known]).toEqual([16, 24, 32, 48, 64, 96, 128, 192, 256, 300])
  })

  it('is never above the longest', () => {
    expect([bucketOf(3, 5), bucketOf(5, 5), bucketOf(17, 20)]).toEqual([5, 5, 20])
  })
})

describe('groupsOf', () => {
  it('has every line once, in a group of its length', () => {
    const lengths = Array.from({ length: 100 }, (_, i) => [16, 32, 512][i % 3]!)
    const groups = groupsOf(lengths, { batch: 10, beam: 5, known: [] })
    expect(groups.map(({ steps }) => steps)).toEqual([16, 32, 512])
    expect(groups.flatMap(({ places }) => places).toSorted((a, b) => a - b)).toEqual([...lengths.keys()])
    for (const { steps, size, places } of groups) {
      expect(places.every((place) => lengths[place] === steps)).toBe(true)
      expect(size).toBe(10)
    }
  })

  it('takes a program that there is, or one for the next power of 4', () => {
    const of = (count: number, ...known: { steps: number; size: number }[]) =>
      groupsOf(Array<number>(count).fill(16), { batch: 32, beam: 5, known }).map(({ size }) => size)
    expect([of(1), of(2), of(5), of(17), of(33)]).toEqual([[1], [4], [16], [32], [32]])
    expect(of(2, { steps: 16, size: 16 })).toEqual([16])
    expect(of(1, { steps: 16, size: 16 }, { steps: 16, size: 4 })).toEqual([4])
    expect(of(5, { steps: 16, size: 4 })).toEqual([16])
    expect(of(2, { steps: 24, size: 16 })).toEqual([4])
  })

  it('takes fewer lines at once where they are long', () => {
    const sizes = [64, 1024, 8192, 20_000].map(
      (steps) => groupsOf([steps, steps], { batch: 2, beam: 5, known: [] })[0]!.size,
    )
    expect(sizes).toEqual([2, 2, 1, 1])
  })
})

describe('partsOf', () => {
  const subwords = Subwords.of(plain, { merges: 30 })

  it('puts together are the line, none too long, parted before words where there are any', () => {
    const ids = subwords.encode(plain.slice(0, 40).join(' '))
    const parts = partsOf(ids, 20, subwords)
    expect(parts.flatMap((part) => [...part]).join()).toBe([...ids].join())
    expect(Math.max(...parts.map(({ length }) => length))).toBeLessThanOrEqual(20)
    expect(parts.length).toBeGreaterThan(ids.length / 20)
    expect(parts.map((part) => subwords.decode(part)).join(' ')).toBe(subwords.decode(ids))
  })

  it('parts a word that is longer than a part, and leaves what is short', () => {
    const ids = subwords.encode('x'.repeat(49))
    expect(partsOf(ids, 20, subwords).map(({ length }) => length)).toEqual([20, 20, 10])
    expect(partsOf(ids, 50, subwords)).toEqual([ids])
  })
})

describe('piecesOf', () => {
  it.each([
    ['subwords', Subwords.of(plain, { merges: 60 })],
    ['words', Words.of(plain, { least: 1 })],
  ])('of %s put together are the line', (_, tokenizer) => {
    for (const line of plain)
      expect(piecesOf(tokenizer, tokenizer.encode(line)).join('')).toBe(tokenizer.decode(tokenizer.encode(line)))
    expect(piecesOf(tokenizer, Int32Array.of(...tokenizer.encode('ein'), tokenizer.special.eos)).at(-1)).toBe('</s>')
  })

  it('never fails', () => {
    const subwords = Subwords.of(hostile, { merges: 100 })
    for (const line of hostile) {
      const ids = subwords.encode(line)
      expect(piecesOf(subwords, ids)).toHaveLength(ids.length)
    }
  })
})
