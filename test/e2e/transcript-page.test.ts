// The page of a transcription in a browser: its picture is seen, in both themes.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { transcriptPage } from '../../lib/report/transcript-page.js'
import { browser, elementsOf, screenshot } from '../support/browser.js'
import { heardSound } from '../support/heard.js'

const limit = { timeout: 300_000 }
let folder = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-page-'))
  const made = heardSound(
    2,
    [
      { frame: 50, symbol: 1, chance: 0.9 },
      { frame: 120, symbol: 2, chance: 0.8 },
    ],
    [{ text: 'ab', start: 0.5, end: 1.25, confidence: 1 }],
  )
  // Loud up to the middle, then silent.
  const values = made.banks.values.map((_, i) => (i < 400 ? 1 : 0))
  const sounds = [{ ...made, banks: { ...made.banks, values } }]
  await writeFile(join(folder, 'page.html'), transcriptPage({ title: 'Heard', about: ['made up'], sounds }))
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

type Colour = readonly [number, number, number]

/** The rectangle around all pixels of a colour, and how many there are. */
async function seen(shot: string, colour: Colour) {
  const { data, info } = await sharp(shot).removeAlpha().raw().toBuffer({ resolveWithObject: true })
  let [left, right, top, bottom, count] = [Infinity, -1, Infinity, -1, 0]
  for (let i = 0; i < info.width * info.height; i++) {
    if (!colour.every((value, channel) => data[3 * i + channel] === value)) continue
    const [x, y] = [i % info.width, Math.floor(i / info.width)]
    ;[left, right, top, bottom] = [Math.min(left, x), Math.max(right, x), Math.min(top, y), Math.max(bottom, y)]
    count++
  }
  return { left, top, width: right - left + 1, height: bottom - top + 1, count }
}

const [loud, silent] = [
  [252, 253, 191],
  [0, 0, 4],
] as const

test.skipIf(browser === undefined)('the page is read whole', limit, async () => {
  const out = await elementsOf(folder, 'page.html')
  for (const [element, count] of [
    ['<svg', 2],
    ['<image', 1],
    ['<rect class="box"', 1],
    ['class="peak', 2],
    ['<td>', 3],
  ] as const)
    expect(out.split(element).length - 1, element).toBe(count)
})

test.skipIf(browser === undefined).each<[string, readonly string[], Colour, Colour]>([
  ['light', [], [255, 255, 255], [217, 102, 31]],
  ['dark', ['--force-dark-mode'], [20, 23, 31], [255, 159, 90]],
])('the picture is seen in the %s theme', limit, async (_, flags, ground, second) => {
  const shot = await screenshot(folder, 'page.html', [1000, 1100], flags)
  const [left, right] = [await seen(shot, loud), await seen(shot, silent)]
  // 760 pixels are the two seconds of the sound.
  expect(left).toMatchObject({ width: 380, height: 150, count: 380 * 150 })
  expect(right).toMatchObject({ left: left.left + 380, top: left.top, width: 380, height: 150, count: 380 * 150 })
  expect((await seen(shot, ground)).count).toBeGreaterThan(500_000)
  // The line of the second symbol and its label are around the middle of frame 120.
  const line = await seen(shot, second)
  expect(line.count).toBeGreaterThan(20)
  expect(Math.abs(line.left + line.width / 2 - (left.left + (760 * 120.5) / 200))).toBeLessThan(3)
  expect(line.top).toBeGreaterThan(left.top + 150)
})
