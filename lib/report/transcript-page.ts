// One HTML page of sounds and of what a network heard in them: the picture of each, and its words as a table.
import { expectOptions, is } from '../base/index.js'
import { htmlDocument } from './html.js'
import { percent } from './measure-info.js'
import { escaped } from './svg.js'
import { expectSound, type TranscribedSound } from './transcribed-sound.js'
import { checkedPicture } from './transcript-picture.js'

/** What a page shows. */
export interface TranscriptPageContent {
  readonly title: string
  /** Lines below the title. */
  readonly about: readonly string[]
  readonly sounds: readonly TranscribedSound[]
}

const style = `
  .heard { color: var(--ink) } summary { color: var(--soft); margin: .6rem 0 }
  .wide > svg { display: block }`

/**
 * The page as text; it depends on its argument alone.
 * @throws OstrichError `ERR_OPTION` as `transcriptPicture`, with the number of the sound
 * @example transcriptPage({ title: 'digits', about: ['runs/digits'], sounds: [sound] })
 */
export function transcriptPage(content: TranscriptPageContent): string {
  expectOptions('transcriptPage', content, {
    title: is.needed(is.text),
    about: is.needed(is.listOf(is.text, 'texts')),
    sounds: is.needed(is.listOf(is.object, 'sounds')),
  })
  const { title, about, sounds } = content
  for (const [i, sound] of sounds.entries()) expectSound(`transcriptPage[sounds][${i}]`, sound)
  return htmlDocument({ title, about, colours: {}, style, elements: sounds.flatMap(soundLines) })
}

function soundLines(sound: TranscribedSound): string[] {
  const { title, text } = sound
  const heard = text === '' ? '<p>Nothing was heard.</p>' : `<p class="heard">${escaped(text)}</p>`
  return [
    `<h2>${escaped(title)}</h2>`,
    heard,
    `<div class="wide">${checkedPicture(sound, false)}</div>`,
    ...wordTable(sound),
  ]
}

function wordTable({ words }: TranscribedSound): string[] {
  if (words.length === 0) return []
  const head = ['word', 'from, s', 'to, s', 'confidence'].map((name) => `<th scope="col">${name}</th>`)
  return [
    '<details><summary>The words and their times</summary>',
    `<div class="wide"><table><tr>${head.join('')}</tr>`,
    ...words.map(({ text, start, end, confidence }) => {
      const cells = [start.toFixed(2), end.toFixed(2), percent(confidence)].map((cell) => `<td>${cell}</td>`)
      return `<tr><th scope="row">${escaped(text)}</th>${cells.join('')}</tr>`
    }),
    '</table></div></details>',
  ]
}
