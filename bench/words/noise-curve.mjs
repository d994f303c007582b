// The picture of the known-map test: how many words come back, over the noise, a line for each way to learn the map.
import { svgDocument, svgText, tenth } from '../../dist/report/index.js'

const [width, height] = [760, 420]
const [left, right, top, bottom] = [76, 190, 84, 60]
const palette = [
  ['#e0762b', '#ff9f5a'],
  ['#16936b', '#42c79a'],
  ['#2f6fde', '#6ea2ff'],
  ['#a0439c', '#d583d1'],
]

/** Rows of `noise` and shares by name, as SVG text. */
export function noiseCurve(rows) {
  const names = Object.keys(rows[0]).filter((key) => key !== 'noise')
  const most = rows.at(-1).noise
  const x = (noise) => left + ((width - left - right) * noise) / most
  const y = (share) => top + (height - top - bottom) * (1 - share)
  const colours = Object.fromEntries(names.map((_, i) => [`way${i}`, palette[i]]))
  const style = names
    .map(
      (_, i) =>
        `\n  .line${i} { fill: none; stroke-width: 2; stroke: var(--way${i}) } .dot${i} { fill: var(--way${i}) }`,
    )
    .join('')
  const elements = [
    svgText(24, 36, 'A known map: words that come back', 'start', 'title'),
    svgText(24, 58, 'of 1,500, among 20,000 that were turned and disturbed; the map learned from 5,000 others'),
    ...[0, 0.25, 0.5, 0.75, 1].map((share) => {
      const rule = `<path class="grid" d="M${left} ${tenth(y(share))}H${width - right}"/>`
      return rule + svgText(left - 10, y(share) + 4, `${100 * share} %`, 'end')
    }),
    ...rows.map(({ noise }) => svgText(x(noise), height - bottom + 22, String(noise), 'middle')),
    svgText((left + width - right) / 2, height - 16, 'length of the noise beside vectors of length 1', 'middle'),
    ...names.flatMap((name, i) => {
      const points = rows.map((row) => [tenth(x(row.noise)), tenth(y(row[name]))])
      const path = points.map(([a, b], k) => `${k === 0 ? 'M' : 'L'}${a} ${b}`).join('')
      const dots = points.map(([a, b]) => `<circle class="dot${i}" cx="${a}" cy="${b}" r="3.5"/>`)
      const at = top + 8 + 20 * i
      const key = `<circle class="dot${i}" cx="${width - right + 18}" cy="${at - 4}" r="4"/>`
      return [`<path class="line${i}" d="${path}"/>`, ...dots, key + svgText(width - right + 30, at, name)]
    }),
  ]
  return svgDocument({
    width,
    height,
    title: 'Words that come back from a known map, over noise',
    colours,
    style,
    elements,
  })
}
