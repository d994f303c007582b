// The multiplicative recurrent network: each input chooses the matrix between states, factored so that it can. Composed of single
// ops, one set for each time step; products with the input are one matmul over T * N rows.
import { expectOptions, is } from '../base/index.js'
import { read, type Shape, ShapeError, type Tensor } from '../graph/index.js'
import * as ops from '../ops/index.js'
import { CarriedState } from './carried.js'
import { expectCount, ownerPath, typeText } from './check.js'
import { uniform, zeros } from './init.js'
import { layer, type Layer } from './layer.js'
import { parameter } from './parameter.js'
import { type RecurrentOptions, recurrentOptions } from './recurrent.js'
import type { Features } from './types.js'

/** Options of `mrnn`; it does not run in reverse. */
export interface MrnnOptions<U extends number = number> extends Omit<RecurrentOptions<U>, 'reverse' | 'inputs'> {
  /** D. */
  readonly inputs: number
  /** F. Default: as many as `units`. */
  readonly factors?: number
}

const product = (a: Tensor, b: Tensor) => ops.matmul<'f32', Shape, Shape>(a as Tensor<'f32'>, b as Tensor<'f32'>)

/**
 * x f32 [T, N, D] -> h [T, N, units]: f_t = (x_t V^T) * (h_{t-1} U), h_t = tanh(f_t P + x_t W^T + b), with V [F, D], U [units, F],
 * P [F, units], W [units, D].
 * @throws OstrichError `ERR_OPTION`; ShapeError for extents below 1; when traced, for an x of other extents.
 * @see Sutskever, Martens & Hinton 2011, "Generating text with recurrent neural networks", eq. 7 to 9.
 * @example nn.mrnn({ inputs: 64, units: 512, factors: 512, carry: true })
 */
export function mrnn<U extends number>(options: MrnnOptions<U>): Layer<Features, Features<U>> {
  const { reverse: _, ...shared } = recurrentOptions
  expectOptions<MrnnOptions>('nn.mrnn', options, { ...shared, inputs: is.needed(is.number), factors: is.number })
  const { units, inputs, factors = units, carry = false, biasInit = zeros, name } = options
  for (const [what, value] of Object.entries({ units, inputs, factors })) expectCount('mrnn', what, value)
  const { init = uniform(-(units ** -0.5), units ** -0.5) } = options
  const v = parameter('v', [factors, inputs], init, { in: inputs, out: factors })
  const u = parameter('u', [units, factors], init, { in: units, out: factors })
  const p = parameter('p', [factors, units], init, { in: factors, out: units })
  const w = parameter('w', [units, inputs], init, { in: inputs, out: units })
  const b = parameter('b', [units], biasInit)
  const carried = new CarriedState('h', units)
  return layer<Features, Features<U>>({
    kind: 'mrnn',
    name,
    parameters: [v, u, p, w, b],
    apply: (x) => {
      const own = read(w)
      const where = `mrnn[${ownerPath(own)}]`
      if ((x as Tensor).rank !== 3 || x.shape[2] !== inputs) {
        throw new ShapeError(`${where}: expected x of f32[T, N, ${inputs}], got ${typeText(x)}`)
      }
      const [steps = 1, streams = 1] = x.shape as Shape
      const rows = ops.reshape(x, [steps * streams, inputs])
      const onto = (weight: Tensor, bias?: Tensor<'f32'>) =>
        ops.matmul<'f32', Shape, Shape, false, true>(rows, weight as Tensor<'f32'>, {
          transposeB: true,
          ...(bias && { bias }),
        })
      const [chosen, added] = [onto(read(v)), onto(own, read(b) as Tensor as Tensor<'f32'>)]
      const at = (of: Tensor<'f32'>, t: number) => ops.slice(of, [t * streams, 0], [streams, of.shape[1] ?? 1])
      let h = carry ? carried.start(streams, where) : (ops.zeros([streams, units]) as Tensor as Tensor<'f32'>)
      const states = Array.from({ length: steps }, (_, t) => {
        const f = ops.mul<'f32', Shape, Shape>(at(chosen, t), product(h, read(u)))
        h = ops.tanh(ops.add<'f32', Shape, Shape>(product(f, read(p)), at(added, t)))
        return ops.reshape(h, [1, streams, units])
      })
      const all = ops.concat(states, 0)
      if (carry) carried.keep(all, steps - 1)
      return all as Tensor as Features<U>
    },
  })
}
