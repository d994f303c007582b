// Numbers of other element types as f32, which weights are held in.
import type { TensorArray, TensorDtype } from './safetensors-header.js'

/** The element types whose numbers are numbers of f32, F64 to rounding. */
export const WIDENED: readonly TensorDtype[] = ['F32', 'BF16', 'F16', 'F64']

/** The numbers of a tensor of one of those types, as f32. */
export function widened(dtype: TensorDtype, data: TensorArray): Float32Array {
  if (dtype === 'F32') return data as Float32Array
  if (dtype === 'F64') return Float32Array.from(data as Float64Array)
  const raw = data as Uint16Array
  if (dtype === 'F16') return Float32Array.from(raw, halfOf)
  // bf16 is the upper half of an f32.
  return new Float32Array(Uint32Array.from(raw, (bits) => bits << 16).buffer)
}

/** IEEE 754 binary16: a sign, five bits of exponent and ten of the mantissa. */
function halfOf(bits: number): number {
  const sign = bits >> 15 === 0 ? 1 : -1
  const [exponent, mantissa] = [(bits >> 10) & 31, bits & 1023]
  if (exponent === 31) return mantissa === 0 ? sign * Infinity : NaN
  return sign * (exponent === 0 ? mantissa * 2 ** -24 : (1024 + mantissa) * 2 ** (exponent - 25))
}
