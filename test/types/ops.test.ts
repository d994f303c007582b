// Types of ops: right ones compile, and wrong ones name both extents.
import { expect, test } from 'vitest'
import { compile, compileFile } from './compiler.js'

test('what compiles and what does not', () => {
  expect(compileFile('ops.ts')).toEqual([])
})

const declarations = `import * as ops from '../../lib/ops/index.js'
declare const x: Tensor<'f32', [number, 784]>
declare const images: Tensor<'f32', [number, 3, number, number]>
`

test.each([
  [
    'rows',
    "declare const w: Tensor<'f32', [256, 10]>\nops.matmul(x, w)",
    ["Type '256' is not assignable to type '784'"],
  ],
  [
    'transposed rows',
    "declare const w: Tensor<'f32', [10, 256]>\nops.matmul(x, w, { transposeB: true })",
    ["Type '256' is not assignable to type '784'"],
  ],
  [
    'channels',
    "declare const w: Tensor<'f32', [64, 1, 5, 5]>\nops.conv2d(images, w)",
    ["Type '1' is not assignable to type '3'"],
  ],
  [
    'dtypes',
    "declare const w: Tensor<'bf16', [784, 10]>\nops.matmul(x, w)",
    [`Type '"bf16"' is not assignable to type '"f32"'`],
  ],
])('%s that do not fit', (_what, source, sentences) => {
  const { errors } = compile(declarations + source)
  expect(errors).toHaveLength(1)
  for (const sentence of sentences) expect(errors[0]).toContain(sentence)
})
