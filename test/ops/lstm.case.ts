// Recurrent networks: gradients against central differences of loops over units, those loops against compositions of single
// ops, both directions, sequences of several lengths, states to start from.
import type { Tensor } from '../../lib/graph/index.js'
import type { NDArray } from '../support/ndarray.js'
import {
  apply,
  type Build,
  input,
  type OpCase,
  opCase,
  type Refusal,
  type Sample,
  type SampleInput,
  type Tolerance,
} from '../support/op-case.js'
import { exactly, uniform } from '../support/random.js'
import {
  gruGradReference,
  gruReference,
  lstmGradReference,
  lstmReference,
  rnnGradReference,
  rnnReference,
} from '../support/recurrent.js'
import { unrolledGru, unrolledLstm, unrolledRnn } from '../support/unrolled.js'

const tolerance: Tolerance = {
  f32: 2 ** -17,
  bf16: 2 ** -5,
  relativeTo: 'tensor',
  spreads: true,
  reason: 'sums of products go through the cells of all steps; in bf16 a backend may round the state at each of them',
}

/** T, N, H */
type Extents = readonly [number, number, number]
const small: Extents = [4, 3, 5]

const steps = ([t, n, h]: Extents, parts: number, scale = 1) =>
  input('float', [t, n, parts * h], uniform(-scale, scale))
const wide = ([t, n, h]: Extents) => input('f32', [t, n, h], uniform(-1, 1))
const weights = ([, , h]: Extents, parts: number) => input('float', [h, parts * h], uniform(-0.5, 0.5))
const state = ([, n, h]: Extents) => input('float', [n, h], uniform(-1, 1))
const wideState = ([, n, h]: Extents) => input('f32', [n, h], uniform(-1, 1))

/** Streams of T, T - 2, 1, T, ... steps. */
const lengths = ([t, n]: Extents): SampleInput => {
  const lengthOf = (stream: number) => [t, Math.max(1, t - 2), 1][stream % 3]!
  const mask = Array.from({ length: t * n }, (_, i) => Number(Math.floor(i / n) < lengthOf(i % n)))
  return input('u8', [t, n], exactly(...mask))
}

const types = (dtype: string, ...shape: number[]) => `${dtype}[${shape.join(', ')}]`

interface Variation {
  readonly name: string
  readonly extents: Extents
  readonly attrs?: Readonly<Record<string, boolean | string>>
  readonly mask?: boolean
  readonly large?: boolean
}

const variations: readonly Variation[] = [
  { name: 'some steps', extents: small },
  { name: 'reversed', extents: small, attrs: { reverse: true } },
  { name: 'sequences of several lengths', extents: small, mask: true },
  { name: 'reversed, of several lengths', extents: small, attrs: { reverse: true }, mask: true },
  { name: 'one step', extents: [1, 2, 3] },
  { name: 'one unit', extents: [3, 2, 1] },
  { name: 'units of several blocks', extents: [3, 7, 37], large: true },
  { name: 'work for two threads', extents: [3, 20, 72], large: true },
]

/** One sample for each variation; `outputs` of them are those that have a gradient. */
function samplesOf(
  name: string,
  inputs: (extents: Extents) => readonly SampleInput[],
  outputs: (extents: Extents) => readonly string[],
  given: Readonly<Record<string, boolean | string>>,
  { differentiable }: { readonly differentiable?: number } = {},
): Sample[] {
  return variations.flatMap(({ name: what, extents, attrs = {}, mask = false, large = false }) => {
    const all = apply(name, { ...given, ...attrs })
    const operands = [...inputs(extents), ...(mask ? [lengths(extents)] : [])]
    const sample = (label: string, build: Build, types: readonly string[]): Sample => ({
      name: label,
      inputs: operands,
      build,
      outputs: types,
    })
    const count = differentiable ?? 0
    const some: Build = (...tensors) => (all(...tensors) as readonly Tensor[]).slice(0, count)
    const noGradient = count === 0 ? 'a gradient, which is a kernel of its own' : 'some outputs are reserved for it'
    return [
      { ...sample(what, all, outputs(extents)), noGradient },
      ...(large || count === 0
        ? []
        : [
            {
              ...sample(`${what}, what has a gradient`, some, outputs(extents).slice(0, count)),
              noSecondGradient: 'the gradient is a kernel of its own, without one',
            },
          ]),
    ]
  })
}

type Shapes = readonly (readonly [dtype: 'f32' | 'bf16' | 'u8', ...shape: number[]])[]
const refuses = (build: Build, shapes: Shapes, message: RegExp): Refusal => ({
  inputs: shapes.map(([dtype, ...shape]) => ({ dtype, shape })),
  build,
  message,
})

const reverse = { reverse: false }
const lstmInputs = (of: Extents) => [steps(of, 4, 2), weights(of, 4), state(of), wideState(of)]
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
  samples: samplesOf('lstm', lstmInputs, lstmSizes, reverse, { differentiable: 2 }),
  refusals: [
    refuses(apply('lstm', reverse), good.slice(0, 3), /expected 4 or 5 inputs, got 3/),
    refuses(apply('lstm', reverse), good.with(0, ['f32', 4, 60]), /expected gates with 3 axes, got \[4, 60\]/),
    refuses(apply('lstm', reverse), good.with(1, ['f32', 5, 15]), /expected w of shape \[5, 20\], got \[5, 15\]/),
    refuses(
      apply('lstm', reverse),
      good.with(1, ['bf16', 5, 20]),
      /expected gates and w of one dtype, got f32 and bf16/,
    ),
    refuses(
      apply('lstm', reverse),
      good.with(0, ['f32', 4, 3, 16]),
      /expected gates of shape \[4, 3, 20\], got \[4, 3, 16\]/,
    ),
    refuses(apply('lstm', reverse), good.with(2, ['f32', 4, 5]), /expected h0 of shape \[3, 5\], got \[4, 5\]/),
    refuses(apply('lstm', reverse), good.with(3, ['bf16', 3, 5]), /expected c0 of f32, got bf16\[3, 5\]/),
    refuses(apply('lstm', reverse), [...good, ['f32', 4, 3]], /expected a mask of u8, got f32\[4, 3\]/),
    refuses(apply('lstm', reverse), [...good, ['u8', 3, 4]], /expected a mask of shape \[4, 3\], got \[3, 4\]/),
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

const rnnInputs = (of: Extents) => [steps(of, 1, 2), weights(of, 1), state(of)]
const oneSize = ([t, n, h]: Extents) => [types('float', t, n, h)]
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

const gruInputs = (of: Extents) => [
  steps(of, 3, 2),
  weights(of, 3),
  state(of),
  input('f32', [3 * of[2]], uniform(-1, 1)),
]
const gruSizes = ([t, n, h]: Extents) => [types('float', t, n, h), types('float', t, n, 4 * h)]

const gru = opCase<{ readonly reverse: boolean }>({
  name: 'gru',
  reference: gruReference,
  samples: samplesOf('gru', gruInputs, gruSizes, reverse, { differentiable: 1 }),
  refusals: [
    refuses(
      apply('gru', reverse),
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
  samples: samplesOf('gruGrad', gruGradInputs, gruGradSizes, reverse),
  refusals: [
    refuses(
      apply('gruGrad', reverse),
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

const unrolledCases: readonly OpCase[] = [
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

export const lstmCases: readonly OpCase[] = [lstm, lstmGrad, rnn, rnnGrad, gru, gruGrad, ...unrolledCases]
