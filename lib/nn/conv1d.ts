// Convolution layer over lines: sound, series, sequences of features.
import { expectOptions, is, type Schema } from '../base/index.js'
import { read, type Tensor } from '../graph/index.js'
import { conv1d as convolve } from '../ops/index.js'
import { expectChannels, expectInput } from './check.js'
import { heUniform, zeros } from './init.js'
import { layer, type Layer } from './layer.js'
import { parameter } from './parameter.js'
import type { Initializer } from './types.js'

/** A batch of lines with `C` channels: `[N, C, L]`. */
type Lines<C extends number> = Tensor<'f32', [number, C, number]>

/** Options of `conv1d`. */
export interface Conv1dLayerOptions {
  readonly kernel: number
  /** Default: 1. */
  readonly stride?: number
  /** On both sides. Default: 0. */
  readonly padding?: number
  /** Distance between taps. Default: 1, dense. */
  readonly dilation?: number
  /** Channels fall into this many groups that do not see each other. Default: 1. */
  readonly groups?: number
  /** Default: true. */
  readonly bias?: boolean
  /** Of the weights. Default: He uniform. */
  readonly init?: Initializer
  /** Of the bias. Default: zeros. */
  readonly biasInit?: Initializer
  /** In paths; default: `conv1`, `conv2`, ... */
  readonly name?: string
}

const schema: Schema<Conv1dLayerOptions> = {
  kernel: is.needed(is.whole(1)),
  stride: is.whole(1),
  padding: is.whole(0),
  dilation: is.whole(1),
  groups: is.whole(1),
  bias: is.flag,
  init: is.callable,
  biasInit: is.callable,
  name: is.text,
}

/**
 * Cross-correlation along lines: x f32 [N, in, L] -> [N, out, L'], weights [out, in / groups, K].
 * @throws OstrichError `ERR_OPTION`, for groups that do not divide the channels too; ShapeError when traced, for an x that does not fit.
 * @example nn.conv1d(40, 64, { kernel: 5, padding: 2 })
 */
export function conv1d<I extends number, O extends number>(
  inChannels: I,
  outChannels: O,
  options: Conv1dLayerOptions,
): Layer<Lines<I>, Lines<O>> {
  expectOptions('nn.conv1d', options, schema)
  const { kernel, stride = 1, padding = 0, dilation = 1, groups = 1, bias = true, name } = options
  const { init = heUniform, biasInit = zeros } = options
  expectChannels('conv1d', inChannels, outChannels, groups)
  const inner = inChannels / groups
  const fans = { in: inner * kernel, out: (outChannels / groups) * kernel }
  const w = parameter<[O, number, number]>('w', [outChannels, inner, kernel], init, fans)
  const b = bias ? parameter('b', [outChannels], biasInit) : undefined
  return layer<Lines<I>, Lines<O>>({
    kind: 'conv',
    name,
    parameters: b ? [w, b] : [w],
    apply: (x) => {
      const weight = read(w)
      expectInput('conv1d', weight, x, [inChannels, 'L'])
      const y = convolve<'f32'>(x, weight, { stride, padding, dilation, groups, ...(b && { bias: read(b) }) })
      return y as Lines<O>
    },
  })
}
