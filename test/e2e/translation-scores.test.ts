// What a network that translates is measured by: perplexities beside those of the whole network, word by word on the host, and scores of its lines.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bleu, chrf, type LinePairs, Words } from '../../lib/data/index.js'
import type { Tensor } from '../../lib/graph/index.js'
import { lineTranslator, translationScores } from '../../lib/infer/index.js'
import { translationLosses } from '../../lib/infer/translation-losses.js'
import * as ops from '../../lib/ops/index.js'
import { numberPairs, source, target, trained, type Trained } from '../support/small-translation.js'

const [S, T] = [20, 12]
// References of other lines: what the network writes is seldom what stands there, and of another length.
const right = numberPairs(13, [1, 9], 21)
const other: LinePairs = { source: right.source, target: [...right.target.slice(5), ...right.target.slice(0, 5)] }

let one: Trained
let logits: Awaited<ReturnType<typeof compiled>>
beforeAll(async () => {
  one = await trained(4)
  logits = await compiled()
}, 120_000)
afterAll(() => one.run.dispose())

/** The whole network: log-probabilities of each word from all before it. */
const compiled = () =>
  one.run.compile(
    (read: Tensor<'i32'>, lengths: Tensor<'i32'>, before: Tensor<'i32'>) => ({
      each: ops.logSoftmax(one.net.logits(read, lengths, before)),
    }),
    {
      read: { dtype: 'i32', shape: [S, 1] },
      lengths: { dtype: 'i32', shape: [1] },
      before: { dtype: 'i32', shape: [T, 1] },
    },
  )

/** -log p of the words of one translation and its end, by the network over all words before, which are true ones or its own likeliest. */
async function byHand(line: string, written: string, own: boolean): Promise<number> {
  const ids = [...source.encode(line), source.special.eos]
  const truth = [...target.encode(written), target.special.eos]
  const read = new Int32Array(S)
  read.set(ids)
  const before = new Int32Array(T).fill(0)
  before[0] = target.special.bos
  let sum = 0
  for (const [t, word] of truth.entries()) {
    const { each } = await logits.run({ read, lengths: Int32Array.of(ids.length), before })
    const row = each.subarray(t * target.size, (t + 1) * target.size)
    sum -= row[word]!
    before[t + 1] = own ? row.indexOf(Math.max(...row)) : word
  }
  return sum
}

async function sumByHand({ source: read, target: written }: LinePairs, own: boolean): Promise<number> {
  let sum = 0
  for (const [i, line] of read.entries()) sum += await byHand(line, written[i]!, own)
  return sum
}

describe('translationLosses', () => {
  it('are those of true words and of own words, by any number of sentences at once', async () => {
    const [forced, own] = [await sumByHand(other, false), await sumByHand(other, true)]
    // Far more than what is allowed between two ways to one of them.
    expect(Math.abs(forced - own) / forced).toBeGreaterThan(0.005)
    const words = other.target.reduce((sum, line) => sum + target.encode(line).length + 1, 0)
    for (const batch of [1, 4, 13, 32]) {
      const found = await translationLosses(one.run, one.net, other, { source, target, batch })
      expect(found.words).toBe(words)
      expect(found.forced / forced).toBeCloseTo(1, 4)
      expect(found.own / own).toBeCloseTo(1, 4)
    }
  }, 60_000)

  it('leave out what is longer than is ever written', async () => {
    const few = await translationLosses(one.run, one.net, other, { source, target, longest: 4 })
    const lengths = other.target.map((line) => target.encode(line).length + 1).filter((length) => length <= 4)
    expect(few.words).toBe(lengths.reduce((sum, length) => sum + length, 0))
    expect(few.words).toBeGreaterThan(0)
  })
})

describe('translationScores', () => {
  it('has scores of the likeliest lines, and perplexities per token with its end', async () => {
    const scores = await translationScores(one.run, one.net, other, { source, target, beam: 2 })
    using lines = lineTranslator(one.run, one.net, { source, target, beam: 2 })
    const texts = (await lines.translate(other.source)).map(([best]) => best!.text)
    expect(scores.translations).toEqual(texts)
    expect(scores.bleu).toEqual(bleu(texts, [other.target]))
    expect(scores.chrf).toEqual(chrf(texts, [other.target]))
    const { forced, own, words } = await translationLosses(one.run, one.net, other, { source, target })
    expect(scores.forcedPerplexity).toBeCloseTo(Math.exp(forced / words), 4)
    expect(scores.ownPerplexity).toBeCloseTo(Math.exp(own / words), 4)
    expect(scores.linesPerSecond).toBeGreaterThan(0)
    const good = await translationScores(one.run, one.net, right, { source, target, beam: 2 })
    expect(good.bleu.score).toBeGreaterThan(scores.bleu.score + 20)
    expect(good.forcedPerplexity).toBeLessThan(scores.forcedPerplexity / 2)
  }, 60_000)

  it('compares in lower case where the tokenizer writes in it, against the lines as they stand', async () => {
    const low = Words.of(right.target, { least: 1, lowercase: true })
    const cased: LinePairs = { source: right.source, target: right.target.map((line) => line.toUpperCase()) }
    const { bleu: found, chrf: also } = await translationScores(one.run, one.net, cased, {
      source,
      target: like(low),
      beam: 1,
    })
    expect(found.signature).toContain('case:lc')
    expect(also.signature).toContain('case:lc')
    expect(found.score).toBeGreaterThan(20)
    const mixed = await translationScores(one.run, one.net, cased, {
      ...{ source, target: like(low), beam: 1, lowercase: false },
    })
    expect(mixed.bleu.signature).toContain('case:mixed')
    expect(mixed.bleu.score).toBe(0)
  }, 60_000)

  it('translates lines that are too long in parts', async () => {
    const scores = await translationScores(one.run, one.net, right, { source, target, beam: 1, steps: 4 })
    expect(scores.translations).toHaveLength(right.source.length)
    await expect(
      translationScores(one.run, one.net, right, { source, target, beam: 1, steps: 4, longer: 'refuse' }),
    ).rejects.toThrow(/expected lines of at most 3 tokens/)
  })

  it('refuses lines without a translation', async () => {
    const lone = { source: ['eins', 'zwei'], target: ['one'] }
    await expect(translationScores(one.run, one.net, lone, { source, target })).rejects.toThrow(
      /expected lines and a translation of each, got 2 and 1/,
    )
    await expect(
      translationScores(one.run, one.net, { source: [], target: [] }, { source, target }),
    ).rejects.toMatchObject({ code: 'ERR_DATA' })
  })
})

/** The tokens of `target`, of lines in lower case. */
function like(low: Words) {
  return {
    size: target.size,
    special: target.special,
    lowercase: low.lowercase,
    encode: (line: string) => target.encode(line.toLowerCase()),
    decode: (ids: Iterable<number>) => target.decode(ids),
    toJSON: () => target.toJSON(),
  }
}
