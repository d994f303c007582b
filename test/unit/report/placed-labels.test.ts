// Labels along a line: none stands on another.
import { describe, expect, it } from 'vitest'
import { placedLabels, shortened } from '../../../lib/report/placed-labels.js'

const labels = (...places: readonly (readonly [x: number, text: string])[]) =>
  places.map(([x, text]) => ({ x, y: 100, text, style: 'peak' }))
const places = (texts: readonly string[]) =>
  texts.map((text) => /x="([\d.]+)" y="([\d.]+)".*>(.*)<\/text>/.exec(text)!.slice(1).join(' '))

describe('placedLabels', () => {
  it('lets labels stand where there is room, and moves others as far as allowed', () => {
    const drawn = placedLabels(labels([10, 'a'], [20, 'b'], [12, 'c'], [14, 'd'], [16, 'e']), -12, 2)
    expect(places(drawn)).toEqual(['10 100 a', '20 100 b', '12 88 c', '14 76 d'])
  })

  it('knows that a longer word takes more room', () => {
    expect(places(placedLabels(labels([10, 'a'], [50, 'a long word']), 15, 1))).toEqual([
      '10 100 a',
      '50 115 a long word',
    ])
  })

  it('shortens, whole characters alone', () => {
    expect(shortened('𝄞𝄞𝄞', 2)).toBe('𝄞…')
    expect(shortened('𝄞𝄞𝄞', 3)).toBe('𝄞𝄞𝄞')
    expect(placedLabels(labels([0, 'x'.repeat(30)]), 1, 0).join()).toContain(`>${'x'.repeat(23)}…<`)
  })
})
