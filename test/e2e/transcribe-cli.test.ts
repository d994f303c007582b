// `ostrich train yesno`, `eval` and `transcribe`, with a corpus of its form whose words are tones.
import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encodeWav, PhiloxStream, resample } from '../../lib/data/index.js'
import { type Ended, main, ostrich as command, run } from '../support/command-line.js'

const RATE = 8000
let folder = ''
const ostrich = (args: readonly string[], input?: string): Promise<Ended> => command(folder, args, input)
const place = ['--device', 'cpu', '--precision', 'f32', '--threads', '1']
const train = (into: string, ...more: string[]): Promise<Ended> =>
  ostrich(['train', 'yesno', '--data', 'yesno', '--folder', into, ...place, ...more])
const transcribe = (...args: string[]): Promise<Ended> => ostrich(['transcribe', 'one', ...args, ...place])

/** Eight tones with pauses, high for yes and low for no. */
function spoken(words: readonly number[], seed: number): Float32Array {
  const random = new PhiloxStream(seed, 0, 0)
  const silence = (): number[] => Array.from({ length: 800 + random.below(800) }, () => (random.below(9) - 4) / 2000)
  const tone = (hertz: number): number[] =>
    Array.from({ length: 1600 }, (_, i) => 0.4 * Math.sin((2 * Math.PI * hertz * i) / RATE))
  const own = words.flatMap((word) => [...silence(), ...tone((word === 1 ? 1500 : 400) + random.below(50))])
  return Float32Array.from([...own, ...silence()])
}

const bitsOf = (i: number): number[] => Array.from({ length: 8 }, (_, bit) => ((i * 37 + 11) >> bit) & 1)
const said = (i: number): string =>
  bitsOf(i)
    .map((bit) => (bit === 1 ? 'YES' : 'NO'))
    .join(' ')
const file = (i: number): string => `${bitsOf(i).join('_')}.wav`

let ended: readonly Ended[] = []
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-transcribe-'))
  await mkdir(join(folder, 'waves'))
  for (let i = 0; i < 60; i++) {
    await writeFile(join(folder, 'waves', file(i)), encodeWav({ samples: spoken(bitsOf(i), i), rate: RATE }))
  }
  const get = ['data', 'get', 'yesno', '--from', 'waves']
  const { code, err } = await run(folder, 'env', [`OSTRICH_DATA=${folder}`, process.execPath, main, ...get])
  expect(code, err).toBe(0)
  ended = [await train('one', '--epochs', '12', '--rate', '0.01')]
  for (const { code, err, out } of ended) expect(code, err + out).toBe(0)
}, 300_000)
afterAll(async () => {
  await rm(folder, { recursive: true })
})

describe('train', () => {
  it('tells the error rate of the test part, with its counts', () => {
    const { out } = ended[0]!
    expect(out).toMatch(/^test word error rate [\d.]+ %, loss [\d.]+ after [\d.]+ s \(1\.0+ % (not )?reached\)$/m)
    expect(out).toMatch(/^%WER [\d.]+ \[ \d+ \/ 240, \d+ ins, \d+ del, \d+ sub \]$/m)
    expect(out).toMatch(
      /^30 lines heard, [\d,]+ times as fast as they were said \(the likeliest symbol of each frame\)$/m,
    )
    expect(out).toContain('ostrich transcribe one/last.safetensors sound.wav')
    expect(Number(/word error rate ([\d.]+) %/.exec(out)![1])).toBeLessThan(10)
  })

  it('goes on after kill -9 to the same weights', { timeout: 120_000 }, async () => {
    const more = ['--epochs', '4', '--quiet', ...place]
    const args = ['train', 'yesno', '--data', 'yesno', '--folder', 'killed', ...more]
    const child = spawn(process.execPath, [main, ...args], { cwd: folder, stdio: 'ignore' })
    const closed = new Promise((resolve) => child.on('close', resolve))
    const done = async (): Promise<boolean> =>
      (await readFile(join(folder, 'killed', 'log.jsonl'), 'utf8').catch(() => '')).includes('"type":"checkpoint"')
    while (!(await done())) await new Promise((resolve) => setTimeout(resolve, 20))
    child.kill('SIGKILL')
    await closed
    const other = await train('killed', '--resume', 'killed', '--quiet')
    expect(other.code, other.err).toBe(0)
    const whole = await train('whole', '--epochs', '4', '--quiet')
    expect(whole.code, whole.err).toBe(0)
    const rate = /test word error rate .* loss [\d.]+/
    expect(rate.exec(other.out)![0]).toBe(rate.exec(whole.out)![0])
  })
})

describe('eval', () => {
  it('measures what was trained, by a beam where that is asked for', async () => {
    const { code, out, err } = await ostrich(['eval', 'one', '--data', 'yesno', '--device', 'cpu'])
    expect(code, err).toBe(0)
    expect(out).toMatch(/^test word error rate [\d.]+ %, loss [\d.]+/m)
    const beam = await ostrich(['eval', 'one', '--data', 'yesno', '--device', 'cpu', '--beam', '8', '--json'])
    expect(beam.code, beam.err).toBe(0)
    const json = JSON.parse(beam.out) as Record<string, unknown>
    expect(json['search']).toEqual({ search: 'beam', beam: 8 })
    expect(json['greedyErrorRate']).toBeLessThan(0.1)
    expect(json['wordErrorRate']).toBeLessThan(0.1)
    const { code: wrong, err: why } = await ostrich(['eval', 'one', '--length-penalty', 'mean'])
    expect([wrong, why]).toEqual([
      2,
      expect.stringContaining('expected --length-penalty of a network that translates, got yesno'),
    ])
  })
})

describe('transcribe', () => {
  it('writes what is said in each file, in their order', async () => {
    const one = await transcribe(join('waves', file(7)))
    expect([one.code, one.out]).toEqual([0, `${said(7)}\n`])
    expect(one.err).toMatch(
      /^[\d.]+ s of sound in [\d.]+ s, [\d,]+ times real time \(the likeliest symbol of each frame\)$/m,
    )
    const names = [9, 3, 20].map((i) => join('waves', file(i)))
    const { code, out } = await transcribe(...names, '--batch', '2')
    expect([code, out]).toEqual([0, [9, 3, 20].map((i) => `${join('waves', file(i))}\t${said(i)}\n`).join('')])
  })

  it('reads another rate, and a WAV from the standard input', async () => {
    const wide = encodeWav(resample({ samples: spoken(bitsOf(5), 5), rate: RATE }, 44_100))
    await writeFile(join(folder, 'wide.wav'), wide)
    const { code, out, err } = await transcribe('wide.wav')
    expect([code, out]).toEqual([0, `${said(5)}\n`])
    expect(err).toContain('wide.wav: resampled from 44100 to 8000 Hz')
    const child = spawn(process.execPath, [main, 'transcribe', 'one', '-', ...place], { cwd: folder })
    let text = ''
    child.stdout.on('data', (bytes: Buffer) => (text += bytes.toString()))
    child.stdin.end(wide)
    await new Promise((resolve) => child.on('close', resolve))
    expect(text).toBe(`${said(5)}\n`)
  })

  it('shows on a page what the network heard', async () => {
    const { code, err } = await transcribe(join('waves', file(7)), 'wide.wav', '--page', 'heard.html')
    expect(code, err).toBe(0)
    expect(err).toContain('heard.html shows it')
    const html = await readFile(join(folder, 'heard.html'), 'utf8')
    expect(html).toContain('What yesno heard')
    expect([...html.matchAll(/<h2>/g)]).toHaveLength(2)
    expect([...html.matchAll(/data:image\/png;base64,/g)]).toHaveLength(2)
    for (const word of ['YES', 'NO']) expect(html).toContain(`<th scope="row">${word}</th>`)
  })

  it('gives words with their times as JSON, and several transcripts', async () => {
    const { code, out, err } = await transcribe(join('waves', file(7)), '--json', '--beam', '10', '--n-best', '3')
    expect(code, err).toBe(0)
    const found = JSON.parse(out) as {
      readonly text: string
      readonly seconds: number
      readonly words: readonly { readonly text: string; readonly start: number; readonly end: number }[]
      readonly nBest: readonly { readonly text: string; readonly score: number }[]
    }
    expect(found.text).toBe(said(7))
    expect(found.words.map(({ text }) => text).join(' ')).toBe(said(7))
    expect(found.words.every(({ start, end }, i) => start < end && start >= (found.words[i - 1]?.end ?? 0))).toBe(true)
    expect(found.words.at(-1)!.end).toBeLessThanOrEqual(found.seconds)
    expect(found.nBest[0]!.text).toBe(said(7))
    expect(found.nBest).toHaveLength(3)
    const lines = (await transcribe(join('waves', file(7)), '--beam', '10', '--n-best', '2')).out.trimEnd().split('\n')
    expect(lines[0]).toMatch(new RegExp(`^1\t-?[\\d.]+\t${said(7)}$`))
    expect(lines).toHaveLength(2)
  })

  it('is ranked by a language model that is named', async () => {
    const arpa = [
      '\\data\\',
      'ngram 1=4',
      '',
      '\\1-grams:',
      '-99 <s>',
      '-0.3 </s>',
      '-0.01 YES',
      '-9 NO',
      '',
      '\\end\\',
      '',
    ].join('\n')
    await writeFile(join(folder, 'yes.arpa'), arpa)
    const own = ['--beam', '10', '--language-model', 'yes.arpa', '--alpha', '20']
    const { code, out, err } = await transcribe(join('waves', file(7)), ...own)
    expect(code, err).toBe(0)
    expect(err).toContain('(beam 10, 1-grams, alpha 20, beta 0)')
    expect(out).not.toContain('NO')
    await writeFile(join(folder, 'bad.arpa'), arpa.replace('1=4', '1=5'))
    const bad = await transcribe(join('waves', file(7)), '--beam', '10', '--language-model', 'bad.arpa')
    expect([bad.code, bad.err]).toEqual([1, expect.stringContaining('bad.arpa')])
  })

  it('is ranked by a network that was trained to write such lines', { timeout: 120_000 }, async () => {
    const lines = Array.from({ length: 60 }, (_, i) => `${said(i)}\n`).join('')
    await writeFile(join(folder, 'lines.txt'), lines)
    const writing = ['train', 'ptb-small', '--data', 'lines.txt', '--folder', 'lines', '--epochs', '1', '--batch', '4']
    const written = await ostrich([...writing, '--quiet', ...place])
    expect(written.code, written.err).toBe(0)
    const beam = ['--beam', '10', '--language-model', 'lines', '--alpha', '0.1']
    const { code, out, err } = await transcribe(join('waves', file(7)), ...beam)
    expect([code, out], err).toEqual([0, `${said(7)}\n`])
    expect(err).toContain('(beam 10, the network of lines, alpha 0.1, beta 0)')
    // So large a reward for each word that others are put in: the network was asked.
    const many = await transcribe(join('waves', file(7)), ...beam, '--beta', '30')
    expect(many.out.split(' ').length).toBeGreaterThan(8)
    const measured = await ostrich(['eval', 'one', '--data', 'yesno', '--device', 'cpu', ...beam, '--json'])
    expect(measured.code, measured.err).toBe(0)
    const json = JSON.parse(measured.out) as Record<string, unknown>
    expect([json['languageModel'], json['search']]).toEqual(['lines', { search: 'beam', beam: 10, alpha: 0.1 }])
    expect(json['wordErrorRate']).toBeLessThan(0.1)
    const other = await transcribe('x.wav', '--beam', '10', '--language-model', 'one')
    expect([other.code, other.err]).toEqual([2, expect.stringContaining('expected a language model')])
    const none = await ostrich(['eval', 'lines', '--data', 'lines.txt', '--language-model', 'lines'])
    expect([none.code, none.err]).toEqual([
      2,
      expect.stringContaining('expected --language-model of a network that hears, got ptb-small'),
    ])
  })

  it('names what it cannot read, and transcribes the rest', async () => {
    const whole = await readFile(join(folder, 'waves', file(7)))
    await writeFile(join(folder, 'short.wav'), whole.subarray(0, 30))
    await writeFile(join(folder, 'text.wav'), 'no sound at all')
    const { code, out, err } = await transcribe('none.wav', 'short.wav', 'text.wav', join('waves', file(7)))
    expect([code, out]).toEqual([1, `${join('waves', file(7))}\t${said(7)}\n`])
    for (const name of ['none.wav', 'short.wav', 'text.wav']) expect(err).toContain(`${name}: expected`)
  })

  it.each([
    [['x.wav', '--beam', '0'], '--beam expects at least 1, got 0'],
    [['x.wav', '--batch', '0'], '--batch expects at least 1, got 0'],
    [['x.wav', '--n-best', '2'], '--n-best expects at most as many as there are beams, 1, got 2'],
    [['x.wav', '--alpha', '2'], '--alpha expects a beam of 2 or more, got the likeliest symbol of each frame'],
    [['x.wav', '--language-model', 'x.arpa'], '--language-model expects a beam of 2 or more'],
    [['-', '-'], 'transcribe expects - once, got it twice'],
  ])('refuses %j', async (args, expected) => {
    const { code, err } = await transcribe(...args)
    expect([code, err]).toEqual([2, expect.stringContaining(expected)])
  })

  it('refuses a checkpoint of anything else', async () => {
    const { code, err } = await ostrich(['transcribe', 'nowhere', 'x.wav'])
    expect([code, err]).toEqual([1, expect.stringContaining('nowhere')])
  })
})
