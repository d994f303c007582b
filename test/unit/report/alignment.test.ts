// The picture of what a translator looked at: a cell for each pair of words, as dark as its weight, whatever stands in the words.
import { describe, expect, it } from 'vitest'
import { alignmentPicture } from '../../../lib/report/index.js'
import { parseXml } from '../../support/xml.js'

const cells = (svg: string): { x: number; y: number; weight: number }[] =>
  Array.from(
    svg.matchAll(/<rect class="cell" x="([\d.]+)" y="([\d.]+)" .*? fill-opacity="([\d.]+)"/g),
    ([, x, y, weight]) => ({ x: Number(x), y: Number(y), weight: Number(weight) }),
  )

describe('alignmentPicture', () => {
  const source = ['ein', ' mann', ' fährt', '</s>']
  const target = ['a', ' man', ' ride', 's', '</s>']
  const weights = target.map((_, i) => Float32Array.from(source, (_, k) => (i === k ? 0.7 : 0.1)))

  it('has source words along the top, target words down the side, and a cell for each pair', () => {
    const svg = alignmentPicture({ source, target, weights }, 'translate-attention')
    const texts = parseXml(svg)
    for (const word of ['ein', 'mann', 'fährt', 'a', 'man', 'ride', '·s', 'translate-attention'])
      expect(texts).toContain(word)
    expect(texts.filter((text) => text === '&lt;/s&gt;')).toHaveLength(2)
    expect(texts).toContain('ride: fährt 70.00 %')
    const drawn = cells(svg)
    expect(drawn).toHaveLength(20)
    // Row after row, each from left to right.
    for (const [i, { x, y, weight }] of drawn.entries()) {
      const [row, column] = [Math.floor(i / 4), i % 4]
      expect(weight).toBe(row === column ? 0.7 : 0.1)
      expect(x - drawn[0]!.x).toBeCloseTo(26 * column, 5)
      expect(y - drawn[0]!.y).toBeCloseTo(26 * row, 5)
    }
  })

  it('leaves room for its words, cuts what is longer, and draws no cell without weight', () => {
    const long = 'Donaudampfschifffahrtsgesellschaftskapitän'
    const svg = alignmentPicture({ source: [long, 'b'], target: [long], weights: [[0, 1]] })
    const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg)!.map(Number)
    const [cell, ...others] = cells(svg)
    expect(others).toEqual([])
    expect(cell!.weight).toBe(1)
    expect(cell!.x).toBeGreaterThan(24 + 7 * 25)
    expect(cell!.y).toBeGreaterThan(62 + 7 * 20)
    expect(cell!.x).toBeLessThan(width! - 26)
    expect(cell!.y).toBeLessThan(height! - 26)
    expect(parseXml(svg)).toContain(`${long.slice(0, 24)}…`)
  })

  it('escapes what stands in words', () => {
    const svg = alignmentPicture({ source: ['<b>', '"&'], target: ['\u0000<'], weights: [[0.5, 0.5]] })
    expect(parseXml(svg).filter((text) => text.includes('&lt;b&gt;')).length).toBeGreaterThan(0)
    expect(svg).not.toContain('\u0000')
    expect(svg).toContain('&quot;&amp;')
  })

  it('refuses weights of other words', () => {
    const words = { source: ['a', 'b'], target: ['c'] }
    expect(() => alignmentPicture({ ...words, weights: [] })).toThrow(/expected 1 rows of 2 weights, got 0 rows/)
    expect(() => alignmentPicture({ ...words, weights: [[1]] })).toThrow(
      /expected 1 rows of 2 weights, got 1 rows, one of 1/,
    )
  })
})
