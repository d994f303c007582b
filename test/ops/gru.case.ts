// The gru: its gradient against central differences of loops over units.
import { apply, input, type OpCase, opCase } from '../support/op-case.js'
import { uniform } from '../support/random.js'
import { gruGradReference, gruReference } from '../support/recurrent.js'
import {
  type Extents,
  tolerance,
  steps,
  weights,
  state,
  types,
  refuses,
  samplesOf,
  gruInputs,
  forwards,
} from './recurrent.js'

const gruSizes = ([t, n, h]: Extents) => [types('float', t, n, h), types('float', t, n, 4 * h)]

const gru = opCase<{ readonly reverse: boolean }>({
  name: 'gru',
  reference: gruReference,
  samples: samplesOf('gru', gruInputs, gruSizes, forwards, { differentiable: 1 }),
  refusals: [
    refuses(
      apply('gru', forwards),
      [
        ['f32', 4, 3, 15],
        ['f32', 5, 15],
        ['f32', 3, 5],
        ['f32', 5],
      ],
      /expected a bias of shape \[15\], got \[5\]/,
    ),
  ],
  tolerance,
})

const gruGradInputs = (of: Extents) => [
  steps(of, 1),
  input('float', [of[0], of[1], 4 * of[2]], uniform(0.1, 0.9)),
  weights(of, 3),
  steps(of, 1),
  state(of),
]
const gruGradSizes = ([t, n, h]: Extents) => [
  types('float', t, n, 3 * h),
  types('float', t, n, 3 * h),
  types('float', n, h),
]

const gruGrad = opCase<{ readonly reverse: boolean }>({
  name: 'gruGrad',
  reference: gruGradReference,
  samples: samplesOf('gruGrad', gruGradInputs, gruGradSizes, forwards),
  refusals: [
    refuses(
      apply('gruGrad', forwards),
      [
        ['f32', 4, 3, 5],
        ['f32', 4, 3, 15],
        ['f32', 5, 15],
        ['f32', 4, 3, 5],
        ['f32', 3, 5],
      ],
      /expected activated gates of shape \[4, 3, 20\], got \[4, 3, 15\]/,
    ),
  ],
  tolerance,
  noGolden: 'its vectors are those of gru',
})

export const gruCases: readonly OpCase[] = [gru, gruGrad]
