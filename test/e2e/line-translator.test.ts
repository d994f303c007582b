// Lines in, translated lines out: in order whatever their lengths are, whole, and with what they looked at.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type LineTranslation,
  lineTranslator,
  type LineTranslator,
  type LineTranslatorOptions,
} from '../../lib/infer/index.js'
import { english, german, numberPairs, source, target, trained, type Trained } from '../support/small-translation.js'

let one: Trained
beforeAll(async () => {
  one = await trained()
}, 120_000)
afterAll(() => one.run.dispose())

const opened = (more: Partial<LineTranslatorOptions> = {}): LineTranslator =>
  lineTranslator(one.run, one.net, { source, target, beam: 3, ...more })
const textsOf = async (lines: LineTranslator, given: readonly string[]): Promise<readonly string[]> =>
  (await lines.translate(given)).map(([best]) => best!.text)

describe('translate', () => {
  it('gives translations in the order of the lines, as each alone is translated', async () => {
    using lines = opened({ batch: 4 })
    const short = numberPairs(20, [1, 6], 11)
    const long = numberPairs(6, [17, 40], 12)
    const mixed = [...short.source.slice(0, 9), ...long.source, '', ...short.source.slice(9), '  ']
    const found = await textsOf(lines, mixed)
    expect(found).toHaveLength(mixed.length)
    expect([found[15], found.at(-1)]).toEqual(['', ''])
    const right = [...short.target.keys()].filter((i) => found[i < 9 ? i : i + 7] === short.target[i])
    expect(right.length).toBeGreaterThan(16)
    using alone = opened({ batch: 1 })
    for (const i of [0, 8, 9, 14, 16, 26]) expect(await textsOf(alone, [mixed[i]!])).toEqual([found[i]])
  })

  it('takes calls that overlap in their order', async () => {
    using lines = opened({ batch: 2 })
    const given = numberPairs(6, [1, 4], 13).source
    const each = await Promise.all(given.map((line) => textsOf(lines, [line])))
    expect(each.flat()).toEqual(await textsOf(lines, given))
  })

  it('gives several translations of each, the best first', async () => {
    using lines = opened()
    const [found, empty] = await lines.translate(['eins zwei drei', ''], { nBest: 3 })
    expect(found).toHaveLength(3)
    expect(new Set(found!.map(({ text }) => text)).size).toBe(3)
    expect(found!.map(({ score }) => score)).toEqual(found!.map(({ score }) => score).toSorted((a, b) => b - a))
    expect(found![0]!.text).toBe(target.decode(found![0]!.words))
    expect(empty!.map(({ text, words }) => [text, words.length])).toEqual([['', 0]])
    await expect(lines.translate(['eins'], { nBest: 4 })).rejects.toThrow(
      /nBest\]: expected a whole number from 1 to 3/,
    )
  })

  it('reads what it does not know', async () => {
    using lines = opened()
    const found = await lines.translate(['中文 🙂 eins', '\ud800', 'eins\u0000zwei'])
    expect(found.map((own) => own.length)).toEqual([1, 1, 1])
  })
})

describe('alignments', () => {
  it('say of each token, and of the end, where the network looked', async () => {
    using lines = opened({ alignments: true })
    const [[best]] = (await lines.translate(['drei zwei fünf'])) as [[LineTranslation]]
    const { source: read, target: written, weights } = best.looked!
    expect(read).toEqual(['drei', ' zwei', ' fünf', '</s>'])
    expect(written).toEqual(['three', ' two', ' five', '</s>'])
    expect(weights.map(({ length }) => length)).toEqual([4, 4, 4, 4])
    for (const row of weights) expect(row.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 4)
    // Words are translated one by one.
    expect(weights.slice(0, 3).map((row) => row.indexOf(Math.max(...row)))).toEqual([0, 1, 2])
    using blind = opened()
    expect((await blind.translate(['drei']))[0]![0]!.looked).toBeUndefined()
  })
})

describe('a line that is too long', () => {
  const line = Array.from({ length: 23 }, (_, i) => german[i % 6]).join(' ')

  it('is refused by its number and its tokens', async () => {
    using lines = opened({ steps: 10 })
    const message = 'lineTranslator: expected lines of at most 9 tokens, got 23 in line 2'
    await expect(lines.translate(['eins', line])).rejects.toThrow(message)
    await expect(lines.translate([line], { first: 41 })).rejects.toThrow(/in line 41$/)
    const nine = line.split(' ').slice(0, 9).join(' ')
    expect(await lines.translate([nine])).toHaveLength(1)
    await expect(lines.translate([`${nine} null`])).rejects.toThrow(/got 10 in line 1/)
  })

  it('is translated in parts where that is asked for', async () => {
    using lines = opened({ steps: 6, longer: 'split' })
    const words = line.split(' ')
    const parts = [0, 5, 10, 15, 20].map((at) => words.slice(at, at + 5).join(' '))
    const each = await lines.translate(parts, { nBest: 2 })
    const [found] = await lines.translate(['eins', line].slice(1), { nBest: 2 })
    expect(found!.map(({ text }) => text)).toEqual([0, 1].map((k) => each.map((own) => own[k]!.text).join(' ')))
    expect(found![0]!.score).toBeCloseTo(
      each.reduce((sum, own) => sum + own[0]!.score, 0),
      5,
    )
    expect(found![0]!.text.split(' ').slice(0, 5)).toEqual(
      words.slice(0, 5).map((word) => english[german.indexOf(word)]),
    )
  })
})

describe('lineTranslator', () => {
  it('compiles what lines need when it is told, and nothing else', async () => {
    const kinds: string[] = []
    const counting = {
      compile: (...[fn, extents, options]: Parameters<typeof one.run.compile>) => {
        const { source: read } = extents as { source?: { shape: readonly number[] } }
        if (read !== undefined) kinds.push(read.shape.join(' x '))
        return one.run.compile(fn, extents, options)
      },
    } as unknown as typeof one.run
    using lines = lineTranslator(counting, one.net, { source, target, beam: 2, batch: 16 })
    const { source: given } = numberPairs(11, [1, 5], 14)
    await lines.prepare(given)
    // Of sixteen lines at once, two are read at once.
    expect(kinds).toEqual(['16 x 2'])
    await lines.translate([...given, ''])
    expect(kinds).toEqual(['16 x 2'])
    await lines.translate([Array<string>(20).fill('eins').join(' ')])
    expect(kinds).toEqual(['16 x 2', '24 x 1'])
  })

  it('refuses options that cannot be, at once', () => {
    const bad: [object, RegExp][] = [
      [{ bean: 4 }, /lineTranslator: expected the options .*, got bean \(did you mean beam\?\)/],
      [{ batch: 0 }, /lineTranslator\[batch\]: expected a whole number of at least 1, got 0/],
      [{ longer: 'cut' }, /lineTranslator\[longer\]: expected refuse, split, got "cut"/],
      [{ source: undefined }, /lineTranslator\[source\]: expected a tokenizer/],
      [{ lengthPenalty: 'men' }, /lineTranslator\[lengthPenalty\]/],
    ]
    for (const [more, message] of bad) expect(() => opened(more)).toThrow(message)
    expect(() => lineTranslator(one.run, {} as typeof one.net, { source, target })).toThrow(/reads and writes/)
  })

  it('ends what is under way before it is disposed, and refuses more', async () => {
    const lines = opened()
    const last = lines.translate(['eins zwei'])
    lines.dispose()
    expect(await last).toHaveLength(1)
    await expect(lines.translate(['eins'])).rejects.toMatchObject({ code: 'ERR_DISPOSED' })
  })
})
