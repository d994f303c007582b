// Long short-term memory: the recurrent part of a layer over a whole sequence, and its gradient. What depends on the input
// alone (x W + b for all steps, and the gradients of x, W and b) are ordinary products outside.
import { expectOptions } from '../base/index.js'
import { type DType, emit, GraphError, notDifferentiable, type Tensor, type TensorType } from '../graph/index.js'
import { exactly, expectDType, expectThat, register } from './define.js'
import { zeros } from './operand.js'
import {
  expectMask,
  expectState,
  expectSteps,
  sequenceExtents,
  type SequenceOptions,
  sequenceOptions,
  statesBefore,
  weightGradient,
} from './sequence.js'

type LstmAttrs = { readonly reverse: boolean }
/** `cell`: there is a gradient of c among the inputs. */
type LstmGradAttrs = LstmAttrs & { readonly cell: boolean }

const lstmOp = register<LstmAttrs>({
  name: 'lstm',
  kind: 'kernel',
  inBf16: 3,
  moves: false,
  epilogue: 'none',
  attributes: { reverse: 'boolean' },
  infer: (inputs) => {
    expectThat(inputs.length === 4 || inputs.length === 5, '4 or 5 inputs', inputs.length.toString())
    const [gates, w, h0, c0, mask] = inputs as [TensorType, TensorType, TensorType, TensorType, TensorType?]
    const extents = sequenceExtents(gates, 'gates', w, 4)
    expectSteps(gates, extents, 4, 'gates')
    expectState(h0, extents, gates.dtype, 'h0')
    expectState(c0, extents, 'f32', 'c0')
    expectMask(mask, extents)
    const { steps, streams, units } = extents
    return [
      { dtype: gates.dtype, shape: [steps, streams, units] },
      { dtype: 'f32', shape: [steps, streams, units] },
      { dtype: gates.dtype, shape: gates.shape },
    ]
  },
  vjp: ({ inputs, outputs, attrs: { reverse } }, [dh, dc, dactivated]) => {
    if (dactivated !== undefined) throw new GraphError('lstm: expected no gradient of the activated gates, got one')
    const [, w, h0, c0, mask] = inputs as [Tensor, Tensor, Tensor, Tensor, Tensor?]
    const [h, c, activated] = exactly(outputs, 3)
    const given = [dh ?? zeros(h.shape, h.dtype), activated, w, c, c0, ...(dc ? [dc] : []), ...(mask ? [mask] : [])]
    const [dgates, dh0, dc0] = exactly(emit(lstmGradOp, given, { reverse, cell: dc !== undefined }), 3)
    return [dgates, weightGradient(statesBefore(h, h0, reverse), dgates), dh0, dc0, undefined]
  },
})

const lstmGradOp = register<LstmGradAttrs>({
  name: 'lstmGrad',
  kind: 'kernel',
  inBf16: 3,
  moves: false,
  epilogue: 'none',
  attributes: { reverse: 'boolean', cell: 'boolean' },
  infer: (inputs, { cell }) => {
    const least = cell ? 6 : 5
    const good = inputs.length === least || inputs.length === least + 1
    expectThat(good, `${least} or ${least + 1} inputs`, inputs.length.toString())
    const [dh, activated, w, c, c0] = exactly(inputs.slice(0, 5), 5)
    const [dc, mask] = cell ? inputs.slice(5) : [undefined, inputs[5]]
    const extents = sequenceExtents(activated, 'activated gates', w, 4)
    expectSteps(activated, extents, 4, 'activated gates')
    expectDType(dh, [activated.dtype], 'dh')
    expectSteps(dh, extents, 1, 'dh')
    expectDType(c, ['f32'], 'c')
    expectSteps(c, extents, 1, 'c')
    expectState(c0, extents, 'f32', 'c0')
    if (dc !== undefined) {
      expectDType(dc, ['f32'], 'dc')
      expectSteps(dc, extents, 1, 'dc')
    }
    expectMask(mask, extents)
    const state = [extents.streams, extents.units]
    return [
      { dtype: activated.dtype, shape: activated.shape },
      { dtype: activated.dtype, shape: state },
      { dtype: 'f32', shape: state },
    ]
  },
  vjp: notDifferentiable('the gradient of lstm is a kernel of its own, which has no gradient'),
})

/** State of an LSTM: h float [N, H], c f32 [N, H]. */
export interface LstmState<D extends DType = DType> {
  readonly h: Tensor<D>
  readonly c: Tensor<'f32'>
}

/**
 * The recurrent part of an LSTM: with z_t = gates_t + h_{t-1} w in the order i, f, g, o,
 * c_t = sigmoid(z_f) c_{t-1} + sigmoid(z_i) tanh(z_g) and h_t = sigmoid(z_o) tanh(c_t).
 * gates float [T, N, 4H] (x W + b of all steps), w [H, 4H], first state h [N, H] and c f32 [N, H] -> h [T, N, H], c f32 [T, N, H].
 * Gradients of it have no gradient.
 * @throws ShapeError where extents or dtypes do not fit.
 * @see Hochreiter & Schmidhuber 1997, "Long short-term memory"; Gers, Schmidhuber & Cummins 2000, "Learning to forget".
 * @example lstm(gates, w, { h: zeros([20, 200]), c: zeros([20, 200]) }).h
 */
export function lstm<D extends DType>(
  gates: Tensor<D>,
  w: Tensor<D>,
  first: LstmState<D>,
  options: SequenceOptions = {},
): LstmState<D> {
  expectOptions('ops.lstm', options, sequenceOptions)
  const { reverse = false, mask } = options
  const inputs = [gates, w, first.h, first.c, ...(mask ? [mask] : [])]
  const [h, c] = exactly(emit(lstmOp, inputs, { reverse }), 3)
  return { h, c } as LstmState<D>
}
