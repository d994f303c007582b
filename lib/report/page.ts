// One HTML page of tables and pictures.
import { htmlDocument } from './html.js'
import { type Bytes, dataUri } from './png.js'
import { shownCell, type Table } from './measured-table.js'
import { escaped } from './svg.js'

/** An image and what became of it. Images are f32 [C, H, W] in [0, 1]. */
export interface Picture {
  readonly original: Float32Array
  readonly negative: Float32Array
  /** What it is, what was seen before, and what is seen now, in words. */
  readonly label: string
  readonly before: string
  readonly after: string
  readonly distortion: number
}

/** Pictures of one network. */
export interface Gallery {
  readonly title: string
  readonly channels: 1 | 3
  readonly side: number
  readonly pictures: readonly Picture[]
}

/** What a page shows. */
export interface PageContent {
  readonly title: string
  readonly about: readonly string[]
  readonly galleries: readonly Gallery[]
  readonly tables: readonly Table[]
}

const colours = { grid: ['#d9dce4', '#2c3240'] } as const
const style = `
  figcaption, td small { color: var(--soft) }
  .gallery { display: flex; flex-wrap: wrap; gap: 1.2rem }
  figure { margin: 0 } figcaption { font-size: .8rem; max-width: 20rem }
  img { width: 6.4rem; height: 6.4rem; image-rendering: pixelated; border: 1px solid var(--grid) }`

/** The page as text; it depends on its argument alone. */
export function page({ title, about, galleries, tables }: PageContent): string {
  const elements = [...galleries.flatMap(galleryLines), ...tables.flatMap(tableLines)]
  return htmlDocument({ title, about, colours, style, elements })
}

function galleryLines({ title, channels, side, pictures }: Gallery): string[] {
  const image = (values: ArrayLike<number>, alt: string) => {
    const data = Uint8ClampedArray.from(values, (value) => Math.round(255 * value))
    const bytes: Bytes = { data, channels, height: side, width: side }
    return `<img src="${dataUri(bytes)}" alt="${escaped(alt)}">`
  }
  return [
    `<h2>${escaped(title)}</h2>`,
    '<div class="gallery">',
    ...pictures.map(({ original, negative, label, before, after, distortion }) => {
      const change = negative.map((value, i) => value - original[i]!)
      const largest = change.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-6)
      const magnified = change.map((value) => 0.5 + (0.5 * value) / largest)
      const caption = `${label}: seen as ${before}, then as ${after}; distortion ${distortion.toFixed(4)}, shown ${(0.5 / largest).toFixed(1)} times`
      return (
        `<figure>${image(original, `${label}, original`)}${image(magnified, 'distortion, magnified')}` +
        `${image(negative, `negative example, seen as ${after}`)}<figcaption>${escaped(caption)}</figcaption></figure>`
      )
    }),
    '</div>',
  ]
}

function tableLines({ title, notes, columns, rows }: Table): string[] {
  const head = columns.map((column) => `<th>${escaped(column.title)}${column.unit === 'share' ? ', %' : ''}</th>`)
  return [
    `<h2>${escaped(title)}</h2>`,
    ...notes.map((note) => `<p>${escaped(note)}</p>`),
    `<div class="wide"><table><tr><th></th>${head.join('')}</tr>`,
    ...rows.map((row) => {
      const cells = row.cells.map((cell, i) => {
        const [own = '', published] = shownCell(cell, columns[i]!.unit).split(/ (?=\()/)
        return `<td>${escaped(own)}${published === undefined ? '' : ` <small>${escaped(published)}</small>`}</td>`
      })
      return `<tr><th>${escaped(row.title)}</th>${cells.join('')}</tr>`
    }),
    '</table></div>',
  ]
}
