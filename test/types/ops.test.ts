// Types of ops: right ones compile, and wrong ones name both extents.
import { describe, expect, test } from 'vitest'
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

describe('an op that lacks a trait', () => {
  const rules = `attributes: {}, infer: (inputs) => inputs, vjp: notDifferentiable('no')`
  const declared = (traits: string) =>
    compile(`import { defineOp, notDifferentiable } from '../../lib/graph/index.js'
      export const op = defineOp({ name: 'x', ${traits}, ${rules} })`).errors
  const full = {
    pointwise: ["kind: 'pointwise'", "inBf16: 'f32'", 'formula: (x = 0) => x'],
    kernel: ["kind: 'kernel'", 'inBf16: 2', 'moves: false', "epilogue: 'none'"],
  }

  test.each(['pointwise', 'kernel'] as const)('%s, does not compile', (kind) => {
    expect(declared(full[kind].join(', '))).toEqual([])
    for (const [i, trait] of full[kind].entries()) {
      if (i === 0) continue
      const [name] = trait.split(':')
      const errors = declared(full[kind].filter((other) => other !== trait).join(', '))
      expect(errors).toHaveLength(1)
      expect(errors[0]).toContain(`Property '${name}' is missing`)
    }
  })
})
