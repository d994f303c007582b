// Beam search: what it finds is the best there is where the beams hold everything, and its scores are those of the network.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { arrays } from '../../lib/data/index.js'
import { beamSearch, type BeamSearchOptions, type Hypothesis, type Writer } from '../../lib/infer/index.js'
import { constant, type Tensor } from '../../lib/graph/index.js'
import { attentionTranslator, lstmTranslator, transformerTranslator, type Translator } from '../../lib/models/index.js'
import * as ops from '../../lib/ops/index.js'
import * as optim from '../../lib/optim/index.js'
import { session } from '../../lib/train/index.js'
import { options } from './tasks.js'

const { device } = options()
// 0 is padding, 1 the beginning, 2 the end: 3 and 4 are words.
const [vocabulary, longest, steps] = [5, 3, 4]
const common = { source: 7, target: vocabulary, embedding: 6, units: 8 }
const translators: Readonly<Record<string, () => Translator>> = {
  lstm: () => lstmTranslator({ ...common, layers: 2, dropout: 0, reversed: true }),
  additive: () =>
    attentionTranslator({ ...common, attention: 'additive', dropout: { embedding: 0, reading: 0, writing: 0 } }),
  transformer: () =>
    transformerTranslator({
      ...{ source: 7, target: vocabulary, features: 8, heads: 2, hidden: 12, layers: 1, dropout: 0, longest: 8 },
    }),
}
const sources = [[3, 5, 4, 6], [6], [4, 4], [5, 3, 6], [2, 2]].map((words) => Int32Array.from(words))

/** A session of a network that has learned nothing yet, but for larger weights, so that words differ in probability. */
async function opened(net: Translator) {
  const data = arrays({
    source: { data: new Int32Array(4 * steps).fill(3), shape: [steps] },
    before: { data: new Int32Array(4 * 2).fill(1), shape: [2] },
    lengths: new Int32Array(4).fill(steps),
  })
  const inTime = (x: Tensor<'i32'>): Tensor<'i32'> => ops.transpose(x, [1, 0])
  const run = await session(
    ({ source, before, lengths }) => ({ loss: ops.mean(net.logits(inTime(source), lengths, inTime(before))) }),
    {
      data,
      optimizer: optim.sgd({ rate: 0 }),
      batch: 4,
      epochs: 1,
      precision: 'f32',
      seed: 5,
      ...(device && { device }),
    },
  )
  return run
}

/** log p of every way to go on, as the network says when it is given all words before. */
async function everything(net: Translator, run: Awaited<ReturnType<typeof opened>>, source: Int32Array) {
  const words = [2, 3, 4]
  const all: number[][] = [[]]
  for (let t = 0; t < longest; t++) {
    for (const one of all.filter((known) => known.length === t && known.at(-1) !== 2))
      all.push(...words.map((w) => [...one, w]))
  }
  const whole = all.filter((one) => one.at(-1) === 2)
  using logits = await run.compile(
    (source: Tensor<'i32'>, lengths: Tensor<'i32'>, before: Tensor<'i32'>) => ({
      each: ops.logSoftmax(net.logits(source, lengths, before)),
    }),
    {
      source: { dtype: 'i32', shape: [steps, 1] },
      lengths: { dtype: 'i32', shape: [1] },
      before: { dtype: 'i32', shape: [longest, 1] },
    },
  )
  const padded = new Int32Array(steps)
  padded.set(source)
  const scored: { words: number[]; logProbability: number }[] = []
  for (const one of whole) {
    const before = Int32Array.from({ length: longest }, (_, t) => (t === 0 ? 1 : (one[t - 1] ?? 0)))
    const { each } = await logits.run({ source: padded, lengths: Int32Array.of(source.length), before })
    scored.push({
      words: one.slice(0, -1),
      logProbability: one.reduce((sum, word, t) => sum + each[t * vocabulary + word]!, 0),
    })
  }
  return scored
}

describe.each(Object.keys(translators))('of %s', (name) => {
  const net = translators[name]!()
  let run: Awaited<ReturnType<typeof opened>>
  beforeAll(async () => {
    run = await opened(net)
  })
  afterAll(() => run.dispose())

  const search = async (more: Partial<BeamSearchOptions>): Promise<readonly (readonly Hypothesis[])[]> => {
    using found = await beamSearch(run, net, { sentences: 2, steps, longest, beam: vocabulary, ...more })
    return await found.run(sources)
  }

  it('finds what an exhaustive search finds', async () => {
    const results = await search({ lengthPenalty: 'none' })
    expect(results).toHaveLength(sources.length)
    for (const [i, found] of results.entries()) {
      const best = (await everything(net, run, sources[i]!)).toSorted((a, b) => b.logProbability - a.logProbability)
      // Of two words and an end within three steps no beam is lost.
      expect(found.map(({ words }) => [...words])).toEqual(best.slice(0, vocabulary).map(({ words }) => words))
      for (const [k, { score, logProbability, hasEnded }] of found.entries()) {
        expect([score, hasEnded]).toEqual([logProbability, true])
        expect(score).toBeCloseTo(best[k]!.logProbability, 4)
      }
    }
  })

  it.each([
    ['mean', 1, (words: number) => words],
    ['mean', 0.5, (words: number) => words ** 0.5],
    ['gnmt', 0.6, (words: number) => ((5 + words) / 6) ** 0.6],
  ] as const)('ranks by %s with alpha %s', async (lengthPenalty, alpha, divisor) => {
    for (const [i, found] of (await search({ lengthPenalty, alpha })).entries()) {
      const all = await everything(net, run, sources[i]!)
      expect(found).toHaveLength(vocabulary)
      for (const { words, score, logProbability } of found) {
        const known = all.find((one) => one.words.join() === [...words].join())
        expect(logProbability).toBeCloseTo(known!.logProbability, 4)
        expect(score).toBeCloseTo(logProbability / divisor(words.length + 1), 10)
      }
      expect(found.map(({ score }) => score)).toEqual(found.map(({ score }) => score).toSorted((x, y) => y - x))
    }
  })

  it('takes the likeliest word each time with one beam', async () => {
    const results = await search({ beam: 1, lengthPenalty: 'none' })
    for (const [i, [only, ...others]] of results.entries()) {
      expect(others).toEqual([])
      const all = await everything(net, run, sources[i]!)
      const known = all.find(({ words }) => words.join() === [...only!.words].join())
      if (only!.hasEnded) expect(only!.logProbability).toBeCloseTo(known!.logProbability, 4)
      else expect(only!.words).toHaveLength(longest)
    }
  })
})

describe('coverage', () => {
  it('is what the words of a translation looked at, and ranks', async () => {
    const net = translators['additive']!()
    await using run = await opened(net)
    const weight = 0.4
    using search = await beamSearch(run, net, { sentences: 1, steps, longest, beam: 2, coverage: weight })
    using looked = await run.compile(
      (source: Tensor<'i32'>, lengths: Tensor<'i32'>, words: Tensor<'i32'>) => {
        const { states: first, memory } = net.read(source, lengths)
        const sums: Tensor[] = []
        let states = first
        let whole: Tensor<'f32'> = ops.zeros([1, steps])
        for (let t = 0; t < longest; t++) {
          const { states: after, alignment } = net.write(
            ops.reshape(ops.slice(words, [t, 0], [1, 1]), [1]),
            states,
            memory,
          )
          states = after
          whole = ops.add(whole, alignment!)
          sums.push(whole)
        }
        return { sums: ops.concat(sums as Tensor<'f32'>[], 0) }
      },
      {
        source: { dtype: 'i32', shape: [steps, 1] },
        lengths: { dtype: 'i32', shape: [1] },
        words: { dtype: 'i32', shape: [longest, 1] },
      },
    )
    for (const source of sources) {
      const [found] = await search.run([source])
      const padded = new Int32Array(steps)
      padded.set(source)
      for (const { words, score, logProbability, hasEnded } of found!) {
        const before = Int32Array.from({ length: longest }, (_, t) => (t === 0 ? 1 : (words[t - 1] ?? 0)))
        const { sums } = await looked.run({ source: padded, lengths: Int32Array.of(source.length), words: before })
        const written = words.length + (hasEnded ? 1 : 0)
        const last = [...sums.subarray((written - 1) * steps, written * steps)].slice(0, source.length)
        const covered = last.reduce((sum, share) => sum + Math.log(Math.min(1, share)), 0)
        expect(score).toBeCloseTo(logProbability / written + weight * covered, 4)
      }
    }
  })
})

describe('a network whose words are drawn alike after every word', () => {
  // 3 is likely, 4 and the end are not; after 4 only what 4 looks at is looked at.
  const chances = [0, 0, 0.04, 0.9, 0.06].map((p) => Math.log(Math.max(p, 1e-9)))
  const looks = [0, 1, 2, 3, 4].flatMap((word) => (word === 4 ? [0, 1, 0, 0] : [0.7, 0, 0.2, 0.1]))
  const writer: Writer = {
    read: (source) => ({ states: { h: ops.transpose(ops.cast(source, 'f32'), [1, 0]) }, memory: {} }),
    write: (word, { h }) => {
      const [rows = 1] = word.shape
      const table = constant('f32', [vocabulary, steps], looks)
      return {
        logits: ops.broadcastTo(constant('f32', [1, vocabulary], chances), [rows, vocabulary]),
        states: { h: h! },
        alignment: ops.gather(table, word),
      }
    },
  }
  const searched = async (more: Partial<BeamSearchOptions>): Promise<readonly Hypothesis[]> => {
    await using run = await opened(translators['lstm']!())
    using search = await beamSearch(run, writer, {
      sentences: 1,
      steps,
      beam: 4,
      longest: 5,
      lengthPenalty: 'none',
      ...more,
    })
    const [found] = await search.run([Int32Array.of(3, 3, 3, 3)])
    return found!
  }

  it('goes on while something better may come', async () => {
    const found = await searched({})
    // As many have ended after two steps: after four, better ones.
    expect(found.map(({ words }) => words.join())).toEqual(['', '3', '3,3', '3,3,3'])
  })

  it('counts what each beam has looked at by itself', async () => {
    for (const { words, score, logProbability } of await searched({ beam: 5, coverage: 1, longest: 4 })) {
      const sums = [1, ...words].reduce((sum, word) => sum.map((x, t) => x + looks[word * steps + t]!), [0, 0, 0, 0])
      const covered = sums.reduce((sum, x) => sum + Math.log(Math.min(1, x) + 1e-9), 0)
      expect(score - logProbability).toBeCloseTo(covered, 3)
    }
  })
})

describe('beamSearch', () => {
  it('refuses what cannot be, and says what was expected', async () => {
    const net = translators['lstm']!()
    await using run = await opened(net)
    const bad: [Partial<BeamSearchOptions>, RegExp][] = [
      [{ beam: 6 }, /beamSearch\[beam\]: expected at most 5 beams of 5 words, got 6/],
      [{ beam: 0 }, /beamSearch\[beam\]: expected a whole number of at least 1, got 0/],
      [{ lengthPenalty: 'man' as 'mean' }, /beamSearch\[lengthPenalty\]: expected none, mean, gnmt, got "man"/],
    ]
    for (const [more, message] of bad) {
      await expect(beamSearch(run, net, { sentences: 1, steps, ...more })).rejects.toThrow(message)
    }
    using search = await beamSearch(run, net, { sentences: 2, steps, beam: 2 })
    const message = 'beamSearch: expected 1 to 4 words, got 0 in sentence 1'
    await expect(search.run([Int32Array.of(3), new Int32Array(0)])).rejects.toThrow(message)
    expect(await search.run([])).toEqual([])
  })

  it('names the sentence for which a network gives no number', async () => {
    const writer: Writer = {
      read: (source) => ({ states: { h: ops.transpose(ops.cast(source, 'f32'), [1, 0]) }, memory: {} }),
      write: (_, { h }) => {
        const [rows = 1] = h!.shape
        const first = ops.slice(h!, [0, 0], [rows, 1])
        return { logits: ops.log(ops.sub(ops.broadcastTo(first, [rows, vocabulary]), 3)), states: { h: h! } }
      },
    }
    const net = translators['lstm']!()
    await using run = await opened(net)
    using search = await beamSearch(run, writer, { sentences: 2, steps, beam: 2 })
    await expect(search.run([Int32Array.of(6), Int32Array.of(2)])).rejects.toThrow(/numbers, got NaN for sentence 1/)
  })
})
