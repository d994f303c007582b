// The page of transcriptions: whole without anything else, readable without its pictures, and escaped.
import { describe, expect, it } from 'vitest'
import { transcriptPage } from '../../../lib/report/transcript-page.js'
import { heardSound } from '../../support/heard.js'

const words = [
  { text: 'a', start: 0.2, end: 0.3, confidence: 0.5 },
  { text: '<i>b', start: 0.5, end: 0.75, confidence: 1 },
]
const sound = heardSound(1, [{ frame: 20, symbol: 1, chance: 0.75 }], words)

describe('transcriptPage', () => {
  it('has a picture and a table of words of each sound, and fetches nothing', () => {
    const silent = { ...sound, title: 'silent.wav', text: '', words: [] }
    const html = transcriptPage({ title: 'A & B', about: ['runs/<x>'], sounds: [sound, silent] })
    expect(html).toContain('<title>A &amp; B</title>')
    expect(html).toContain('<p>runs/&lt;x&gt;</p>')
    expect(html.match(/<svg [^>]*role="img"/g)).toHaveLength(2)
    expect(html.match(/<image [^>]*href="data:image\/png;base64,/g)).toHaveLength(2)
    expect(html).not.toMatch(/(?:src|href)="(?!data:)|<script|@import|url\(|\son\w+="/)
    expect(Array.from(html.matchAll(/<tr><th scope="row">.*<\/tr>/g), ([row]) => row)).toEqual([
      '<tr><th scope="row">a</th><td>0.20</td><td>0.30</td><td>50.00 %</td></tr>',
      '<tr><th scope="row">&lt;i&gt;b</th><td>0.50</td><td>0.75</td><td>100.00 %</td></tr>',
    ])
    expect(html).not.toContain('<i>')
    expect(html.match(/<table>/g)).toHaveLength(1)
    expect(html.match(/Nothing was heard/g)).toHaveLength(1)
    for (const title of ['made.wav', 'silent.wav']) expect(html).toContain(`<h2>${title}</h2>`)
    // Its title is above the picture, not in it again.
    expect(html).not.toContain('class="title"')
  })

  it('has no id twice, however many sounds it has', () => {
    const html = transcriptPage({ title: '', about: [], sounds: [sound, sound] })
    const ids = Array.from(html.matchAll(/\sid="([^"]*)"/g), ([, id]) => id)
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('says which sound it refuses', () => {
    const wrong = { ...sound, rate: -1 }
    expect(() => transcriptPage({ title: '', about: [], sounds: [sound, wrong] })).toThrow(
      'transcriptPage[sounds][1][rate]: expected a number above 0, got -1',
    )
  })
})
