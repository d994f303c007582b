// Pieces of pictures that are written as SVG. A picture is self-contained: no script, font or other file is fetched.
import { type Colour, colours, fonts } from './theme.js'

/** What a picture is made of. */
export interface SvgContent {
  readonly width: number
  readonly height: number
  /** What it shows, for those who do not see it. */
  readonly title: string
  /** Colours of its own, which its style takes as variables. */
  readonly colours: Readonly<Record<string, Colour>>
  /** CSS for the classes that it uses besides `title`, `back` and `grid`; begins with a new line. */
  readonly style: string
  /** Elements, the lowest first. */
  readonly elements: readonly string[]
}

/** A picture as the text of an SVG file; it depends on its argument alone. */
export function svgDocument({ width, height, title, colours: own, style, elements }: SvgContent): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<style>
  ${colours('svg', own)}
  text { font: 12px ${fonts}; fill: var(--soft) }
  .title { font-size: 17px; font-weight: 600; fill: var(--ink) }
  .back { fill: var(--back) } .grid { stroke: var(--grid); stroke-width: 1 }${style}
</style>`,
    '<rect class="back" width="100%" height="100%" rx="8"/>',
    ...elements,
    '</svg>',
    '',
  ].join('\n')
}

/** A line of text at a place, of a class of the picture's style. */
export function svgText(x: number, y: number, content: string, anchor = 'start', style = ''): string {
  return `<text class="${style}" x="${tenth(x)}" y="${tenth(y)}" text-anchor="${anchor}">${escaped(content)}</text>`
}

/** A coordinate to a tenth of a pixel. */
export function tenth(value: number): number {
  return Math.round(10 * value) / 10
}

const marks: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

/** Text as XML and HTML take it, between tags and within a quoted attribute. */
export function escaped(content: string): string {
  // Characters that XML 1.0 forbids would make the whole file unreadable.
  return content
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, '')
    .replace(/[&<>"]/g, (mark) => marks[mark] ?? mark)
}
