// Recurrent networks in float64, one unit of one stream at a time, and their gradients by the chain rule.
import { addAt, at, fill, type NDArray } from './ndarray.js'

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))

const blank = (shape: readonly number[]): NDArray => fill(shape, () => 0)
const set = (x: NDArray, value: number, ...index: number[]): void => {
  addAt(x, value - at(x, ...index), ...index)
}

/** Order of steps, and for each the one before it (undefined: the first state). */
function stepsOf(count: number, reverse: boolean): { t: number; before: number | undefined }[] {
  const order = Array.from({ length: count }, (_, i) => (reverse ? count - 1 - i : i))
  return order.map((t, i) => ({ t, before: order[i - 1] }))
}

const isThere = (mask: NDArray | undefined, t: number, n: number) => mask === undefined || at(mask, t, n) !== 0

/** The state of a stream before a step. */
const previous = (all: NDArray, first: NDArray, before: number | undefined, n: number, j: number) =>
  before === undefined ? at(first, n, j) : at(all, before, n, j)

/** sum over k of h[k] w[k, column] */
function recurrentSum(w: NDArray, column: number, h: (k: number) => number): number {
  let sum = 0
  for (let k = 0; k < w.shape[0]!; k++) sum += h(k) * at(w, k, column)
  return sum
}

/** Calls `visit` for each step, stream and unit, in the order of time. */
function eachUnit(
  [steps, streams, units]: readonly [number, number, number],
  reverse: boolean,
  visit: (t: number, before: number | undefined, n: number, j: number) => void,
): void {
  for (const { t, before } of stepsOf(steps, reverse)) {
    for (let n = 0; n < streams; n++) for (let j = 0; j < units; j++) visit(t, before, n, j)
  }
}

const extentsOf = (gates: NDArray, w: NDArray): [number, number, number] => [
  gates.shape[0]!,
  gates.shape[1]!,
  w.shape[0]!,
]

/** h, c, activated gates. */
export function lstmReference(
  [gates, w, h0, c0, mask]: readonly NDArray[],
  { reverse }: { readonly reverse: boolean },
): [NDArray, NDArray, NDArray] {
  const extents = extentsOf(gates!, w!)
  const [, , units] = extents
  const [h, c, activated] = [blank(extents), blank(extents), blank(gates!.shape)]
  eachUnit(extents, reverse, (t, before, n, j) => {
    const cell = previous(c, c0!, before, n, j)
    if (!isThere(mask, t, n)) {
      set(h, previous(h, h0!, before, n, j), t, n, j)
      set(c, cell, t, n, j)
      return
    }
    const [i, f, g, o] = [0, 1, 2, 3].map((part) => {
      const column = part * units + j
      const z = at(gates!, t, n, column) + recurrentSum(w!, column, (k) => previous(h, h0!, before, n, k))
      const value = part === 2 ? Math.tanh(z) : sigmoid(z)
      set(activated, value, t, n, column)
      return value
    }) as [number, number, number, number]
    const next = f * cell + i * g
    set(c, next, t, n, j)
    set(h, o * Math.tanh(next), t, n, j)
  })
  return [h, c, activated]
}

/** What comes back to a state: a product of gradients with w transposed, and what went past the product. */
class Backward {
  held: NDArray
  constructor(
    private readonly w: NDArray,
    streams: number,
  ) {
    this.held = blank([streams, w.shape[0]!])
  }

  /** Gradient of the state before a step, where `gradients` [T, N, K] are those of the step's products. */
  add(gradients: NDArray, t: number): void {
    const [streams, units] = this.held.shape as [number, number]
    for (let n = 0; n < streams; n++) {
      for (let j = 0; j < units; j++) {
        for (let k = 0; k < this.w.shape[1]!; k++) addAt(this.held, at(gradients, t, n, k) * at(this.w, j, k), n, j)
      }
    }
  }

  /** Takes what has come to a unit. */
  take(n: number, j: number): number {
    const value = at(this.held, n, j)
    addAt(this.held, -value, n, j)
    return value
  }
}

/** Steps from the last in time to the first, each with the one before it in time. */
const backwards = (count: number, reverse: boolean) => stepsOf(count, reverse).reverse()

/** dgates, dh0, dc0. */
export function lstmGradReference(
  inputs: readonly NDArray[],
  { reverse, cell }: { readonly reverse: boolean; readonly cell: boolean },
): [NDArray, NDArray, NDArray] {
  const [dh, activated, w, c, c0] = inputs
  const [dc, mask] = cell ? [inputs[5], inputs[6]] : [undefined, inputs[5]]
  const [steps, streams, units] = extentsOf(activated!, w!)
  const [dgates, dcell] = [blank(activated!.shape), blank(c0!.shape)]
  const back = new Backward(w!, streams)
  for (const { t, before } of backwards(steps, reverse)) {
    for (let n = 0; n < streams; n++) {
      for (let j = 0; j < units; j++) {
        const dhere = at(dh!, t, n, j) + back.take(n, j)
        if (dc) addAt(dcell, at(dc, t, n, j), n, j)
        if (!isThere(mask, t, n)) {
          addAt(back.held, dhere, n, j)
          continue
        }
        const [i, f, g, o] = [0, 1, 2, 3].map((part) => at(activated!, t, n, part * units + j)) as [
          number,
          number,
          number,
          number,
        ]
        const [now, then] = [Math.tanh(at(c!, t, n, j)), previous(c!, c0!, before, n, j)]
        const all = at(dcell, n, j) + dhere * o * (1 - now ** 2)
        const parts = [
          all * g * i * (1 - i),
          all * then * f * (1 - f),
          all * i * (1 - g ** 2),
          dhere * now * o * (1 - o),
        ]
        parts.forEach((value, part) => {
          set(dgates, value, t, n, part * units + j)
        })
        set(dcell, all * f, n, j)
      }
    }
    back.add(dgates, t)
  }
  return [dgates, back.held, dcell]
}

type RnnAttrs = { readonly reverse: boolean; readonly activation: string }

export function rnnReference([gates, w, h0, mask]: readonly NDArray[], { reverse, activation }: RnnAttrs): [NDArray] {
  const extents = extentsOf(gates!, w!)
  const h = blank(extents)
  eachUnit(extents, reverse, (t, before, n, j) => {
    const z = at(gates!, t, n, j) + recurrentSum(w!, j, (k) => previous(h, h0!, before, n, k))
    const value = activation === 'relu' ? Math.max(z, 0) : Math.tanh(z)
    set(h, isThere(mask, t, n) ? value : previous(h, h0!, before, n, j), t, n, j)
  })
  return [h]
}

/** dgates, dh0. */
export function rnnGradReference(
  [dh, h, w, mask]: readonly NDArray[],
  { reverse, activation }: RnnAttrs,
): [NDArray, NDArray] {
  const [steps, streams, units] = extentsOf(h!, w!)
  const dgates = blank(h!.shape)
  const back = new Backward(w!, streams)
  for (const { t } of backwards(steps, reverse)) {
    for (let n = 0; n < streams; n++) {
      for (let j = 0; j < units; j++) {
        const dhere = at(dh!, t, n, j) + back.take(n, j)
        const value = at(h!, t, n, j)
        if (isThere(mask, t, n))
          set(dgates, dhere * (activation === 'relu' ? Number(value > 0) : 1 - value ** 2), t, n, j)
        else addAt(back.held, dhere, n, j)
      }
    }
    back.add(dgates, t)
  }
  return [dgates, back.held]
}

/** h, and r, z, n with the inner part of n. */
export function gruReference(
  [gates, w, h0, b, mask]: readonly NDArray[],
  { reverse }: { readonly reverse: boolean },
): [NDArray, NDArray] {
  const extents = extentsOf(gates!, w!)
  const [steps, streams, units] = extents
  const [h, activated] = [blank(extents), blank([steps, streams, 4 * units])]
  eachUnit(extents, reverse, (t, before, n, j) => {
    const then = previous(h, h0!, before, n, j)
    if (!isThere(mask, t, n)) {
      set(h, then, t, n, j)
      return
    }
    const inner = (part: number) =>
      at(b!, part * units + j) + recurrentSum(w!, part * units + j, (k) => previous(h, h0!, before, n, k))
    const own = (part: number) => at(gates!, t, n, part * units + j)
    const [r, z, s] = [sigmoid(own(0) + inner(0)), sigmoid(own(1) + inner(1)), inner(2)]
    const state = Math.tanh(own(2) + r * s)
    ;[r, z, state, s].forEach((value, part) => {
      set(activated, value, t, n, part * units + j)
    })
    set(h, (1 - z) * state + z * then, t, n, j)
  })
  return [h, activated]
}

/** dgates, gradients of the products, dh0. */
export function gruGradReference(
  [dh, activated, w, h, h0, mask]: readonly NDArray[],
  { reverse }: { readonly reverse: boolean },
): [NDArray, NDArray, NDArray] {
  const [steps, streams, units] = extentsOf(h!, w!)
  const [dgates, dproducts] = [blank([steps, streams, 3 * units]), blank([steps, streams, 3 * units])]
  const back = new Backward(w!, streams)
  for (const { t, before } of backwards(steps, reverse)) {
    for (let n = 0; n < streams; n++) {
      for (let j = 0; j < units; j++) {
        const dhere = at(dh!, t, n, j) + back.take(n, j)
        if (!isThere(mask, t, n)) {
          addAt(back.held, dhere, n, j)
          continue
        }
        const [r, z, state, s] = [0, 1, 2, 3].map((part) => at(activated!, t, n, part * units + j)) as [
          number,
          number,
          number,
          number,
        ]
        const dn = dhere * (1 - z) * (1 - state ** 2)
        const parts = [dn * s * r * (1 - r), dhere * (previous(h!, h0!, before, n, j) - state) * z * (1 - z), dn]
        parts.forEach((value, part) => {
          set(dgates, value, t, n, part * units + j)
          set(dproducts, part === 2 ? value * r : value, t, n, part * units + j)
        })
        addAt(back.held, dhere * z, n, j)
      }
    }
    back.add(dproducts, t)
  }
  return [dgates, dproducts, back.held]
}
