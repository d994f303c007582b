// Random draws: the exact bits of Philox4x32-10, at a seed, step and stream.
import { elementwise, fill, type NDArray } from '../support/ndarray.js'
import { words } from '../support/philox.js'
import { apply, input, type OpCase, opCase, type Refusal, type Sample, type SampleInput } from '../support/op-case.js'
import { exactly, uniform } from '../support/random.js'
import { exact, rounding } from '../support/op-case.js'

type DrawAttrs = { readonly shape: readonly number[]; readonly stream: number }

/** Word of each element in row-major order. */
function draws(shape: readonly number[], seed: NDArray, step: NDArray, stream: number): number[] {
  const n = fill(shape, () => 0).data.length
  return Array.from(
    { length: n },
    (_, element) => words(Math.floor(element / 4), stream, step.data[0]!, seed.data)[element % 4]!,
  )
}

const unit = (word: number) => (word >>> 8) * 2 ** -24

/** Box-Muller on the pair of words to which an element belongs. */
function normal(element: number, seed: NDArray, step: NDArray, stream: number): number {
  const block = words(Math.floor(element / 4), stream, step.data[0]!, seed.data)
  const pair = element % 4 < 2 ? 0 : 2
  const radius = Math.sqrt(-2 * Math.log(((block[pair]! >>> 8) + 1) * 2 ** -24))
  const angle = 2 * Math.PI * unit(block[pair + 1]!)
  return element % 2 === 0 ? radius * Math.cos(angle) : radius * Math.sin(angle)
}

// A negative word and a large step: the key and the counter are their bits, unsigned.
const counters: SampleInput[] = [input('i32', [2], exactly(-123456789, 42)), input('i32', [], exactly(1000))]
const stream = 0x7abcdef1

const badCounters = (name: string, attrs: object): Refusal[] => [
  {
    inputs: [
      { dtype: 'i32', shape: [3] },
      { dtype: 'i32', shape: [] },
    ],
    build: apply(name, { ...attrs }),
    message: /expected seed of shape \[2\], got \[3\]/,
  },
  {
    inputs: [
      { dtype: 'f32', shape: [2] },
      { dtype: 'i32', shape: [] },
    ],
    build: apply(name, { ...attrs }),
    message: /expected seed and step of i32, got f32\[2\]/,
  },
]

const noGolden =
  'PyTorch draws from other generators; test/unit/ops/philox.test.ts holds the vectors of the paper’s authors'
const noGradient = 'a draw depends on nothing that is differentiated'

function draw(name: string, attrs: object): Sample[] {
  return [[3, 5], [], [1027]].map((shape) => ({
    name: `[${shape.join()}]`,
    inputs: counters,
    build: apply(name, { shape, stream, ...attrs }),
    outputs: [`f32[${shape.join(', ')}]`],
    noGradient,
  }))
}

const dropout = opCase<{ readonly rate: number; readonly stream: number }>({
  name: 'dropout',
  reference: ([x, seed, step], attrs) => {
    const word = draws(x!.shape, seed!, step!, attrs.stream)
    const kept = {
      shape: x!.shape,
      data: Float64Array.from(word, (w) => (unit(w) >= attrs.rate ? 1 / (1 - attrs.rate) : 0)),
    }
    return [elementwise((value, keep) => value * keep, x!, kept)]
  },
  samples: [0, 0.25, 0.5].map((rate) => ({
    name: `rate ${rate}`,
    inputs: [input('float', [3, 37], uniform()), ...counters],
    build: apply('dropout', { rate, stream }),
    outputs: ['float[3, 37]'],
  })),
  refusals: [
    {
      inputs: [
        { dtype: 'f32', shape: [2] },
        { dtype: 'i32', shape: [2] },
        { dtype: 'i32', shape: [] },
      ],
      build: apply('dropout', { rate: 1, stream }),
      message: /expected a rate from 0 to below 1, got 1/,
    },
  ],
  tolerance: rounding,
  noGolden,
})

export const randomCases: readonly OpCase[] = [
  dropout,
  opCase<DrawAttrs & { readonly low: number; readonly high: number }>({
    name: 'randomUniform',
    reference: ([seed, step], attrs) => {
      const data = draws(attrs.shape, seed!, step!, attrs.stream).map(
        (word) => attrs.low + unit(word) * (attrs.high - attrs.low),
      )
      return [{ shape: attrs.shape, data: Float64Array.from(data) }]
    },
    samples: [
      ...draw('randomUniform', { low: 0, high: 1 }),
      ...draw('randomUniform', { low: -2, high: 6 }).slice(0, 1),
    ],
    refusals: [
      ...badCounters('randomUniform', { shape: [2], stream, low: 0, high: 1 }),
      {
        inputs: [
          { dtype: 'i32', shape: [2] },
          { dtype: 'i32', shape: [] },
        ],
        build: apply('randomUniform', { shape: [2], stream, low: 1, high: 0 }),
        message: /expected high of at least 1, got 0/,
      },
    ],
    tolerance: { ...exact, reason: 'powers of two: every draw is exact in f32' },
    noGolden,
  }),
  opCase<DrawAttrs & { readonly mean: number; readonly std: number }>({
    name: 'randomNormal',
    reference: ([seed, step], attrs) => {
      let element = 0
      return [fill(attrs.shape, () => attrs.mean + attrs.std * normal(element++, seed!, step!, attrs.stream))]
    },
    samples: [
      ...draw('randomNormal', { mean: 0, std: 1 }),
      ...draw('randomNormal', { mean: -1, std: 0.5 }).slice(0, 1),
    ],
    refusals: [
      ...badCounters('randomNormal', { shape: [2], stream, mean: 0, std: 1 }),
      {
        inputs: [
          { dtype: 'i32', shape: [2] },
          { dtype: 'i32', shape: [] },
        ],
        build: apply('randomNormal', { shape: [2], stream, mean: 0, std: -1 }),
        message: /expected std of at least 0, got -1/,
      },
    ],
    tolerance: {
      f32: 2 ** -20,
      bf16: 2 ** -20,
      relativeTo: 'tensor',
      reason: 'f32 logarithm, root and cosine of exact uniforms',
    },
    noGolden,
  }),
]
