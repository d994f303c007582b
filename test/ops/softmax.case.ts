// Softmax, log-softmax and the fused cross-entropy, at logits large enough to overflow a naive exponential.
import { at, fill, type NDArray } from '../support/ndarray.js'
import { apply, input, type OpCase, opCase, type Refusal, type Sample, type Tolerance } from '../support/op-case.js'
import { distinct, integers, uniform } from '../support/random.js'

/** The largest of the row in which an element lies, and log(sum(exp(x - largest))). */
function rowParts(x: NDArray, index: readonly number[]): [number, number] {
  const row = Array.from({ length: x.shape.at(-1)! }, (_, k) => at(x, ...index.slice(0, -1), k))
  const top = Math.max(...row)
  return [top, Math.log(row.reduce((sum, value) => sum + Math.exp(value - top), 0))]
}

/** log(sum(exp)) of the row in which an element lies. */
const rowLogSumExp = (x: NDArray, index: readonly number[]): number =>
  rowParts(x, index).reduce((sum, part) => sum + part)

const tolerance: Tolerance = {
  f32: 2 ** -19,
  bf16: 2 ** -8,
  relativeTo: 'tensor',
  reason: 'an exponential, an f32 sum over a row and a division; one rounding of the result',
}

const floatOnly = (name: string): Refusal => ({
  inputs: [{ dtype: 'i32', shape: [2, 3] }],
  build: apply(name),
  message: /expected x of f32 or bf16, got i32\[2, 3\]/,
})

function rows(name: string): Sample[] {
  const sample = (label: string, shape: number[], scale: number): Sample => ({
    name: label,
    inputs: [input('float', shape, uniform(-scale, scale))],
    build: apply(name),
    outputs: [`float[${shape.join(', ')}]`],
  })
  return [
    sample('a matrix', [3, 5], 2),
    sample('three axes', [2, 3, 4], 2),
    sample('a vector', [7], 2),
    { ...sample('large logits', [2, 3], 100), noGradient: 'saturated: differences of 1e-6 vanish' },
  ]
}

const column = (label: NDArray, n: number) => at(label, n)
/** Of row n, the mean over all classes. */
const meanOf = (x: NDArray, n: number): number =>
  Array.from({ length: x.shape[1]! }, (_, k) => at(x, n, k)).reduce((sum, value) => sum + value, 0) / x.shape[1]!
const smoothed = { smoothing: 0.3 }
const labels = input('i32', [4], integers(0, 5))
const perExample = { inputs: ['f32', 'i32'] as const }

const crossEntropy = opCase({
  name: 'crossEntropy',
  reference: ([logits, label], attrs) => {
    const smoothing = attrs['smoothing'] as number
    const parts = fill([...label!.shape, 2], ([n, part]) => rowParts(logits!, [n!, 0])[part!]!)
    const wanted = ([n]: readonly number[]): number =>
      (1 - smoothing) * (at(logits!, n!, column(label!, n!)) - at(parts, n!, 0)) +
      smoothing * (meanOf(logits!, n!) - at(parts, n!, 0))
    return [fill(label!.shape, (index) => at(parts, index[0]!, 1) - wanted(index)), parts]
  },
  samples: [
    {
      name: 'five classes',
      // No two alike: the largest has a derivative.
      inputs: [input('float', [4, 5], distinct), labels],
      build: apply('crossEntropy', { smoothing: 0 }),
      outputs: ['f32[4]', 'f32[4, 2]'],
    },
    {
      name: 'smoothed labels',
      inputs: [input('float', [4, 5], distinct), labels],
      build: apply('crossEntropy', smoothed),
      outputs: ['f32[4]', 'f32[4, 2]'],
    },
    {
      name: 'large logits',
      inputs: [
        input('float', [4, 5], (shape, random) => uniform(-8, 8)(shape, random).map((x) => Math.round(x) * 65536)),
        labels,
      ],
      build: apply('crossEntropy', { smoothing: 0 }),
      outputs: ['f32[4]', 'f32[4, 2]'],
      noGradient: 'saturated: differences of 1e-6 vanish',
    },
  ],
  refusals: [
    {
      inputs: [
        { dtype: 'f32', shape: [4, 5] },
        { dtype: 'i32', shape: [4] },
      ],
      build: apply('crossEntropy', { smoothing: 1 }),
      message: /expected a smoothing from 0 to below 1, got 1/,
    },
    {
      inputs: [
        { dtype: 'f32', shape: [4, 5] },
        { dtype: perExample.inputs[0], shape: [4] },
      ],
      build: apply('crossEntropy', { smoothing: 0 }),
      message: /expected labels of i32, got f32\[4\]/,
    },
    {
      inputs: [
        { dtype: 'f32', shape: [4, 5] },
        { dtype: perExample.inputs[1], shape: [3] },
      ],
      build: apply('crossEntropy', { smoothing: 0 }),
      message: /expected labels of shape \[4\], got \[3\]/,
    },
    {
      inputs: [
        { dtype: 'f32', shape: [4] },
        { dtype: perExample.inputs[1], shape: [4] },
      ],
      build: apply('crossEntropy', { smoothing: 0 }),
      message: /expected logits with 2 axes, got \[4\]/,
    },
  ],
  tolerance,
})

const crossEntropyGrad = opCase({
  name: 'crossEntropyGrad',
  reference: ([dloss, logits, label, lse], attrs) => {
    const smoothing = attrs['smoothing'] as number
    return [
      fill(logits!.shape, ([n, k]) => {
        const p = Math.exp(at(logits!, n!, k!) - at(lse!, n!, 0) - at(lse!, n!, 1))
        const own = (1 - smoothing) * Number(column(label!, n!) === k)
        return at(dloss!, n!) * (p - own - smoothing / logits!.shape[1]!)
      }),
    ]
  },
  samples: [
    {
      name: 'smoothed labels',
      inputs: [
        input('f32', [4], uniform()),
        input('float', [4, 5], uniform()),
        labels,
        input('f32', [4, 2], uniform(0.5, 1.5)),
      ],
      build: apply('crossEntropyGrad', smoothed),
      outputs: ['float[4, 5]'],
    },
    {
      name: 'five classes',
      inputs: [
        input('f32', [4], uniform()),
        input('float', [4, 5], uniform()),
        labels,
        input('f32', [4, 2], uniform(0.5, 1.5)),
      ],
      build: apply('crossEntropyGrad', { smoothing: 0 }),
      outputs: ['float[4, 5]'],
    },
  ],
  refusals: [
    {
      inputs: [
        { dtype: 'f32', shape: [3] },
        { dtype: 'f32', shape: [4, 5] },
        { dtype: 'i32', shape: [4] },
        { dtype: 'f32', shape: [4, 2] },
      ],
      build: apply('crossEntropyGrad', { smoothing: 0 }),
      message: /expected one value per example \[4\], got \[3\]/,
    },
  ],
  tolerance,
})

export const softmaxCases: readonly OpCase[] = [
  opCase({
    name: 'softmax',
    reference: ([x]) => [fill(x!.shape, (index) => Math.exp(at(x!, ...index) - rowLogSumExp(x!, index)))],
    samples: rows('softmax'),
    refusals: [
      floatOnly('softmax'),
      {
        inputs: [{ dtype: 'f32', shape: [] }],
        build: apply('softmax'),
        message: /expected x with at least one axis, got \[\]/,
      },
    ],
    tolerance,
  }),
  opCase({
    name: 'logSoftmax',
    reference: ([x]) => [fill(x!.shape, (index) => at(x!, ...index) - rowLogSumExp(x!, index))],
    samples: rows('logSoftmax'),
    refusals: [floatOnly('logSoftmax')],
    tolerance,
  }),
  crossEntropy,
  crossEntropyGrad,
]
