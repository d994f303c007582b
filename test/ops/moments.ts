// Means and variances by key (a channel, a group of an example), and what normalisation by them and its gradient are, in float64.
import { at, fill, indices, type NDArray } from '../support/ndarray.js'

/** Of which mean and variance a place has part. */
export type Key = (index: readonly number[]) => readonly number[]

export const byChannel: Key = ([, c]) => [c!]
export const byGroup =
  (channels: number, groups: number): Key =>
  ([n, c]) => [n!, Math.floor(c! / (channels / groups))]

/** Sums by key of a term of each place: an array of `shape`. */
export function sums(
  x: NDArray,
  key: Key,
  shape: readonly number[],
  term: (index: readonly number[]) => number,
): NDArray {
  const totals = new Map<string, number>()
  for (const index of indices(x.shape)) {
    const own = key(index).join()
    totals.set(own, (totals.get(own) ?? 0) + term(index))
  }
  return fill(shape, (index) => totals.get(index.join()) ?? 0)
}

export function moments(
  x: NDArray,
  key: Key,
  shape: readonly number[],
): { mean: NDArray; variance: NDArray; n: number } {
  const n = x.data.length / shape.reduce((product, extent) => product * extent, 1)
  const total = sums(x, key, shape, (i) => at(x, ...i))
  const mean = fill(shape, (i) => at(total, ...i) / n)
  const squares = sums(x, key, shape, (i) => (at(x, ...i) - at(mean, ...key(i))) ** 2)
  return { mean, variance: fill(shape, (i) => at(squares, ...i) / n), n }
}

/** (x - mean) / sqrt(variance + epsilon) at a place. */
export const normalised =
  (x: NDArray, mean: NDArray, variance: NDArray, key: Key, epsilon: number) => (i: readonly number[]) =>
    (at(x, ...i) - at(mean, ...key(i))) / Math.sqrt(at(variance, ...key(i)) + epsilon)

export const relu = (activation: string, x: number) => (activation === 'relu' ? Math.max(x, 0) : x)

/** dx, dscale and dshift from statistics that are given. */
export function gradients(
  [dy, x, scale, mean, variance]: readonly NDArray[],
  key: Key,
  epsilon: number,
  counts: (i: readonly number[]) => boolean,
): NDArray[] {
  const hat = normalised(x!, mean!, variance!, key, epsilon)
  const dz = (i: readonly number[]) => (counts(i) ? at(dy!, ...i) : 0)
  const g = (i: readonly number[]) => dz(i) * at(scale!, i[1]!)
  const n = x!.data.length / mean!.data.length
  const [plain, product] = [sums(x!, key, mean!.shape, g), sums(x!, key, mean!.shape, (i) => g(i) * hat(i))]
  const dx = fill(x!.shape, (i) => {
    const centred = g(i) - at(plain, ...key(i)) / n - (hat(i) * at(product, ...key(i))) / n
    return centred / Math.sqrt(at(variance!, ...key(i)) + epsilon)
  })
  return [dx, sums(x!, byChannel, scale!.shape, (i) => dz(i) * hat(i)), sums(x!, byChannel, scale!.shape, dz)]
}
