// Convolution layer over NCHW.
import { expectOptions, is, type Schema } from '../base/index.js'
import { read } from '../graph/index.js'
import { conv2d as convolve, type Padding, type Pair } from '../ops/index.js'
import { pairOf } from '../ops/window.js'
import { expectChannels, expectInput } from './check.js'
import { heUniform, zeros } from './init.js'
import { layer, type Layer } from './layer.js'
import { parameter } from './parameter.js'
import type { Images, Initializer } from './types.js'

/** Options of `conv2d`. */
export interface Conv2dOptions {
  readonly kernel: Pair
  /** Default: 1. */
  readonly stride?: Pair
  /** One number for all sides, [height, width], or [top, left, bottom, right]. Default: 0. */
  readonly padding?: Padding
  /** Default: 1, dense. */
  readonly dilation?: Pair
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

/** The kinds of the options of `conv2d`. */
export const conv2dOptions: Schema<Conv2dOptions> = {
  kernel: is.needed(is.pair(1)),
  stride: is.pair(1),
  padding: is.padding,
  dilation: is.pair(1),
  groups: is.whole(1),
  bias: is.flag,
  init: is.callable,
  biasInit: is.callable,
  name: is.text,
}

/**
 * Cross-correlation: x f32 [N, in, H, W] -> [N, out, H', W'], weights [out, in / groups, KH, KW].
 * @throws OstrichError `ERR_OPTION`, for groups that do not divide the channels too; ShapeError when traced, for an x that does not fit.
 * @example nn.conv2d(1, 32, { kernel: 5, padding: 2 })
 */
export function conv2d<I extends number, O extends number>(
  inChannels: I,
  outChannels: O,
  options: Conv2dOptions,
): Layer<Images<I>, Images<O>> {
  expectOptions('nn.conv2d', options, conv2dOptions)
  const { kernel, stride = 1, padding = 0, dilation = 1, groups = 1, bias = true, name } = options
  const { init = heUniform, biasInit = zeros } = options
  const [height, width] = pairOf(kernel)
  expectChannels('conv2d', inChannels, outChannels, groups)
  const [inner, taps] = [inChannels / groups, height * width]
  const fans = { in: inner * taps, out: (outChannels / groups) * taps }
  const w = parameter<[O, number, number, number]>('w', [outChannels, inner, height, width], init, fans)
  const b = bias ? parameter('b', [outChannels], biasInit) : undefined
  return layer<Images<I>, Images<O>>({
    kind: 'conv',
    name,
    parameters: b ? [w, b] : [w],
    apply: (x) => {
      const weight = read(w)
      expectInput('conv2d', weight, x, [inChannels, 'H', 'W'])
      return convolve(x as Images, weight, { stride, padding, dilation, groups, ...(b && { bias: read(b) }) })
    },
  })
}
