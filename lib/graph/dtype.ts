// Element types of tensors, and the typed array that holds each on the host.

/** Element type of a tensor: `bf16` is bfloat16, `u8` doubles as the result of comparisons (0 or 1). */
export type DType = 'f32' | 'bf16' | 'i32' | 'u8'

export const dtypes: readonly DType[] = ['f32', 'bf16', 'i32', 'u8']

/** Bytes of one element. */
export const dtypeBytes: Readonly<Record<DType, number>> = { f32: 4, bf16: 2, i32: 4, u8: 1 }

/** Host array of each element type; bfloat16 travels as its 16 bits. */
export interface HostArrays {
  f32: Float32Array
  bf16: Uint16Array
  i32: Int32Array
  u8: Uint8Array
}

/** Any typed array that can hold a tensor on the host. */
export type HostArray = HostArrays[DType]

const constructors = { f32: Float32Array, bf16: Uint16Array, i32: Int32Array, u8: Uint8Array } as const

/** Allocates a zeroed host array for `count` elements of `dtype`. */
export function hostArray<D extends DType>(dtype: D, count: number): HostArrays[D] {
  return new constructors[dtype](count) as HostArrays[D]
}

/** True when `array` is the host array type of `dtype`. */
export function isHostArray(dtype: DType, array: unknown): array is HostArray {
  return array instanceof constructors[dtype]
}

/** True for the types that carry gradients. */
export function isFloat(dtype: DType): dtype is 'f32' | 'bf16' {
  return dtype === 'f32' || dtype === 'bf16'
}
