// The page and the picture of numbers that were read: wrong ones first, self-contained, whatever the names are.
import { describe, expect, it } from 'vitest'
import { numberPage, type ShownNumber } from '../../../lib/report/number-page.js'
import { numberPicture } from '../../../lib/report/number-picture.js'

const image = { data: new Uint8Array(12).fill(90), channels: 3, height: 2, width: 2 } as const
const shown = (title: string, read: string, truth?: string): ShownNumber => ({
  ...{ title, image, read, confidence: 0.9, next: '7', nextConfidence: 0.05, truth },
})

describe('numberPage', () => {
  it('has the wrong ones first, with what they show', () => {
    const page = numberPage({
      title: 'Read',
      about: ['a run'],
      numbers: [shown('a', '12', '12'), shown('b', '3', '8')],
    })
    const [wrong, right] = [page.indexOf('<h2>Wrong: 1</h2>'), page.indexOf('<h2>Right: 1</h2>')]
    expect(wrong).toBeGreaterThan(0)
    expect(right).toBeGreaterThan(wrong)
    expect(page.slice(wrong, right)).toContain('<b>3</b> 90.00 %, shows 8<br>then 7 5.00 %')
    expect(page.slice(right)).toContain('<b>12</b> 90.00 %<br>then 7 5.00 %')
    expect(page).not.toMatch(/(?:src|href)="(?!data:)/)
  })

  it('does not sort what nobody knows, and escapes names', () => {
    const page = numberPage({ title: 'Read', about: [], numbers: [shown('<i>"&', '12')] })
    expect(page).toContain('<h2>Read: 1</h2>')
    expect(page).not.toMatch(/Wrong|Right/)
    expect(page).toContain('alt="&lt;i&gt;&quot;&amp;: read as 12"')
  })

  it('refuses an image of another size than it says', () => {
    const bad = { ...shown('a', '1'), image: { ...image, width: 3 } }
    expect(() => numberPage({ title: 'Read', about: [], numbers: [bad] })).toThrow('png: expected 18 bytes, got 12')
  })
})

describe('numberPicture', () => {
  it('has twelve wrong readings and twelve right ones at most, and tells how many there are', () => {
    const numbers = Array.from({ length: 40 }, (_, i) => shown(`${i}`, `${i}`, i < 15 ? 'other' : `${i}`))
    const picture = numberPicture({ title: 'Read', about: ['a run', 'of 40'], numbers })
    expect(picture.match(/<image /g)).toHaveLength(24)
    const [wrong, right] = [picture.indexOf('Wrong: 15, 12 of them'), picture.indexOf('Right: 25, 12 of them')]
    expect(wrong).toBeGreaterThan(picture.indexOf('of 40'))
    expect(right).toBeGreaterThan(wrong)
    expect(picture.slice(wrong, right).match(/>shows other</g)).toHaveLength(12)
    expect(picture.slice(right)).not.toContain('shows')
    expect(picture).not.toMatch(/(?:src|href)="(?!data:)/)
  })

  it('has a part for each kind that there is, and as many rows as it needs', () => {
    const height = (count: number) => {
      const numbers = Array.from({ length: count }, (_, i) => shown(`<${i}>`, `${i}`))
      const picture = numberPicture({ title: 'Read', about: [], numbers })
      expect(picture).not.toMatch(/Wrong|Right|<0>/)
      return Number(/height="(\d+)"/.exec(picture)![1])
    }
    expect(height(6)).toBe(height(1))
    expect(height(7)).toBeGreaterThan(height(6))
  })
})
