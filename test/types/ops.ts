// What the types of ops promise; compiled by ops.test.ts. Every @ts-expect-error must be one.
import type { Tensor } from '../../lib/graph/index.js'
import { grad } from '../../lib/autodiff/index.js'
import * as ops from '../../lib/ops/index.js'

interface Exactly<T> {
  readonly through: (x: T) => T
}
type Same<A, B> = Exactly<A> extends Exactly<B> ? true : false
function expectType<A, B>(_same: Same<A, B>): void {
  // Only its type argument counts.
}

declare const x: Tensor<'f32', [number, 784]>
declare const w: Tensor<'f32', [512, 784]>
declare const b: Tensor<'f32', [512]>
declare const narrow: Tensor<'f32', [number, 256]>
declare const half: Tensor<'bf16', [number, 784]>
declare const batch: Tensor<'f32', [4, 8, 784]>
declare const images: Tensor<'f32', [number, 3, number, number]>
declare const kernel: Tensor<'f32', [64, 3, 5, 5]>
declare const grouped: Tensor<'f32', [64, 1, 5, 5]>
declare const table: Tensor<'f32', [10000, 64]>
declare const words: Tensor<'i32', [number, 35]>
declare const labels: Tensor<'i32', [number]>
declare const anything: Tensor

// A product contracts what it says, in every transposition; an unknown shape is checked when traced.
export const product = ops.matmul(x, w, { transposeB: true, bias: b })
expectType<typeof product, Tensor<'f32', [number, 512]>>(true)
export const gradient = ops.matmul(product, x, { transposeA: true })
expectType<typeof gradient, Tensor<'f32', [512, 784]>>(true)
export const batched = ops.matmul(batch, w, { transposeB: true })
expectType<typeof batched, Tensor<'f32', [4, 8, 512]>>(true)
export const wide: Tensor<'f32', [number, 512]> = ops.matmul(half, half as Tensor as Tensor<'bf16', [784, 512]>, {
  dtype: 'f32',
})
export const unknown: Tensor = ops.matmul(anything, anything)
// @ts-expect-error 784 columns, 512 rows
ops.matmul(x, w)
// @ts-expect-error 256 columns, 784 of the other
ops.matmul(narrow, w, { transposeB: true })
// @ts-expect-error f32 and bf16
ops.matmul(x, half, { transposeB: true })

export const convolved = ops.conv2d(images, kernel, { padding: 2 })
expectType<typeof convolved, Tensor<'f32', [number, 64, number, number]>>(true)
export const depthwise = ops.conv2d(images, grouped, { groups: 3 })
// @ts-expect-error 3 channels, 1 in the kernel
ops.conv2d(images, grouped)
// @ts-expect-error no channels
ops.conv2d(x, kernel)

// Pointwise ops keep equal types and broadcast others.
export const same = ops.tanh(ops.add(ops.mul(x, 2), x))
expectType<typeof same, Tensor<'f32', [number, 784]>>(true)
export const shifted = ops.add(product, b)
expectType<typeof shifted, Tensor<'f32', [number, 512]>>(true)
export const column = ops.sub(product, product as Tensor as Tensor<'f32', [number, 1]>)
expectType<typeof column, Tensor<'f32', [number, 512]>>(true)
export const mask = ops.less(x, 0)
expectType<typeof mask, Tensor<'u8', [number, 784]>>(true)
export const bytes = ops.cast(x, 'u8')
expectType<typeof bytes, Tensor<'u8', [number, 784]>>(true)
// @ts-expect-error f32 and bf16
ops.add(x, half)

export const rows = ops.gather(table, words)
expectType<typeof rows, Tensor<'f32', [number, 35, 64]>>(true)
export const loss = ops.mean(ops.crossEntropy(product, labels))
expectType<typeof loss, Tensor<'f32', []>>(true)
// @ts-expect-error labels are integers
ops.crossEntropy(product, b)
export const turned = ops.transpose(images, [0, 2, 3, 1])
expectType<typeof turned, Tensor<'f32', [number, number, number, 3]>>(true)
export const flat = ops.reshape(x, [-1, 28, 28])
expectType<typeof flat, Tensor<'f32', [number, 28, 28]>>(true)

// A gradient has the type of what it belongs to.
export const gradients = grad(loss, { w, b })
expectType<typeof gradients, { w: Tensor<'f32', [512, 784]>; b: Tensor<'f32', [512]> }>(true)
export const alone = grad(loss, x)
expectType<typeof alone, Tensor<'f32', [number, 784]>>(true)
