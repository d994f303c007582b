// What gensim answers of the same vectors, and what it makes of the same counts (test/golden/make_word_vectors.py).
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { AliasTable, keepProbabilities, negativeWeights } from '../../lib/data/index.js'
import { KeyedVectors } from '../../lib/infer/index.js'
import { readWord2vec } from '../../lib/files/word2vec.js'
import { parseAnalogies, parseWordPairs } from '../../lib/infer/vectors/word-lists.js'

interface Golden {
  readonly text: string
  readonly binary: string
  readonly asked: readonly {
    readonly method: 'cosine' | '3CosMul'
    readonly positive: readonly string[]
    readonly negative: readonly string[]
    readonly limit: number | null
    readonly answers: readonly (readonly [string, number])[]
  }[]
  readonly odd: readonly (readonly [readonly string[], string])[]
  readonly questions: string
  readonly analogies: readonly (readonly [number, readonly (readonly [string, number, number])[]])[]
  readonly pairs: string
  readonly pearson: number
  readonly spearman: number
  readonly unknown: number
  readonly samples: { readonly counts: number[]; readonly stay: number[]; readonly negatives: number[] }
}

const golden = JSON.parse(readFileSync(new URL('../golden/word-vectors.json', import.meta.url), 'utf8')) as Golden

async function* once(text: string): AsyncGenerator<Uint8Array, void, undefined> {
  yield await Promise.resolve(Buffer.from(text, 'base64'))
}
const vectors = new KeyedVectors(await readWord2vec(once(golden.binary), 'binary'))

describe('gensim', () => {
  it('writes in both formats what is read as the same vectors', async () => {
    const text = await readWord2vec(once(golden.text), 'text')
    expect(text.words).toEqual(vectors.words)
    const binary = vectors.words.flatMap((word) => [...vectors.vector(word)])
    expect(text.vectors.findIndex((x, i) => x !== binary[i])).toBe(-1)
    expect([vectors.size, vectors.dimension, text.vectors.length]).toEqual([60, 8, 480])
  })

  it.each(golden.asked)('finds the same words by $method of $positive less $negative', (one) => {
    const { positive, negative, method, limit } = one
    const found = vectors.mostSimilar({ positive, negative, method, most: 4, ...(limit !== null && { limit }) })
    expect(found.map(({ word }) => word)).toEqual(one.answers.map(([word]) => word))
    // Its numbers are f32; of 3CosMul they may be large.
    for (const [i, [, score]] of one.answers.entries()) expect(found[i]!.score / score).toBeCloseTo(1, 5)
  })

  it('finds the same words that do not match', () => {
    expect(golden.odd.map(([words]) => vectors.doesntMatch(words))).toEqual(golden.odd.map(([, word]) => word))
  })

  it.each(golden.analogies)('answers as many analogies, of the first %d words', async (limit, sections) => {
    const found = await vectors.evaluateAnalogies(parseAnalogies(golden.questions, 'q'), { limit, device: 'cpu' })
    expect(found.categories.map(({ name, correct, asked }) => [name, correct, asked - correct])).toEqual(sections)
  })

  it('finds the same correlations with what people said', async () => {
    const found = await vectors.evaluatePairs(parseWordPairs(golden.pairs, 'pairs'))
    expect(found.pearson).toBeCloseTo(golden.pearson, 6)
    expect(found.spearman).toBeCloseTo(golden.spearman, 6)
    expect((100 * found.skipped) / (found.pairs + found.skipped)).toBeCloseTo(golden.unknown, 9)
  })

  const { counts, stay, negatives } = golden.samples
  it('keeps as many of each word', () => {
    const far = [...keepProbabilities(counts, 1e-3)].filter((share, i) => Math.abs(share - stay[i]! / 2 ** 32) > 1e-9)
    expect(far).toEqual([])
    expect(stay.filter((share) => share < 2 ** 32 - 1).length).toBeGreaterThan(10)
  })

  it('draws as many of each word as negatives', () => {
    const { keep, other } = new AliasTable(negativeWeights(counts))
    const found = new Float64Array(counts.length)
    for (const [i, share] of keep.entries()) {
      found[i]! += share / keep.length
      found[other[i]!]! += (1 - share) / keep.length
    }
    // Its borders are whole numbers up to 2^31 - 1.
    const far = [...found].filter((share, i) => {
      return Math.abs(share - (negatives[i]! - (negatives[i - 1] ?? 0)) / (2 ** 31 - 1)) > 1e-8
    })
    expect(far).toEqual([])
  })
})
