// Draws what a network that translates looked at: source words along the top, written words down the side, and a cell for each pair, the darker
// the further it was looked at, as in figure 3 of Bahdanau, Cho & Bengio 2015. Refuses weights of other numbers of words.
import { OstrichError } from '../base/index.js'
import { percent } from './measure-info.js'
import { escaped, svgDocument, svgText, tenth } from './svg.js'

/** What was looked at for each written word. */
export interface AlignmentContent {
  readonly source: readonly string[]
  readonly target: readonly string[]
  /** For each target word a weight from 0 to 1 of each source word. */
  readonly weights: readonly ArrayLike<number>[]
}

const CELL = 26
/** Width of a character, about, and the room that words have at most. */
const [CHARACTER, MOST] = [7, 180]
const [EDGE, TOP, GAP] = [24, 62, 10]
/** Words along the top rise at this angle. */
const ANGLE = 55

const colours = { cell: ['#2f6fde', '#6ea2ff'], frame: ['#d9dce4', '#2c3240'] } as const
const style = `
  .source, .target { fill: var(--ink) }
  .cell { fill: var(--cell) }
  .frame { fill: none; stroke: var(--frame) }`

/**
 * The picture as SVG text; it depends on its arguments alone.
 * @param about a line below the title
 * @throws OstrichError `ERR_OPTION` for weights that are not one for each pair of words
 * @example alignmentPicture({ source: ['ein', 'mann'], target: ['a', 'man'], weights: [[0.9, 0.1], [0.2, 0.8]] })
 */
export function alignmentPicture({ source, target, weights }: AlignmentContent, about = ''): string {
  expectWeights(source.length, target.length, weights)
  const [along, down] = [source.map(shown), target.map(shown)]
  const rise = Math.sin((ANGLE * Math.PI) / 180)
  const left = EDGE + widthOf(down) + GAP
  const top = TOP + rise * widthOf(along) + GAP
  // The last word along the top leans out to the right.
  const lean = Math.cos((ANGLE * Math.PI) / 180) * widthOf(along)
  const width = Math.max(420, left + source.length * CELL + lean + EDGE)
  const height = top + target.length * CELL + EDGE
  const grid = { x: tenth(left), y: tenth(top), width: source.length * CELL, height: target.length * CELL }
  const elements = [
    svgText(EDGE, 34, 'What each word looked at', 'start', 'title'),
    svgText(EDGE, 54, about),
    ...along.map((word, i) => rising(left + (i + 0.6) * CELL, top - GAP, word)),
    ...down.map((word, i) => svgText(left - GAP, top + (i + 0.65) * CELL, word, 'end', 'target')),
    ...down.flatMap((to, i) =>
      along.flatMap((from, k) => {
        const weight = Math.min(1, Math.max(0, weights[i]![k]!))
        return weight < 0.005
          ? []
          : [cell(left + k * CELL, top + i * CELL, weight, `${to}: ${from} ${percent(weight)}`)]
      }),
    ),
    `<rect class="frame" x="${grid.x}" y="${grid.y}" width="${grid.width}" height="${grid.height}"/>`,
  ]
  const title = `What each word of "${target.join('').trim()}" looked at in "${source.join('').trim()}"`
  return svgDocument({ width: Math.ceil(width), height: Math.ceil(height), title, colours, style, elements })
}

function expectWeights(source: number, target: number, weights: readonly ArrayLike<number>[]): void {
  const other = weights.find(({ length }) => length !== source)
  if (source > 0 && weights.length === target && other === undefined) return
  const got = `${weights.length} rows${other === undefined ? '' : `, one of ${other.length}`}`
  throw new OstrichError('ERR_OPTION', `alignmentPicture: expected ${target} rows of ${source} weights, got ${got}`)
}

/** A part of a word begins without a space: a dot stands before it. */
function shown(piece: string, i: number): string {
  const isPart = i > 0 && /^[\p{L}\p{N}]/u.test(piece)
  const text = Array.from(piece.trim())
  const most = MOST / CHARACTER
  const short = text.length > most ? [...text.slice(0, most - 1), '…'] : text
  return `${isPart ? '·' : ''}${short.join('')}`
}

function widthOf(words: readonly string[]): number {
  return Math.max(0, ...words.map((word) => CHARACTER * word.length))
}

function rising(x: number, y: number, word: string): string {
  const [at, to] = [tenth(x), tenth(y)]
  return `<text class="source" x="${at}" y="${to}" transform="rotate(-${ANGLE} ${at} ${to})">${escaped(word)}</text>`
}

function cell(x: number, y: number, weight: number, title: string): string {
  const place = `x="${tenth(x)}" y="${tenth(y)}" width="${CELL}" height="${CELL}"`
  return `<rect class="cell" ${place} fill-opacity="${weight.toFixed(2)}"><title>${escaped(title)}</title></rect>`
}
