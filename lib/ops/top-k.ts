// The largest elements along the last axis, and where they are.
import { expectKind, is } from '../base/index.js'
import { constant, type DType, emit, type Shape, ShapeError, type Tensor } from '../graph/index.js'
import { reshape } from './axes.js'
import { exactly, expectFloat, expectThat, register } from './define.js'
import { scatterAdd } from './gather.js'
import { add } from './pointwise.js'

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
  const index = add<'i32', Shape, Shape>(reshape(places as Tensor<'i32'>, [rows, k]), starts)
  const sums = scatterAdd(reshape(index, [rows * k]) as Tensor<'i32'>, reshape(values, [rows * k, 1]), rows * extent)
  return reshape(sums as Tensor, shape)
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
 * @throws ShapeError for integers, a tensor without axes, and k outside 1 to K; OstrichError `ERR_OPTION` for a k that is no number.
 * @example const { values, indices } = topK(logits, 5)
 */
export function topK<D extends DType>(x: Tensor<D>, k: number): TopK<D> {
  expectKind('ops.topK', 'k', is.number, k)
  if (!Number.isSafeInteger(k)) throw new ShapeError(`topK: expected k to be a whole number, got ${k}`)
  const [values, indices] = exactly(emit(op, [x], { k }), 2)
  return { values, indices } as TopK<D>
}
