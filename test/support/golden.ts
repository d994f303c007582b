// Vectors that PyTorch computed in float64 (test/golden/make_golden.py), against the references and the backward graphs.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { expect } from 'vitest'
import type { Attrs } from '../../lib/graph/index.js'
import { difference } from './compare.js'
import { ndarray, type NDArray } from './ndarray.js'
import { apply, input, type Sample, type SampleDType } from './op-case.js'
import { exactly } from './random.js'
import { drawInputs, gradientSample, graphOf, outputsOf } from './samples.js'

interface GoldenArray {
  readonly dtype: SampleDType
  readonly shape: readonly number[]
  readonly data: readonly number[]
}

export interface GoldenVector {
  readonly op: string
  readonly name: string
  readonly attrs: Attrs
  readonly inputs: readonly GoldenArray[]
  readonly outputs: readonly GoldenArray[]
  /** dL/d(output) of the float outputs, and dL/d(input) of the float inputs. Absent where the op has no gradient. */
  readonly cotangents?: readonly GoldenArray[]
  readonly gradients?: readonly GoldenArray[]
}

const folder = new URL('../golden/', import.meta.url)

const all: readonly GoldenVector[] = (existsSync(folder) ? readdirSync(folder) : [])
  .filter((file) => file.endsWith('.json'))
  .sort()
  .flatMap((file) => JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as GoldenVector[])

export function goldenOf(op: string): readonly GoldenVector[] {
  return all.filter((vector) => vector.op === op)
}

const array = ({ shape, data }: GoldenArray): NDArray => ndarray(shape, data)

// Both sides compute in float64; they differ in the order of their sums.
const bound = { tolerance: 1e-12, relativeTo: 'tensor' } as const

export function checkGolden(op: string, vector: GoldenVector): void {
  const given = (arrays: readonly GoldenArray[]) => arrays.map((x) => input(x.dtype, x.shape, exactly(...x.data)))
  const sample: Sample = {
    name: vector.name,
    inputs: given(vector.inputs),
    // What comes after the outputs that PyTorch has is reserved for the gradient.
    build: (...tensors) => [apply(op, vector.attrs)(...tensors)].flat().slice(0, vector.outputs.length),
    outputs: [],
  }
  const outputs = outputsOf(graphOf(sample, 'f32'), drawInputs(sample))
  vector.outputs.forEach((want, i) => {
    expect(difference(outputs[i]!, array(want), bound), `output ${i}`).toBeUndefined()
  })
  if (vector.cotangents === undefined) return
  const gradient = gradientSample(sample)
  const inputs = [...vector.inputs, ...vector.cotangents].map(array)
  const gradients = outputsOf(graphOf(gradient, 'f32'), inputs)
  vector.gradients?.forEach((want, i) => {
    expect(difference(gradients[i]!, array(want), bound), `gradient ${i}`).toBeUndefined()
  })
}
