// The largest elements along the last axis, and where they are.
import { expectKind, is } from '../base/index.js'
import { constant, type DType, emit, type Shape, type Tensor } from '../graph/index.js'
import { reshape } from './axes.js'
import { exactly, expectFloat, expectThat, register } from './define.js'
import { scatterAdd } from './gather.js'
import { add, cast } from './pointwise.js'

const op = register<{ readonly k: number }>({
  name: 'topK',
  kind: 'kernel',
  inBf16: 'f32',
  moves: false,
  epilogue: 'none',
  attributes: { k: 'int' },
  infer: (inputs, { k }) => {
    const [x] = exactly(inputs, 1)
    expectFloat(x, 'x')
    const extent = x.shape.at(-1)
    expectThat(extent !== undefined, 'x with at least one axis', '[]')
    expectThat(Number.isSafeInteger(k) && k >= 1 && k <= extent, `k from 1 to ${extent}`, k.toString())
    const shape = [...x.shape.slice(0, -1), k]
    return [
      { dtype: x.dtype, shape },
      { dtype: 'i32', shape },
    ]
  },
  vjp: ({ inputs, outputs, attrs: { k } }, [dvalues]) => {
    const [[x], [, places]] = [exactly(inputs, 1), exactly(outputs, 2)]
    return [dvalues && scattered(dvalues, places, x.shape, k)]
  },
})

/** Each gradient in its place among all elements, zeros in the others. */
function scattered(values: Tensor, places: Tensor, shape: Shape, k: number): Tensor {
  const extent = shape.at(-1) ?? 1
  const rows = shape.slice(0, -1).reduce((product, length) => product * length, 1)
  const starts = constant(
    'i32',
    [rows, 1],
    Array.from({ length: rows }, (_, row) => row * extent),
  )
  const index = reshape(add(reshape(cast(places, 'i32'), [rows, k]), starts), [rows * k])
  return reshape(scatterAdd(index, reshape(values, [rows * k, 1]), rows * extent), shape)
}

/** What `topK` gives: [..., k] each. */
export interface TopK<D extends DType> {
  /** From the largest down. */
  readonly values: Tensor<D>
  /** Positions along the last axis. */
  readonly indices: Tensor<'i32'>
}

/**
 * The k largest elements along the last axis, from the largest down, and their positions; of equal ones those of lower positions
 * come first, and NaN counts as the largest: x float [..., K] -> [..., k].
 * @throws ShapeError for integers, a tensor without axes, and k above K; OstrichError `ERR_OPTION` for a k below 1.
 * @example const { values, indices } = topK(logits, 5)
 */
export function topK<D extends DType>(x: Tensor<D>, k: number): TopK<D> {
  expectKind('ops.topK', 'k', is.whole(1), k)
  const [values, indices] = exactly(emit(op, [x], { k }), 2)
  return { values, indices } as TopK<D>
}
