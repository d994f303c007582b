// Cells as users write them, in ops, and what they mean: loops over single elements in float64.
import type { Shape, Tensor } from '../../lib/graph/index.js'
import type * as nn from '../../lib/nn/index.js'
import { add, conv2d, matmul, mul, sigmoid, slice, tanh } from '../../lib/ops/index.js'
import { addAt, at, fill, indices, type NDArray } from './ndarray.js'

const plus = add<'f32', Shape, Shape>
const times = mul<'f32', Shape, Shape>

/** Part k of four along the second axis. */
const partsOf = (z: Tensor<'f32'>, like: Tensor<'f32'>) => (k: number) =>
  slice(z, [0, k * (like.shape[1] ?? 1), ...like.shape.slice(2).map(() => 0)], like.shape)

/** Gates that see the cell, over z = x W^T + b [T, N, 4H]: u [H, 4H], p [3, H]. */
export function peepholeCell(u: Tensor<'f32'>, p: Tensor<'f32'>): nn.Cell<'h' | 'c'> {
  const units = u.shape[0] ?? 1
  return {
    states: () => ({ h: [units], c: [units] }),
    step: ([z], { h, c }) => {
      const part = partsOf(plus(z!, matmul<'f32', Shape, Shape>(h, u)), h)
      const seen = (k: number, cell: Tensor<'f32'>) => times(slice(p, [k, 0], [1, units]), cell)
      const [i, f] = [sigmoid(plus(part(0), seen(0, c))), sigmoid(plus(part(1), seen(1, c)))]
      const next = plus(times(f, c), times(i, tanh(part(2))))
      return { h: times(sigmoid(plus(part(3), seen(2, next))), tanh(next)), c: next }
    },
  }
}

/** Images as states, over the convolved input z [T, N, 4C, H, W]: u [4C, C, K, K]. */
export function convolutionalCell(u: Tensor<'f32'>): nn.Cell<'h' | 'c'> {
  const [, channels = 1, kernel = 1] = u.shape
  type Images = Tensor<'f32', [number, number, number, number]>
  return {
    states: ([, ...extents]) => ({ h: [channels, ...extents], c: [channels, ...extents] }),
    step: ([z], { h, c }) => {
      const padding = (kernel - 1) / 2
      const part = partsOf(plus(z!, conv2d(h as Images, u as Images, { padding })), h)
      const next = plus(times(sigmoid(part(1)), c), times(sigmoid(part(0)), tanh(part(2))))
      return { h: times(sigmoid(part(3)), tanh(next)), c: next }
    },
  }
}

const logistic = (x: number) => 1 / (1 + Math.exp(-x))

/**
 * An LSTM of any product between states, [T, N, 4C, ...] and states [N, C, ...] -> h [T, N, C, ...]: `product` gives one element of the
 * product of a state, `peep` what a gate sees of a cell.
 */
function lstmOver(
  [z, h0, c0, mask]: readonly (NDArray | undefined)[],
  reverse: boolean,
  product: (h: NDArray, n: number, channel: number, place: readonly number[]) => number,
  peep: (gate: number, unit: number, cell: number) => number = () => 0,
): NDArray {
  const [steps, rows] = z!.shape as [number, number]
  const channels = c0!.shape[1]!
  const all = fill([steps, ...h0!.shape], () => 0)
  let [h, c] = [h0!, c0!]
  for (let i = 0; i < steps; i++) {
    const t = reverse ? steps - 1 - i : i
    const [nextH, nextC] = [fill(h.shape, () => 0), fill(c.shape, () => 0)]
    for (let n = 0; n < rows; n++) {
      for (const [unit, ...place] of indices(h.shape.slice(1))) {
        const before = at(c, n, unit!, ...place)
        const isThere = mask === undefined || at(mask, t, n) !== 0
        const gate = (k: number) => {
          const channel = k * channels + unit!
          return at(z!, t, n, channel, ...place) + product(h, n, channel, place)
        }
        const cell =
          logistic(gate(1) + peep(1, unit!, before)) * before +
          logistic(gate(0) + peep(0, unit!, before)) * Math.tanh(gate(2))
        const state = logistic(gate(3) + peep(2, unit!, cell)) * Math.tanh(cell)
        addAt(nextC, isThere ? cell : before, n, unit!, ...place)
        addAt(nextH, isThere ? state : at(h, n, unit!, ...place), n, unit!, ...place)
        addAt(all, at(nextH, n, unit!, ...place), t, n, unit!, ...place)
      }
    }
    ;[h, c] = [nextH, nextC]
  }
  return all
}

/** z [T, N, 4H], u [H, 4H], p [3, H], h0 and c0 [N, H], perhaps a mask [T, N] -> h [T, N, H]. */
export function peepholeReference([z, u, p, h0, c0, mask]: readonly NDArray[], reverse: boolean): NDArray {
  return lstmOver(
    [z, h0, c0, mask],
    reverse,
    (h, n, channel) => fill([h.shape[1]!], ([k]) => at(h, n, k!) * at(u!, k!, channel)).data.reduce((a, b) => a + b, 0),
    (gate, unit, cell) => at(p!, gate, unit) * cell,
  )
}

/** z [T, N, 4C, H, W], u [4C, C, K, K], h0 and c0 [N, C, H, W], perhaps a mask [T, N] -> h [T, N, C, H, W]. */
export function convolutionalReference([z, u, h0, c0, mask]: readonly NDArray[], reverse: boolean): NDArray {
  const [, channels, height, width] = u!.shape as [number, number, number, number]
  return lstmOver([z, h0, c0, mask], reverse, (h, n, out, [row, column]) =>
    fill([channels, height, width], ([k, i, j]) => {
      // A place outside the image reads as zero.
      const [y, x] = [row! + i! - (height - 1) / 2, column! + j! - (width - 1) / 2]
      return at(h, n, k!, y, x) * at(u!, out, k!, i!, j!)
    }).data.reduce((a, b) => a + b, 0),
  )
}
