// Draws this machine among the published rates: one bar for each on a logarithmic axis, and a line at the lecture's five
// days. One self-contained SVG that follows the reader's light or dark theme: no script, font or other file is fetched.
import { escaped, grouped, svgDocument, svgText, tenth } from '../report/index.js'
import { type Anchor, history, ninetyEpochs, titanRate } from './titan-history.js'

/** A bar of this machine. */
export interface Measured {
  readonly label: string
  readonly rate: number
}

const WIDTH = 920
const LEFT = 290
const RIGHT = 170
const TOP = 96
const ROW = 24
const BAR = 14

const COLOURS = { past: ['#b8c0d0', '#4a5368'], own: ['#2f6fde', '#6ea2ff'], line: ['#e0762b', '#ff9f5a'] } as const

const STYLE = `
  .value { paint-order: stroke; stroke: var(--back); stroke-width: 4px; stroke-linejoin: round }
  .name { fill: var(--ink) } .own-name { fill: var(--ink); font-weight: 600 }
  .past { fill: var(--past) } .own { fill: var(--own) }
  .titan { stroke: var(--line); stroke-width: 1.5; stroke-dasharray: 4 3 }
  .titan-name { fill: var(--line); font-weight: 600 }`

/**
 * The picture as SVG text; it depends on its arguments alone.
 * @example titanPicture('AMD EPYC, 2 threads', [{ label: 'bf16, synthetic', rate: 210 }])
 */
export function titanPicture(machine: string, measured: readonly Measured[]): string {
  const rows = [
    ...history.map((anchor) => ({ label: nameOf(anchor), rate: anchor.rate, own: false })),
    ...measured.map(({ label, rate }) => ({ label: `this machine: ${label}`, rate, own: true })),
  ]
  const rates = [...rows.map(({ rate }) => rate), titanRate]
  const low = 10 ** Math.floor(Math.log10(Math.min(...rates)))
  const high = 10 ** Math.ceil(Math.log10(Math.max(...rates)))
  const plot = WIDTH - LEFT - RIGHT
  const x = (rate: number) => LEFT + (plot * Math.log(rate / low)) / Math.log(high / low)
  const bottom = TOP + rows.length * ROW
  const ticks = Array.from({ length: Math.round(Math.log10(high / low)) + 1 }, (_, i) => low * 10 ** i)
  const elements = [
    `<text class="title" x="24" y="36">AlexNet training, images per second</text>`,
    `<text x="24" y="58">${escaped(machine)}</text>`,
    ...ticks.map((tick) => line('grid', x(tick), TOP - 8, bottom)),
    ...ticks.map((tick) => svgText(x(tick), bottom + 20, grouped(tick), 'middle')),
    line('titan', x(titanRate), TOP - 14, bottom),
    ...rows.flatMap(({ label, rate, own }, i) => {
      const y = TOP + i * ROW
      const bar = `<rect class="${own ? 'own' : 'past'}" x="${LEFT}" y="${y}" width="${tenth(x(rate) - LEFT)}" height="${BAR}" rx="2"/>`
      const value = `${grouped(Math.round(rate))} = ${ninetyEpochs(rate)}`
      return [
        svgText(LEFT - 10, y + 11, label, 'end', own ? 'own-name' : 'name'),
        bar,
        svgText(x(rate) + 8, y + 11, value, 'start', own ? 'own-name value' : 'value'),
      ]
    }),
    svgText(x(titanRate), TOP - 20, '5 days on a GTX Titan = 267', 'middle', 'titan-name'),
    svgText(
      LEFT + plot / 2,
      bottom + 44,
      'images per second, and the time of 90 epochs of 1.28 million images',
      'middle',
    ),
  ]
  const title = `AlexNet training: ${machine} beside the published history`
  return svgDocument({ width: WIDTH, height: bottom + 64, title, colours: COLOURS, style: STYLE, elements })
}

function nameOf({ device, software, year }: Anchor): string {
  return `${device}, ${software} (${year})`
}

function line(style: string, x: number, from: number, to: number): string {
  return `<path class="${style}" d="M${tenth(x)} ${from}V${to}"/>`
}
