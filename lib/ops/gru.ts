// Gated recurrent units: the recurrent part of a layer over a whole sequence, and its gradient. The reset gate scales the
// finished product with its bias, as cuDNN and PyTorch have it, so that all three parts are one product.
import { expectOptions } from '../base/index.js'
import { type DType, emit, GraphError, notDifferentiable, type Tensor, type TensorType } from '../graph/index.js'
import { sum } from './axes.js'
import { exactly, expectDType, expectShape, expectThat, register } from './define.js'
import { cast } from './pointwise.js'
import {
  expectMask,
  expectState,
  expectSteps,
  rows,
  sequenceExtents,
  type SequenceOptions,
  sequenceOptions,
  statesBefore,
  weightGradient,
} from './sequence.js'

type GruAttrs = { readonly reverse: boolean }

const gruOp = register<GruAttrs>({
  name: 'gru',
  kind: 'kernel',
  inBf16: 3,
  moves: false,
  epilogue: 'none',
  attributes: { reverse: 'boolean' },
  infer: (inputs) => {
    expectThat(inputs.length === 4 || inputs.length === 5, '4 or 5 inputs', inputs.length.toString())
    const [gates, w, h0, b, mask] = inputs as [TensorType, TensorType, TensorType, TensorType, TensorType?]
    const extents = sequenceExtents(gates, 'gates', w, 3)
    expectSteps(gates, extents, 3, 'gates')
    expectState(h0, extents, gates.dtype, 'h0')
    expectDType(b, ['f32'], 'a bias')
    const { steps, streams, units } = extents
    expectShape(b, [3 * units], 'a bias of shape')
    expectMask(mask, extents)
    return [
      { dtype: gates.dtype, shape: [steps, streams, units] },
      { dtype: gates.dtype, shape: [steps, streams, 4 * units] },
    ]
  },
  vjp: ({ inputs, outputs, attrs }, [dh, dactivated]) => {
    if (dactivated !== undefined) throw new GraphError('gru: expected no gradient of the activated gates, got one')
    if (dh === undefined) return []
    const [, w, h0, , mask] = inputs as [Tensor, Tensor, Tensor, Tensor, Tensor?]
    const [h, activated] = exactly(outputs, 2)
    const given = [dh, activated, w, h, h0, ...(mask ? [mask] : [])]
    const [dgates, dproducts, dh0] = exactly(emit(gruGradOp, given, attrs), 3)
    const dw = weightGradient(statesBefore(h, h0, attrs.reverse), dproducts)
    return [dgates, dw, dh0, sum(cast(rows(dproducts), 'f32'), [0]), undefined]
  },
})

const gruGradOp = register<GruAttrs>({
  name: 'gruGrad',
  kind: 'kernel',
  inBf16: 5,
  moves: false,
  epilogue: 'none',
  attributes: { reverse: 'boolean' },
  infer: (inputs) => {
    expectThat(inputs.length === 5 || inputs.length === 6, '5 or 6 inputs', inputs.length.toString())
    const [dh, activated, w, h, h0, mask] = inputs as [
      TensorType,
      TensorType,
      TensorType,
      TensorType,
      TensorType,
      TensorType?,
    ]
    const extents = sequenceExtents(activated, 'activated gates', w, 3)
    expectSteps(activated, extents, 4, 'activated gates')
    for (const [type, what] of [
      [dh, 'dh'],
      [h, 'h'],
    ] as const) {
      expectDType(type, [activated.dtype], what)
      expectSteps(type, extents, 1, what)
    }
    expectState(h0, extents, activated.dtype, 'h0')
    expectMask(mask, extents)
    const { steps, streams, units } = extents
    const gradient = { dtype: activated.dtype, shape: [steps, streams, 3 * units] }
    return [gradient, gradient, { dtype: activated.dtype, shape: [streams, units] }]
  },
  vjp: notDifferentiable('the gradient of gru is a kernel of its own, which has no gradient'),
})

/**
 * The recurrent part of gated recurrent units: with s_t = h_{t-1} w + b, in the order r, z, n, n_t = tanh(gates_n + r_t s_n) and
 * h_t = (1 - z_t) n_t + z_t h_{t-1}, where r_t and z_t are sigmoid(gates + s). gates float [T, N, 3H] (x W + b of all steps),
 * w [H, 3H], b f32 [3H], first state [N, H] -> h [T, N, H]. Gradients of it have no gradient.
 * @throws ShapeError where extents or dtypes do not fit.
 * @see Cho et al. 2014, "Learning phrase representations using RNN encoder-decoder for statistical machine translation".
 * @example gru(gates, w, b, zeros([20, 200]))
 */
export function gru<D extends DType>(
  gates: Tensor<D>,
  w: Tensor<D>,
  b: Tensor<'f32'>,
  first: Tensor<D>,
  options: SequenceOptions = {},
): Tensor<D> {
  expectOptions('ops.gru', options, sequenceOptions)
  const { reverse = false, mask } = options
  const [h]: readonly [Tensor<D>, ...Tensor[]] = emit(gruOp, [gates, w, first, b, ...(mask ? [mask] : [])], { reverse })
  return h
}
