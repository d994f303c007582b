// Draws what a network heard in a sound, all along one axis of seconds: the wave, the logarithms of its filter banks, the chances of symbols by
// frame, as in figure 1 of Graves, Fernández, Gomez & Schmidhuber 2006, and the words.
import { heatMap } from './heat-map.js'
import { percent } from './measure-info.js'
import { type Label, placedLabels, shortened, widthOf } from './placed-labels.js'
import { dataUri } from './png.js'
import { escaped, svgDocument, svgText, tenth } from './svg.js'
import { type ChancePoint, linesOf, peaksOf } from './symbol-lines.js'
import { type Colour } from './theme.js'
import { type BankFrames, expectSound, secondsOf, type TranscribedSound } from './transcribed-sound.js'

/** Pixels for a second; a short sound is drawn wider, a long one narrower. */
const [SECOND, NARROWEST, WIDEST] = [160, 760, 10_000]
const [LEFT, RIGHT] = [64, 24]
/** Where the wave begins, below a title and without one. */
const [TITLED, UNTITLED] = [96, 28]
const [WAVE, BANKS, CHANCES, BOX] = [56, 150, 120, 20]
/** Between what is drawn, with the name of what comes; more where labels stand above. */
const [GAP, LABELS] = [34, 36]
/** Rows of labels of words, and the pixels from one to the next. */
const [ROWS, ROW] = [3, 15]

const hues: readonly Colour[] = [
  ['#2f6fde', '#6ea2ff'],
  ['#d9661f', '#ff9f5a'],
  ['#16936b', '#42c79a'],
  ['#b8325e', '#ff7fa5'],
  ['#7a4fd0', '#b195ff'],
  ['#0e8fa8', '#4fc9e0'],
  ['#8a6d00', '#e0c04a'],
  ['#9a4a2f', '#e39a7d'],
]
const colours = {
  wave: ['#667085', '#9aa3b5'],
  word: ['#2f6fde', '#6ea2ff'],
  ...Object.fromEntries(hues.map((hue, i) => [`s${i}`, hue])),
} as const
const style = `
  .name { font-weight: 600; fill: var(--ink) } .word { fill: var(--ink) }
  .wave { fill: var(--wave) } .axis { stroke: var(--soft) }
  .box { fill: var(--word); stroke: var(--word) }
  .line { fill: none; stroke: currentColor; stroke-width: 1.5; stroke-linejoin: round }
  .blank { fill: none; stroke: var(--soft); stroke-dasharray: 2 3; opacity: .8 }
  .peak { fill: currentColor; font-weight: 600 }
  image { image-rendering: pixelated }
  ${hues.map((_, i) => `.s${i} { color: var(--s${i}) }`).join(' ')}`

/** Where seconds lie, and how many pixels one has. */
interface Axis {
  readonly at: (seconds: number) => number
  readonly second: number
  readonly right: number
}

/**
 * The picture as SVG text; it depends on its argument alone. A peak of a symbol is at the middle of its frame.
 * @throws OstrichError `ERR_OPTION` for numbers of other lengths, chances outside 0 to 1, and frames or words behind the end of the sound
 * @example
 * transcriptPicture({ title: 'yes.wav', samples, rate: 8000, banks: { values: logs, bands: 40, shift: 0.01, low: 20, high: 4000 },
 *   chances: { values: softmaxed, symbols: ['', 'e', 's', 'y'], shift: 0.01 }, text: 'yes', words: [{ text: 'yes', start: 0.2, end: 0.5, confidence: 0.9 }] })
 */
export function transcriptPicture(sound: TranscribedSound): string {
  expectSound('transcriptPicture', sound)
  return checkedPicture(sound, true)
}

/** The picture of a sound that was checked, with its title and text or without them. */
export function checkedPicture(sound: TranscribedSound, isTitled: boolean): string {
  const { title, text } = sound
  const seconds = secondsOf(sound)
  const plot = Math.ceil(Math.min(WIDEST, Math.max(NARROWEST, SECOND * seconds)))
  const second = plot / seconds
  const axis: Axis = { at: (time) => LEFT + second * time, second, right: LEFT + plot }
  const top = isTitled ? TITLED : UNTITLED
  const banksTop = top + WAVE + GAP
  const chancesTop = banksTop + BANKS + GAP + LABELS
  const wordsTop = chancesTop + CHANCES + GAP
  const bottom = wordsTop + BOX + ROWS * ROW + 8
  const elements = [
    ...(isTitled ? heading(sound, plot) : []),
    ...timeAxis(axis, top, bottom),
    ...named('wave', top),
    wave(sound.samples, axis, top),
    ...named('filter banks, Hz', banksTop),
    ...filterBanks(sound.banks, axis, banksTop),
    ...named('chances of symbols; dotted: the blank', chancesTop - LABELS),
    ...symbolChances(sound, axis, chancesTop),
    ...named('words', wordsTop),
    ...wordBoxes(sound, axis, wordsTop),
  ]
  const all = `${title}: ${text}`
  return svgDocument({ width: axis.right + RIGHT, height: bottom + 44, title: all, colours, style, elements })
}

function heading({ title, text }: TranscribedSound, width: number): string[] {
  return [
    svgText(LEFT, 34, shortened(title, width / 10), 'start', 'title'),
    svgText(LEFT, 56, shortened(text, width / 7.2), 'start', 'word'),
  ]
}

function named(name: string, top: number): string[] {
  return [svgText(LEFT, top - 8, name, 'start', 'name')]
}

/** Lines behind everything at round numbers of seconds, 70 pixels apart or more. */
function timeAxis({ at, second, right }: Axis, top: number, bottom: number): string[] {
  const least = 70 / second
  const power = 10 ** Math.floor(Math.log10(least))
  const unit = power * ([1, 2, 5].find((factor) => factor * power >= least) ?? 10)
  const digits = Math.max(0, -Math.floor(Math.log10(unit) + 1e-9))
  const count = Math.floor((right - LEFT) / second / unit + 1e-9) + 1
  const ticks = Array.from({ length: count }, (_, i) => {
    const x = tenth(at(i * unit))
    return `<path class="grid" d="M${x} ${top}V${bottom}"/>${svgText(x, bottom + 18, (i * unit).toFixed(digits), 'middle')}`
  })
  return [
    ...ticks,
    `<path class="axis" d="M${LEFT} ${bottom}H${right}"/>`,
    svgText(LEFT, bottom + 35, 'seconds', 'middle'),
  ]
}

/** From the lowest to the highest sample of each pixel; the loudest sample touches the edge. */
function wave(samples: Float32Array, { right }: Axis, top: number): string {
  const middle = top + WAVE / 2
  const columns = Math.min(samples.length, right - LEFT, 3000)
  const edges = Array.from({ length: columns }, (_, i) => {
    const [from, to] = [i, i + 1].map((place) => Math.floor((place * samples.length) / columns)) as [number, number]
    let [low, high] = [Infinity, -Infinity]
    for (let k = from; k < to; k++) {
      const sample = samples[k]!
      if (sample < low) low = sample
      if (sample > high) high = sample
    }
    // Where no sample is a number there is nothing but the middle.
    return { x: LEFT + ((i + 0.5) / columns) * (right - LEFT), low: finite(low), high: finite(high) }
  })
  const loudest = edges.reduce((most, { low, high }) => Math.max(most, -low, high), 0) || 1
  const point = (x: number, sample: number) => `${tenth(x)} ${tenth(middle - (sample / loudest) * (WAVE / 2))}`
  // A pixel's edges are half a pixel from each other at least, so that silence is a line.
  const above = edges.map(({ x, high }) => point(x, high + (0.5 / WAVE) * loudest))
  const below = edges.map(({ x, low }) => point(x, low - (0.5 / WAVE) * loudest)).reverse()
  return `<path class="wave" d="M${[...above, ...below].join('L')}Z"/>`
}

function finite(value: number): number {
  return Number.isFinite(value) ? value : 0
}

function filterBanks(banks: BankFrames, { at, second, right }: Axis, top: number): string[] {
  const { values, bands, shift } = banks
  const frames = values.length / bands
  const plot = right - LEFT
  const bottom = top + BANKS
  const ticks = frequencyTicks(banks, top).map(
    ({ hertz, y }) =>
      `<path class="axis" d="M${LEFT - 4} ${tenth(y)}h4"/>${svgText(LEFT - 8, y + 4, String(hertz), 'end')}`,
  )
  if (frames === 0) return [...ticks, svgText(LEFT + plot / 2, (top + bottom) / 2, 'no frame', 'middle')]
  const source = dataUri(heatMap(values, bands))
  const size = `width="${tenth(frames * shift * second)}" height="${BANKS}" preserveAspectRatio="none"`
  // An inner picture cuts off the last frame where the sound ends.
  const image = `<svg x="${tenth(at(0))}" y="${top}" width="${plot}" height="${BANKS}"><image ${size} href="${source}"/></svg>`
  return [image, ...ticks]
}

/** Octaves and where they lie: filter i has its middle at (i + 1) / (bands + 1) of the way from `low` to `high` in mel. */
function frequencyTicks({ bands, low, high }: BankFrames, top: number): { hertz: number; y: number }[] {
  const mel = (hertz: number) => 1127 * Math.log1p(hertz / 700)
  const all = [16000, 8000, 4000, 2000, 1000, 500, 250].map((hertz) => {
    const way = (mel(hertz) - mel(low)) / (mel(high) - mel(low))
    return { hertz, y: top + BANKS * (1 - (way * (bands + 1) - 0.5) / bands) }
  })
  return all.filter(({ y }) => y >= top - 3 && y <= top + BANKS)
}

function symbolChances({ chances }: TranscribedSound, { at, right }: Axis, top: number): string[] {
  const { values, symbols, shift } = chances
  const x = (frame: number) => at((frame + 0.5) * shift)
  const y = (chance: number) => top + CHANCES * (1 - chance)
  const rules = [0, 0.5, 1].map(
    (chance) =>
      `<path class="grid" d="M${LEFT} ${y(chance)}H${right}"/>${svgText(LEFT - 8, y(chance) + 4, String(chance), 'end')}`,
  )
  // A path of one point is drawn as a dot if it has a length.
  const path = (points: readonly ChancePoint[]) =>
    `M${points.map(({ frame, chance }) => `${tenth(x(frame))} ${tenth(y(chance))}`).join('L')}${points.length === 1 ? 'h1' : ''}`
  const lines = linesOf(values, symbols.length).map(({ symbol, pieces }) => {
    const kind = symbol === 0 ? 'blank' : `line ${hueOf(symbol)}`
    return `<path class="${kind}" d="${pieces.map(path).join('')}"/>`
  })
  const labels = peaksOf(values, symbols.length).map(({ symbol, frame, chance }) => {
    return { x: x(frame), y: y(chance) - 4, text: shownSymbol(symbols[symbol]!), style: `peak ${hueOf(symbol)}` }
  })
  return [...rules, ...lines, ...placedLabels(labels, -12, 2)]
}

function hueOf(symbol: number): string {
  return `s${(symbol - 1) % hues.length}`
}

/** A space is seen. */
function shownSymbol(symbol: string): string {
  return symbol.trim() === '' ? '␣' : symbol
}

/** A box for each word, the more of its colour the surer, with the confidence where there is room; the word is below. */
function wordBoxes({ words }: TranscribedSound, { at, right }: Axis, top: number): string[] {
  const boxes = words.map(({ text, start, end, confidence }) => {
    const width = Math.max(1, at(end) - at(start))
    const sure = percent(confidence).replace(/\.\d+/, '')
    const title = `<title>${escaped(`${text}: ${start.toFixed(2)} to ${end.toFixed(2)} s, ${sure}`)}</title>`
    const place = `x="${tenth(at(start))}" y="${top}" width="${tenth(width)}" height="${BOX}" rx="3"`
    const box = `<rect class="box" ${place} fill-opacity="${(0.6 * confidence).toFixed(2)}">${title}</rect>`
    return width < widthOf(sure) + 6
      ? box
      : box + svgText(at((start + end) / 2), top + BOX / 2 + 4, sure, 'middle', 'word')
  })
  const labels = words.map(({ text, start, end }): Label => {
    const half = widthOf(shortened(text, 24)) / 2
    const x = Math.max(LEFT + half, Math.min(right - half, at((start + end) / 2)))
    return { x, y: top + BOX + ROW, text, style: 'word' }
  })
  return [...boxes, ...placedLabels(labels, ROW, ROWS - 1)]
}
