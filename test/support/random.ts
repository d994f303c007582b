// Inputs for tests: seeded, away from the kinks of what they feed, and exactly representable in bfloat16, so that the
// same numbers enter every precision and what is compared is the op, not the rounding of its inputs.
import { count, type Shape } from '../../lib/graph/index.js'

/** Uniform draws in [0, 1): mulberry32. */
export function generator(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

const word = new DataView(new ArrayBuffer(4))

/** The nearest bfloat16, ties to even. */
export function toBf16(x: number): number {
  word.setFloat32(0, x)
  const bits = word.getUint32(0)
  word.setUint32(0, (bits + 0x7fff + ((bits >>> 16) & 1)) & 0xffff0000)
  return word.getFloat32(0)
}

export type Draw = (shape: Shape, random: () => number) => number[]

/** Uniform in [low, high], at least `margin` away from each of `kinks`. */
export function uniform(low = -2, high = 2, kinks: readonly number[] = [], margin = 0.1): Draw {
  return (shape, random) =>
    Array.from({ length: count(shape) }, () => {
      for (;;) {
        const x = toBf16(low + (high - low) * random())
        if (kinks.every((kink) => Math.abs(x - kink) >= margin)) return x
      }
    })
}

/** A shuffle of multiples of 1/8 around 0: no two elements are close, so no maximum is in doubt. */
export const distinct: Draw = (shape, random) => {
  const n = count(shape)
  const values = Array.from({ length: n }, (_, i) => (i - n / 2) / 8 + 1 / 16)
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    ;[values[i], values[j]] = [values[j]!, values[i]!]
  }
  return values
}

/** Integers in [low, high). */
export function integers(low: number, high: number): Draw {
  return (shape, random) => Array.from({ length: count(shape) }, () => low + Math.floor(random() * (high - low)))
}

/** These values. */
export function exactly(...values: readonly number[]): Draw {
  return () => [...values]
}
