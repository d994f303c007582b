// Draws a run's curves as one self-contained SVG: training loss above, a validation metric below, one axis of steps.
// Text, lines and colours only: no script, no font or other file is fetched; it follows the reader's light or dark theme.
import type { Curves, Point } from './curve-recorder.js'
import { grouped } from './digits.js'
import { escaped, svgDocument, tenth } from './svg.js'
import type { Colour } from './theme.js'

export { CurveRecorder } from './curve-recorder.js'
export type { Curves, Point } from './curve-recorder.js'

const WIDTH = 880
const LEFT = 72
const RIGHT = 24
const TOP = 84
const PANEL_GAP = 46
const LOSS_HEIGHT = 250
const METRIC_HEIGHT = 170
const BOTTOM = 56
const PLOT = WIDTH - LEFT - RIGHT

const COLOURS = {
  loss: ['#2f6fde', '#6ea2ff'],
  held: ['#e0762b', '#ff9f5a'],
  metric: ['#16936b', '#42c79a'],
} as const

/** Lines and dots of these colours. */
const styleOf = (colours: readonly string[]): string => `
  .name { font-size: 13px; font-weight: 600; fill: var(--ink) }
  .axis { stroke: var(--soft); stroke-width: 1 }
  .line { fill: none; stroke-linejoin: round; stroke-linecap: round; stroke-width: 2 }
  .raw { stroke-width: 1; opacity: 0.3 }
  .dot { stroke: var(--back); stroke-width: 1.5 }
${colours.map((name) => `  .line.${name} { stroke: var(--${name}) } .dot.${name} { fill: var(--${name}) }`).join('\n')}`

/** What to draw. */
export interface CurveOptions extends Curves {
  readonly title: string
}

interface Scale {
  readonly ticks: readonly number[]
  readonly at: (value: number) => number
  readonly format: (value: number) => string
}

/** A curve: its name, the name of its colour, and whether it is a smoothed line or dots. */
export interface Series {
  readonly name: string
  readonly style: string
  readonly points: readonly Point[]
  readonly drawn: 'smooth' | 'dots'
}

/**
 * An SVG document with a run's curves. A validation metric called `loss` joins the training loss; of the others the first
 * (accuracy, as a rule) gets the panel below. Loss is on a logarithmic axis when it falls by a factor of 20 or more.
 * Points that are not finite are left out. The text depends on the arguments alone.
 *
 * @example
 * renderCurves({ title: 'mnist', loss: [{ step: 1, value: 2.3 }], metrics: new Map([['accuracy', [{ step: 468, value: 0.98 }]]]) })
 */
export function renderCurves({ title, loss, metrics }: CurveOptions): string {
  const held: Series[] = [...metrics]
    .filter(([name]) => name === 'loss')
    .map(([, points]) => ({ name: 'validation', style: 'held', points: finite(points), drawn: 'dots' }))
  const upper: Series[] = [{ name: 'training', style: 'loss', points: finite(loss), drawn: 'smooth' }, ...held]
  const [metric] = [...metrics].filter(([name]) => name !== 'loss')
  const lower: Series[] =
    metric === undefined
      ? []
      : [{ name: `validation ${metric[0]}`, style: 'metric', points: finite(metric[1]), drawn: 'dots' }]
  return panels({ title, colours: COLOURS, upper, lower, lowerName: metric?.[0] ?? '' })
}

/** Two panels over one axis of steps. */
export interface Panels {
  readonly title: string
  readonly colours: Readonly<Record<string, Colour>>
  /** Losses. */
  readonly upper: readonly Series[]
  /** Of a measure; without any there is one panel. */
  readonly lower: readonly Series[]
  readonly lowerName: string
}

/** Draws them, as an SVG document. */
export function panels({ title, colours, upper, lower, lowerName }: Panels): string {
  const steps = [...upper, ...lower].flatMap(({ points }) => points.map(({ step }) => step))
  const x = linearScale([0, ...steps], LEFT, LEFT + PLOT, 8)
  const lossBottom = TOP + LOSS_HEIGHT
  const metricTop = lossBottom + PANEL_GAP
  const bottom = lower.length === 0 ? lossBottom : metricTop + METRIC_HEIGHT
  const elements = [
    `<text class="title" x="${LEFT}" y="36">${escaped(title)}</text>`,
    ...panel('loss', upper, x, TOP, lossBottom, lossScale),
    ...(lower.length === 0 ? [] : panel(lowerName, lower, x, metricTop, bottom, metricScale)),
    ...x.ticks.map(
      (tick) => `<text x="${tenth(x.at(tick))}" y="${bottom + 20}" text-anchor="middle">${x.format(tick)}</text>`,
    ),
    `<text x="${LEFT + PLOT / 2}" y="${bottom + 42}" text-anchor="middle">step</text>`,
  ]
  const style = styleOf(Object.keys(colours))
  return svgDocument({ width: WIDTH, height: bottom + BOTTOM, title, colours, style, elements })
}

function panel(
  name: string,
  series: readonly Series[],
  x: Scale,
  top: number,
  bottom: number,
  scale: (values: readonly number[], top: number, bottom: number) => Scale,
): string[] {
  const values = series.flatMap(({ points, drawn }) => {
    const shown = drawn === 'smooth' ? smooth(points) : points
    return shown.map(({ value }) => value)
  })
  const heading = [
    `<text class="name" x="${LEFT}" y="${top - 14}">${escaped(name)}</text>`,
    ...legend(series, top - 14),
  ]
  if (values.length === 0) {
    const empty = `<text x="${LEFT + PLOT / 2}" y="${(top + bottom) / 2}" text-anchor="middle">no data yet</text>`
    return [...heading, axis(bottom), empty]
  }
  const y = scale(values, top, bottom)
  const rules = y.ticks.map((tick) => {
    const at = tenth(y.at(tick))
    const rule = `<path class="grid" d="M${LEFT} ${at}H${LEFT + PLOT}"/>`
    return `${rule}<text x="${LEFT - 10}" y="${tenth(at + 4)}" text-anchor="end">${y.format(tick)}</text>`
  })
  // Raw losses may leave the axis, which follows the smoothed line; they are cut at the panel's edge.
  const clip = `clip-${top}`
  const frame = `<clipPath id="${clip}"><rect x="${LEFT}" y="${top - 4}" width="${PLOT}" height="${bottom - top + 8}"/></clipPath>`
  const lines = series.flatMap((one) => draw(one, x, y, clip))
  return [...heading, ...rules, axis(bottom), frame, ...lines]
}

function axis(bottom: number): string {
  return `<path class="axis" d="M${LEFT} ${bottom}H${LEFT + PLOT}"/>`
}

function legend(series: readonly Series[], y: number): string[] {
  let right = LEFT + PLOT
  return series.toReversed().map(({ name, style }) => {
    const mark = `<path class="line ${style}" d="M${tenth(right - 18)} ${y - 4}h18"/>`
    const label = `<text x="${tenth(right - 26)}" y="${y}" text-anchor="end">${escaped(name)}</text>`
    // Text cannot be measured here: this is the width per letter of the widest usual font.
    right -= 7.2 * name.length + 44
    return mark + label
  })
}

function draw({ style, points, drawn }: Series, x: Scale, y: Scale, clip: string): string[] {
  // A path of one point is drawn as a dot by its round ends, if it has a length, even none.
  const path = (from: readonly Point[]): string =>
    from.map(({ step, value }, i) => `${i === 0 ? 'M' : 'L'}${tenth(x.at(step))} ${tenth(y.at(value))}`).join('') +
    (from.length === 1 ? 'h0' : '')
  const inside = `clip-path="url(#${clip})"`
  if (drawn === 'smooth') {
    const thin = points.length > 1 ? [`<path class="line raw ${style}" ${inside} d="${path(points)}"/>`] : []
    return [...thin, `<path class="line ${style}" ${inside} d="${path(smooth(points))}"/>`]
  }
  const dots = points.map(({ step, value }) => {
    return `<circle class="dot ${style}" cx="${tenth(x.at(step))}" cy="${tenth(y.at(value))}" r="4"/>`
  })
  const label = style === 'metric' ? points.slice(-1).map((point) => lastValue(point, x, y)) : []
  return [`<path class="line ${style}" d="${path(points)}"/>`, ...dots, ...label]
}

/** The number that a run is judged by, beside its point; near the right edge the text ends there. */
function lastValue({ step, value }: Point, x: Scale, y: Scale): string {
  const at = x.at(step)
  const anchor = at > LEFT + PLOT - 36 ? 'end' : 'middle'
  return `<text class="name" x="${tenth(at)}" y="${tenth(y.at(value) - 11)}" text-anchor="${anchor}">${y.format(value)}</text>`
}

/** A centred moving average over about a fiftieth of the run; the window starts narrow, so a steep start stays steep. */
export function smooth(points: readonly Point[]): Point[] {
  const most = Math.floor(points.length / 100)
  const sums = new Float64Array(points.length + 1)
  for (const [i, { value }] of points.entries()) sums[i + 1] = sums[i]! + value
  return points.map(({ step, value }, i) => {
    const half = Math.min(most, i)
    const end = Math.min(points.length, i + half + 1)
    return { step, value: half === 0 ? value : (sums[end]! - sums[i - half]!) / (end - i + half) }
  })
}

function lossScale(values: readonly number[], top: number, bottom: number): Scale {
  const least = values.reduce((a, b) => Math.min(a, b))
  const most = values.reduce((a, b) => Math.max(a, b))
  return least > 0 && most / least >= 20
    ? logScale(least, most, bottom, top)
    : linearScale([0, ...values], bottom, top, 5)
}

function metricScale(values: readonly number[], top: number, bottom: number): Scale {
  const scale = linearScale(values, bottom, top, 4)
  const share = values.every((value) => value >= 0 && value <= 1)
  if (!share) return scale
  // A share reads best in percent, and no tick stands above 100 %.
  const ticks = scale.ticks.filter((tick) => tick <= 1 + 1e-9)
  return { ...scale, ticks, format: (value) => `${Number((100 * value).toFixed(2))} %` }
}

/** A linear scale over the values, widened to whole ticks at 1, 2 or 5 times a power of ten. */
export function linearScale(values: readonly number[], from: number, to: number, count: number): Scale {
  const least = values.reduce((a, b) => Math.min(a, b))
  const most = values.reduce((a, b) => Math.max(a, b))
  const span = most - least || Math.abs(most) || 1
  const power = 10 ** Math.floor(Math.log10(span / count))
  const unit = power * ([1, 2, 5, 10].find((factor) => (power * factor * count) / span >= 1) ?? 10)
  const first = Math.floor(least / unit + 1e-9)
  const last = Math.max(first + 1, Math.ceil(most / unit - 1e-9))
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => (first + i) * unit)
  const digits = Math.max(0, -Math.floor(Math.log10(unit) + 1e-9))
  return {
    ticks,
    at: (value) => from + ((value - first * unit) / ((last - first) * unit)) * (to - from),
    format: (value) => grouped(Number(value.toFixed(Math.min(12, digits + 2)))),
  }
}

/** A logarithmic scale with ticks at 1, 2 and 5 times powers of ten, or powers alone over more than three of them. */
function logScale(least: number, most: number, from: number, to: number): Scale {
  const factors = Math.log10(most / least) > 3 ? [1] : [1, 2, 5]
  const [low, high] = [Math.floor(Math.log10(least)), Math.ceil(Math.log10(most))]
  const all = Array.from({ length: high - low + 1 }, (_, i) => factors.map((factor) => factor * 10 ** (low + i))).flat()
  const bottom = all.findLast((tick) => tick <= least) ?? least
  const top = all.find((tick) => tick >= most) ?? most
  const [a, b] = [Math.log(bottom), Math.log(top)]
  return {
    ticks: all.filter((tick) => tick >= bottom && tick <= top),
    at: (value) => from + ((Math.log(Math.max(value, bottom / 1e3)) - a) / (b - a)) * (to - from),
    format: (value) => (value >= 1e-4 && value < 1e6 ? String(Number(value.toPrecision(1))) : value.toExponential(0)),
  }
}

/** Points of which both numbers are finite. */
export function finite(points: readonly Point[]): Point[] {
  return points.filter(({ step, value }) => Number.isFinite(step) && Number.isFinite(value))
}
