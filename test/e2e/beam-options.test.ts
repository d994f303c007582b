// What a beam search may be asked for: runs of words that do not come twice, where each word looked, and words that are drawn.
import { describe, expect, it } from 'vitest'
import { constant, type Tensor } from '../../lib/graph/index.js'
import { beamSearch, type BeamSearchOptions, type Hypothesis, type Writer } from '../../lib/infer/index.js'
import * as ops from '../../lib/ops/index.js'
import { everything, opened, repeats, sentences, steps, translators, vocabulary } from './beams.js'

const chances = [0, 0, 0.04, 0.9, 0.06]

/** Writes as `chances` say, whatever it has read. */
const even: Writer = {
  read: (source) => ({ states: { h: ops.transpose(ops.cast(source, 'f32'), [1, 0]) }, memory: {} }),
  write: (word, { h }) => {
    const logs = chances.map((p) => Math.log(Math.max(p, 1e-9)))
    const logits: Tensor<'f32'> = ops.broadcastTo(constant('f32', [1, vocabulary], logs), [
      word.shape[0] ?? 1,
      vocabulary,
    ])
    return { logits, states: { h: h! } }
  },
}
const searched = async (
  writer: Writer,
  sources: readonly Int32Array[],
  more: Partial<BeamSearchOptions>,
): Promise<readonly (readonly Hypothesis[])[]> => {
  await using run = await opened(translators['lstm']!())
  using search = await beamSearch(run, writer, { sentences: 2, steps, beam: 4, lengthPenalty: 'none', ...more })
  return await search.run(sources)
}

describe('noRepeat', () => {
  const three = Int32Array.of(3, 3, 3)

  it.each([
    [1, ['', '3', '4', '3,4', '4,3']],
    [2, ['', '3', '3,3', '4']],
    [3, ['', '3', '3,3', '3,3,3']],
    [undefined, ['', '3', '3,3', '3,3,3', '3,3,3,3']],
  ])('of %s words leaves the best of those that do not', async (noRepeat, best) => {
    const beam = best.length
    const [found] = await searched(even, [three], { beam, longest: 6, ...(noRepeat && { noRepeat }) })
    const text = found!.map(({ words }) => words.join())
    // 3,4 is as likely as 4,3.
    expect(text.toSorted()).toEqual(best.toSorted())
    for (const { words, logProbability } of found!) {
      const expected = [...words, 2].reduce((sum, word) => sum + Math.log(chances[word]!), 0)
      expect(logProbability).toBeCloseTo(expected, 4)
    }
  })

  it.each(Object.keys(translators))('is of each hypothesis by itself, of %s', async (name) => {
    const net = translators[name]!()
    await using run = await opened(net)
    const all = sentences(7)
    using search = await beamSearch(run, net, {
      ...{ sentences: 3, steps, beam: 5, longest: 5, lengthPenalty: 'none', noRepeat: 2 },
    })
    for (const [i, found] of (await search.run(all)).entries()) {
      const possible = (await everything([net], run, all[i]!, 5)).filter(({ words }) => !repeats(words, 2))
      for (const { words, logProbability, hasEnded } of found) {
        expect(hasEnded).toBe(true)
        const known = possible.find((one) => one.words.join() === words.join())
        expect(known, words.join()).toBeDefined()
        expect(logProbability).toBeCloseTo(known!.logProbability, 4)
      }
      expect(found[0]!.words.join()).toBe(possible[0]!.words.join())
    }
  })

  it('ends what has nothing more to say', async () => {
    const [found] = await searched(even, [three], { beam: 5, longest: 9, noRepeat: 1, never: [0, 1, 4] })
    expect(found!.map(({ words }) => words.join())).toEqual(['', '3'])
  })
})

describe('alignments', () => {
  const net = translators['additive']!()

  it('are those of the words, over the words of the source', async () => {
    await using run = await opened(net)
    const longest = 6
    using search = await beamSearch(run, net, { sentences: 3, steps, longest, beam: 3, alignments: true })
    using looked = await run.compile(
      (source: Tensor<'i32'>, lengths: Tensor<'i32'>, words: Tensor<'i32'>) => {
        const { states: first, memory } = net.read(source, lengths)
        const all: Tensor<'f32'>[] = []
        let states = first
        for (let t = 0; t < longest; t++) {
          const word: Tensor<'i32'> = ops.reshape(ops.slice(words, [t, 0], [1, 1]), [1])
          const { states: after, alignment } = net.write(word, states, memory)
          states = after
          all.push(alignment!)
        }
        return { all: ops.concat(all, 0) }
      },
      {
        source: { dtype: 'i32', shape: [steps, 1] },
        lengths: { dtype: 'i32', shape: [1] },
        words: { dtype: 'i32', shape: [longest, 1] },
      },
    )
    const sources = sentences(8)
    let far = 0
    for (const [i, found] of (await search.run(sources)).entries()) {
      const source = new Int32Array(steps)
      source.set(sources[i]!)
      const { length } = sources[i]!
      for (const { words, hasEnded, alignment } of found) {
        const before = Int32Array.from({ length: longest }, (_, t) => (t === 0 ? 1 : (words[t - 1] ?? 0)))
        const { all } = await looked.run({ source, lengths: Int32Array.of(length), words: before })
        expect(alignment).toHaveLength(words.length + (hasEnded ? 1 : 0))
        for (const [t, row] of alignment!.entries()) {
          expect(row).toHaveLength(length)
          for (const [s, weight] of row.entries()) {
            expect(weight).toBeCloseTo(all[t * steps + s]!, 5)
            far = Math.max(far, Math.abs(weight - 1 / length))
          }
        }
      }
    }
    // Weights that are all alike would say nothing.
    expect(far).toBeGreaterThan(1e-3)
  })

  it('are there where they are asked for', async () => {
    await using run = await opened(net)
    using search = await beamSearch(run, net, { sentences: 1, steps, longest: 4, beam: 2 })
    const [found] = await search.run(sentences(1))
    expect(found!.every((one) => !('alignment' in one))).toBe(true)
  })
})

describe('sample', () => {
  const many = Array.from({ length: 300 }, () => Int32Array.of(3, 4))
  const counted = (found: readonly (readonly Hypothesis[])[]) => {
    const all = found.flat().flatMap(({ words, hasEnded }) => [...words, ...(hasEnded ? [2] : [])])
    return (word: number) => all.filter((one) => one === word).length / all.length
  }

  it('draws words as probable as the network says', async () => {
    const options = { sentences: 20, longest: 4, beam: 5 }
    const share = counted(await searched(even, many, { ...options, sample: {} }))
    // Of about 5,600 words 4 standard deviations are 0.016 of 0.9, and 0.011 of 0.04.
    for (const [word, chance] of chances.entries()) expect(Math.abs(share(word) - chance)).toBeLessThan(0.017)
    expect([0, 1].map(share)).toEqual([0, 0])
    const wild = counted(await searched(even, many, { ...options, sample: { temperature: 2 } }))
    const roots = chances.map(Math.sqrt)
    const total = roots.reduce((sum, root) => sum + root, 0)
    // Of about 4,800 words 4 standard deviations are 0.03.
    for (const [word, root] of roots.entries()) expect(Math.abs(wild(word) - root / total)).toBeLessThan(0.03)
  })

  it('draws of the likeliest alone with topK', async () => {
    const share = counted(await searched(even, many, { sentences: 20, longest: 4, beam: 5, sample: { topK: 2 } }))
    expect([0, 1, 2].map(share)).toEqual([0, 0, 0])
    expect(Math.abs(share(4) - 0.06 / 0.96)).toBeLessThan(0.016)
    const [found] = await searched(even, [many[0]!], { longest: 3, sample: { topK: 1 } })
    expect(found!.map(({ words }) => words.join())).toEqual(['3,3,3', '3,3,3', '3,3,3', '3,3,3'])
  })

  it('is the same for the same seed, and scores as the network does', async () => {
    const net = translators['transformer']!()
    await using run = await opened(net)
    const all = sentences(9)
    const drawn = async (seed: number, count: number) => {
      const options = { sentences: 2, steps, longest: 5, beam: 3, lengthPenalty: 'none' as const }
      using search = await beamSearch(run, net, { ...options, sample: { seed } })
      const found = await search.run(all.slice(0, count))
      return found.flat()
    }
    const text = (found: readonly Hypothesis[]) => found.map(({ words, score }) => `${words.join()} ${score}`)
    const first = await drawn(1, 9)
    expect(first).toHaveLength(27)
    expect(text(await drawn(1, 9))).toEqual(text(first))
    expect(text(await drawn(1, 4))).toEqual(text(first).slice(0, 12))
    expect(text(await drawn(2, 9))).not.toEqual(text(first))
    // Beams are samples of their own.
    expect(new Set(text(first.slice(0, 3))).size).toBeGreaterThan(1)
    for (const [i, { words, logProbability, hasEnded }] of first.entries()) {
      if (!hasEnded) continue
      const possible = await everything([net], run, all[Math.floor(i / 3)]!, 5)
      const known = possible.find((one) => one.words.join() === words.join())
      expect(logProbability).toBeCloseTo(known!.logProbability, 4)
    }
  })

  it('bars runs of words too', async () => {
    const found = (await searched(even, many.slice(0, 40), { longest: 6, beam: 3, sample: {}, noRepeat: 2 })).flat()
    expect(found).toHaveLength(120)
    expect(found.filter(({ words }) => repeats(words, 2))).toEqual([])
    expect(found.filter(({ words }) => repeats(words, 1)).length).toBeGreaterThan(0)
  })
})
