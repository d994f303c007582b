// Word vectors on a device, held to the same answers one by one; files that gensim reads, and reading its own.
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { env } from 'node:process'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { KeyedVectors } from '../../lib/infer/index.js'
import { generator } from '../support/random.js'

const [size, dimension] = [700, 12]
const random = generator(11)
const words = Array.from({ length: size }, (_, i) => `Word${i}`)
const vectors = new KeyedVectors({
  words,
  // Groups of words lie about one direction each, so that analogies have answers that are near.
  vectors: Float32Array.from({ length: size * dimension }, (_, i) => Math.sin(i % 97) + random() - 0.5),
})
const cpu = { device: 'cpu', threads: 2 } as const

/** Questions of words, and what each is answered one by one. */
const questions = Array.from({ length: 150 }, (): [string, string, string, string] => {
  const [a, b, c] = [0, 1, 2].map(() => words[Math.floor(random() * 400)]!) as [string, string, string]
  return [a, b, c, 'Word0']
})

describe('search', () => {
  it('finds what is most similar to each of any number of vectors', async () => {
    await using search = await vectors.search(cpu)
    const asked = [...words.slice(0, 300), ...words.slice(5, 9)]
    const queries = Float32Array.from(
      asked.flatMap((word) => [...vectors.vector(word)]),
      (x) => 3 * x,
    )
    const { places, scores } = await search.nearest(queries, 6)
    expect([places.length, scores.length]).toEqual([6 * 304, 6 * 304])
    const wrong = asked.filter((word, i) => {
      const expected = vectors.mostSimilar({ positive: [vectors.vector(word)], most: 6 })
      return expected.some((one, k) => {
        const found = vectors.words[places[6 * i + k]!]!
        return (
          Math.abs(one.score - scores[6 * i + k]!) > 1e-5 ||
          (found !== one.word && k < 5 && expected[k]!.score - expected[k + 1]!.score > 1e-5)
        )
      })
    })
    expect(wrong).toEqual([])
    expect(places[0]).toBe(0)
    const again = await search.nearest(queries.subarray(0, dimension), 2)
    expect([...again.places]).toEqual([...places.subarray(0, 2)])
    expect((await search.nearest(new Float32Array(0), 3)).places.length).toBe(0)
    expect((await search.nearest(new Float32Array(dimension), 2)).scores.join()).toBe('0,0')
  })

  const many = 2 ** 14 + 77
  const draw = generator(12)
  const distinct = Float32Array.from({ length: 3 * 4000 }, () => draw() - 0.5)
  it.each([
    [
      'of few different numbers, some of them zero',
      Float32Array.from({ length: 3 * many }, () => Math.floor(5 * draw()) - 2),
    ],
    [
      'that are there several times',
      Float32Array.from({ length: 3 * many }, (_, i) => {
        const word = Math.floor(i / 3)
        return word >= many - 77 ? draw() - 0.5 : distinct[3 * ((31 * word * word + word) % 4000) + (i % 3)]!
      }),
    ],
  ])('finds the same among very many %s, of which it compares few', async (_, table) => {
    const large = new KeyedVectors({ words: Array.from({ length: many }, (_, i) => `w${i}`), vectors: table })
    await using search = await large.search(cpu)
    const asked = [0, 1, 127, 128, 5000, many - 78, many - 77, many - 1]
    const queries = Float32Array.from(asked.flatMap((word) => [...table.subarray(3 * word, 3 * word + 3)]))
    // Of so many, all are compared.
    const all = await search.nearest(queries, 1000)
    for (const most of [1, 7, 64, 1000]) {
      const { places, scores } = await search.nearest(queries, most)
      const other = places.findIndex((place, i) => place !== all.places[1000 * Math.floor(i / most) + (i % most)])
      expect(other).toBe(-1)
      const wrong = asked.filter((word, i) => {
        const expected = large.mostSimilar({ positive: [table.subarray(3 * word, 3 * word + 3)], most })
        const own = scores.subarray(i * most, (i + 1) * most)
        const found = places.subarray(i * most, (i + 1) * most)
        // Cosines of f32 tell apart what differs, and are the same for the same numbers.
        return expected.some(({ score }, k) => {
          const isInOrder = k === 0 || own[k - 1]! > own[k]! || (own[k - 1] === own[k] && found[k - 1]! < found[k]!)
          return (
            Math.abs(score - own[k]!) > 1e-5 ||
            Math.abs(large.similarity(`w${word}`, `w${found[k]!}`) - score) > 1e-5 ||
            !isInOrder
          )
        })
      })
      expect(wrong).toEqual([])
      expect(new Set(places.subarray(0, most)).size).toBe(most)
    }
  })

  it('looks at the first words alone where it is told to', async () => {
    await using search = await vectors.search({ ...cpu, limit: 3 })
    const { places } = await search.nearest(vectors.vector('Word500'), 3)
    expect([...places].sort()).toEqual([0, 1, 2])
    await expect(search.nearest(vectors.vector('Word500'), 4)).rejects.toThrow(
      'search[most]: expected a whole number from 1 to 3, got 4',
    )
  })

  it('refuses what are no vectors, and to go on when it is disposed', async () => {
    const search = await vectors.search(cpu)
    await expect(search.nearest(new Float32Array(13), 1)).rejects.toThrow(
      'nearest[queries]: expected vectors of 12 numbers, got 13 in all',
    )
    const bad = new Float32Array(24)
    bad[13] = NaN
    await expect(search.nearest(bad, 1)).rejects.toThrow(
      'nearest[queries]: expected finite numbers, got others in row 1',
    )
    await search.dispose()
    await search.dispose()
    await expect(search.nearest(new Float32Array(12), 1)).rejects.toMatchObject({ code: 'ERR_DISPOSED' })
  })
})

describe('evaluateAnalogies', () => {
  it.each(['cosine', '3CosMul'] as const)('answers all at once what is answered one by one, by %s', async (method) => {
    const answered = questions.map(([a, b, c]) => {
      const [best] = vectors.mostSimilar({ positive: [b, c], negative: [a], method, most: 1 })
      return [a, b, c, best!.word] as const
    })
    // Every fifth has another answer, every third of the rest a word without a vector.
    const asked = answered.map(([a, b, c, d], i) => {
      return [a, b, c, i % 5 === 0 ? 'Word699' : i % 3 === 0 ? 'nowhere' : d] as const
    })
    const categories = [
      { name: 'capital', questions: asked.slice(0, 60).map((one): [string, string, string, string] => [...one]) },
      { name: 'gram1-plural', questions: asked.slice(60).map((one): [string, string, string, string] => [...one]) },
    ]
    const found = await vectors.evaluateAnalogies(categories, { ...cpu, method })
    const wrong = asked.filter(([, , , d], i) => d === 'Word699' && answered[i]![3] !== 'Word699').length
    const skipped = asked.filter(([, , , d]) => d === 'nowhere').length
    expect(wrong).toBeGreaterThan(20)
    expect([found.skipped, found.asked, found.correct]).toEqual([skipped, 150 - skipped, 150 - skipped - wrong])
    expect(found.accuracy).toBe(found.correct / found.asked)
    expect(found.categories.map(({ name, asked: own, skipped: left }) => [name, own + left])).toEqual([
      ['capital', 60],
      ['gram1-plural', 90],
    ])
    expect(found.semantic).toEqual({ ...found.categories[0], name: undefined })
    expect(found.syntactic.correct).toBe(found.categories[1]!.correct)
  })

  it('knows the first words alone, and may tell words apart by case', async () => {
    const [a, b, c] = ['Word1', 'Word2', 'Word3'] as const
    const [best] = vectors.mostSimilar({ positive: [b, c], negative: [a], most: 1, limit: 50 })
    const categories = [
      {
        name: 'x',
        questions: [
          [a, b.toUpperCase(), c, best!.word],
          [a, b, c, 'Word60'],
        ] as [string, string, string, string][],
      },
    ]
    const options = { ...cpu, limit: 50 }
    expect(await vectors.evaluateAnalogies(categories, options)).toMatchObject({ correct: 1, asked: 1, skipped: 1 })
    await expect(vectors.evaluateAnalogies(categories, { ...options, ignoreCase: false })).rejects.toThrow(
      'evaluateAnalogies: expected questions of words that have vectors, got none of 2',
    )
  })

  it('takes no other way to write a word of the question for an answer', async () => {
    const cased = new KeyedVectors({
      words: ['a', 'b', 'c', 'B', 'd'],
      vectors: Float32Array.of(1, 0, 0, 1, 1, 1, 0.01, 1, 0.3, 1),
    })
    const categories = [{ name: 'x', questions: [['a', 'b', 'c', 'd']] as [string, string, string, string][] }]
    expect(cased.mostSimilar({ positive: ['b', 'c'], negative: ['a'], most: 1 })[0]!.word).toBe('B')
    expect((await cased.evaluateAnalogies(categories, cpu)).correct).toBe(1)
    expect((await cased.evaluateAnalogies(categories, { ...cpu, ignoreCase: false })).correct).toBe(0)
  })
})

const python = env['OSTRICH_GENSIM'] ?? env['OSTRICH_PYTHON'] ?? 'python3'
const runs = (script: string, ...args: string[]): string =>
  execFileSync(python, ['-c', script, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })

function hasGensim(): boolean {
  try {
    runs('import gensim')
    return true
  } catch {
    return false
  }
}

describe.skipIf(!hasGensim())('gensim (set OSTRICH_GENSIM to a Python that has it)', () => {
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ostrich-gensim-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  const small = new KeyedVectors({
    words: ['the', 'größer', '日本', 'naïve_word'],
    vectors: Float32Array.from({ length: 12 }, (_, i) => Math.fround(Math.sin(i) / (i + 1))),
  })

  it.each(['text', 'binary'] as const)(
    'reads %s as it was written, to the bit, and writes what is read here',
    async (format) => {
      const [ours, theirs] = [join(folder, 'ours'), join(folder, 'theirs')]
      await small.save(ours, { format })
      const script = `
import sys, json, numpy as np
from gensim.models import KeyedVectors
binary = sys.argv[3] == 'binary'
v = KeyedVectors.load_word2vec_format(sys.argv[1], binary=binary)
v.save_word2vec_format(sys.argv[2], binary=binary)
v.save_word2vec_format(sys.argv[2] + '.gz', binary=binary)
print(json.dumps([v.index_to_key, v.vectors.astype(np.float32).view(np.uint32).ravel().tolist()]))`
      const [read, bits] = JSON.parse(runs(script, ours, theirs, format)) as [string[], number[]]
      const own = small.words.flatMap((word) => [...new Uint32Array(small.vector(word).buffer)])
      expect(read).toEqual(small.words)
      expect(bits).toEqual(own)
      for (const path of [theirs, `${theirs}.gz`]) {
        const back = await KeyedVectors.load(path)
        expect(back.words).toEqual(small.words)
        expect(back.words.flatMap((word) => [...new Uint32Array(back.vector(word).buffer)])).toEqual(own)
      }
    },
  )
})
