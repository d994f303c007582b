// Variations of images: what may come, that it depends on (seed, epoch, index) alone, and the fixed views.
import { describe, expect, it } from 'vitest'
import { arrays, augmented, batches, type ImageSet, viewed } from '../../../lib/data/index.js'
import { ColourCounter, eigen, statisticsOf } from '../../../lib/data/image/statistics.js'
import { collectAll } from './support.js'

/** Images [3, 4, 6] whose value says where it is: 24 * image + place, in every plane. */
const count = 10
const data = Uint8Array.from({ length: count * 72 }, (_, i) => 24 * Math.floor(i / 72) + (i % 24))
const set: ImageSet = arrays({
  x: { data, shape: [3, 4, 6] },
  target: Int32Array.from({ length: count }, (_, i) => i),
})
const key = { seed: 5, epoch: 2 }

async function gathered(from: typeof set, indices: readonly number[], when?: typeof key) {
  const each = from.fields.x.shape.reduce((a, b) => a * b)
  const out = { x: new Uint8Array(indices.length * each), target: new Int32Array(indices.length) }
  await from.gather(indices, out, when)
  return { ...out, image: (i: number) => [...out.x.subarray(i * each, (i + 1) * each)] }
}

describe('augmented', () => {
  it('cuts the centre where no key is given', async () => {
    const cut = augmented(set, { crop: 2, mirror: true })
    expect(cut.fields.x.shape).toEqual([3, 2, 2])
    const { image, target } = await gathered(cut, [1, 3])
    expect(image(0).slice(0, 4)).toEqual([24 + 8, 24 + 9, 24 + 14, 24 + 15])
    expect([...target]).toEqual([1, 3])
  })

  it('takes every place and both directions, and no other', async () => {
    const cut = augmented(set, { crop: 3, mirror: true })
    const seen = new Map<string, number>()
    const epochs = 400
    for (let epoch = 0; epoch < epochs; epoch++) {
      const { image } = await gathered(cut, [0], { seed: 1, epoch })
      const [first, second, third] = image(0)
      const mirrored = second! < first!
      const [top, left] = [Math.floor(first! / 6), (mirrored ? third! : first!) % 6]
      const key = `${top} ${left} ${mirrored}`
      seen.set(key, (seen.get(key) ?? 0) + 1)
    }
    expect([...seen.keys()].sort()).toEqual(
      [0, 1].flatMap((top) => [0, 1, 2, 3].flatMap((left) => [`${top} ${left} false`, `${top} ${left} true`])),
    )
    // Sixteen kinds, 25 times each: none is rare (five deviations below).
    expect(Math.min(...seen.values())).toBeGreaterThan(1)
  })

  it('depends on seed, epoch and index alone: not on the batch, nor on the order', async () => {
    const cut = augmented(set, { crop: 3, mirror: true, pad: 1 })
    const all = await gathered(cut, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], key)
    const some = await gathered(cut, [9, 4], key)
    expect([some.image(0), some.image(1)]).toEqual([all.image(9), all.image(4)])
    for (const other of [
      { ...key, seed: 6 },
      { ...key, epoch: 3 },
      { ...key, seed: 5 + 2 ** 40 },
    ]) {
      expect((await gathered(cut, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], other)).x).not.toEqual(all.x)
    }
  })

  it('differs from image to image', async () => {
    const { image } = await gathered(augmented(set, { crop: 3, mirror: true }), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], key)
    const places = Array.from({ length: count }, (_, i) => image(i).map((value) => value - 24 * i))
    expect(new Set(places.map(String)).size).toBeGreaterThan(4)
  })

  it('is asked for by the trainer alone, and goes on in the middle of an epoch', async () => {
    const cut = augmented(set, { crop: 2, mirror: true })
    const options = { batch: 3, shuffle: true, augment: true, ...key }
    const copied = async (startStep: number) =>
      (await collectAll(batches(cut, { ...options, startStep }))).map(({ feeds }) => [...feeds.x])
    const first = (await collectAll(batches(cut, options)))[0]
    expect(await copied(2)).toHaveLength(2)
    const whole: number[][] = []
    for await (const { feeds } of batches(cut, options)) whole.push([...feeds.x])
    const rest: number[][] = []
    for await (const { feeds } of batches(cut, { ...options, startStep: 2 })) rest.push([...feeds.x])
    expect(rest).toEqual(whole.slice(2))
    const plain: number[][] = []
    for await (const { feeds } of batches(cut, { ...options, augment: false })) plain.push([...feeds.x])
    expect(plain).not.toEqual(whole)
    expect(first?.count).toBe(3)
  })

  it('pads with black', async () => {
    const cut = augmented(set, { crop: 4, pad: 3 })
    const black = { some: 0, none: 0 }
    for (let epoch = 0; epoch < 200; epoch++) {
      const { image } = await gathered(cut, [9], { seed: 1, epoch })
      // Image 9 has no black of its own; its windows have at least a row and a column of it, up to three.
      const dark = image(0).filter((value) => value === 0).length
      if (dark === 0) black.none++
      else black.some++
      expect(dark).toBeLessThanOrEqual(3 * 15)
    }
    expect(Math.min(black.some, black.none)).toBeGreaterThan(0)
  })

  it.each([false, true])('pads with what a mirror on its edge shows, mirrored: %j', async (mirror) => {
    const square = arrays({
      x: { data: Uint8Array.from({ length: 48 }, (_, i) => 1 + i), shape: [3, 4, 4] },
      target: new Int32Array(1),
    })
    // Twice beyond the image: rows 5 4 3 2 1 0 1 2 3 2 1 0 1 ...
    const back = [1, 2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1, 2]
    const rowAt = (place: number): number => back[place + 5]!
    const cut = augmented(square, { pad: 5, border: 'mirrored', mirror })
    const known = new Set<string>()
    for (let top = -5; top <= 5; top++) {
      for (let left = -5; left <= 5; left++) {
        const view = Array.from({ length: 48 }, (_, i) => {
          const [plane, y, x] = [Math.floor(i / 16), Math.floor(i / 4) % 4, i % 4]
          return 1 + 16 * plane + 4 * rowAt(top + y) + rowAt(left + x)
        })
        const flipped = view.map((_, i) => view[i - (i % 4) + 3 - (i % 4)]!)
        known.add(view.join())
        if (mirror) known.add(flipped.join())
      }
    }
    const seen = new Set<string>()
    for (let epoch = 0; epoch < 400; epoch++) seen.add((await gathered(cut, [0], { seed: 1, epoch })).image(0).join())
    expect([...seen].filter((one) => !known.has(one))).toHaveLength(0)
    // The image comes back after six pixels either way.
    expect(seen.size).toBe(36)
  })

  it('shifts colours along their components, as far as they vary', async () => {
    const grey = arrays({ x: { data: new Uint8Array(3 * 16).fill(100), shape: [3, 4, 4] }, target: new Int32Array(1) })
    const component = [0.6, 0, 0.8]
    const colours = { deviations: [100, 0, 0], components: [component, [0, 1, 0], [0.8, 0, -0.6]] }
    const cut = augmented(grey, { colour: 0.1 }, colours)
    const draws: number[] = []
    for (let epoch = 0; epoch < 2000; epoch++) {
      const { x } = await gathered(cut, [0], { seed: 3, epoch })
      const [r, g, b] = [x[0]! - 100, x[16]! - 100, x[32]! - 100]
      expect(g).toBe(0)
      const along = r * 0.6 + b * 0.8
      expect(Math.abs(r - along * 0.6)).toBeLessThan(1)
      draws.push(along)
    }
    const mean = draws.reduce((a, b) => a + b) / draws.length
    const deviation = Math.sqrt(draws.reduce((a, b) => a + (b - mean) ** 2, 0) / draws.length)
    // Ten levels, from 2,000 draws: deviations of the estimates are 0.22 and 0.16.
    expect(Math.abs(mean)).toBeLessThan(1)
    expect(Math.abs(deviation - 10)).toBeLessThan(0.8)
  })

  it.each<[string, object, RegExp]>([
    ['a window larger than the image', { crop: 5 }, /augment\[crop\]: expected an integer from 1 to 4, got 5/],
    ['no window of an oblong image', { mirror: true }, /augment\[crop\]: expected the side.*6 x 4/],
    ['another border', { crop: 2, pad: 1, border: 'white' }, /augment\[border\]: expected black, mirrored, got/],
    ['a negative border', { crop: 2, pad: -1 }, /augment\[pad\]/],
    ['colour without its components', { crop: 2, colour: 0.1 }, /augment\[colour\]: expected a set whose principal/],
    ['too much colour', { crop: 2, colour: 2 }, /augment\[colour\]: expected a number from 0 to 1, got 2/],
    ['a word for a flag', { crop: 2, mirror: 'yes' }, /augment\[mirror\]: expected true or false, got yes/],
  ])('refuses %s', (_, options, message) => {
    expect(() => augmented(set, options)).toThrow(message)
  })
})

describe('viewed', () => {
  it('gives corners and centre, then the same mirrored', async () => {
    const views = viewed(set, { crop: 2 }, 10)
    expect([views.fields.x.shape, views.views]).toEqual([[10, 3, 2, 2], 10])
    const { image } = await gathered(views, [2])
    const first = image(0).filter((_, i) => i % 12 < 4)
    const at = (top: number, left: number): number[] => [
      ...[0, 1].flatMap((y) => [0, 1].map((x) => 48 + (top + y) * 6 + left + x)),
    ]
    const flipped = ([a, b, c, d]: number[]): number[] => [b!, a!, d!, c!]
    const plain = [at(0, 0), at(0, 4), at(2, 0), at(2, 4), at(1, 2)]
    expect(first).toEqual([...plain, ...plain.map(flipped)].flat())
  })

  it('moves images that training pads by half of that', async () => {
    const square = arrays({
      x: { data: Uint8Array.from({ length: 48 }, (_, i) => 1 + i), shape: [3, 4, 4] },
      target: new Int32Array(1),
    })
    const { image } = await gathered(viewed(square, { pad: 4, mirror: true }, 10), [0])
    const view = (i: number): number[] => image(0).slice(48 * i, 48 * i + 16)
    const moved = (down: number, right: number): number[] =>
      Array.from({ length: 16 }, (_, i) => {
        const [y, x] = [Math.floor(i / 4) + down, (i % 4) + right]
        return y < 0 || y > 3 || x < 0 || x > 3 ? 0 : 1 + 4 * y + x
      })
    const wanted = [moved(-2, -2), moved(-2, 2), moved(2, -2), moved(2, 2), moved(0, 0)]
    expect([0, 1, 2, 3, 4].map(view)).toEqual(wanted)
  })

  it('leaves whole images as they are', () => {
    const square = arrays({ x: { data: new Uint8Array(48), shape: [3, 4, 4] }, target: new Int32Array(1) })
    expect(viewed(square, {}, 1)).toBe(square)
  })
})

describe('statistics', () => {
  it('finds mean, deviation and components', () => {
    const pixels = 50_000
    const planes = new Uint8Array(3 * pixels)
    // Red and green move together along (0.8, 0.6), blue by itself.
    for (let i = 0; i < pixels; i++) {
      const [a, b] = [100 * Math.sin(i), 20 * Math.cos(7 * i)]
      planes[i] = Math.round(128 + 0.8 * a)
      planes[pixels + i] = Math.round(120 + 0.6 * a)
      planes[2 * pixels + i] = Math.round(60 + b)
    }
    const counter = new ColourCounter()
    counter.add(planes, 0, pixels)
    const { mean, std, deviations, components } = statisticsOf(counter.sums)
    expect(mean.map(Math.round)).toEqual([128, 120, 60])
    expect(std[0]).toBeCloseTo(80 / Math.SQRT2, 0)
    expect(deviations[0]).toBeCloseTo(100 / Math.SQRT2, 0)
    expect(deviations[1]).toBeCloseTo(20 / Math.SQRT2, 0)
    expect(components[0]![0]).toBeCloseTo(0.8, 2)
    expect(components[0]![1]).toBeCloseTo(0.6, 2)
    expect(components[1]![2]).toBeCloseTo(1, 2)
  })

  it('solves A v = lambda v', () => {
    const matrix = [
      [4, 1, -2],
      [1, 3, 0.5],
      [-2, 0.5, 5],
    ]
    const { values, vectors } = eigen(matrix)
    expect(values).toEqual([...values].sort((a, b) => b - a))
    expect(values.reduce((a, b) => a + b)).toBeCloseTo(12, 10)
    for (const [i, vector] of vectors.entries()) {
      for (const [row, line] of matrix.entries()) {
        const product = line.reduce((sum, value, j) => sum + value * vector[j]!, 0)
        expect(product).toBeCloseTo(values[i]! * vector[row]!, 10)
      }
    }
  })
})
