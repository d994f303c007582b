// Locally connected layer over NCHW: a convolution without shared weights.
import { expectOptions, is, type Schema } from '../base/index.js'
import { add, local2d as connect, type Padding, type Pair } from '../ops/index.js'
import { localExtents } from '../ops/local2d.js'
import { pairOf } from '../ops/window.js'
import { read } from '../graph/index.js'
import { expectChannels, expectInput } from './check.js'
import { heUniform, zeros } from './init.js'
import { layer, type Layer } from './layer.js'
import { parameter } from './parameter.js'
import type { Images, Initializer } from './types.js'

/** Options of `local2d`. */
export interface Local2dOptions {
  /** [height, width] of the input: each place has weights of its own. */
  readonly size: Pair
  readonly kernel: Pair
  /** Default: 1. */
  readonly stride?: Pair
  /** One number for all sides, [height, width], or [top, left, bottom, right]. Default: 0. */
  readonly padding?: Padding
  /** One for each output channel and place. Default: true. */
  readonly bias?: boolean
  /** Of the weights. Default: He uniform. */
  readonly init?: Initializer
  /** Of the bias. Default: zeros. */
  readonly biasInit?: Initializer
  /** In paths; default: `local1`, `local2`, ... */
  readonly name?: string
}

const schema: Schema<Local2dOptions> = {
  size: is.needed(is.pair(1)),
  kernel: is.needed(is.pair(1)),
  stride: is.pair(1),
  padding: is.padding,
  bias: is.flag,
  init: is.callable,
  biasInit: is.callable,
  name: is.text,
}

/**
 * A convolution with other weights at each place: x f32 [N, in, H, W] -> [N, out, H', W'], w [H', W', out, in * KH * KW],
 * b [out, H', W'].
 * @throws OstrichError `ERR_OPTION`; ShapeError for a window larger than the padded input; when traced, for an x that does not fit.
 * @see Krizhevsky 2009, "Learning multiple layers of features from tiny images"; `local` in cuda-convnet.
 * @example nn.local2d(64, 32, { size: 6, kernel: 3, padding: 1 })
 */
export function local2d<I extends number, O extends number>(
  inChannels: I,
  outChannels: O,
  options: Local2dOptions,
): Layer<Images<I>, Images<O>> {
  expectOptions('nn.local2d', options, schema)
  const { size, kernel, stride = 1, padding = 0, bias = true, name } = options
  const { init = heUniform, biasInit = zeros } = options
  const [[height, width], [kh, kw]] = [pairOf(size), pairOf(kernel)]
  expectChannels('local2d', inChannels, outChannels)
  const windows = { kernel, stride, padding }
  const [oh, ow] = localExtents(height, width, windows)
  const fans = { in: inChannels * kh * kw, out: outChannels * kh * kw }
  const w = parameter<[number, number, O, number]>('w', [oh, ow, outChannels, fans.in], init, fans)
  const b = bias ? parameter('b', [outChannels, oh, ow], biasInit) : undefined
  return layer<Images<I>, Images<O>>({
    kind: 'local',
    name,
    parameters: b ? [w, b] : [w],
    apply: (x) => {
      const weight = read(w)
      expectInput('local2d', weight, x, [inChannels, height, width])
      const y = connect(x as Images, weight, windows)
      return (b ? add<'f32', readonly number[], readonly number[]>(y, read(b)) : y) as Images<O>
    },
  })
}
