// The lstm: its gradient against central differences of loops over units.
import { apply, input, type OpCase, opCase } from '../support/op-case.js'
import { uniform } from '../support/random.js'
import { lstmGradReference, lstmReference } from '../support/recurrent.js'
import {
  type Extents,
  type Shapes,
  tolerance,
  steps,
  wide,
  weights,
  wideState,
  types,
  refuses,
  samplesOf,
  lstmInputs,
  forwards,
} from './recurrent.js'

const lstmSizes = ([t, n, h]: Extents) => [types('float', t, n, h), types('f32', t, n, h), types('float', t, n, 4 * h)]
const good: Shapes = [
  ['f32', 4, 3, 20],
  ['f32', 5, 20],
  ['f32', 3, 5],
  ['f32', 3, 5],
]

const lstm = opCase<{ readonly reverse: boolean }>({
  name: 'lstm',
  reference: lstmReference,
  samples: samplesOf('lstm', lstmInputs, lstmSizes, forwards, { differentiable: 2 }),
  refusals: [
    refuses(apply('lstm', forwards), good.slice(0, 3), /expected 4 or 5 inputs, got 3/),
    refuses(apply('lstm', forwards), good.with(0, ['f32', 4, 60]), /expected gates with 3 axes, got \[4, 60\]/),
    refuses(apply('lstm', forwards), good.with(1, ['f32', 5, 15]), /expected w of shape \[5, 20\], got \[5, 15\]/),
    refuses(
      apply('lstm', forwards),
      good.with(1, ['bf16', 5, 20]),
      /expected gates and w of one dtype, got f32 and bf16/,
    ),
    refuses(
      apply('lstm', forwards),
      good.with(0, ['f32', 4, 3, 16]),
      /expected gates of shape \[4, 3, 20\], got \[4, 3, 16\]/,
    ),
    refuses(apply('lstm', forwards), good.with(2, ['f32', 4, 5]), /expected h0 of shape \[3, 5\], got \[4, 5\]/),
    refuses(apply('lstm', forwards), good.with(3, ['bf16', 3, 5]), /expected c0 of f32, got bf16\[3, 5\]/),
    refuses(apply('lstm', forwards), [...good, ['f32', 4, 3]], /expected a mask of u8, got f32\[4, 3\]/),
    refuses(apply('lstm', forwards), [...good, ['u8', 3, 4]], /expected a mask of shape \[4, 3\], got \[3, 4\]/),
  ],
  tolerance,
})

const lstmGradInputs = (of: Extents) => [
  steps(of, 1),
  // Values of sigmoid and tanh.
  input('float', [of[0], of[1], 4 * of[2]], uniform(0.1, 0.9)),
  weights(of, 4),
  wide(of),
  wideState(of),
]
const lstmGradSizes = ([t, n, h]: Extents) => [types('float', t, n, 4 * h), types('float', n, h), types('f32', n, h)]

const lstmGrad = opCase<{ readonly reverse: boolean; readonly cell: boolean }>({
  name: 'lstmGrad',
  reference: lstmGradReference,
  samples: [
    ...samplesOf('lstmGrad', lstmGradInputs, lstmGradSizes, { reverse: false, cell: false }),
    ...samplesOf('lstmGrad', (of) => [...lstmGradInputs(of), wide(of)], lstmGradSizes, {
      reverse: false,
      cell: true,
    }).map((sample) => ({ ...sample, name: `${sample.name}, with a gradient of c` })),
  ],
  refusals: [
    refuses(
      apply('lstmGrad', { reverse: false, cell: true }),
      [
        ['f32', 4, 3, 5],
        ['f32', 4, 3, 20],
        ['f32', 5, 20],
        ['f32', 4, 3, 5],
        ['f32', 3, 5],
      ],
      /expected 6 or 7 inputs, got 5/,
    ),
    refuses(
      apply('lstmGrad', { reverse: false, cell: false }),
      [
        ['f32', 4, 3, 4],
        ['f32', 4, 3, 20],
        ['f32', 5, 20],
        ['f32', 4, 3, 5],
        ['f32', 3, 5],
      ],
      /expected dh of shape \[4, 3, 5\], got \[4, 3, 4\]/,
    ),
  ],
  tolerance,
  noGolden: 'its vectors are those of lstm',
})

export const lstmCases: readonly OpCase[] = [lstm, lstmGrad]
