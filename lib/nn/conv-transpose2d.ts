// Transposed convolution layer over NCHW: from few pixels to many.
import { expectOptions, is, type Schema } from '../base/index.js'
import { read } from '../graph/index.js'
import { type ConvTranspose2dOptions, convTranspose2d as spread, type Pair } from '../ops/index.js'
import { pairOf } from '../ops/window.js'
import { expectChannels, expectInput } from './check.js'
import { conv2dOptions } from './conv2d.js'
import { heUniform, zeros } from './init.js'
import { layer, type Layer } from './layer.js'
import { parameter } from './parameter.js'
import type { Images, Initializer } from './types.js'

/** Options of `convTranspose2d`. */
export interface ConvTranspose2dLayerOptions extends Omit<ConvTranspose2dOptions, 'bias'> {
  readonly kernel: Pair
  /** Default: true. */
  readonly bias?: boolean
  /** Of the weights. Default: He uniform, by what meets in one pixel where windows lie side by side. */
  readonly init?: Initializer
  /** Of the bias. Default: zeros. */
  readonly biasInit?: Initializer
  /** In paths; default: `convTranspose1`, `convTranspose2`, ... */
  readonly name?: string
}

const schema: Schema<ConvTranspose2dLayerOptions> = { ...conv2dOptions, outputPadding: is.pair(0) }

/**
 * The gradient of a convolution by its input, as a layer: x f32 [N, in, H, W] -> [N, out, H', W'], H' = (H - 1) stride + dilation
 * (KH - 1) + 1 - padding + output padding; weights [in, out / groups, KH, KW].
 * @throws OstrichError `ERR_OPTION`, for groups that do not divide the channels too; ShapeError when traced, for an x that does not fit.
 * @example nn.convTranspose2d(64, 32, { kernel: 2, stride: 2 }) // twice as many pixels either way
 */
export function convTranspose2d<I extends number, O extends number>(
  inChannels: I,
  outChannels: O,
  options: ConvTranspose2dLayerOptions,
): Layer<Images<I>, Images<O>> {
  expectOptions('nn.convTranspose2d', options, schema)
  const { kernel, bias = true, init = heUniform, biasInit = zeros, name, ...geometry } = options
  const { stride = 1, groups = 1 } = geometry
  const [height, width] = pairOf(kernel)
  expectChannels('convTranspose2d', inChannels, outChannels, groups)
  const [down, across] = pairOf(stride)
  // Of the windows so many overlap in a pixel.
  const meeting = Math.max(1, height / down) * Math.max(1, width / across)
  const outer = outChannels / groups
  const fans = { in: (inChannels / groups) * meeting, out: outer * height * width }
  const w = parameter<[I, number, number, number]>('w', [inChannels, outer, height, width], init, fans)
  const b = bias ? parameter('b', [outChannels], biasInit) : undefined
  return layer<Images<I>, Images<O>>({
    kind: 'convTranspose',
    name,
    parameters: b ? [w, b] : [w],
    apply: (x) => {
      const weight = read(w)
      expectInput('convTranspose2d', weight, x, [inChannels, 'H', 'W'])
      return spread<'f32'>(x, weight, { ...geometry, ...(b && { bias: read(b) }) }) as Images<O>
    },
  })
}
