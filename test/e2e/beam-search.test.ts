// Beam search: what it finds is the best there is where the beams hold everything, and its scores are those of the network.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { beamSearch, type BeamSearchOptions, type Hypothesis, type Writer } from '../../lib/infer/index.js'
import { constant, type Tensor } from '../../lib/graph/index.js'
import * as ops from '../../lib/ops/index.js'
import { everything, longest, opened, steps, translators, vocabulary } from './beams.js'

const sources = [[3, 5, 4, 6], [6], [4, 4], [5, 3, 6], [2, 2]].map((words) => Int32Array.from(words))

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
      const best = (await everything([net], run, sources[i]!)).toSorted((a, b) => b.logProbability - a.logProbability)
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
      const all = await everything([net], run, sources[i]!)
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
      const all = await everything([net], run, sources[i]!)
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
      [{ noRepeat: 0 }, /beamSearch\[noRepeat\]: expected a whole number of at least 1, got 0/],
      [{ sample: { temperature: 0 } }, /beamSearch\[sample\]\[temperature\]: expected a number above 0, got 0/],
      [{ sample: { topk: 3 } as object }, /beamSearch\[sample\]: .* \(did you mean topK\?\)/],
      [{ beam: 2, alignments: true }, /beamSearch\[alignments\]: expected a network that says where it looks/],
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
