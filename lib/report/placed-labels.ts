// Labels of things along a line, so that none stands on another. Text cannot be measured here: widths are those of the widest usual font.
import { svgText } from './svg.js'

/** Width of a character of 12 pixels, about. */
const CHARACTER = 7.2
/** Characters that a label has at most. */
const MOST = 24

/** A label around a place. */
export interface Label {
  readonly x: number
  readonly y: number
  readonly text: string
  readonly style: string
}

/**
 * The labels, first come first served: one that would stand on another moves by `step` pixels, down or up, so many times at most, and is left
 * out if there is no room then.
 */
export function placedLabels(labels: readonly Label[], step: number, times: number): string[] {
  const placed: { readonly x: number; readonly y: number; readonly width: number }[] = []
  return labels.flatMap(({ x, y, text, style }) => {
    const short = shortened(text, MOST)
    const width = widthOf(short)
    const free = Array.from({ length: times + 1 }, (_, i) => y + i * step).find((at) =>
      placed.every((one) => Math.abs(one.y - at) >= Math.abs(step) || 2 * Math.abs(one.x - x) >= one.width + width),
    )
    if (free === undefined) return []
    placed.push({ x, y: free, width })
    return [svgText(x, free, short, 'middle', style)]
  })
}

/** About as many pixels as a text of 12 pixels takes. */
export function widthOf(text: string): number {
  return CHARACTER * Array.from(text).length
}

/** A text of at most so many characters, the last of which says that there are more. */
export function shortened(text: string, most: number): string {
  const characters = Array.from(text)
  return characters.length > most ? `${characters.slice(0, most - 1).join('')}…` : text
}
