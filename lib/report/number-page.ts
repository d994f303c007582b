// One HTML page of images and of the numbers that were read off them, the wrong ones first.
import { htmlDocument } from './html.js'
import { percent } from './measure-info.js'
import { type Bytes, dataUri } from './png.js'
import { escaped } from './svg.js'

/** An image, and what was read off it. */
export interface ShownNumber {
  readonly title: string
  readonly image: Bytes
  /** In words, and how sure of it, 0 to 1. */
  readonly read: string
  readonly confidence: number
  /** What would have been read next. */
  readonly next: string
  readonly nextConfidence: number
  /** What it shows, in words, where that is known. */
  readonly truth?: string | undefined
}

/** What a page shows. */
export interface NumberPageContent {
  readonly title: string
  /** Lines below the title. */
  readonly about: readonly string[]
  readonly numbers: readonly ShownNumber[]
}

const style = `
  .numbers { display: flex; flex-wrap: wrap; gap: 1rem }
  figure { margin: 0; width: 8.2rem } figcaption { font-size: .8rem; color: var(--soft) } figcaption b { color: var(--ink) }
  img { width: 8.1rem; height: 8.1rem; image-rendering: pixelated }`

/**
 * The page as text; it depends on its argument alone.
 * @throws RangeError for an image of another size than it says
 * @example numberPage({ title: 'What strips read', about: ['runs/strips'], numbers: [shown] })
 */
export function numberPage({ title, about, numbers }: NumberPageContent): string {
  const elements = readings(numbers).flatMap(([name, some]) => section(name, some))
  return htmlDocument({ title, about, colours: {}, style, elements })
}

/** Wrong readings, right ones, and those of which it is not known, each with its name, where there are any. */
export function readings(numbers: readonly ShownNumber[]): readonly (readonly [string, readonly ShownNumber[]])[] {
  const known = numbers.filter(({ truth }) => truth !== undefined)
  const parts = [
    ['Wrong', known.filter(({ truth, read }) => truth !== read)],
    ['Right', known.filter(({ truth, read }) => truth === read)],
    ['Read', numbers.filter(({ truth }) => truth === undefined)],
  ] as const
  return parts.filter(([, some]) => some.length > 0)
}

function section(name: string, numbers: readonly ShownNumber[]): string[] {
  return [`<h2>${name}: ${numbers.length}</h2>`, '<div class="numbers">', ...numbers.map(figure), '</div>']
}

function figure({ title, image, read, confidence, next, nextConfidence, truth }: ShownNumber): string {
  const shown = truth !== undefined && truth !== read ? `, shows ${escaped(truth)}` : ''
  const caption = `<b>${escaped(read)}</b> ${percent(confidence)}${shown}<br>then ${escaped(next)} ${percent(nextConfidence)}`
  const alt = escaped(`${title}: read as ${read}`)
  return `<figure><img src="${dataUri(image)}" alt="${alt}" title="${escaped(title)}"><figcaption>${caption}</figcaption></figure>`
}
