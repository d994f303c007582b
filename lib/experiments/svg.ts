// Pieces of pictures that are written as SVG.

/** A line of text at a place, of a class of the picture's style. */
export function svgText(x: number, y: number, content: string, anchor = 'start', style = ''): string {
  return `<text class="${style}" x="${tenth(x)}" y="${tenth(y)}" text-anchor="${anchor}">${escaped(content)}</text>`
}

/** A coordinate to a tenth of a pixel. */
export function tenth(value: number): number {
  return Math.round(10 * value) / 10
}

/** Text as XML takes it between tags. */
export function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
