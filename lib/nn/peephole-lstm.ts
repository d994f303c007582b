// The LSTM whose gates see the cell: composed of single ops, one set for each time step.
import { expectOptions, is } from '../base/index.js'
import { read, type Shape, type Tensor } from '../graph/index.js'
import { add, mul, sigmoid, slice, tanh } from '../ops/index.js'
import { cellLayer } from './cell.js'
import { expectCount } from './check.js'
import { uniform, zeros } from './init.js'
import { parameter } from './parameter.js'
import { expectFeatures, projected, recurrentProduct } from './projection.js'
import type { Recurrent, States } from './recurrence.js'
import { type RecurrentOptions, recurrentOptions } from './recurrent.js'
import type { Features, Initializer } from './types.js'

/** Options of `peepholeLstm`. */
export interface PeepholeLstmOptions<U extends number = number, I extends number = number> extends RecurrentOptions<
  U,
  I
> {
  /** D. */
  readonly inputs: I
  /** Of the peepholes. Default: that of the other weights. */
  readonly peepholeInit?: Initializer
}

/**
 * Long short-term memory whose gates see the cell: x f32 [T, N, D] -> h [T, N, units]. With z = x W^T + b + h_{t-1} U in the order i, f, g, o
 * and p [3, units]: c_t = sigmoid(z_f + p_f c_{t-1}) c_{t-1} + sigmoid(z_i + p_i c_{t-1}) tanh(z_g),
 * h_t = sigmoid(z_o + p_o c_t) tanh(c_t). Slower than `lstm`, which is one op over all steps.
 * @throws OstrichError `ERR_OPTION`, for extents below 1 and carry with reverse too; ShapeError when traced, for an x of other extents.
 * @see Gers, Schraudolph & Schmidhuber 2002, "Learning precise timing with LSTM recurrent networks"; Graves 2013, "Generating sequences
 * with recurrent neural networks", eq. 7 to 11.
 * @example nn.peepholeLstm({ inputs: 3, units: 400 })
 */
export function peepholeLstm<U extends number, I extends number>(
  options: PeepholeLstmOptions<U, I>,
): Recurrent<Features<I>, Features<U>, 'h' | 'c'> {
  const own = { ...recurrentOptions, inputs: is.needed(is.number), peepholeInit: is.callable }
  expectOptions<PeepholeLstmOptions>('nn.peepholeLstm', options, own)
  const { units, inputs, init: given, biasInit = zeros, peepholeInit, ...loop } = options
  for (const [what, value] of Object.entries({ units, inputs })) expectCount('peepholeLstm', what, value)
  const init = given ?? uniform(-(units ** -0.5), units ** -0.5)
  const w = parameter('w', [4 * units, inputs], init, { in: inputs, out: units })
  const u = parameter('u', [units, 4 * units], init, { in: units, out: units })
  const b = parameter('b', [4 * units], biasInit)
  const p = parameter('p', [3, units], peepholeInit ?? init, { in: 1, out: 1 })
  return cellLayer<Features<I>, Features<U>, 'h' | 'c'>(
    {
      kind: 'peepholeLstm',
      parameters: [w, u, b, p],
      states: (x) => {
        expectFeatures(x, inputs)
        return { h: [units], c: [units] }
      },
      inputs: (x) => [projected(x, read(w), read(b))],
      step: ([own], { h, c }) => peepholeStep(plus(own!, recurrentProduct(h, read(u))), c, read(p)),
    },
    loop,
  )
}

/** One step, from the sums of its gates [N, 4 units], the cell before it [N, units] and the peepholes [3, units]. */
export function peepholeStep(z: Tensor<'f32'>, c: Tensor<'f32'>, p: Tensor<'f32'>): States<'h' | 'c'> {
  const [, units = 1] = c.shape
  const part = (k: number) => slice(z, [0, k * units], c.shape)
  const seen = (k: number, cell: Tensor<'f32'>) => times(slice(p, [k, 0], [1, units]), cell)
  const [i, f] = [sigmoid(plus(part(0), seen(0, c))), sigmoid(plus(part(1), seen(1, c)))]
  const next = plus(times(f, c), times(i, tanh(part(2))))
  return { h: times(sigmoid(plus(part(3), seen(2, next))), tanh(next)), c: next }
}

const plus = add<'f32', Shape, Shape>
const times = mul<'f32', Shape, Shape>
