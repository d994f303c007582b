// Loops over units against compositions of single ops, one step after the other.
import type { Tensor } from '../../lib/graph/index.js'
import type { NDArray } from '../support/ndarray.js'
import { type OpCase, opCase, type Sample, type SampleInput } from '../support/op-case.js'
import { gruReference, lstmReference, rnnReference } from '../support/recurrent.js'
import { unrolledGru, unrolledLstm, unrolledRnn } from '../support/unrolled.js'
import { tolerance, small, lengths, variations, oneSize, lstmInputs, rnnInputs, gruInputs } from './recurrent.js'

/** A composition of single ops, whose value is that of the loops over units. */
function unrolled(
  name: string,
  inputs: readonly SampleInput[],
  build: (mask: Tensor<'u8'> | undefined, reverse: boolean, ...tensors: readonly Tensor[]) => Tensor,
  value: (inputs: readonly NDArray[], reverse: boolean) => NDArray,
): OpCase {
  const variants = variations.slice(0, 4).map(({ name: what, attrs, mask = false }): Sample => {
    const backwards = attrs?.['reverse'] === true
    return {
      name: what,
      inputs: mask ? [...inputs, lengths(small)] : inputs,
      build: (...tensors) => {
        const last = mask ? (tensors.at(-1) as Tensor<'u8'>) : undefined
        return build(last, backwards, ...tensors)
      },
      outputs: oneSize(small),
      value: (...arrays) => value(arrays, backwards),
      noSecondGradient: 'that of its ops',
    }
  })
  const plain = variants.map((sample) => ({
    ...sample,
    inputs: sample.inputs.map((one) => ({ ...one, dtype: one.dtype === 'float' ? ('f32' as const) : one.dtype })),
    outputs: sample.outputs.map((type) => type.replace('float', 'f32')),
  }))
  return opCase({ name, samples: plain, refusals: [], tolerance })
}

export const unrolledCases: readonly OpCase[] = [
  unrolled(
    'unrolled lstm',
    lstmInputs(small),
    (mask, reverse, gates, w, h, c) => unrolledLstm(gates, w, { h: h, c: c }, { reverse, ...(mask && { mask }) }).h,
    (arrays, reverse) => lstmReference(arrays, { reverse })[0],
  ),
  unrolled(
    'unrolled rnn',
    rnnInputs(small),
    (mask, reverse, gates, w, h) => unrolledRnn(gates, w, h, { reverse, ...(mask && { mask }) }),
    (arrays, reverse) => rnnReference(arrays, { reverse, activation: 'tanh' })[0],
  ),
  unrolled(
    'unrolled gru',
    gruInputs(small),
    (mask, reverse, gates, w, h, b) => unrolledGru(gates, w, b, h, { reverse, ...(mask && { mask }) }),
    (arrays, reverse) => gruReference(arrays, { reverse })[0],
  ),
]
