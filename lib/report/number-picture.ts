// A picture of images and of the numbers that were read off them: some of the wrong readings, then some of the right ones.
import { percent } from './measure-info.js'
import { type NumberPageContent, readings, type ShownNumber } from './number-page.js'
import { shortened } from './placed-labels.js'
import { dataUri } from './png.js'
import { escaped, svgDocument, svgText } from './svg.js'

const COLUMNS = 6
/** Images of a kind at most. */
const MOST = 2 * COLUMNS
/** Pixels of an image, from one to the next, and of what is said below it. */
const [IMAGE, STEP, LINE] = [108, 132, 16]
const [LEFT, TOP, HEADING, ROW] = [24, 76, 30, IMAGE + 3 * LINE + 14]
const WIDTH = 2 * LEFT + COLUMNS * STEP - (STEP - IMAGE)

const style = `
  .kind { font-size: 14px; font-weight: 600; fill: var(--ink) } .read { font-weight: 600; fill: var(--ink) }
  image { image-rendering: pixelated }`

/**
 * The picture as SVG text; it depends on its argument alone.
 * @throws RangeError for an image of another size than it says
 * @example numberPicture({ title: 'What strips read', about: ['runs/strips'], numbers: [shown] })
 */
export function numberPicture({ title, about, numbers }: NumberPageContent): string {
  const elements = [
    svgText(LEFT, 34, title, 'start', 'title'),
    svgText(LEFT, 56, shortened(about.at(-1) ?? '', WIDTH / 7)),
  ]
  let top = TOP
  for (const [name, some] of readings(numbers)) {
    const shown = some.slice(0, MOST)
    const part = shown.length < some.length ? `, ${shown.length} of them` : ''
    elements.push(svgText(LEFT, top + 16, `${name}: ${some.length}${part}`, 'start', 'kind'))
    top += HEADING
    for (const [i, one] of shown.entries()) {
      elements.push(...cell(one, LEFT + (i % COLUMNS) * STEP, top + Math.floor(i / COLUMNS) * ROW))
    }
    top += Math.ceil(shown.length / COLUMNS) * ROW
  }
  return svgDocument({ width: WIDTH, height: top + 4, title, colours: {}, style, elements })
}

function cell(
  { title, image, read, confidence, next, nextConfidence, truth }: ShownNumber,
  x: number,
  y: number,
): string[] {
  const size = `width="${IMAGE}" height="${IMAGE}" preserveAspectRatio="none"`
  const below = (line: number, text: string, kind = '') => svgText(x, y + IMAGE + LINE * line, text, 'start', kind)
  return [
    `<image x="${x}" y="${y}" ${size} href="${dataUri(image)}"><title>${escaped(title)}</title></image>`,
    below(1, `${read}  ${percent(confidence)}`, 'read'),
    below(2, `then ${next}  ${percent(nextConfidence)}`),
    ...(truth !== undefined && truth !== read ? [below(3, `shows ${truth}`, 'read')] : []),
  ]
}
