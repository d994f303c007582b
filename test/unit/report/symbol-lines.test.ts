// Few points of many chances: no peak is lost, lowered or moved, and what is no number is left out.
import { describe, expect, it } from 'vitest'
import { linesOf, peaksOf } from '../../../lib/report/symbol-lines.js'
import { chancesOf } from '../../support/heard.js'

/** Chances of one symbol, and of the blank before it. */
const one = (...chances: number[]) => Float32Array.from(chances.flatMap((chance) => [1 - chance, chance]))

describe('peaksOf', () => {
  it('has one peak where a chance rises and falls, at its highest frame', () => {
    expect(peaksOf(one(0, 0.3, 0.75, 0.5, 0.6, 0.1, 0), 2)).toEqual([{ symbol: 1, frame: 2, chance: 0.75 }])
  })

  it('has a peak for each of two symbols that are the same, and none for the blank or what is low', () => {
    const peaks = peaksOf(one(0.75, 0.25, 0.3, 0.5, 0.125, 0.19, 0.05, 0.15, 0), 2)
    expect(peaks).toEqual([
      { symbol: 1, frame: 0, chance: 0.75 },
      { symbol: 1, frame: 3, chance: 0.5 },
    ])
  })

  it('has none where a chance wavers while it falls', () => {
    expect(peaksOf(one(0.75, 0.3, 0.35, 0.3, 0.4, 0), 2)).toEqual([{ symbol: 1, frame: 0, chance: 0.75 }])
  })

  it('has one that ends with the sound, and takes what is no number for nothing', () => {
    expect(peaksOf(one(NaN, 0.5, NaN, 0.1, 0.75), 2).map(({ frame }) => frame)).toEqual([4, 1])
  })

  it('has the highest first, of all symbols', () => {
    const heard = [0.25, 0.75, 0.5].map((chance, i) => ({ frame: 3 * i, symbol: i + 1, chance }))
    expect(peaksOf(chancesOf(9, 4, heard), 4)).toEqual([heard[1], heard[2], heard[0]])
  })
})

describe('linesOf', () => {
  it('has the whole line of the blank, and of a symbol where it is seen, down to the bottom on both sides', () => {
    const [blank, a, ...others] = linesOf(chancesOf(20, 3, [{ frame: 5, symbol: 1, chance: 0.5 }]), 3)
    expect(blank!.pieces.map((piece) => piece.length)).toEqual([20])
    expect(a).toEqual({
      symbol: 1,
      pieces: [
        [
          { frame: 4, chance: 0 },
          { frame: 5, chance: 0.5 },
          { frame: 6, chance: 0 },
        ],
      ],
    })
    expect(others).toEqual([])
  })

  it('is broken where there is no number', () => {
    const [blank, a] = linesOf(one(0.5, 0.5, NaN, 0.5), 2)
    expect(blank!.pieces.map((piece) => piece.map(({ frame }) => frame))).toEqual([[0, 1], [3]])
    expect(a!.pieces.map((piece) => piece.map(({ frame }) => frame))).toEqual([[0, 1], [3]])
    expect(linesOf(one(NaN, NaN), 2)[0]!.pieces).toEqual([])
  })

  it('keeps every peak of a long sound in its place', () => {
    const heard = Array.from({ length: 300 }, (_, i) => ({ frame: 97 * i + 13, symbol: 1 + (i % 2), chance: 0.75 }))
    const lines = linesOf(chancesOf(30_000, 3, heard), 3)
    const points = lines.flatMap(({ symbol, pieces }) => pieces.flat().map((point) => ({ symbol, ...point })))
    expect(lines[0]!.pieces.flat().length).toBe(4000)
    const high = points.filter(({ symbol, chance }) => symbol > 0 && chance > 0)
    expect(high.sort((a, b) => a.frame - b.frame)).toEqual(heard)
  })

  it('has a bounded number of points, however many symbols are heard at once', () => {
    const lines = linesOf(new Float32Array(6000 * 60).fill(1 / 60), 60)
    const points = lines.flatMap(({ pieces }) => pieces.flat())
    expect(lines).toHaveLength(60)
    expect(points.length).toBe(60_000)
  })
})
