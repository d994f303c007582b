// A plain recurrent network: the recurrent part of a layer over a whole sequence, and its gradient.
import { expectOptions, is } from '../base/index.js'
import { type DType, emit, emitOne, notDifferentiable, type Tensor, type TensorType } from '../graph/index.js'
import { exactly, expectDType, expectThat, register } from './define.js'
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

type RnnAttrs = { readonly reverse: boolean; readonly activation: string }

const attributes = { reverse: 'boolean', activation: 'string' } as const

/** Three inputs and perhaps a mask. */
function withMask(inputs: readonly TensorType[], activation: string): readonly TensorType[] {
  const good = inputs.length === 3 || inputs.length === 4
  expectThat(good, '3 or 4 inputs', inputs.length.toString())
  expectThat(activation === 'tanh' || activation === 'relu', 'activation tanh or relu', activation)
  return inputs
}

const rnnOp = register<RnnAttrs>({
  name: 'rnn',
  kind: 'kernel',
  inBf16: 3,
  moves: false,
  epilogue: 'none',
  attributes,
  infer: (inputs, { activation }) => {
    const [gates, w, h0, mask] = withMask(inputs, activation) as [TensorType, TensorType, TensorType, TensorType?]
    const extents = sequenceExtents(gates, 'gates', w, 1)
    expectSteps(gates, extents, 1, 'gates')
    expectState(h0, extents, gates.dtype, 'h0')
    expectMask(mask, extents)
    return [{ dtype: gates.dtype, shape: gates.shape }]
  },
  vjp: ({ inputs, outputs, attrs }, [dh]) => {
    if (dh === undefined) return []
    const [, w, h0, mask] = inputs as [Tensor, Tensor, Tensor, Tensor?]
    const [h] = exactly(outputs, 1)
    const [dgates, dh0] = exactly(emit(rnnGradOp, [dh, h, w, ...(mask ? [mask] : [])], attrs), 2)
    return [dgates, weightGradient(statesBefore(h, h0, attrs.reverse), dgates), dh0, undefined]
  },
})

const rnnGradOp = register<RnnAttrs>({
  name: 'rnnGrad',
  kind: 'kernel',
  inBf16: 3,
  moves: false,
  epilogue: 'none',
  attributes,
  infer: (inputs, { activation }) => {
    const [dh, h, w, mask] = withMask(inputs, activation) as [TensorType, TensorType, TensorType, TensorType?]
    const extents = sequenceExtents(h, 'h', w, 1)
    expectSteps(h, extents, 1, 'h')
    expectDType(dh, [h.dtype], 'dh')
    expectSteps(dh, extents, 1, 'dh')
    expectMask(mask, extents)
    return [
      { dtype: h.dtype, shape: h.shape },
      { dtype: h.dtype, shape: [extents.streams, extents.units] },
    ]
  },
  vjp: notDifferentiable('the gradient of rnn is a kernel of its own, which has no gradient'),
})

/** Options of `rnn`. */
export interface RnnSequenceOptions extends SequenceOptions {
  /** Default: tanh. */
  readonly activation?: 'tanh' | 'relu'
}

/**
 * The recurrent part of a plain network: h_t = tanh(gates_t + h_{t-1} w), or relu of it. gates float [T, N, H] (x W + b of all
 * steps), w [H, H], first state [N, H] -> h [T, N, H]. Gradients of it have no gradient.
 * @throws ShapeError where extents or dtypes do not fit, and for another activation.
 * @see Elman 1990, "Finding structure in time".
 * @example rnn(gates, w, zeros([20, 200]))
 */
export function rnn<D extends DType>(
  gates: Tensor<D>,
  w: Tensor<D>,
  first: Tensor<D>,
  options: RnnSequenceOptions = {},
): Tensor<D> {
  const own = { activation: is.oneOf('tanh', 'relu') }
  expectOptions<RnnSequenceOptions>('ops.rnn', options, { ...sequenceOptions, ...own })
  const { reverse = false, activation = 'tanh', mask } = options
  return emitOne(rnnOp, [gates, w, first, ...(mask ? [mask] : [])], { reverse, activation })
}
