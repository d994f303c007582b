// Convolution in plain loops, and the shapes that its cases and those of its gradients share.
import { addAt, at, fill, indices, type NDArray } from '../support/ndarray.js'
import { activated } from './activated.js'

export type Geometry = {
  readonly stride: readonly number[]
  readonly padding: readonly number[]
  readonly dilation: readonly number[]
  readonly groups: number
}

/** Calls `visit` for every product that a convolution sums: positions in y, x and w. */
export function forEachTap(
  y: readonly number[],
  x: readonly number[],
  w: readonly number[],
  { stride, padding, dilation, groups }: Geometry,
  visit: (y: number[], x: number[], w: number[]) => void,
): void {
  const taps = indices(w.slice(1)) as [number, number, number][]
  for (const [n, o, i, j] of indices(y) as [number, number, number, number][]) {
    for (const [c, kh, kw] of taps) {
      const row = i * stride[0]! - padding[0]! + kh * dilation[0]!
      const column = j * stride[1]! - padding[1]! + kw * dilation[1]!
      if (row < 0 || row >= x[2]! || column < 0 || column >= x[3]!) continue
      const channel = Math.floor(o / (y[1]! / groups)) * w[1]! + c
      visit([n, o, i, j], [n, channel, row, column], [o, c, kh, kw])
    }
  }
}

/** A convolution, element by element. */
export function convolved(
  [x, w, bias]: readonly NDArray[],
  attrs: Geometry & { readonly activation: string },
  shape: readonly number[],
): NDArray {
  const y = fill(shape, ([, channel]) => (bias === undefined ? 0 : at(bias, channel!)))
  forEachTap(shape, x!.shape, w!.shape, attrs, (iy, ix, iw) => {
    addAt(y, at(x!, ...ix) * at(w!, ...iw), ...iy)
  })
  return { shape, data: y.data.map((value) => activated(attrs.activation, value)) }
}

export interface Layout {
  readonly name: string
  readonly x: number[]
  readonly w: number[]
  readonly y: number[]
  readonly attrs: Geometry
}

export const dense: Geometry = { stride: [1, 1], padding: [0, 0, 0, 0], dilation: [1, 1], groups: 1 }

export const layouts: readonly Layout[] = [
  { name: 'dense', x: [2, 3, 5, 6], w: [4, 3, 3, 2], y: [2, 4, 3, 5], attrs: dense },
  {
    name: 'strided, with a row left over',
    x: [1, 2, 6, 7],
    w: [3, 2, 3, 3],
    y: [1, 3, 3, 3],
    attrs: { ...dense, stride: [2, 3], padding: [1, 1, 1, 1] },
  },
  {
    name: 'uneven padding',
    x: [1, 2, 4, 3],
    w: [2, 2, 3, 3],
    y: [1, 2, 5, 3],
    attrs: { ...dense, padding: [2, 0, 1, 2] },
  },
  {
    name: 'dilated',
    x: [1, 2, 6, 5],
    w: [2, 2, 2, 3],
    y: [1, 2, 4, 3],
    attrs: { ...dense, dilation: [2, 2], padding: [0, 1, 0, 1] },
  },
  {
    name: 'grouped',
    x: [2, 4, 4, 4],
    w: [6, 2, 3, 3],
    y: [2, 6, 4, 4],
    attrs: { ...dense, groups: 2, padding: [1, 1, 1, 1] },
  },
  // Channels that fill oneDNN's blocks, and that do not.
  {
    name: 'two groups of eight',
    x: [2, 16, 5, 4],
    w: [16, 8, 3, 3],
    y: [2, 16, 5, 4],
    attrs: { ...dense, groups: 2, padding: [1, 1, 1, 1] },
  },
  {
    name: 'uneven groups',
    x: [1, 24, 4, 3],
    w: [16, 12, 2, 2],
    y: [1, 16, 3, 2],
    attrs: { ...dense, groups: 2 },
  },
  {
    name: 'depthwise, eight channels',
    x: [1, 8, 4, 4],
    w: [8, 1, 3, 3],
    y: [1, 8, 2, 2],
    attrs: { ...dense, groups: 8 },
  },
  { name: 'depthwise', x: [1, 3, 4, 4], w: [3, 1, 2, 2], y: [1, 3, 3, 3], attrs: { ...dense, groups: 3 } },
  { name: 'one by one', x: [2, 3, 3, 3], w: [5, 3, 1, 1], y: [2, 5, 3, 3], attrs: dense },
]

// Channels enough for Winograd's form of it, and tiles that reach beyond the edges.
export const many: readonly Layout[] = [
  {
    name: 'three by three, many channels',
    x: [1, 64, 5, 4],
    w: [64, 64, 3, 3],
    y: [1, 64, 5, 4],
    attrs: { ...dense, padding: [1, 1, 1, 1] },
  },
  {
    name: 'five by five, many channels, uneven padding',
    x: [1, 64, 4, 4],
    w: [64, 64, 5, 5],
    y: [1, 64, 3, 3],
    attrs: { ...dense, padding: [2, 1, 1, 2] },
  },
  {
    name: 'two groups of many channels',
    x: [1, 128, 3, 4],
    w: [128, 64, 3, 3],
    y: [1, 128, 3, 4],
    attrs: { ...dense, groups: 2, padding: [1, 1, 1, 1] },
  },
]
