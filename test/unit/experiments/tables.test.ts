// What experiments draw, scale and show.
import { describe, expect, test } from 'vitest'
import { inflateSync } from 'node:zlib'
import { distorted, normalNoise } from '../../../lib/experiments/examples.js'
import { layouts, predicted, wrongLabels } from '../../../lib/experiments/index.js'
import { measuredTable, shownCell } from '../../../lib/report/index.js'
import { page } from '../../../lib/report/page.js'
import { png } from '../../../lib/report/png.js'

describe('wrong labels', () => {
  // Image 0 is a 2 and is seen as one; image 1 is a 2 and is seen as a 0; image 2 is a 1 and is seen as one.
  const logits = [0, 3, 9, 1, 7, 2, 1, 5, 1, 6, 0, 5]
  const examples = { labels: Int32Array.of(2, 2, 1) }

  test('are neither right nor what is seen now, by every rule', () => {
    expect([...predicted(logits, 3)]).toEqual([2, 0, 1])
    expect([...wrongLabels('runner-up', examples, logits, { seed: 1 })]).toEqual([1, 3, 3])
    expect([...wrongLabels('fixed', examples, logits, { seed: 1, fixed: 2 })]).toEqual([3, 3, 2])
    for (let seed = 0; seed < 30; seed++) {
      const drawn = wrongLabels('random', examples, logits, { seed })
      expect([1, 3]).toContain(drawn[1])
      expect([0, 1, 3]).toContain(drawn[0])
      expect(drawn).toEqual(wrongLabels('random', examples, logits, { seed }))
    }
  })

  test('at random are all drawn, and the same for networks that see the same', () => {
    const all = Array.from({ length: 40 }, (_, seed) => wrongLabels('random', examples, logits, { seed })[0])
    expect(new Set(all)).toEqual(new Set([0, 1, 3]))
    const other = logits.map((value, i) => (i >= 8 ? -value : value))
    const [one, two] = [logits, other].map((seen) => wrongLabels('random', examples, seen, { seed: 3 }))
    expect([...one!.subarray(0, 2)]).toEqual([...two!.subarray(0, 2)])
  })

  test('are refused where there is none to ask for', () => {
    const two = { labels: Int32Array.of(0) }
    expect(() => wrongLabels('random', two, [0, 1], { seed: 1 })).toThrow(
      'expected three classes or more, and one of them, got 2',
    )
    expect(() => wrongLabels('fixed', two, [0, 1, 2], { seed: 1, fixed: 3 })).toThrow('got 3 and 3')
  })
})

test('noise is normal, and changes each row by what is asked', () => {
  const noise = normalNoise(20_000, 5)
  const mean = noise.reduce((sum, value) => sum + value, 0) / noise.length
  expect(Math.abs(mean)).toBeLessThan(0.03)
  expect(noise.reduce((sum, value) => sum + value * value, 0) / noise.length).toBeCloseTo(1, 1)
  const x = new Float32Array(20_000).fill(0.5)
  const changed = distorted(x, noise, 2, [0.1, NaN])
  const size = (row: number) =>
    Math.sqrt(changed.subarray(row * 10_000, (row + 1) * 10_000).reduce((sum, v) => sum + (v - 0.5) ** 2, 0) / 10_000)
  expect(size(0)).toBeCloseTo(0.1, 6)
  expect(size(1)).toBe(0)
})

describe('tables', () => {
  const layout = {
    title: 'errors <by> network',
    columns: [
      { title: 'error', unit: 'share' },
      { title: 'far', unit: 'distortion' },
    ],
    rows: [{ title: 'one', cells: [{ of: 'a', published: 0.066 }, { of: 'b' }] }],
  } as const

  test('show mean, spread and what was published', () => {
    const measured = new Map([
      ['a', [0.04, 0.06]],
      ['b', [0.0581]],
    ])
    const table = measuredTable(layout, measured)
    const [a, b] = table.rows[0]!.cells
    expect(a!.mean).toBeCloseTo(0.05, 12)
    expect(a!.spread).toBeCloseTo(0.0141421, 6)
    expect(shownCell(a, 'share')).toBe('5.0 ±1.4 (6.6)')
    expect(shownCell(b, 'distortion')).toBe('0.058')
    expect(shownCell(undefined, 'share')).toBe('')
    expect(() => measuredTable(layout, new Map([['a', [1]]]))).toThrow('expected b to be measured, got nothing')
  })

  test('quote the papers: four tables, and the lecture’s two in both readings', () => {
    const published = (title: string, row: number, column: number) =>
      layouts.find((one) => one.title.startsWith(title))?.rows[row]?.cells[column]?.published
    expect(published('Table 1', 3, 2)).toBe(0.058)
    expect(published('Table 2', 4, 3)).toBeCloseTo(0.203, 9)
    expect(published('Table 3', 0, 1)).toBeCloseTo(0.024, 9)
    expect(published('Table 4: ', 0, 1)).toBeCloseTo(0.262, 9)
    expect(published('Table 4, continued', 0, 2)).toBeCloseTo(0.43, 9)
    expect(published('The lecture’s first', 0, 2)).toBeCloseTo(0.066, 9)
    expect(published('The lecture’s first', 1, 1)).toBeCloseTo(0.203, 9)
    const readings = layouts.filter(({ title }) => title.startsWith('The lecture’s second'))
    expect(readings.map(({ rows }) => [rows[0]!.cells[3]!.published, rows[1]!.cells[2]!.published])).toEqual([
      [0.0625, 0.262],
      [0.0625, 0.262],
    ])
    expect(readings[0]!.rows[1]!.cells[2]!.of).toBe('half transfer a b')
    expect(readings[1]!.rows[1]!.cells[2]!.of).toBe('half transfer a c')
  })
})

test('a PNG holds the bytes of its image, row after row, colours side by side', () => {
  const data = Uint8Array.from({ length: 18 }, (_, i) => 10 * i)
  const file = png({ data, channels: 3, height: 2, width: 3 })
  expect([...file.subarray(0, 8)]).toEqual([137, 80, 78, 71, 13, 10, 26, 10])
  const start = file.indexOf('IDAT')
  const lines = inflateSync(file.subarray(start + 4, start + 4 + file.readUInt32BE(start - 4)))
  const at = (channel: number, i: number) => data[channel * 6 + i]!
  const pixels = (row: number) => [0, 1, 2].flatMap((x) => [0, 1, 2].map((channel) => at(channel, row * 3 + x)))
  expect([...lines]).toEqual([0, ...pixels(0), 0, ...pixels(1)])
  // The checksum of an empty end is known.
  expect(file.subarray(-12).toString('hex')).toBe('0000000049454e44ae426082')
  expect(() => png({ data, channels: 1, height: 2, width: 3 })).toThrow('png: expected 6 bytes, got 18')
})

test('a page carries all of its pictures, and escapes its words', () => {
  const picture = {
    original: new Float32Array(4),
    negative: Float32Array.of(0, 0.5, 0, 0),
    label: 'a 3',
    before: '3',
    after: '<8>',
    distortion: 0.25,
  }
  const html = page({
    title: 'A & B',
    about: [],
    galleries: [{ title: 'one', channels: 1, side: 2, pictures: [picture, picture] }],
    tables: [],
  })
  expect(html.match(/<img src="data:image\/png;base64,[^"]+"/g)).toHaveLength(6)
  expect(html).not.toMatch(/(?:src|href)="(?!data:)|<script|@import|url\(/)
  expect(html).toContain('<title>A &amp; B</title>')
  expect(html).toContain('then as &lt;8&gt;; distortion 0.2500, shown 1.0 times')
})
