// Losses, and functions that are composed of ops, against PyTorch's values and gradients in float64 (test/golden).
import { expect, test } from 'vitest'
import { grad } from '../../../lib/autodiff/index.js'
import { constant, feed, isFloat, type Tensor, trace } from '../../../lib/graph/index.js'
import * as nn from '../../../lib/nn/index.js'
import * as ops from '../../../lib/ops/index.js'
import { difference } from '../../support/compare.js'
import { type GoldenVector, goldenOf } from '../../support/golden.js'
import { interpret } from '../../support/interpreter.js'
import { ndarray } from '../../support/ndarray.js'

type Build = (...inputs: Tensor[]) => Tensor
type Attrs = Readonly<Record<string, unknown>>

/** A loss over its operands, then the tensors among its options. */
function lossOf(name: string, { takes, weights, ...options }: Attrs): Build {
  const loss = nn[name as 'tripletMargin'] as unknown as Build
  const names = takes as readonly string[]
  return (...inputs) => {
    const operands = inputs.slice(0, inputs.length - names.length)
    const tensors = Object.fromEntries(names.map((option, i) => [option, inputs[operands.length + i]]))
    const each = Array.isArray(weights) ? { weights: constant('f32', [weights.length], weights as number[]) } : {}
    return loss(...operands, { ...options, ...tensors, ...each } as never)
  }
}

const composed: Readonly<Record<string, (attrs: Attrs) => Build>> = {
  conv1d: (attrs) => (x, w, bias) => ops.conv1d(x, w, { ...attrs, bias: bias as Tensor<'f32'> }),
  convTranspose2d: (attrs) => (x, w, bias) => ops.convTranspose2d(x, w, { ...attrs, bias: bias as Tensor<'f32'> }),
  globalAvgPool2d: () => (x) => ops.globalAvgPool2d(x),
  upsample2d:
    ({ factor, ...options }) =>
    (x) =>
      ops.upsample2d(x, factor as number, options),
}

const losses = ['crossEntropy', 'binaryCrossEntropy', 'meanAbsoluteError', 'meanSquaredError', 'huber'].concat(
  'cosineEmbedding',
  'tripletMargin',
)

function check(vector: GoldenVector, build: Build): void {
  const arrays = [...vector.inputs, ...(vector.cotangents ?? [])]
  const graph = trace({ name: 'golden' }, () => {
    const tensors = arrays.map(({ dtype, shape }, i) => feed(`in${i}`, dtype === 'float' ? 'f32' : dtype, shape))
    const inputs = tensors.slice(0, vector.inputs.length)
    const y = build(...inputs)
    const slopes = grad(
      ops.sum(ops.mul(y, tensors.at(-1)!)),
      inputs.filter(({ dtype }) => isFloat(dtype)),
    )
    return { y, ...Object.fromEntries(slopes.map((slope, i) => [`d${i}`, slope])) }
  })
  const feeds = Object.fromEntries(arrays.map(({ shape, data }, i) => [`in${i}`, ndarray(shape, data)]))
  const { fetches } = interpret(graph, feeds)
  const wanted = { y: vector.outputs[0]!, ...Object.fromEntries(vector.gradients!.map((g, i) => [`d${i}`, g])) }
  for (const [name, { shape, data }] of Object.entries(wanted)) {
    const bound = { tolerance: 1e-10, relativeTo: 'tensor' } as const
    expect(difference(fetches[name]!, ndarray(shape, data), bound), name).toBeUndefined()
  }
}

const vectors = [...losses, ...Object.keys(composed)].flatMap((name) => {
  const own = goldenOf(`${name}()`)
  expect(own.length, name).toBeGreaterThan(0)
  return own.map((vector) => [`${name}, ${vector.name}`, name, vector] as const)
})

test.each(vectors)('%s', (_title, name, vector) => {
  check(vector, composed[name]?.(vector.attrs) ?? lossOf(name, vector.attrs))
})
