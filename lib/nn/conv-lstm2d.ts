// The convolutional LSTM: states are images, and all products convolutions. Composed of single ops, one set for each time step;
// the convolution of the input is one over T * N images.
import { expectOptions, is, OstrichError, type Schema } from '../base/index.js'
import { read, type Shape, ShapeError, type Tensor } from '../graph/index.js'
import { add, conv2d, mul, type Pair, reshape, sigmoid, slice, tanh } from '../ops/index.js'
import { pairOf } from '../ops/window.js'
import { cellLayer } from './cell.js'
import { expectChannels } from './check.js'
import { glorotUniform, zeros } from './init.js'
import { parameter } from './parameter.js'
import { type RecurrenceOptions, recurrenceOptions, type Recurrent, type States } from './recurrence.js'
import type { Initializer } from './types.js'

/** Options of `convLstm2d`. */
export interface ConvLstm2dOptions extends RecurrenceOptions {
  /** Odd, for both convolutions; images keep their extents. */
  readonly kernel: Pair
  /** Whether gates see the cells, each by one weight for each channel. Default: false. */
  readonly peepholes?: boolean
  /** Of both weights. Default: Glorot uniform. */
  readonly init?: Initializer
  /** Of the bias. Default: zeros. */
  readonly biasInit?: Initializer
}

const schema: Schema<ConvLstm2dOptions> = {
  ...recurrenceOptions,
  kernel: is.needed(is.pair(1)),
  peepholes: is.flag,
  init: is.callable,
  biasInit: is.callable,
}

/** Images over time, [T, N, C, H, W]. */
type Film<C extends number = number> = Tensor<'f32', [number, number, C, number, number]>

/**
 * Long short-term memory over images: x f32 [T, N, in, H, W] -> h [T, N, out, H, W]. With z = W * x_t + b + U * h_{t-1} in the order
 * i, f, g, o, where * is a convolution: c_t = sigmoid(z_f) c_{t-1} + sigmoid(z_i) tanh(z_g), h_t = sigmoid(z_o) tanh(c_t). With peepholes,
 * p [3, out], z_i and z_f have p_i c_{t-1} and p_f c_{t-1} added, z_o has p_o c_t.
 * @throws OstrichError `ERR_OPTION`, for channels below 1, an even kernel and carry with reverse too; ShapeError when traced, for an x of
 * other channels or rank.
 * @see Shi et al. 2015, "Convolutional LSTM network: a machine learning approach for precipitation nowcasting", eq. 3.
 * @example nn.convLstm2d(1, 64, { kernel: 5 }) // [10, 16, 1, 64, 64] -> [10, 16, 64, 64, 64]
 */
export function convLstm2d<I extends number, O extends number>(
  inChannels: I,
  outChannels: O,
  options: ConvLstm2dOptions,
): Recurrent<Film<I>, Film<O>, 'h' | 'c'> {
  expectOptions('nn.convLstm2d', options, schema)
  const { kernel, peepholes = false, init = glorotUniform, biasInit = zeros, ...loop } = options
  const [height, width] = pairOf(kernel)
  expectChannels('convLstm2d', inChannels, outChannels)
  const even = [height, width].find((extent) => extent % 2 === 0)
  if (even !== undefined) throw new OstrichError('ERR_OPTION', `convLstm2d: expected an odd kernel, got ${even}`)
  const [gates, taps] = [4 * outChannels, height * width]
  const fans = (channels: number) => ({ in: channels * taps, out: outChannels * taps })
  const w = parameter('w', [gates, inChannels, height, width], init, fans(inChannels))
  const u = parameter('u', [gates, outChannels, height, width], init, fans(outChannels))
  const b = parameter('b', [gates], biasInit)
  const p = peepholes ? parameter('p', [3, outChannels], zeros) : undefined
  const padding = [(height - 1) / 2, (width - 1) / 2] as const
  return cellLayer<Film<I>, Film<O>, 'h' | 'c'>(
    {
      kind: 'convLstm',
      parameters: [w, u, b, ...(p ? [p] : [])],
      states: ([channels, ...extents]) => {
        if (channels !== inChannels || extents.length !== 2) {
          const got = ['T', 'N', channels, ...extents].join(', ')
          throw new ShapeError(`expected x of f32[T, N, ${inChannels}, H, W], got f32[${got}]`)
        }
        return { h: [outChannels, ...extents], c: [outChannels, ...extents] }
      },
      inputs: (x) => {
        const [steps = 1, rows = 1, , h = 1, v = 1] = x.shape
        const all = conv2d(reshape(x, [steps * rows, inChannels, h, v]), read(w), { padding, bias: read(b) })
        return [reshape(all, [steps, rows, gates, h, v])]
      },
      step: ([own], { h, c }) => {
        const [rows = 1, , height = 1, width = 1] = h.shape
        const before = reshape(h, [rows, outChannels, height, width])
        const z = plus(own!, conv2d(before, read(u), { padding }))
        return convLstmStep(z, c, p && read(p))
      },
    },
    loop,
  )
}

/** One step, from the sums of its gates [N, 4 out, H, W], the cell before it [N, out, H, W] and, if there are peepholes, those [3, out]. */
export function convLstmStep(z: Tensor<'f32'>, c: Tensor<'f32'>, p?: Tensor<'f32'>): States<'h' | 'c'> {
  const [, channels = 1] = c.shape
  const part = (k: number) => slice(z, [0, k * channels, 0, 0], c.shape)
  const seen = (k: number, cell: Tensor<'f32'>, peephole: number) => {
    if (p === undefined) return part(k)
    const own = reshape(slice(p, [peephole, 0], [1, channels]), [1, channels, 1, 1])
    return plus(part(k), times(own, cell))
  }
  const next = plus(times(sigmoid(seen(1, c, 1)), c), times(sigmoid(seen(0, c, 0)), tanh(part(2))))
  return { h: times(sigmoid(seen(3, next, 2)), tanh(next)), c: next }
}

const plus = add<'f32', Shape, Shape>
const times = mul<'f32', Shape, Shape>
