// Normalisation layers: by batch, by layer, by group. Each has a scale (ones) and a shift (zeros) for each channel or feature.
import { expectOptions, is, OstrichError, type Schema } from '../base/index.js'
import { assign, constant, read, type Shape, ShapeError, type Tensor, traceMode, Variable } from '../graph/index.js'
import * as ops from '../ops/index.js'
import { expectCount, ownerPath, typeText } from './check.js'
import { fill, zeros } from './init.js'
import { layer, type Layer } from './layer.js'
import { parameter } from './parameter.js'
import type { Features, Initializer, SameShape } from './types.js'

/** Options of `layerNorm` and `groupNorm`. */
export interface NormLayerOptions {
  /** Added to the variance; more than 0. Default: 1e-5. */
  readonly epsilon?: number
  /** Of the scale. Default: ones. */
  readonly scaleInit?: Initializer
  /** In paths; default: that of its kind, `layerNorm1`, `groupNorm1`, ... */
  readonly name?: string
}

const schema: Schema<NormLayerOptions> = { epsilon: is.positive, scaleInit: is.callable, name: is.text }

type Vector = Variable<'f32', [number]>

function parametersOf(channels: number, scaleInit: Initializer): { scale: Vector; shift: Vector } {
  return { scale: parameter('scale', [channels], scaleInit), shift: parameter('shift', [channels], zeros) }
}

/**
 * Each example normalised over its last axis: x f32 [..., features] -> the same.
 * @throws OstrichError `ERR_OPTION`; ShapeError when traced, for an x of other features.
 * @see Ba, Kiros & Hinton 2016, "Layer normalization".
 * @example nn.layerNorm(512)
 */
export function layerNorm<F extends number>(
  features: F,
  options: NormLayerOptions = {},
): Layer<Features<F>, Features<F>> {
  expectOptions('nn.layerNorm', options, schema)
  const { epsilon = 1e-5, scaleInit = fill(1), name } = options
  expectCount('layerNorm', 'features', features)
  const { scale, shift } = parametersOf(features, scaleInit)
  return layer<Features<F>, Features<F>>({
    kind: 'layerNorm',
    name,
    parameters: [scale, shift],
    apply: (x) => {
      const own = read(scale)
      if (x.shape.at(-1) !== features) {
        throw new ShapeError(`layerNorm[${ownerPath(own)}]: expected x of f32[..., ${features}], got ${typeText(x)}`)
      }
      return ops.layerNorm(x, own, read(shift), { epsilon })
    },
  })
}

/**
 * Each example normalised over each of `groups` groups of channels and all places: x f32 [N, channels, ...] -> the same.
 * @throws OstrichError `ERR_OPTION`, for groups that do not divide the channels too; ShapeError when traced, for an x of other channels.
 * @see Wu & He 2018, "Group normalization".
 * @example nn.groupNorm(8, 64)
 */
export function groupNorm(
  groups: number,
  channels: number,
  options: NormLayerOptions = {},
): Layer<Tensor<'f32'>, SameShape> {
  expectOptions('nn.groupNorm', options, schema)
  const { epsilon = 1e-5, scaleInit = fill(1), name } = options
  expectCount('groupNorm', 'groups', groups)
  expectCount('groupNorm', 'channels', channels)
  if (channels % groups !== 0) {
    throw new OstrichError('ERR_OPTION', `groupNorm: expected groups that divide ${channels} channels, got ${groups}`)
  }
  const { scale, shift } = parametersOf(channels, scaleInit)
  return layer<Tensor<'f32'>, SameShape>({
    kind: 'groupNorm',
    name,
    parameters: [scale, shift],
    apply: (x) => {
      const own = read(scale)
      if (x.rank < 2 || x.shape[1] !== channels) {
        throw new ShapeError(`groupNorm[${ownerPath(own)}]: expected x of f32[N, ${channels}, ...], got ${typeText(x)}`)
      }
      return ops.groupNorm(x, groups, own, read(shift), { epsilon })
    },
  })
}

/** Options of `batchNorm`. */
export interface BatchNormLayerOptions extends NormLayerOptions {
  /** Share of a batch in the running statistics, from 0 to 1, as PyTorch has it. Default: 0.1. */
  readonly momentum?: number
  /** Training, too, normalises by the running statistics, and leaves them as they are. Default: false. */
  readonly frozen?: boolean
}

/** A running statistic: carried from step to step and saved in checkpoints, but not trained. */
function running(label: string, channels: number, first: number): Vector {
  const shape: [number] = [channels]
  const init = () => constant('f32', shape, first)
  return new Variable({ label, dtype: 'f32', shape, role: 'statistic', init })
}

/** running + momentum (of the batch - running), after the run. */
function carry(statistic: Vector, batch: Tensor<'f32', [number]>, momentum: number): void {
  assign(statistic, ops.add(ops.mul(read(statistic), 1 - momentum), ops.mul(batch, momentum)))
}

/**
 * Each channel normalised over the batch and all places: x f32 [N, channels] or [N, channels, H, W] -> the same. Training takes the
 * statistics of the batch, and carries running ones (`mean`, and `variance` divided by the count less 1, as PyTorch does);
 * evaluation takes those.
 * @throws OstrichError `ERR_OPTION`; ShapeError when traced, for an x of other channels, and in training for one number in each
 * channel; GraphError for a second call in a training step.
 * @see Ioffe & Szegedy 2015, "Batch normalization: accelerating deep network training by reducing internal covariate shift".
 * @example nn.sequential(nn.conv2d(3, 16, { kernel: 3, padding: 1, bias: false }), nn.batchNorm(16), nn.relu())
 */
export function batchNorm(channels: number, options: BatchNormLayerOptions = {}): Layer<Tensor<'f32'>, SameShape> {
  const own: Schema<BatchNormLayerOptions> = { ...schema, momentum: is.share, frozen: is.flag }
  expectOptions<BatchNormLayerOptions>('nn.batchNorm', options, own)
  const { epsilon = 1e-5, momentum = 0.1, frozen = false, scaleInit = fill(1), name } = options
  expectCount('batchNorm', 'channels', channels)
  const { scale, shift } = parametersOf(channels, scaleInit)
  const [mean, variance] = [running('mean', channels, 0), running('variance', channels, 1)]
  return layer<Tensor<'f32'>, SameShape>({
    kind: 'batchNorm',
    name,
    parameters: [scale, shift],
    apply: (x) => {
      const own = read(scale)
      expectBatch(x, channels, own)
      if (frozen || traceMode() === 'eval') {
        const factor = ops.mul(own, ops.rsqrt(ops.add(read(variance), epsilon)))
        return ops.channelAffine(x, factor, ops.sub(read(shift), ops.mul(read(mean), factor)))
      }
      const n = x.shape.reduce((product, extent) => product * extent, 1) / channels
      const batch = ops.batchNorm<'f32', Shape>(x, own, read(shift), { epsilon })
      carry(mean, batch.mean, momentum)
      carry(variance, ops.mul(batch.variance, n / (n - 1)), momentum)
      return batch.y
    },
  })
}

function expectBatch(x: Tensor, channels: number, own: Tensor): void {
  if ((x.rank === 2 || x.rank === 4) && x.shape[1] === channels) return
  const expected = `x of f32[N, ${channels}] or f32[N, ${channels}, H, W]`
  throw new ShapeError(`batchNorm[${ownerPath(own)}]: expected ${expected}, got ${typeText(x)}`)
}
