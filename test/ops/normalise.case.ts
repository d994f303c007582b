// Normalisations by batch and by group: moments, the map, gradients, and the fused forms that passes make.
import { vjp } from '../../lib/autodiff/index.js'
import { emit, type Tensor } from '../../lib/graph/index.js'
import * as ops from '../../lib/ops/index.js'
import { registry } from '../../lib/ops/registry.js'
import { at, fill } from '../support/ndarray.js'
import { apply, input, type OpCase, opCase, type Refusal, type Sample, type Tolerance } from '../support/op-case.js'
import { uniform } from '../support/random.js'
import { byChannel, byGroup, gradients, moments, normalised, relu } from './moments.js'

/** Sums of a few hundred products whose terms cancel: relative to the largest element. */
const tolerance: Tolerance = {
  f32: 2 ** -17,
  bf16: 2 ** -7,
  relativeTo: 'tensor',
  reason: 'sums over a few hundred terms that cancel, a root, and one rounding of the result',
}

const x = uniform()
const factor = uniform(0.5, 1.5)
const variance = uniform(0.5, 2)

type BatchAttrs = { readonly epsilon: number; readonly activation: string }
const plain: BatchAttrs = { epsilon: 0.01, activation: 'none' }

/** Extents and what they are for. */
const batchShapes: readonly (readonly [string, number[]])[] = [
  ['features', [5, 3]],
  ['images', [2, 3, 2, 3]],
]
const larger: readonly (readonly [string, number[]])[] = [
  ['features in vectors', [9, 43]],
  ['images for two threads', [3, 20, 19, 17]],
]
const afterwards = 'made by a pass, after gradients'

function batchSamples(name: string, inputs: (shape: number[]) => Sample['inputs'], statistics: number): Sample[] {
  const sample = (what: string, shape: number[], attrs: BatchAttrs, extra?: Partial<Sample>): Sample => ({
    name: what,
    inputs: inputs(shape),
    build: apply(name, name === 'channelAffine' ? { activation: attrs.activation } : attrs),
    outputs: [`float[${shape.join(', ')}]`, ...Array.from({ length: statistics }, () => `f32[${shape[1]}]`)],
    ...extra,
  })
  const relu: BatchAttrs = { ...plain, activation: 'relu' }
  return [
    ...batchShapes.map(([what, shape]) => sample(what, shape, plain)),
    ...larger.map(([what, shape]) => sample(what, shape, plain, { noGradient: 'as of the small ones' })),
    ...[...batchShapes, ...larger].map(([what, shape]) =>
      sample(`${what}, relu`, shape, relu, { noGradient: afterwards }),
    ),
  ]
}

const vectors = (shape: number[], count: number) =>
  Array.from({ length: count }, () => input('f32', [shape[1]!], factor))

/** Samples again with a residual, with and without relu. */
const withResidual = (samples: readonly Sample[]): Sample[] =>
  samples.map((sample) => ({
    ...sample,
    name: `${sample.name}, a residual`,
    inputs: [...sample.inputs, sample.inputs[0]!],
    noGradient: afterwards,
  }))

const refusal = (name: string, shapes: (readonly number[])[], message: RegExp, attrs: object): Refusal => ({
  inputs: shapes.map((shape) => ({ dtype: 'f32', shape })),
  build: apply(name, attrs as never),
  message,
})

const forward = batchSamples('batchNorm', (shape) => [input('float', shape, x), ...vectors(shape, 2)], 2)
const affine = batchSamples('channelAffine', (shape) => [input('float', shape, x), ...vectors(shape, 2)], 0)

const batchNorm = opCase<BatchAttrs>({
  name: 'batchNorm',
  reference: ([x, scale, shift, residual], { epsilon, activation }) => {
    const { mean, variance } = moments(x!, byChannel, scale!.shape)
    const hat = normalised(x!, mean, variance, byChannel, epsilon)
    const y = fill(x!.shape, (i) => {
      const value = hat(i) * at(scale!, i[1]!) + at(shift!, i[1]!)
      return relu(activation, residual ? value + at(residual, ...i) : value)
    })
    return [y, mean, variance]
  },
  samples: [...forward, ...withResidual(forward)],
  refusals: [
    refusal('batchNorm', [[3, 4, 5], [4], [4]], /expected x of \[N, C\] or \[N, C, H, W\], got \[3, 4, 5\]/, plain),
    refusal('batchNorm', [[1, 4], [4], [4]], /expected at least two numbers for each channel, got \[1, 4\]/, plain),
    refusal('batchNorm', [[3, 4], [3], [4]], /expected scale of shape \[4\], got \[3\]/, plain),
    refusal('batchNorm', [[3, 4], [4], [4]], /expected epsilon of more than 0, got 0/, { ...plain, epsilon: 0 }),
    refusal('batchNorm', [[3, 4], [4], [4]], /expected an activation of none, relu, got tanh/, {
      ...plain,
      activation: 'tanh',
    }),
    refusal('batchNorm', [[3, 4], [4], [4], [4, 3]], /expected a residual of shape \[3, 4\], got \[4, 3\]/, plain),
  ],
  tolerance,
})

const batchNormGrad = opCase<BatchAttrs>({
  name: 'batchNormGrad',
  reference: ([dy, x, scale, shift, mean, variance], { epsilon, activation }) => {
    const hat = normalised(x!, mean!, variance!, byChannel, epsilon)
    const counts = (i: readonly number[]) => activation === 'none' || hat(i) * at(scale!, i[1]!) + at(shift!, i[1]!) > 0
    return gradients([dy!, x!, scale!, mean!, variance!], byChannel, epsilon, counts)
  },
  samples: batchSamples(
    'batchNormGrad',
    (shape) => [
      input('float', shape, x),
      input('float', shape, x),
      ...vectors(shape, 2),
      input('f32', [shape[1]!], uniform(-0.5, 0.5)),
      input('f32', [shape[1]!], variance),
    ],
    2,
  ),
  refusals: [
    refusal(
      'batchNormGrad',
      [[3, 4], [4, 3], [3], [3], [3], [3]],
      /expected dy of shape \[4, 3\], got \[3, 4\]/,
      plain,
    ),
  ],
  tolerance,
})

const channelAffine = opCase<{ readonly activation: string }>({
  name: 'channelAffine',
  reference: ([x, scale, shift, residual], { activation }) => [
    fill(x!.shape, (i) =>
      relu(activation, at(x!, ...i) * at(scale!, i[1]!) + at(shift!, i[1]!) + (residual ? at(residual, ...i) : 0)),
    ),
  ],
  samples: [...affine, ...withResidual(affine)],
  refusals: [
    refusal('channelAffine', [[3, 4], [4], [5]], /expected shift of shape \[4\], got \[5\]/, { activation: 'none' }),
  ],
  tolerance,
  noGolden: 'a product and a sum',
})

type GroupAttrs = { readonly groups: number; readonly epsilon: number }

const groupSample = (
  name: string,
  what: string,
  shape: number[],
  groups: number,
  extra: Partial<Sample> = {},
): Sample => {
  const [n, c] = shape as [number, number]
  const isGrad = name === 'groupNormGrad'
  const statistic = `f32[${n}, ${groups}]`
  return {
    name: what,
    inputs: isGrad
      ? [
          input('float', shape, x),
          input('float', shape, x),
          input('f32', [c], factor),
          input('f32', [n, groups], uniform(-0.5, 0.5)),
          input('f32', [n, groups], variance),
        ]
      : [input('float', shape, x), input('f32', [c], factor), input('f32', [c], x)],
    build: apply(name, { groups, epsilon: 0.01 }),
    outputs: [`float[${shape.join(', ')}]`, ...(isGrad ? [`f32[${c}]`, `f32[${c}]`] : [statistic, statistic])],
    ...extra,
  }
}

const groupSamples = (name: string): Sample[] => [
  groupSample(name, 'rows of features', [4, 6], 1),
  groupSample(name, 'features in groups', [3, 6], 2),
  groupSample(name, 'images', [2, 4, 2, 3], 2),
  groupSample(name, 'each channel alone', [2, 3, 5], 3),
  groupSample(name, 'rows for two threads', [300, 77], 1, { noGradient: 'as of the small ones' }),
  groupSample(name, 'images for two threads', [3, 6, 70, 65], 2, { noGradient: 'as of the small ones' }),
]

const groupNorm = opCase<GroupAttrs>({
  name: 'groupNorm',
  reference: ([x, scale, shift], { groups, epsilon }) => {
    const key = byGroup(x!.shape[1]!, groups)
    const { mean, variance } = moments(x!, key, [x!.shape[0]!, groups])
    const hat = normalised(x!, mean, variance, key, epsilon)
    return [fill(x!.shape, (i) => hat(i) * at(scale!, i[1]!) + at(shift!, i[1]!)), mean, variance]
  },
  samples: groupSamples('groupNorm'),
  refusals: [
    refusal('groupNorm', [[3, 4], [4], [4]], /expected groups that divide 4 channels, got 3/, {
      groups: 3,
      epsilon: 1,
    }),
    refusal('groupNorm', [[3], [3], [3]], /expected x with at least two axes, got \[3\]/, { groups: 1, epsilon: 1 }),
  ],
  tolerance,
})

const groupNormGrad = opCase<GroupAttrs>({
  name: 'groupNormGrad',
  reference: ([dy, x, scale, mean, variance], { groups, epsilon }) =>
    gradients([dy!, x!, scale!, mean!, variance!], byGroup(x!.shape[1]!, groups), epsilon, () => true),
  samples: groupSamples('groupNormGrad'),
  refusals: [
    refusal('groupNormGrad', [[3, 4], [3, 5], [5], [3, 1], [3, 1]], /expected dy of shape \[3, 5\], got \[3, 4\]/, {
      groups: 1,
      epsilon: 1,
    }),
  ],
  tolerance,
})

const layerNorm: OpCase = {
  name: 'layerNorm',
  samples: [
    {
      name: 'three axes',
      inputs: [input('float', [2, 3, 5], x), input('f32', [5], factor), input('f32', [5], x)],
      build: (x, scale, shift) => ops.layerNorm(x, scale as Tensor<'f32'>, shift as Tensor<'f32'>, { epsilon: 0.25 }),
      outputs: ['float[2, 3, 5]'],
      value: (x, scale, shift) =>
        fill([2, 3, 5], ([n, t, k]) => {
          const row = [0, 1, 2, 3, 4].map((i) => at(x, n!, t!, i))
          const mean = row.reduce((a, b) => a + b) / 5
          const spread = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 5
          return ((row[k!]! - mean) / Math.sqrt(spread + 0.25)) * at(scale, k!) + at(shift, k!)
        }),
    },
  ],
  refusals: [
    {
      inputs: [{ dtype: 'f32', shape: [] }],
      build: (x) => ops.layerNorm(x, x as Tensor<'f32'>, x as Tensor<'f32'>),
      message: /layerNorm: expected x with at least one axis, got \[\]/,
    },
  ],
  tolerance,
}

type Image = Tensor<'f32', [number, number, number, number]>

/** Between convolutions, in the layout that they choose: forward and every gradient, channels that fill blocks and not. */
const betweenConvolutions = opCase({
  name: 'gradient of batchNorm between convolutions',
  samples: [8, 12, 33].map((channels) => ({
    name: `${channels} channels`,
    inputs: [
      input('float', [2, 8, 4, 5], uniform()),
      input('float', [channels, 8, 1, 1], uniform(-0.5, 0.5)),
      input('f32', [channels], factor),
      input('f32', [channels], uniform()),
      input('float', [4, channels, 1, 1], uniform(-0.5, 0.5)),
      input('float', [2, 4, 4, 5], uniform()),
    ],
    build: (x: Tensor, w: Tensor, scale: Tensor, shift: Tensor, v: Tensor, dy: Tensor) => {
      const before = ops.conv2d(x as Image, w as Image)
      const [middle] = emit(registry.get('batchNorm')!, [before, scale, shift], plain)
      return vjp([ops.conv2d(middle as Image, v as Image)], [dy], [x, w, scale, shift, v])
    },
    outputs: [
      'float[2, 8, 4, 5]',
      `float[${channels}, 8, 1, 1]`,
      `f32[${channels}]`,
      `f32[${channels}]`,
      `float[4, ${channels}, 1, 1]`,
    ],
    noGradient: 'it is one: checked as the second gradient of batchNorm',
  })),
  refusals: [],
  tolerance: { ...tolerance, f32: 2 ** -16, bf16: 2 ** -5, spreads: true, reason: 'bf16 rounds four times on the way' },
})

export const normaliseCases: readonly OpCase[] = [
  batchNorm,
  batchNormGrad,
  channelAffine,
  groupNorm,
  groupNormGrad,
  layerNorm,
  betweenConvolutions,
]
