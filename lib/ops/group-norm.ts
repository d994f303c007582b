// Group normalisation and its gradient: each example's channels in groups, and with one group over the last axis, layer
// normalisation. Statistics are f32 whatever x is.
import { expectKind, expectOptions, is } from '../base/index.js'
import { type DType, emit, type Shape, ShapeError, type Tensor, type TensorType } from '../graph/index.js'
import { exactly, expectDType, expectShape, expectThat, register } from './define.js'
import { expectNormalised, type Frame, secondGradient, throughStatistics } from './normalise.js'
import { add } from './pointwise.js'
import { reshape, reshapeTo } from './axes.js'

type GroupAttrs = { readonly groups: number; readonly epsilon: number }
const attributes = { groups: 'int', epsilon: 'number' } as const

/** [N, groups] */
function statisticsShape({ shape }: TensorType, { groups }: GroupAttrs): number[] {
  const channels = shape[1] ?? 1
  const divides = Number.isSafeInteger(groups) && groups >= 1 && channels % groups === 0
  expectThat(divides, `groups that divide ${channels} channels`, groups.toString())
  return [shape[0] ?? 1, groups]
}

function frameOf({ shape }: TensorType, { groups }: GroupAttrs): Frame {
  const [n = 1, c = 1, ...places] = shape
  return {
    whole: [n, groups, c / groups, places.reduce((product, extent) => product * extent, 1)],
    statistic: [n, groups, 1, 1],
    parameter: [1, groups, c / groups, 1],
    together: [2, 3],
  }
}

// The second and third output are mean and variance of each group, [N, groups].
const groupNormOp = register<GroupAttrs>({
  name: 'groupNorm',
  kind: 'kernel',
  inBf16: { follows: [0] },
  moves: false,
  epilogue: 'none',
  attributes,
  infer: (inputs, attrs) => {
    const [x, scale, shift] = exactly(inputs, 3)
    expectNormalised(x, { scale, shift }, attrs.epsilon)
    const shape = statisticsShape(x, attrs)
    return [
      { dtype: x.dtype, shape: x.shape },
      { dtype: 'f32', shape },
      { dtype: 'f32', shape },
    ]
  },
  vjp: ({ inputs, outputs, attrs }, [dy, ...dstatistics]) => {
    const [[x, scale], [, mean, variance]] = [exactly(inputs, 3), exactly(outputs, 3)]
    const through = throughStatistics(x, mean, dstatistics, frameOf(x, attrs))
    if (dy === undefined) return [through]
    const [dx, ...rest] = exactly(emit(groupNormGradOp, [dy, x, scale, mean, variance], attrs), 3)
    return [through ? add(dx, through) : dx, ...rest]
  },
})

const groupNormGradOp = register<GroupAttrs>({
  name: 'groupNormGrad',
  kind: 'kernel',
  inBf16: { follows: [0, 1] },
  moves: false,
  epilogue: 'none',
  attributes,
  infer: (inputs, attrs) => {
    const [dy, x, scale, mean, variance] = exactly(inputs, 5)
    expectNormalised(x, { scale }, attrs.epsilon)
    expectThat(dy.dtype === x.dtype, 'dy and x of one dtype', `${dy.dtype} and ${x.dtype}`)
    expectShape(dy, x.shape, 'dy of shape')
    for (const statistic of [mean, variance]) {
      expectDType(statistic, ['f32'], 'a statistic')
      expectShape(statistic, statisticsShape(x, attrs), 'a statistic of shape')
    }
    const parameter = { dtype: 'f32', shape: scale.shape } as const
    return [{ dtype: x.dtype, shape: x.shape }, parameter, parameter]
  },
  vjp: ({ inputs, attrs }, seeds) => {
    const [dy, x, scale, mean, variance] = exactly(inputs, 5)
    if (seeds.every((seed) => seed === undefined)) return []
    return secondGradient({ dy, x, scale, mean, variance }, seeds, frameOf(x, attrs), attrs.epsilon)
  },
})

/** Options of `groupNorm` and `layerNorm`. */
export interface NormOptions {
  /** Added to the variance; more than 0. Default: 1e-5. */
  readonly epsilon?: number
}

function epsilonOf(name: string, options: NormOptions): number {
  expectOptions<NormOptions>(`ops.${name}`, options, { epsilon: is.positive })
  return options.epsilon ?? 1e-5
}

function normalise<D extends DType, S extends Shape>(
  x: Tensor<D, S>,
  scale: Tensor,
  shift: Tensor,
  attrs: GroupAttrs,
): Tensor<D, S> {
  const [y]: readonly [Tensor<D, S>, Tensor, Tensor] = emit(groupNormOp, [x, scale, shift], attrs)
  return y
}

/**
 * y = (x - mean) / sqrt(variance + epsilon) * scale + shift, mean and variance of each example over each of `groups` groups of
 * channels and all places: x float [N, C, ...], scale and shift f32 [C] -> the type of x.
 * @throws ShapeError for groups that do not divide the channels and vectors of other extents; OstrichError `ERR_OPTION`.
 * @see Wu & He 2018, "Group normalization".
 * @example groupNorm(x, 8, scale, shift) // x [128, 64, 16, 16]
 */
export function groupNorm<D extends DType, S extends Shape>(
  x: Tensor<D, S>,
  groups: number,
  scale: Tensor<'f32'>,
  shift: Tensor<'f32'>,
  options: NormOptions = {},
): Tensor<D, S> {
  expectKind('ops.groupNorm', 'groups', is.whole(1), groups)
  return normalise(x, scale, shift, { groups, epsilon: epsilonOf('groupNorm', options) })
}

/**
 * y = (x - mean) / sqrt(variance + epsilon) * scale + shift, mean and variance over the last axis: x float [..., K], scale and
 * shift f32 [K] -> the type of x.
 * @throws ShapeError for an x without axes and vectors of other extents; OstrichError `ERR_OPTION`.
 * @see Ba, Kiros & Hinton 2016, "Layer normalization".
 * @example layerNorm(x, scale, shift) // x [32, 128, 512], scale [512]
 */
export function layerNorm<D extends DType, S extends Shape>(
  x: Tensor<D, S>,
  scale: Tensor<'f32'>,
  shift: Tensor<'f32'>,
  options: NormOptions = {},
): Tensor<D, S> {
  const epsilon = epsilonOf('layerNorm', options)
  const features = x.shape.at(-1)
  if (features === undefined) throw new ShapeError('layerNorm: expected x with at least one axis, got []')
  const rows = normalise(reshape(x, [-1, features]), scale, shift, { groups: 1, epsilon })
  return reshapeTo(rows, x.shape)
}
