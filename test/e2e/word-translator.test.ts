// Words translated by a learned map: every word of a rotated space comes back, fewer with noise, more of them by CSLS.
import { describe, expect, it } from 'vitest'
import { KeyedVectors, learnVectorMap, type Translation, wordTranslator } from '../../lib/infer/index.js'
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
})
