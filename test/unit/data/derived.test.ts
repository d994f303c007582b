// Data sets made from others: parts by a share, mapped fields, and what a field's mean and deviation are.
import { describe, expect, it } from 'vitest'
import { arrays, map, moments, split, subset } from '../../../lib/data/index.js'

const set = () =>
  arrays({
    x: { data: Float32Array.from({ length: 60 }, (_, i) => i), shape: [3, 2] },
    target: Int32Array.from({ length: 10 }, (_, i) => i),
  })

function labels(part: ReturnType<typeof set>): number[] {
  const target = new Int32Array(part.length)
  void part.gather(Uint32Array.from(target.keys()), { target } as never)
  return [...target]
}

describe('split', () => {
  it('draws a share by seed, and leaves nothing out', () => {
    const { train, validation } = split(set(), { share: 0.3 })
    expect([train.length, validation.length]).toEqual([7, 3])
    expect([...labels(train), ...labels(validation)].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(labels(split(set(), { share: 0.3 }).validation)).toEqual(labels(validation))
    const others = [2, 3, 4].map((seed) => labels(split(set(), { share: 0.3, seed }).validation).join())
    expect(others.some((other) => other !== labels(validation).join())).toBe(true)
  })

  it('refuses a share that leaves nothing on either side', () => {
    for (const share of [0, 1, 0.04, 0.96, NaN, -1]) {
      expect(() => split(set(), { share })).toThrow(
        `split[share]: expected a share between 0 and 1 that leaves some of 10 examples on either side, got ${share}`,
      )
    }
    expect(() => split(set(), { share: 0.5, seed: 0.5 })).toThrow('split[seed]: expected an integer of 0 or more')
    expect(() => split(set(), { part: 0.5 } as never)).toThrow('split: expected the options share, seed, got part')
  })
})

describe('map', () => {
  const fields = { sum: { dtype: 'f32', shape: [3] }, index: { dtype: 'i32', shape: [] } } as const
  const sums = (...more: { seed: number; epoch: number }[]) =>
    map(subset(set(), [8, 2, 5]), fields, ({ x, target }, { index, key }) => ({
      sum: [0, 2, 4].map((i) => x[i]! + x[i + 1]! + (key?.epoch ?? 0)),
      index: target[0]! * 10 + index + more.length,
    }))

  it('makes fields of fields, in batches of any order', async () => {
    const out = { sum: new Float32Array(6), index: new Int32Array(2) }
    expect(sums().fields).toEqual(fields)
    expect(sums().length).toBe(3)
    await sums().gather([2, 0], out)
    expect([...out.sum]).toEqual([61, 65, 69, 97, 101, 105])
    expect([...out.index]).toEqual([52, 80])
    await sums().gather([2, 0], out, { seed: 1, epoch: 100 })
    expect([...out.sum].slice(0, 3)).toEqual([161, 165, 169])
  })

  it('refuses what is no such field', async () => {
    const of = (each: () => unknown) =>
      map(set(), { y: { dtype: 'f32', shape: [2] } }, each as never).gather([0], { y: new Float32Array(2) })
    await expect(of(() => ({ y: [1] }))).rejects.toThrow('map[y]: expected 2 numbers for shape [2], got a list of 1')
    await expect(of(() => ({}))).rejects.toThrow('map[y]: expected 2 numbers for shape [2], got nothing')
    expect(() => map(set(), { y: { dtype: 'f64', shape: [2] } } as never, () => ({}))).toThrow(
      'map[fields.y][dtype]: expected u8, i32, f32, got "f64"',
    )
  })
})

it('fields of sequences are refused, as their examples are no rows', async () => {
  const x = { data: new Float32Array(6), shape: [3] }
  const steps = { ...arrays({ x }), fields: { x: { dtype: 'f32', shape: [3], batchAxis: 1 } } } as const
  const message = '[x]: expected a field of one shape with the batch first, got one of sequences'
  expect(() => map(steps, { y: { dtype: 'f32', shape: [3] } }, ({ x: y }) => ({ y }))).toThrow(`map${message}`)
  await expect(moments(steps, 'x')).rejects.toThrow(`moments${message}`)
})

describe('moments', () => {
  const values = (length: number) => Float32Array.from({ length }, (_, i) => Math.sin(i) * 3 + 1000 + (i % 4))
  const big = arrays({ x: { data: values(700 * 8), shape: [4, 2] }, none: new Uint8Array(700) })
  const plainly = (chosen: (i: number) => boolean) => {
    const own = [...values(700 * 8)].filter((_, i) => chosen(i))
    const mean = own.reduce((sum, value) => sum + value, 0) / own.length
    return [mean, Math.sqrt(own.reduce((sum, value) => sum + (value - mean) ** 2, 0) / own.length)]
  }

  it('are of each element, over all batches', async () => {
    const { shape, mean, deviation } = await moments(big, 'x')
    expect([shape, mean.length, deviation.length]).toEqual([[4, 2], 8, 8])
    for (const element of [0, 3, 7]) {
      const [wanted, apart] = plainly((i) => i % 8 === element)
      expect(mean[element]).toBeCloseTo(wanted!, 3)
      expect(deviation[element]).toBeCloseTo(apart!, 5)
    }
  })

  it('are of each channel where that is asked for', async () => {
    const { shape, mean, deviation } = await moments(big, 'x', { of: 'channel' })
    expect([shape, mean.length]).toEqual([[4, 1], 4])
    const [wanted, apart] = plainly((i) => Math.floor((i % 8) / 2) === 2)
    expect(mean[2]).toBeCloseTo(wanted!, 3)
    expect(deviation[2]).toBeCloseTo(apart!, 5)
  })

  it('say 1 for the deviation of what never changes, and refuse what is not finite', async () => {
    expect([...(await moments(big, 'none')).deviation]).toEqual([1])
    await expect(moments(arrays({ x: Float32Array.of(1, NaN) }), 'x')).rejects.toThrow(
      'moments[x]: expected finite values, got others',
    )
    await expect(moments(big, 'y' as never)).rejects.toThrow('moments: expected a field of x, none, got y')
  })

  it('come from the examples that a data set has, and no others', async () => {
    const half = subset(big, [5])
    const x = new Float32Array(8)
    await half.gather([0], { x, none: new Uint8Array(1) })
    expect((await moments(half, 'x')).mean).toEqual(x)
  })
})
