// Networks of tanh and of ReLU units: their gradient against central differences of loops over units.
import { apply, type OpCase, opCase, type Sample } from '../support/op-case.js'
import { rnnGradReference, rnnReference } from '../support/recurrent.js'
import { type Extents, tolerance, steps, weights, types, refuses, samplesOf, oneSize, rnnInputs } from './recurrent.js'

const withRelu = (samples: readonly Sample[]) => samples.map((sample) => ({ ...sample, name: `${sample.name}, relu` }))
const [tanhCell, reluCell] = [
  { reverse: false, activation: 'tanh' },
  { reverse: false, activation: 'relu' },
]

const rnn = opCase<{ readonly reverse: boolean; readonly activation: string }>({
  name: 'rnn',
  reference: rnnReference,
  samples: [
    ...samplesOf('rnn', rnnInputs, oneSize, tanhCell, { differentiable: 1 }),
    ...withRelu(samplesOf('rnn', rnnInputs, oneSize, reluCell, { differentiable: 1 })),
  ],
  refusals: [
    refuses(
      apply('rnn', { reverse: false, activation: 'sigmoid' }),
      [
        ['f32', 4, 3, 5],
        ['f32', 5, 5],
        ['f32', 3, 5],
      ],
      /expected activation tanh or relu, got sigmoid/,
    ),
    refuses(
      apply('rnn', tanhCell),
      [
        ['f32', 4, 3, 5],
        ['f32', 5, 5],
        ['bf16', 3, 5],
      ],
      /expected h0 of f32, got bf16\[3, 5\]/,
    ),
  ],
  tolerance,
})

const rnnGradInputs = (of: Extents) => [steps(of, 1), steps(of, 1, 0.9), weights(of, 1)]
const rnnGradSizes = ([t, n, h]: Extents) => [types('float', t, n, h), types('float', n, h)]

const rnnGrad = opCase<{ readonly reverse: boolean; readonly activation: string }>({
  name: 'rnnGrad',
  reference: rnnGradReference,
  samples: [
    ...samplesOf('rnnGrad', rnnGradInputs, rnnGradSizes, tanhCell),
    ...withRelu(samplesOf('rnnGrad', rnnGradInputs, rnnGradSizes, reluCell)),
  ],
  refusals: [
    refuses(
      apply('rnnGrad', tanhCell),
      [
        ['bf16', 4, 3, 5],
        ['f32', 4, 3, 5],
        ['f32', 5, 5],
      ],
      /expected dh of f32, got bf16\[4, 3, 5\]/,
    ),
  ],
  tolerance,
  noGolden: 'its vectors are those of rnn',
})

export const rnnCases: readonly OpCase[] = [rnn, rnnGrad]
