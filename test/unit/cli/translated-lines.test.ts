// Lines through a translator as they come: in order, when they have arrived, no more at a time than is said.
import { EventEmitter, once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { arrivingLines, fileBytes, put } from '../../../lib/cli/arriving-lines.js'
import { converse, translateStream, type Translating } from '../../../lib/cli/translated-lines.js'
import type { LineTranslation } from '../../../lib/infer/index.js'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-lines-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

const bytes = (...texts: readonly string[]): AsyncIterable<Uint8Array> => {
  const chunks = texts.map((text) => Buffer.from(text, 'latin1'))
  return (async function* () {
    for (const chunk of chunks) yield await Promise.resolve(chunk)
  })()
}
const utf8 = (text: string): string => Buffer.from(text).toString('latin1')

async function all(stream: AsyncIterable<Uint8Array>, most = 100): Promise<(readonly string[])[]> {
  const found: (readonly string[])[] = []
  for await (const lines of arrivingLines(stream, most)) found.push(lines)
  return found
}

describe('arrivingLines', () => {
  it('gives lines that arrive together, whole, wherever the pieces are cut', async () => {
    expect(await all(bytes('a\nb', 'c\n', 'd', 'e', '\n\nf'))).toEqual([['a'], ['bc'], ['de', ''], ['f']])
    expect(await all(bytes('a\nb\n'))).toEqual([['a', 'b']])
    expect(await all(bytes(''))).toEqual([])
    expect(await all(bytes('\n'))).toEqual([['']])
  })

  it('takes at most so many at a time', async () => {
    expect(await all(bytes('1\n2\n3\n4\n5\n'), 2)).toEqual([['1', '2'], ['3', '4'], ['5']])
  })

  it('reads UTF-8 that is cut anywhere, and leaves out carriage returns before an end', async () => {
    const text = utf8('fährt 🚲\r\nx\ry\r\n')
    for (let at = 1; at < text.length; at++) {
      const lines = (await all(bytes(text.slice(0, at), text.slice(at)))).flat()
      expect(lines).toEqual(['fährt 🚲', 'x\ry'])
    }
    expect(await all(bytes('\xff\n'))).toEqual([['\ufffd']])
    expect(await all(bytes(utf8('ä').slice(0, 1)))).toEqual([['\ufffd']])
  })

  it('says of a file that cannot be read which it is', async () => {
    await expect(all(fileBytes(join(folder, 'none.de')))).rejects.toThrow(
      /none\.de: expected a readable file, got none/,
    )
    await expect(all(fileBytes(folder))).rejects.toThrow(/expected a readable file, got EISDIR/)
  })
})

describe('put', () => {
  it('waits until there is room', async () => {
    const sink = Object.assign(new EventEmitter(), { room: true, write: () => sink.room })
    await put(sink, 'a')
    sink.room = false
    let isThrough = false
    const waiting = put(sink, 'b').then(() => (isThrough = true))
    await turn()
    expect(isThrough).toBe(false)
    sink.emit('drain')
    await waiting
  })
})

/** Upper case in place of a network. */
function translating(more: Partial<Translating> = {}) {
  const written: string[] = []
  const notes: string[] = []
  const calls: { readonly lines: readonly string[]; readonly first: number | undefined }[] = []
  const one = (text: string, score = -0.5): LineTranslation => ({
    ...{ text, score, logProbability: 2 * score, words: new Int32Array(0), hasEnded: true },
  })
  const work: Translating = {
    lines: {
      translate: async (lines, options) => {
        const { nBest = 1, first } = options ?? {}
        calls.push({ lines, first })
        await turn()
        if (lines.includes('long')) throw new Error('too long in line 2')
        return lines.map((line) => Array.from({ length: nBest }, (_, k) => one(line.toUpperCase(), -0.5 - k)))
      },
    },
    ...{ nBest: undefined, json: false, attention: undefined, name: 'upper' },
    write: async (text) => {
      written.push(text)
      await turn()
    },
    note: (text) => notes.push(text),
    ...more,
  }
  return { work, written, notes, calls, one }
}

describe('translateStream', () => {
  it('writes what has arrived before it reads on, a line for each, with numbers that go on', async () => {
    const { work, written, calls } = translating()
    const order: string[] = []
    const stream = (async function* () {
      for (const text of ['a\nb\n', 'c\n\n']) {
        order.push(`read, ${written.length} written`)
        yield await Promise.resolve(Buffer.from(text))
      }
    })()
    expect(await translateStream(work, stream, 100)).toBe(4)
    expect(written).toEqual(['A\nB\n', 'C\n\n'])
    expect(order).toEqual(['read, 0 written', 'read, 1 written'])
    expect(calls.map(({ first }) => first)).toEqual([1, 3])
  })

  it('writes ranks and scores, or JSON, and never an end of line of its own', async () => {
    const ranked = translating({ nBest: 2 })
    await translateStream(ranked.work, bytes('a\nb\n'), 100)
    expect(ranked.written.join('')).toBe('1\t-0.5000\tA\n2\t-1.5000\tA\n1\t-0.5000\tB\n2\t-1.5000\tB\n')
    const json = translating({ json: true })
    await translateStream(json.work, bytes('a"\n'), 100)
    expect(JSON.parse(json.written.join(''))).toEqual({ line: 'a"', translations: [{ text: 'A"', score: -0.5 }] })
    const broken = translating()
    const lines = { translate: () => Promise.resolve([[broken.one('A\r\nB')], [broken.one('C')]]) }
    await translateStream({ ...broken.work, lines }, bytes('x\ny\n'), 100)
    expect(broken.written).toEqual(['A B\nC\n'])
  })

  it('draws the first line that is not empty, once', async () => {
    const path = join(folder, 'looked.svg')
    const { work, one } = translating({ attention: path })
    const texts = ['', '', 'one', 'two', 'three']
    const next = (): LineTranslation => {
      const text = texts.shift()!
      if (text === '') return one(text)
      return {
        ...one(text),
        looked: { source: ['ein', '</s>'], target: [text], weights: [Float32Array.of(0.75, 0.25)] },
      }
    }
    const lines = { translate: (given: readonly string[]) => Promise.resolve(given.map(() => [next()])) }
    await translateStream({ ...work, lines }, bytes('\n', '\nein\nzwei\n', 'drei\n'), 9)
    const drawn = await readFile(path, 'utf8')
    expect(drawn).toContain('one: ein 75.00 %')
    expect(drawn).not.toMatch(/two|three/)
  })
})

describe('converse', () => {
  it('answers each line before the next prompt, and says what cannot be translated', async () => {
    const { work, written, notes } = translating()
    const [input, shown] = [new PassThrough(), new PassThrough()]
    const talk = converse(work, input, shown)
    for (const [line, lines] of [
      ['a', 1],
      ['long', 1],
      ['b', 2],
    ] as const) {
      input.write(`${line}\n`)
      while (written.length < lines || (line === 'long' && notes.length === 0)) await turn()
    }
    input.end()
    await talk
    expect(written).toEqual(['A\n', 'B\n'])
    expect(notes).toEqual(['too long in line 2'])
    shown.end()
    const prompts = (await shown.setEncoding('utf8').toArray()).join('')
    expect(prompts.match(/> /g)).toHaveLength(4)
    if (!shown.readableEnded) await once(shown, 'end')
  })
})
