// Draws errors over lengths, a line for each cell and a dot for each seed, both axes logarithmic. One self-contained SVG that follows
// the reader's light or dark theme: no script, font or other file is fetched.
import { blind, type CellKind, cells, type LagResult, learned, median } from './lags.js'
import { svgDocument, svgText, tenth } from '../report/index.js'

const [width, height] = [760, 460]
const [left, right, top, bottom] = [76, 150, 84, 64]
const names: Readonly<Record<CellKind, string>> = { rnn: 'RNN (tanh)', lstm: 'LSTM' }

const colours = { rnn: ['#e0762b', '#ff9f5a'], lstm: ['#2f6fde', '#6ea2ff'] } as const

const style = `
  .mark { stroke: var(--soft); stroke-dasharray: 4 3 }
  .line { fill: none; stroke-width: 2; stroke-linejoin: round }
  .line.rnn { stroke: var(--rnn) } .line.lstm { stroke: var(--lstm) }
  .dot.rnn, .key.rnn { fill: var(--rnn) } .dot.lstm, .key.lstm { fill: var(--lstm) }
  .name.rnn { fill: var(--rnn); font-weight: 600 } .name.lstm { fill: var(--lstm); font-weight: 600 }`

/**
 * The picture as SVG text; it depends on its arguments alone.
 * @example lagsPicture('AMD EPYC', results)
 */
export function lagsPicture(about: string, results: readonly LagResult[]): string {
  const lengths = lengthsOf(results)
  const errors = results.map(({ error }) => error)
  const low = 10 ** Math.floor(Math.log10(Math.min(learned / 2, ...errors)))
  const high = Math.max(1, ...errors)
  const x = logarithmic(lengths[0]! / 1.15, lengths.at(-1)! * 1.15, left, width - right)
  const y = logarithmic(low, high, height - bottom, top)
  const powers = Array.from({ length: Math.floor(Math.log10(high / low)) + 1 }, (_, i) => low * 10 ** i)
  const elements = [
    svgText(24, 36, 'The adding problem: mean squared error over length', 'start', 'title'),
    svgText(24, 58, about, 'start'),
    ...powers.map((power) => across('grid', y(power)) + svgText(left - 10, y(power) + 4, power.toPrecision(1), 'end')),
    ...[
      [blind, 'always answering 1'],
      [learned, 'learned'],
    ].map(
      ([error, name]) =>
        across('mark', y(Number(error))) + svgText(width - right + 10, y(Number(error)) + 4, String(name)),
    ),
    ...lengths.map((length) => svgText(x(length), height - bottom + 22, String(length), 'middle')),
    svgText((left + width - right) / 2, height - 18, 'steps of a sequence', 'middle'),
    ...cells.flatMap((cell) =>
      series(
        cell,
        results.filter((one) => one.cell === cell),
        x,
        y,
      ),
    ),
  ]
  const title = 'The adding problem: error over the length of the sequences'
  return svgDocument({ width, height, title, colours, style, elements })
}

type Axis = (value: number) => number

function series(cell: CellKind, results: readonly LagResult[], x: Axis, y: Axis): string[] {
  const lengths = lengthsOf(results)
  const middle = lengths.map((length) =>
    median(results.filter((one) => one.length === length).map(({ error }) => error)),
  )
  const path = lengths.map((length, i) => `${i === 0 ? 'M' : 'L'}${tenth(x(length))} ${tenth(y(middle[i]!))}`).join('')
  const dots = results.map(
    ({ length, error }) => `<circle class="dot ${cell}" cx="${tenth(x(length))}" cy="${tenth(y(error))}" r="3.5"/>`,
  )
  const at = top - 26 + 18 * cells.indexOf(cell)
  const name =
    `<circle class="key ${cell}" cx="${width - right + 16}" cy="${at - 4}" r="4"/>` +
    svgText(width - right + 28, at, names[cell], 'start', `name ${cell}`)
  return [`<path class="line ${cell}" d="${path}"/>`, ...dots, name]
}

/** Each length once, the shortest first. */
function lengthsOf(results: readonly LagResult[]): number[] {
  return [...new Set(results.map(({ length }) => length))].sort((a, b) => a - b)
}

function logarithmic(low: number, high: number, from: number, to: number): Axis {
  return (value) => from + ((to - from) * Math.log(value / low)) / Math.log(high / low)
}

function across(kind: string, at: number): string {
  return `<path class="${kind}" d="M${left} ${tenth(at)}H${width - right}"/>`
}
