// Draws words at their places in the plane, so that those of like meaning are seen beside each other.
import { OstrichError } from '../base/index.js'
import { percent } from './measure-info.js'
import { svgDocument, svgText, tenth } from './svg.js'

/** What is drawn. */
export interface WordPictureContent {
  /** Words and their places, in any unit that both axes share. */
  readonly words: readonly { readonly word: string; readonly x: number; readonly y: number }[]
  /** Shares of all differences that lie along x and y. */
  readonly shares: readonly [number, number]
}

const [WIDTH, HEIGHT, EDGE, TOP] = [760, 560, 56, 74] as const
/** Room of a word, about: so that one does not stand upon another. */
const [CHARACTER, LINE] = [7.5, 14] as const

const colours = { dot: ['#2f6fde', '#6ea2ff'] } as const
const style = `
  .word { fill: var(--ink); font-size: 13px }
  .dot { fill: var(--dot) }`

/**
 * The picture as SVG text; it depends on its arguments alone. Both axes have one scale.
 * @param about a line below the title
 * @throws OstrichError `ERR_OPTION` for no words, and places that are not finite
 * @example wordPicture(vectors.plane(['paris', 'rome', 'dolphin', 'whale']), 'vectors.bin')
 */
export function wordPicture({ words, shares }: WordPictureContent, about = ''): string {
  if (words.length === 0 || !words.every(({ x, y }) => Number.isFinite(x) && Number.isFinite(y))) {
    throw new OstrichError('ERR_OPTION', 'wordPicture[words]: expected words at finite places, got none or others')
  }
  const [left, right] = [Math.min(...words.map(({ x }) => x)), Math.max(...words.map(({ x }) => x))]
  const [low, high] = [Math.min(...words.map(({ y }) => y)), Math.max(...words.map(({ y }) => y))]
  // Words stand to the right of their places, and below them where two would meet.
  const [width, height] = [WIDTH - 2 * EDGE - 90, HEIGHT - TOP - EDGE - 40]
  const scale = Math.min(width / Math.max(right - left, 1e-9), height / Math.max(high - low, 1e-9))
  const [startX, startY] = [EDGE + (width - scale * (right - left)) / 2, TOP + (height - scale * (high - low)) / 2]
  const placed = words.map(({ word, x, y }) => {
    return { word, x: startX + scale * (x - left), y: startY + scale * (high - y) }
  })
  const elements = [
    svgText(24, 34, 'Words by their vectors', 'start', 'title'),
    svgText(24, 54, about),
    `<line class="grid" x1="${EDGE}" y1="${HEIGHT - EDGE + 16}" x2="${WIDTH - EDGE}" y2="${HEIGHT - EDGE + 16}"/>`,
    `<line class="grid" x1="${EDGE - 16}" y1="${TOP}" x2="${EDGE - 16}" y2="${HEIGHT - EDGE}"/>`,
    svgText(WIDTH - EDGE, HEIGHT - 16, `first principal component, ${percent(shares[0])} of all differences`, 'end'),
    rising(EDGE - 26, HEIGHT - EDGE, `second, ${percent(shares[1])}`),
    ...placed.map(({ x, y }) => `<circle class="dot" cx="${tenth(x)}" cy="${tenth(y)}" r="4"/>`),
    ...apart(placed).map(({ word, x, y }) => svgText(x + 8, y + 4, word, 'start', 'word')),
  ]
  const title = `Words by their vectors: ${words.map(({ word }) => word).join(', ')}`
  return svgDocument({ width: WIDTH, height: HEIGHT, title, colours, style, elements })
}

interface Placed {
  readonly word: string
  readonly x: number
  readonly y: number
}

/** Moves words down until none stands upon another. */
function apart(placed: readonly Placed[]): readonly Placed[] {
  const set: Placed[] = []
  for (const { word, x, y } of placed.toSorted((a, b) => a.y - b.y)) {
    let at = y
    const isUpon = (other: Placed): boolean => {
      const [from, to] = other.x < x ? [other, { word, x }] : [{ word, x }, other]
      return Math.abs(other.y - at) < LINE && to.x - from.x < CHARACTER * from.word.length + 8
    }
    for (let met = set.find(isUpon); met !== undefined; met = set.find(isUpon)) at = met.y + LINE
    set.push({ word, x, y: at })
  }
  return set
}

function rising(x: number, y: number, content: string): string {
  return `<g transform="translate(${x} ${y}) rotate(-90)">${svgText(0, 0, content)}</g>`
}
