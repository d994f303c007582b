// The picture of a transcription: all of it lies along one axis of seconds, whatever stands in its words, and what cannot be drawn is refused.
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { transcriptPicture } from '../../../lib/report/transcript-picture.js'
import type { TranscribedSound } from '../../../lib/report/transcribed-sound.js'
import { heardSound } from '../../support/heard.js'
import { parseXml } from '../../support/xml.js'

/** Pixels before the first second, and of a second in a sound of a second. */
const [left, plot] = [64, 760]
const heard = [
  { frame: 20, symbol: 1, chance: 0.75 },
  { frame: 37, symbol: 2, chance: 0.5 },
  { frame: 60, symbol: 3, chance: 0.875 },
]
const words = [
  { text: 'ab', start: 0.2, end: 0.38, confidence: 0.5 },
  { text: 'b', start: 0.9, end: 0.91, confidence: 1 },
]
const sound = heardSound(1, heard, words)

function labels(svg: string, kind: string): { x: number; y: number; text: string }[] {
  const found = svg.matchAll(new RegExp(`<text class="${kind}[^"]*" x="([\\d.]+)" y="([\\d.]+)"[^>]*>([^<]*)<`, 'g'))
  return Array.from(found, ([, x, y, text = '']) => ({ x: Number(x), y: Number(y), text }))
}

describe('transcriptPicture', () => {
  it('has each peak of a symbol at the middle of its frame, as high as its chance', () => {
    const svg = transcriptPicture(sound)
    const peaks = labels(svg, 'peak')
    expect(peaks.map(({ text }) => text)).toEqual(['␣', 'a', 'b'])
    const x = (frame: number) => left + plot * (frame + 0.5) * 0.01
    for (const [i, frame] of [60, 20, 37].entries()) expect(peaks[i]!.x).toBeCloseTo(x(frame), 1)
    const [space, a, b] = peaks.map(({ y }) => y) as [number, number, number]
    expect([a - space, b - a]).toEqual([expect.closeTo(120 * 0.125, 5), expect.closeTo(120 * 0.25, 5)])
    // The line rises from the frame before and falls to the one after.
    const at = [19, 20, 21].map((frame) => Math.round(10 * x(frame)) / 10)
    const [, path] = /<path class="line s0" d="([^"]+)"/.exec(svg)!
    expect(path!.match(/[\d.]+(?= )/g)!.map(Number)).toEqual(at)
    expect(svg.match(/class="blank"/g)).toHaveLength(1)
  })

  it('keeps its axis for frames of other lengths, and for longer sounds', () => {
    const slow = { ...sound.chances, values: sound.chances.values.slice(0, 4 * 25), shift: 0.04 }
    expect(labels(transcriptPicture({ ...sound, chances: slow }), 'peak')).toMatchObject([
      { x: expect.closeTo(left + plot * 20.5 * 0.04, 1) as number, text: 'a' },
    ])
    const svg = transcriptPicture(heardSound(10, [{ frame: 700, symbol: 1, chance: 0.75 }], []))
    expect(labels(svg, 'peak')).toEqual([
      { x: expect.closeTo(left + 160 * 7.005, 1) as number, y: expect.any(Number) as number, text: 'a' },
    ])
    expect(svg).toContain('viewBox="0 0 1688 ')
  })

  it.each([
    [1, 'M444 96V', '>0.5<', 'x="444"'],
    [0.05, 'M520 96V', '>0.030<', 'x="520"'],
    [30, 'M864 96V', '>5.0<', 'x="864"'],
  ])('has round seconds along its axis, for %d s', (seconds, line, text, x) => {
    const tick = transcriptPicture(heardSound(seconds, [], []))
      .split('\n')
      .find((one) => one.includes(line))
    expect(tick).toContain(text)
    expect(tick).toContain(x)
  })

  it('has a box for each word from its beginning to its end, and how sure it is', () => {
    const svg = transcriptPicture(sound)
    const boxes = Array.from(
      svg.matchAll(/<rect class="box" x="([\d.]+)" y="[\d.]+" width="([\d.]+)".*? fill-opacity="([\d.]+)"/g),
      (box) => box.slice(1).map(Number),
    )
    expect(boxes).toEqual([
      [left + 152, 136.8, 0.3],
      [left + 684, 7.6, 0.6],
    ])
    const texts = parseXml(svg)
    expect(texts).toContain('ab: 0.20 to 0.38 s, 50 %')
    // There is room for the confidence of the first alone.
    expect([texts.includes('50 %'), texts.includes('100 %')]).toEqual([true, false])
    const below = labels(svg, 'word').filter(({ text }) => text === 'ab' || text === 'b')
    expect(below.map(({ x }) => x)).toEqual([
      expect.closeTo(left + 0.29 * plot, 1),
      expect.closeTo(left + 0.905 * plot, 1),
    ])
  })

  it('has the filter banks as an image from the first frame to the last, low ones at the bottom', async () => {
    const banks = { ...sound.banks, values: sound.banks.values.slice(0, 4 * 50) }
    const svg = transcriptPicture({ ...sound, banks })
    const [, width, source] = /<image width="([\d.]+)" .*href="data:image\/png;base64,([^"]+)"/.exec(svg)!
    expect(Number(width)).toBe(plot / 2)
    const { data, info } = await sharp(Buffer.from(source!, 'base64')).raw().toBuffer({ resolveWithObject: true })
    expect([info.width, info.height, info.channels]).toEqual([50, 4, 3])
    expect([...data.subarray(3 * 50 * 3, 3 * 50 * 3 + 3)]).toEqual([252, 253, 191])
    expect([...data.subarray(0, 3)]).toEqual([0, 0, 4])
  })

  it('has frequencies at the filters whose middles they are', () => {
    const mel = (hertz: number) => 2595 * Math.log10(1 + hertz / 700)
    const hertz = (m: number) => 700 * (10 ** (m / 2595) - 1)
    // Filters 50 mel apart, of which the first has its middle at 1000 Hz.
    const [low, high] = [hertz(mel(1000) - 50), hertz(mel(1000) + 20 * 50)]
    const values = new Float32Array(20 * 100)
    const svg = transcriptPicture({ ...sound, banks: { values, bands: 20, shift: 0.01, low, high } })
    const [, y] = /<text class="" x="56" y="([\d.]+)" text-anchor="end">1000</.exec(svg)!
    const [, top] = /<svg x="64" y="([\d.]+)"/.exec(svg)!
    expect(Number(y) - 4 - Number(top)).toBeCloseTo(150 * (1 - 0.5 / 20), 0)
  })

  it('is small and whole for a minute, and for five', () => {
    const many = Array.from({ length: 700 }, (_, i) => ({ frame: 8 * i + 5, symbol: 1 + (i % 3), chance: 0.75 }))
    const minute = transcriptPicture(heardSound(60, many, []))
    expect(minute.length).toBeLessThan(400_000)
    expect(labels(minute, 'peak').length).toBe(700)
    const five = transcriptPicture(
      heardSound(
        300,
        many.map((one) => ({ ...one, frame: 5 * one.frame })),
        [],
      ),
    )
    expect(five).toContain(`viewBox="0 0 ${64 + 10_000 + 24} `)
    expect(five.length).toBeLessThan(600_000)
    parseXml(five)
  })

  it('draws what has no frame and no word, and leaves out what is no number', () => {
    const none = new Float32Array(0)
    const [banks, chances] = [
      { ...sound.banks, values: none },
      { ...sound.chances, values: none },
    ]
    expect(parseXml(transcriptPicture({ ...sound, banks, chances, words: [], text: '' }))).toContain('no frame')
    const nan: TranscribedSound = {
      ...sound,
      samples: new Float32Array(1000).fill(NaN),
      banks: { ...sound.banks, values: new Float32Array(400).fill(NaN) },
      chances: { ...sound.chances, values: sound.chances.values.map((chance, i) => (i < 40 ? NaN : chance)) },
    }
    const svg = transcriptPicture(nan)
    expect(svg).not.toMatch(/NaN|Infinity|undefined/)
    const [, path] = /<path class="blank" d="M([\d.]+) /.exec(svg)!
    expect(Number(path)).toBeCloseTo(left + plot * 0.105, 1)
  })

  it('escapes what stands in titles, words and symbols', () => {
    const odd = '<b>&"\u0000'
    const svg = transcriptPicture(heardSound(1, heard, [{ ...words[0]!, text: odd }], ['', odd, 'b', 'c']))
    const texts = parseXml(svg)
    expect(texts.filter((text) => text === '&lt;b&gt;&amp;&quot;')).toHaveLength(3)
    expect(texts).toContain('&lt;b&gt;&amp;&quot;: 0.20 to 0.38 s, 50 %')
    expect(parseXml(transcriptPicture({ ...sound, title: odd }))[0]).toBe('&lt;b&gt;&amp;&quot;: ab b')
  })
})

describe('transcriptPicture refuses', () => {
  const { banks, chances } = sound
  const fewer = (values: Float32Array) => values.subarray(1)
  const more = (values: Float32Array, width: number) => new Float32Array(values.length + 2 * width)
  const word = words[0]!
  it.each<[string, object, string]>([
    ['no samples', { samples: new Float32Array(0) }, '[samples]: expected a sample or more, got none'],
    ['samples of another kind', { samples: [0, 1] }, '[samples]: expected a Float32Array, got [0, 1]'],
    ['a rate of 0', { rate: 0 }, '[rate]: expected a number above 0, got 0'],
    ['an unknown option', { seconds: 1 }, 'got seconds'],
    [
      'half a frame',
      { banks: { ...banks, values: fewer(banks.values) } },
      '[banks][values]: expected 4 numbers for each frame, got 399 numbers',
    ],
    [
      'frames behind the end',
      { banks: { ...banks, values: more(banks.values, 4) } },
      '[banks][values]: expected at most 101 frames in 1 s, got 102 frames',
    ],
    [
      'filters without a range',
      { banks: { ...banks, low: 500 } },
      '[banks][low]: expected less than 500 Hz, where filters end, got 500',
    ],
    ['a shift of 0', { banks: { ...banks, shift: 0 } }, '[banks][shift]: expected a number above 0, got 0'],
    [
      'chances of other symbols',
      { chances: { ...chances, symbols: ['', 'a', 'b'] } },
      '[chances][values]: expected 3 numbers for each frame, got 400 numbers',
    ],
    [
      'chances behind the end',
      { chances: { ...chances, values: more(chances.values, 4) } },
      '[chances][values]: expected at most 101 frames in 1 s, got 102 frames',
    ],
    [
      'logits',
      { chances: { ...chances, values: chances.values.map((x) => x - 2) } },
      '[chances][values]: expected numbers from 0 to 1, got -1',
    ],
    [
      'no symbols',
      { chances: { ...chances, symbols: [], values: new Float32Array(0) } },
      '[chances][symbols]: expected the blank and other symbols, got none',
    ],
    [
      'a word that ends before it starts',
      { words: [word, { ...word, end: 0.1 }] },
      '[words][1][end]: expected at least 0.2, where it starts, got 0.1',
    ],
    [
      'a word in frames',
      { words: [{ ...word, end: 38 }] },
      '[words][0][end]: expected at most 1.01 s, where the sound ends, got 38',
    ],
    [
      'a word at no time',
      { words: [{ ...word, start: NaN }] },
      '[words][0][start]: expected a number of at least 0, got NaN',
    ],
    [
      'a confidence in per cent',
      { words: [{ ...word, confidence: 50 }] },
      '[words][0][confidence]: expected a number from 0 to 1, got 50',
    ],
  ])('%s', (_, change, message) => {
    let refused: unknown
    try {
      transcriptPicture({ ...sound, ...change })
    } catch (error) {
      refused = error
    }
    expect(refused).toMatchObject({ code: 'ERR_OPTION', message: expect.stringContaining(message) as string })
    expect((refused as Error).message).toMatch(/^transcriptPicture/)
  })
})
