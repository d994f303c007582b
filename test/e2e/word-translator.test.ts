// Words translated by a learned map: every word of a rotated space comes back, fewer with noise, more of them by CSLS.
import { describe, expect, it } from 'vitest'
import {
  KeyedVectors,
  learnVectorMap,
  refineVectorMap,
  type Translation,
  wordTranslator,
} from '../../lib/infer/index.js'
import { nearestOrthogonal } from '../../lib/infer/vectors/small-matrices.js'
import { generator } from '../support/random.js'

const [size, dimension] = [600, 16]
const random = generator(31)
const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
const source = new KeyedVectors({
  words: Array.from({ length: size }, (_, i) => `a${i}`),
  vectors: Float32Array.from({ length: size * dimension }, normal),
})
const square = { rows: dimension, columns: dimension }
const rotation = nearestOrthogonal({ ...square, data: Float64Array.from({ length: dimension ** 2 }, normal) })!.data

/** The source turned, with noise; the words are b instead of a. */
function turned(noise: number): KeyedVectors {
  const vectors = source.vectors.map((_, at) => {
    const [word, i] = [Math.floor(at / dimension), at % dimension]
    let sum = noise * normal()
    for (let k = 0; k < dimension; k++) sum += rotation[i * dimension + k]! * source.vectors[word * dimension + k]!
    return sum
  })
  return new KeyedVectors({ words: source.words.map((word) => word.replace('a', 'b')), vectors })
}
const pairs = Array.from({ length: size }, (_, i): Translation => [`a${i}`, `b${i}`])
const [known, held] = [pairs.slice(0, 100), pairs.slice(100)]
const cpu = { device: 'cpu', threads: 2 } as const

describe('wordTranslator', () => {
  it.each(['cosine', 'csls'] as const)('finds every word of a space that was turned, by %s', async (retrieval) => {
    const target = turned(0)
    await using translator = await wordTranslator(learnVectorMap(source, target, known), source, target, {
      ...cpu,
      retrieval,
    })
    expect(await translator.evaluate(held)).toEqual({ at1: 1, at5: 1, at10: 1, words: 500, skipped: 0 })
    const [[best, second], other] = (await translator.translate(['a7', 'a599'], 2)) as [
      [{ word: string; score: number }, { score: number }],
      { word: string }[],
    ]
    expect([best.word, other[0]!.word]).toEqual(['b7', 'b599'])
    expect(best.score).toBeGreaterThan(second.score)
    if (retrieval === 'cosine') expect(best.score).toBeCloseTo(1, 5)
  })

  it('finds more by CSLS where there is noise, as one by one', async () => {
    const target = turned(0.9)
    const map = learnVectorMap(source, target, known)
    const measured = async (retrieval: 'cosine' | 'csls') => {
      await using translator = await wordTranslator(map, source, target, { ...cpu, retrieval })
      return { scores: await translator.evaluate(held), first: (await translator.translate(['a5'], 3))[0]! }
    }
    const [cosine, csls] = [await measured('cosine'), await measured('csls')]
    expect(csls.scores.at1).toBeGreaterThan(cosine.scores.at1)
    expect(cosine.scores.at1).toBeLessThan(0.95)
    expect(csls.scores.at5).toBeGreaterThan(csls.scores.at1)
    // 2 cos(x, y) less the means of the ten largest cosines of x with targets, and of y with mapped sources.
    const mapped = new KeyedVectors({ words: source.words, vectors: map.mapped([...source.words.keys()]) })
    const prepared = new KeyedVectors({ words: target.words, vectors: map.targets })
    const mean = (of: KeyedVectors, vector: Float32Array): number =>
      of.mostSimilar({ positive: [vector], most: 10 }).reduce((sum, { score }) => sum + score / 10, 0)
    const x = mapped.vector('a5')
    const all = target.words.map((word) => {
      const y = prepared.vector(word)
      const cosineOf = prepared.mostSimilar({ positive: [x], most: size }).find((one) => one.word === word)!.score
      return { word, score: 2 * cosineOf - mean(prepared, x) - mean(mapped, y) }
    })
    const best = all.sort((a, b) => b.score - a.score).slice(0, 3)
    expect(csls.first.map(({ word }) => word)).toEqual(best.map(({ word }) => word))
    for (const [i, { score }] of best.entries()) expect(csls.first[i]!.score).toBeCloseTo(score, 4)
  })

  it('takes any of several translations, of the words that it knows', async () => {
    const target = turned(0)
    await using translator = await wordTranslator(learnVectorMap(source, target, known), source, target, {
      ...cpu,
      limit: 300,
    })
    const several: Translation[] = [
      ['a1', 'b2'],
      ['a1', 'b1'],
      ['a2', 'b9'],
      ['a3', 'none'],
      ['none', 'b3'],
      ['a4', 'b400'],
    ]
    expect(await translator.evaluate(several)).toMatchObject({ at1: 0.5, words: 2, skipped: 3 })
    await expect(translator.evaluate([['x', 'y']])).rejects.toThrow(
      'evaluate[dictionary]: expected words that have vectors, got none of 1',
    )
    await expect(translator.translate(['a00'], 1)).rejects.toThrow(
      'translate: expected a word that has a vector, got "a00"; near are "a0"',
    )
  })

  it('finds more with a map that was learned anew from what it found', async () => {
    const target = turned(0.5)
    const few = learnVectorMap(source, target, known.slice(0, 20))
    const at1 = async (map: typeof few): Promise<number> => {
      await using translator = await wordTranslator(map, source, target, cpu)
      return (await translator.evaluate(held)).at1
    }
    const refined = await refineVectorMap(few, source, target, { ...cpu, rounds: 3 })
    expect(refined.pairs).toBeGreaterThan(400)
    const [before, after, all] = [await at1(few), await at1(refined), await at1(learnVectorMap(source, target, known))]
    expect(before).toBeLessThan(0.95)
    expect(after).toBeGreaterThanOrEqual(all)
    // The pairs of one round are those that are each other's nearest, found one by one.
    const once = await refineVectorMap(few, source, target, { ...cpu, rounds: 1, words: 300 })
    expect(once.pairs).toBe(mutualPairs(few, target, 300))
    await expect(refineVectorMap(few, source, target, { ...cpu, words: 10 })).rejects.toThrow(
      /refineVectorMap: expected 16 words or more that are each other's nearest, as many as numbers of a vector, got \d+/,
    )
    await expect(refineVectorMap(few, source, target, { ...cpu, rounds: 0 })).rejects.toThrow(
      'refineVectorMap[rounds]: expected',
    )
  })
})

/** How many of the first words are each other's nearest by 2 cos(x, y) - r(x) - r(y). */
function mutualPairs(map: ReturnType<typeof learnVectorMap>, target: KeyedVectors, count: number): number {
  const units = (vectors: Float32Array): Float64Array[] =>
    Array.from({ length: count }, (_, row) => {
      const own = Float64Array.from(vectors.subarray(row * dimension, (row + 1) * dimension))
      const length = Math.hypot(...own)
      return own.map((x) => x / length)
    })
  const [x, y] = [units(map.mapped([...source.words.keys()].slice(0, count))), units(target.vectors)]
  const cosines = x.map((a) => y.map((b) => a.reduce((sum, value, i) => sum + value * b[i]!, 0)))
  const turnedAround = y.map((_, j) => cosines.map((row) => row[j]!))
  const hub = (row: readonly number[]): number =>
    [...row]
      .sort((a, b) => b - a)
      .slice(0, 10)
      .reduce((sum, value) => sum + value / 10, 0)
  const [rx, ry] = [cosines.map(hub), turnedAround.map(hub)]
  const best = (rows: readonly (readonly number[])[], hubs: readonly number[]): number[] =>
    rows.map((row) => {
      const scores = row.map((value, j) => 2 * value - hubs[j]!)
      return scores.indexOf(Math.max(...scores))
    })
  const [there, back] = [best(cosines, ry), best(turnedAround, rx)]
  return there.filter((j, i) => back[j] === i).length
}
