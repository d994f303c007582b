// A batch of random inputs and labels, for measuring.
import type { FieldArray, FieldSpec } from './dataset.js'
import { PhiloxStream } from './philox.js'

/** Noise repeats after so many numbers: more would take longer to make than to use. */
const period = 1 << 16

/**
 * `x` of an example's type with the batch before it (bytes 0..255, floats in [-1, 1), integers 0) and `target` i32 [batch].
 * @example madeUp(128, { dtype: 'u8', shape: [3, 224, 224] }, 1000)
 */
export function madeUp(
  batch: number,
  { dtype, shape }: FieldSpec,
  classes: number,
): { readonly x: FieldArray; readonly target: Int32Array } {
  const noise = new PhiloxStream(1, 0, 0)
  const bytes = Uint8Array.from({ length: period }, () => noise.below(256))
  const target = Int32Array.from({ length: batch }, () => noise.below(classes))
  const length = shape.reduce((product, extent) => product * extent, batch)
  if (dtype === 'u8') return { x: repeated(new Uint8Array(length), bytes), target }
  if (dtype === 'i32') return { x: new Int32Array(length), target }
  return {
    x: repeated(
      new Float32Array(length),
      Float32Array.from(bytes, (byte) => byte / 128 - 1),
    ),
    target,
  }
}

/** Fills `into` with `tile`; a step that is no multiple of an image's rows keeps examples apart. */
function repeated<T extends Uint8Array | Float32Array>(into: T, tile: T): T {
  const width = tile.length - 1
  for (let i = 0; i < into.length; i += width) into.set(tile.subarray(0, Math.min(width, into.length - i)), i)
  return into
}
