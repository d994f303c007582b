// The multiplicative recurrent network: each input chooses the matrix between states, factored so that it can. Composed of single
// ops, one set for each time step; products with the input are one matmul over T * N rows.
import { expectOptions, is } from '../base/index.js'
import { read, type Shape } from '../graph/index.js'
import { add, mul, tanh } from '../ops/index.js'
import { cellLayer } from './cell.js'
import { expectCount } from './check.js'
import { uniform, zeros } from './init.js'
import { parameter } from './parameter.js'
import { expectFeatures, projected, recurrentProduct } from './projection.js'
import type { Recurrent } from './recurrence.js'
import { type RecurrentOptions, recurrentOptions } from './recurrent.js'
import type { Features } from './types.js'

/** Options of `mrnn`. */
export interface MrnnOptions<U extends number = number> extends Omit<RecurrentOptions<U>, 'inputs'> {
  /** D. */
  readonly inputs: number
  /** F. Default: as many as `units`. */
  readonly factors?: number
}

/**
 * x f32 [T, N, D] -> h [T, N, units]: f_t = (x_t V^T) * (h_{t-1} U), h_t = tanh(f_t P + x_t W^T + b), with V [F, D], U [units, F],
 * P [F, units], W [units, D].
 * @throws OstrichError `ERR_OPTION`, for extents below 1 and carry with reverse too; ShapeError when traced, for an x of other extents.
 * @see Sutskever, Martens & Hinton 2011, "Generating text with recurrent neural networks", eq. 7 to 9.
 * @example nn.mrnn({ inputs: 64, units: 512, factors: 512, carry: true })
 */
export function mrnn<U extends number>(options: MrnnOptions<U>): Recurrent<Features, Features<U>, 'h'> {
  const own = { inputs: is.needed(is.number), factors: is.number }
  expectOptions<MrnnOptions>('nn.mrnn', options, { ...recurrentOptions, ...own })
  const { units, inputs, factors = units, init: given, biasInit = zeros, ...loop } = options
  for (const [what, value] of Object.entries({ units, inputs, factors })) expectCount('mrnn', what, value)
  const init = given ?? uniform(-(units ** -0.5), units ** -0.5)
  const v = parameter('v', [factors, inputs], init, { in: inputs, out: factors })
  const u = parameter('u', [units, factors], init, { in: units, out: factors })
  const p = parameter('p', [factors, units], init, { in: factors, out: units })
  const w = parameter('w', [units, inputs], init, { in: inputs, out: units })
  const b = parameter('b', [units], biasInit)
  return cellLayer<Features, Features<U>, 'h'>(
    {
      kind: 'mrnn',
      parameters: [v, u, p, w, b],
      states: (x) => {
        expectFeatures(x, inputs)
        return { h: [units] }
      },
      inputs: (x) => [projected(x, read(v)), projected(x, read(w), read(b))],
      step: ([chosen, added], { h }) => {
        const f = mul<'f32', Shape, Shape>(chosen!, recurrentProduct(h, read(u)))
        return { h: tanh(add<'f32', Shape, Shape>(recurrentProduct(f, read(p)), added!)) }
      },
    },
    loop,
  )
}
