// Maps between word vectors: known ones are found again, by each method; dictionaries are read; what cannot be learned from is refused.
import { describe, expect, it } from 'vitest'
import { DataError } from '../../../lib/data/index.js'
import { KeyedVectors, learnVectorMap, type Translation } from '../../../lib/infer/index.js'
import { parseDictionary } from '../../../lib/infer/vectors/dictionary.js'
import { nearestOrthogonal, solved, transposedProduct } from '../../../lib/infer/vectors/small-matrices.js'
import { generator } from '../../support/random.js'

const farthest = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((most, x, i) => Math.max(most, Math.abs(x - b[i]!)), a.length === b.length ? 0 : Infinity)

const matrix = (rows: number, columns: number, ...data: number[]) => ({ rows, columns, data: Float64Array.from(data) })

describe('small matrices', () => {
  it('are multiplied and solved as by hand', () => {
    expect([...transposedProduct(matrix(2, 1, 1, 2), matrix(2, 3, 1, 2, 3, 4, 5, 6)).data]).toEqual([9, 12, 15])
    const x = solved(matrix(2, 2, 4, 2, 2, 3), matrix(2, 1, 10, 9))
    expect(farthest(x!.data, [1.5, 2])).toBeLessThan(1e-14)
    expect(solved(matrix(2, 2, 1, 1, 1, 1), matrix(2, 1, 1, 1))).toBeUndefined()
  })

  it('have a nearest orthogonal one, as by hand', () => {
    // A rotation by 30 degrees behind scales of 3 and 0.5.
    const [cosine, sine] = [Math.sqrt(3) / 2, 0.5]
    const found = nearestOrthogonal(matrix(2, 2, 3 * cosine, -0.5 * sine, 3 * sine, 0.5 * cosine))
    expect(farthest(found!.data, [cosine, -sine, sine, cosine])).toBeLessThan(1e-14)
    expect(farthest(nearestOrthogonal(matrix(2, 2, 0, -2, 5, 0))!.data, [0, -1, 1, 0])).toBeLessThan(1e-14)
    expect(nearestOrthogonal(matrix(2, 2, 1, 2, 2, 4))).toBeUndefined()
  })
})

const [size, dimension] = [400, 20]
const random = generator(21)
const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
const words = (prefix: string, count = size): string[] => Array.from({ length: count }, (_, i) => `${prefix}${i}`)
const source = new KeyedVectors({
  words: words('a'),
  vectors: Float32Array.from({ length: size * dimension }, normal),
})
const dictionary = (count: number): Translation[] => Array.from({ length: count }, (_, i) => [`a${i}`, `b${i}`])

/** Vectors of the source times a matrix [rows, dimension], with some noise. */
function moved(by: ArrayLike<number>, rows: number, noise = 0): KeyedVectors {
  const vectors = new Float32Array(size * rows)
  for (let word = 0; word < size; word++) {
    for (let i = 0; i < rows; i++) {
      let sum = noise * normal()
      for (let k = 0; k < dimension; k++) sum += by[i * dimension + k]! * source.vectors[word * dimension + k]!
      vectors[word * rows + i] = sum
    }
  }
  return new KeyedVectors({ words: words('b'), vectors })
}
const any = Float64Array.from({ length: dimension * dimension }, normal)
const rotation = nearestOrthogonal({ rows: dimension, columns: dimension, data: any })!.data

describe('learnVectorMap', () => {
  it.each([{}, { normalise: false }, { centre: true }])('finds a rotation again, with %j', (options) => {
    const {
      matrix: found,
      pairs,
      skipped,
    } = learnVectorMap(source, moved(rotation, dimension), dictionary(60), options)
    expect(farthest(found, rotation)).toBeLessThan(1e-5)
    expect([pairs, skipped]).toEqual([60, 0])
    const product = transposedProduct(
      { rows: dimension, columns: dimension, data: found },
      { rows: dimension, columns: dimension, data: found },
    ).data
    const identity = product.map((_, i) => (i % (dimension + 1) === 0 ? 1 : 0))
    expect(farthest(product, identity)).toBeLessThan(1e-12)
  })

  it('finds any matrix again by least squares, to another dimension too', () => {
    const by = any.subarray(0, 7 * dimension)
    const {
      matrix: found,
      mapped,
      targets,
    } = learnVectorMap(source, moved(by, 7), dictionary(100), {
      method: 'leastSquares',
      normalise: false,
    })
    expect(farthest(found, by)).toBeLessThan(1e-4)
    expect(farthest(mapped([399, 3]), [...targets.subarray(399 * 7), ...targets.subarray(21, 28)])).toBeLessThan(1e-4)
  })

  it('comes near to least squares by gradient descent, and is drawn by seed', () => {
    const target = moved(rotation, dimension, 0.3)
    const exact = learnVectorMap(source, target, dictionary(300), { method: 'leastSquares' }).matrix
    const near = (options: object) =>
      learnVectorMap(source, target, dictionary(300), { method: 'sgd', ...options }).matrix
    const first = near({ epochs: 200 })
    expect(farthest(first, exact)).toBeLessThan(0.01)
    expect(farthest(near({ epochs: 2 }), exact)).toBeGreaterThan(0.02)
    expect(farthest(near({ epochs: 200 }), first)).toBe(0)
    expect(farthest(near({ epochs: 200, seed: 2 }), first)).toBeGreaterThan(0)
    expect(() => near({ rate: 1000 })).toThrow(
      'learnVectorMap[rate]: expected a rate at which it comes to rest, got 1000',
    )
  })

  const same = moved(rotation, dimension)
  it.each<[string, () => unknown, string]>([
    [
      'a dictionary of other words',
      () => learnVectorMap(source, same, [['x', 'y']]),
      'learnVectorMap[dictionary]: expected 20 pairs or more of words that have vectors, as many as numbers of a vector, got 0 of 1',
    ],
    ['fewer pairs than dimensions', () => learnVectorMap(source, same, dictionary(19)), 'got 19 of 19'],
    [
      'another dimension of a rotation',
      () => learnVectorMap(source, moved(any, 7), dictionary(60)),
      'learnVectorMap: expected vectors of one dimension for procrustes, got 20 and 7',
    ],
    [
      'the same pair again and again',
      () => learnVectorMap(source, same, Array<Translation>(60).fill(['a1', 'b1'])),
      'expected words whose vectors lie in 20 dimensions, got fewer',
    ],
    [
      'the same pair again and again, for least squares',
      () => learnVectorMap(source, same, Array<Translation>(60).fill(['a1', 'b1']), { method: 'leastSquares' }),
      'expected words whose vectors lie in 20 dimensions, got fewer',
    ],
  ])('refuses %s', (_, call, message) => {
    expect(call).toThrow(DataError)
    expect(call).toThrow(message)
  })
})

describe('a dictionary', () => {
  it('is pairs of words', () => {
    expect(parseDictionary('dog\tperro\n\ndog can\r\ncasa de\n', 'd')).toEqual([
      ['dog', 'perro'],
      ['dog', 'can'],
      ['casa', 'de'],
    ])
  })

  it.each([
    ['a\n', 'd: expected a word and its translation in line 1, got "a"'],
    ['a b\na b c\n', 'd: expected a word and its translation in line 2, got "a b c"'],
    ['\n', 'd: expected words and their translations, got none'],
  ])('that holds %j is refused', (text, message) => {
    expect(() => parseDictionary(text, 'd')).toThrow(message)
  })
})
