// Many sentences over few places: each is found as if it were alone, and no step is run for those that are done.
import { describe, expect, it } from 'vitest'
import { constant, type Tensor } from '../../lib/graph/index.js'
import { beamSearch, type Compiler, type Hypothesis, type Writer } from '../../lib/infer/index.js'
import * as ops from '../../lib/ops/index.js'
import { opened, sentences, steps, translators, vocabulary } from './beams.js'

const text = (found: readonly Hypothesis[] | undefined) =>
  found!.map(({ words, score, logProbability }) => `${words.join()} ${score} ${logProbability}`)

/** Sums of products of another order where oneDNN cuts matrices between threads without regard to rows: below AVX-512. */
const rounding = 1e-5
const areSame = (some: readonly Hypothesis[], others: readonly Hypothesis[], tolerance: number): boolean =>
  some.length === others.length &&
  some.every(({ words, score, logProbability }, i) => {
    const other = others[i]!
    const apart = Math.max(Math.abs(score - other.score), Math.abs(logProbability - other.logProbability))
    return words.join() === other.words.join() && apart <= tolerance
  })

/** Counts the runs of each program: of reading those with a source, of writing the others. */
function counting(of: Compiler): { readonly of: Compiler; readonly runs: { read: number; write: number } } {
  const runs = { read: 0, write: 0 }
  return {
    runs,
    of: {
      compile: async (fn, extents, options) => {
        const compiled = await of.compile(fn, extents, options)
        const kind = 'source' in extents ? 'read' : 'write'
        return {
          ...compiled,
          run: (inputs) => {
            runs[kind]++
            return compiled.run(inputs)
          },
        }
      },
    },
  }
}

/** Writes 3 as often as the first word of the source says, and then the end, with no doubt. */
const counter: Writer = {
  read: (source) => ({
    states: { left: ops.cast(ops.reshape(ops.slice(source, [0, 0], [1, source.shape[1] ?? 1]), [-1, 1]), 'f32') },
    memory: {},
  }),
  write: (_, { left }) => {
    const one = (word: number): Tensor<'f32'> => {
      const values = Array.from({ length: vocabulary }, (_, i) => (i === word ? 9 : -9))
      return constant('f32', [1, vocabulary], values)
    }
    const [rows = 1] = left!.shape
    const isLeft = ops.broadcastTo(ops.less(0, left!), [rows, vocabulary])
    const logits: Tensor<'f32'> = ops.where(isLeft, ops.broadcastTo(one(3), [rows, vocabulary]), ops.broadcastTo(one(2), [rows, vocabulary])) // prettier-ignore
    return { logits, states: { left: ops.sub(left!, 1) } }
  },
}

describe('a queue of sentences', () => {
  it.each(Object.keys(translators))('gives each what it is given alone, of %s', async (name) => {
    const net = translators[name]!()
    await using run = await opened(net)
    const tolerance = run.device['isa']?.startsWith('avx512') === true ? 0 : rounding
    const all = sentences(50)
    const options = { sentences: 10, steps, longest: 8, beam: 3, coverage: name === 'additive' ? 0.2 : 0 }
    using search = await beamSearch(run, net, options)
    const together = await search.run(all)
    expect(together).toHaveLength(50)
    const others: number[] = []
    for (const [i, words] of all.entries()) {
      const [alone] = await search.run([words])
      if (!areSame(alone!, together[i]!, tolerance)) others.push(i)
    }
    expect(others).toEqual([])
    // Other extents are another program: equal to rounding.
    using small = await beamSearch(run, net, { ...options, sentences: 1 })
    for (const [i, [best]] of (await small.run(all.slice(0, 10))).entries()) {
      expect(best!.score).toBeCloseTo(together[i]![0]!.score, 4)
    }
  })

  it('runs no step for what is done', async () => {
    await using run = await opened(translators['lstm']!())
    const { of, runs } = counting(run)
    using search = await beamSearch(of, counter, { sentences: 8, steps, longest: 40, beam: 1 })
    // Every eighth is long: blocks of 8 would take 3 times 24 steps. Here the places beside a long one are used by others.
    const lengths = Array.from({ length: 24 }, (_, i) => (i % 8 === 0 ? 23 : 3))
    const found = await search.run(lengths.map((length) => Int32Array.of(length, 2)))
    expect(found.map(([best]) => best!.words.length)).toEqual(lengths)
    expect(runs.write).toBeLessThanOrEqual(32)
    expect(runs.read).toBe(24)
  })

  it('reads the longest first, and gives them back in order', async () => {
    await using run = await opened(translators['lstm']!())
    const { of, runs } = counting(run)
    using search = await beamSearch(of, counter, { sentences: 2, steps, longest: 40, beam: 1 })
    // A long source is a long translation: it begins first, wherever it stands.
    const sources = [...Array<number[]>(12).fill([1]), [13, 2, 2]].map((words) => Int32Array.from(words))
    const found = await search.run(sources)
    expect(found.map(([best]) => best!.words.length)).toEqual([...Array<number>(12).fill(1), 13])
    // One place takes 14 steps; the other 12 sentences of 2 steps, of which some follow in the first.
    expect(runs.write).toBeLessThanOrEqual(20)
  })

  it('goes on for longer than a network has room for', async () => {
    // The transformer has 8 places: rows without a sentence must not count on.
    const net = translators['transformer']!()
    await using run = await opened(net)
    using search = await beamSearch(run, net, { sentences: 9, steps, longest: 8, beam: 2, never: [0, 1, 2] })
    const first = await search.run(sentences(3))
    for (let i = 0; i < 4; i++) expect((await search.run(sentences(3))).map(text)).toEqual(first.map(text))
    expect(first.flat().map(({ words }) => words.length)).toEqual([8, 8, 8, 8, 8, 8])
  })

  it('takes calls that overlap, one behind the other, and goes on after one that fails', async () => {
    const net = translators['lstm']!()
    await using run = await opened(net)
    using search = await beamSearch(run, net, { sentences: 2, steps, longest: 5, beam: 2 })
    const all = sentences(5)
    const alone = await search.run(all)
    // The last one is read first, and is left in its place.
    const bad = search.run([[99], [3], [3], [3], [3], [3], [3, 4]].map((words) => Int32Array.from(words)))
    const [first, second] = await Promise.all([search.run(all), search.run(all.slice(2))])
    await expect(bad).rejects.toThrow(/expected indices/)
    expect(first.map(text)).toEqual(alone.map(text))
    expect(second.map(text)).toEqual(alone.slice(2).map(text))
  })
})
