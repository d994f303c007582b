// Pages as HTML. A page is self-contained: no script, font or other file is fetched; it follows the reader's light or dark theme.
import { escaped } from './svg.js'
import { type Colour, colours, fonts } from './theme.js'

/** What a page is made of. */
export interface HtmlContent {
  readonly title: string
  /** Lines below the title. */
  readonly about: readonly string[]
  /** Colours of its own, which its style takes as variables. */
  readonly colours: Readonly<Record<string, Colour>>
  /** CSS for what it uses besides headings, paragraphs and tables (in a `div` of the class `wide`); begins with a new line. */
  readonly style: string
  /** Elements, the first at the top. */
  readonly elements: readonly string[]
}

/** A page as text; it depends on its argument alone. */
export function htmlDocument({ title, about, colours: own, style, elements }: HtmlContent): string {
  return [
    '<!doctype html>',
    `<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(title)}</title>`,
    `<style>
  :root { color-scheme: light dark }
  ${colours(':root', own)}
  body { font: 15px/1.5 ${fonts}; color: var(--ink); background: var(--back);
    max-width: 72rem; margin: 2rem auto; padding: 0 1rem }
  h1 { font-size: 1.6rem } h2 { font-size: 1.1rem; margin-top: 2.2rem }
  p { color: var(--soft) }
  .wide { overflow-x: auto }
  table { border-collapse: collapse; font-variant-numeric: tabular-nums }
  th, td { padding: .25rem .6rem; border-bottom: 1px solid var(--grid); text-align: right; white-space: nowrap }
  th:first-child { text-align: left }${style}
</style></head><body>`,
    `<h1>${escaped(title)}</h1>`,
    ...about.map((line) => `<p>${escaped(line)}</p>`),
    ...elements,
    '</body></html>',
    '',
  ].join('\n')
}
