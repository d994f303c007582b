// One HTML page of sequences of frames, each an animated picture with a line below it.
import { htmlDocument } from './html.js'
import { escaped } from './svg.js'

/** A sequence on a page. */
export interface FilmOnPage {
  /** An animated GIF. */
  readonly gif: Uint8Array
  readonly width: number
  readonly height: number
  readonly caption: string
}

/** What a page shows. */
export interface FilmPageContent {
  readonly title: string
  /** Lines below the title. */
  readonly about: readonly string[]
  readonly films: readonly FilmOnPage[]
}

const style = `
  .films { display: flex; flex-wrap: wrap; gap: 1.4rem }
  figure { margin: 0 } figcaption { color: var(--soft); font-size: .85rem }
  img { image-rendering: pixelated; border: 1px solid var(--grid); max-width: 100% }`

/** The page as text; it depends on its argument alone. */
export function filmPage({ title, about, films }: FilmPageContent): string {
  const figures = films.map(({ gif, width, height, caption }) => {
    const source = `data:image/gif;base64,${Buffer.from(gif).toString('base64')}`
    const image = `<img src="${source}" width="${width}" height="${height}" alt="${escaped(caption)}">`
    return `<figure>${image}<figcaption>${escaped(caption)}</figcaption></figure>`
  })
  return htmlDocument({ title, about, colours: {}, style, elements: ['<div class="films">', ...figures, '</div>'] })
}
