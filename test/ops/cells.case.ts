// The loop over time around cells that users write: a peephole LSTM and a convolutional one, in both directions, over sequences of
// several lengths; and the mask of lengths.
import type { Tensor } from '../../lib/graph/index.js'
import * as nn from '../../lib/nn/index.js'
import { sequenceMask } from '../../lib/ops/index.js'
import { convolutionalCell, convolutionalReference, peepholeCell, peepholeReference } from '../support/cells.js'
import { fill, type NDArray } from '../support/ndarray.js'
import { exact, input, type OpCase, opCase, type Sample, type SampleInput } from '../support/op-case.js'
import { exactly, uniform } from '../support/random.js'
import { lengths, small, tolerance, variations } from './recurrent.js'

const f32 = (...shape: number[]) => input('f32', shape, uniform(-1, 1))
const [steps, rows] = small

/** A cell's inputs: z, its weights, first states h and c, perhaps a mask. */
function cellCase(
  name: string,
  inputs: readonly SampleInput[],
  cellOf: (weights: readonly Tensor<'f32'>[]) => nn.Cell<'h' | 'c'>,
  reference: (arrays: readonly NDArray[], reverse: boolean) => NDArray,
): OpCase {
  const state = inputs.at(-1)!.shape
  const samples = variations.slice(0, 4).map(({ name: what, attrs, mask = false }): Sample => {
    const reverse = attrs?.['reverse'] === true
    return {
      name: what,
      inputs: mask ? [...inputs, lengths(small)] : inputs,
      build: (z, ...others) => {
        const given = others as readonly Tensor<'f32'>[]
        const weights = given.slice(0, inputs.length - 3)
        const [h, c] = given.slice(weights.length) as [Tensor<'f32'>, Tensor<'f32'>]
        const layer = nn.recurrent(cellOf(weights), { reverse })
        const call = { start: { h, c }, ...(mask && { mask: others.at(-1) as Tensor<'u8'> }) }
        const { output, last } = layer.run(z as Tensor<'f32'>, call)
        return [output, last.c]
      },
      outputs: [`f32[${[steps, ...state].join(', ')}]`, `f32[${state.join(', ')}]`],
      value: (...arrays) => reference(arrays, reverse),
      noSecondGradient: 'that of its ops',
    }
  })
  return opCase({ name, samples, refusals: [], tolerance })
}

const counts = [3, 0, 5, 1]

export const cellCases: readonly OpCase[] = [
  cellCase(
    'peephole cell',
    [f32(steps, rows, 20), f32(5, 20), f32(3, 5), f32(rows, 5), f32(rows, 5)],
    ([u, p]) => peepholeCell(u!, p!),
    peepholeReference,
  ),
  cellCase(
    'convolutional cell',
    [f32(steps, rows, 8, 4, 3), f32(8, 2, 3, 3), f32(rows, 2, 4, 3), f32(rows, 2, 4, 3)],
    ([u]) => convolutionalCell(u!),
    convolutionalReference,
  ),
  opCase({
    name: 'sequenceMask',
    samples: [
      {
        name: 'none, some and all steps',
        inputs: [input('i32', [4], exactly(...counts))],
        build: (of) => sequenceMask(of as Tensor<'i32'>, 5),
        outputs: ['u8[5, 4]'],
        value: () => fill([5, 4], ([t, n]) => Number(t! < counts[n!]!)),
        noGradient: 'a mask',
      },
    ],
    refusals: [],
    tolerance: exact,
  }),
]
