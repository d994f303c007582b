// Axes that appear, go and repeat: `reshape`, `broadcastTo` and `sum`, which are each other's adjoints, and what all reductions share.
import { expectKind, expectOptions, is } from '../base/index.js'
import {
  broadcastShapes,
  count,
  type DType,
  emitOne,
  emitUnless,
  formatShape,
  type Op,
  sameShape,
  type Shape,
  type Tensor,
  type TensorType,
} from '../graph/index.js'
import { exactly, expectDType, expectInts, expectThat, normalAxis, register } from './define.js'

const reshapeOp = register<{ readonly shape: readonly number[] }>({
  name: 'reshape',
  kind: 'kernel',
  inBf16: 'follows',
  moves: true,
  epilogue: 'none',
  attributes: { shape: 'ints' },
  infer: (inputs, { shape }) => {
    const [x] = exactly(inputs, 1)
    expectInts(shape, shape.length, 1, 'a shape')
    expectThat(
      count(shape) === count(x.shape),
      () => `a shape of ${count(x.shape)} elements`,
      () => formatShape(shape),
    )
    return [{ dtype: x.dtype, shape }]
  },
  vjp: ({ inputs }, [dy]) => [dy && reshape(dy, exactly(inputs, 1)[0].shape)],
})

/** A requested shape as a type: -1 is an extent that is worked out. */
export type Requested<S extends Shape> = { [I in keyof S]: S[I] extends -1 ? number : S[I] }

/**
 * The same elements in row-major order under another shape; one extent may be -1 and is worked out.
 * @throws ShapeError where the counts differ.
 * @example reshape(images, [128, -1]) // [128, 1, 28, 28] -> [128, 784]
 */
export function reshape<D extends DType, S extends Shape>(
  x: Tensor<D>,
  shape: readonly [...S],
): Tensor<D, Requested<S>> {
  const known = shape.reduce<number>((product, extent) => (extent === -1 ? product : product * extent), 1)
  const target = shape.map((extent) => (extent === -1 ? count(x.shape) / known : extent))
  return emitUnless(sameShape(target, x.shape), reshapeOp, x, { shape: target })
}

/** The same with every extent given, whose types stay as they are. */
export function reshapeTo<D extends DType, S extends Shape>(x: Tensor<D>, shape: S): Tensor<D, S> {
  return emitUnless(sameShape(shape, x.shape), reshapeOp, x, { shape: [...shape] })
}

const broadcastToOp = register<{ readonly shape: readonly number[] }>({
  name: 'broadcastTo',
  kind: 'kernel',
  inBf16: 'follows',
  moves: true,
  epilogue: 'none',
  attributes: { shape: 'ints' },
  infer: (inputs, { shape }) => {
    const [x] = exactly(inputs, 1)
    expectInts(shape, shape.length, 1, 'a shape')
    const common = broadcastShapes(x.shape, shape)
    const fits = common !== undefined && sameShape(common, shape)
    expectThat(
      fits,
      () => `a shape to which ${formatShape(x.shape)} broadcasts`,
      () => formatShape(shape),
    )
    return [{ dtype: x.dtype, shape }]
  },
  vjp: ({ inputs }, [dy]) => [dy && unbroadcast(dy, exactly(inputs, 1)[0].shape)],
})

/**
 * Repeats x along axes of extent 1 and new leading axes (NumPy's rule). Pointwise ops do this by themselves.
 * @throws ShapeError where x does not broadcast to `shape`.
 */
export function broadcastTo<D extends DType, S extends Shape>(x: Tensor<D>, shape: readonly [...S]): Tensor<D, S> {
  return emitUnless(sameShape(x.shape, shape), broadcastToOp, x, { shape: [...shape] })
}

export type ReduceAttrs = { readonly axes: readonly number[]; readonly keepDims: boolean }

/** Options of reductions. */
export interface ReduceOptions {
  /** Reduced axes stay, with extent 1. Default: false. */
  readonly keepDims?: boolean
}

export function reducedShape(shape: Shape, { axes, keepDims }: ReduceAttrs): number[] {
  if (keepDims) return shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent))
  return shape.filter((_extent, axis) => !axes.includes(axis))
}

/** Shape rule of reductions of x of these dtypes. */
export function inferReduce(inputs: readonly TensorType[], attrs: ReduceAttrs, dtypes: readonly DType[]): TensorType[] {
  const [x] = exactly(inputs, 1)
  expectDType(x, dtypes, 'x')
  const sorted = attrs.axes.every((axis, i) => Number.isSafeInteger(axis) && axis > (attrs.axes[i - 1] ?? -1))
  const good = sorted && attrs.axes.length > 0 && (attrs.axes.at(-1) ?? 0) < x.shape.length
  expectThat(good, `ascending axes below ${x.shape.length}`, `[${attrs.axes.join(', ')}]`)
  return [{ dtype: x.dtype, shape: reducedShape(x.shape, attrs) }]
}

/** Reshapes a reduced tensor so that it broadcasts against what it was reduced from. */
export function unreduced(reduced: Tensor, x: Tensor, { axes }: ReduceAttrs): Tensor {
  return reshape(reduced, reducedShape(x.shape, { axes, keepDims: true }))
}

const sumOp = register<ReduceAttrs>({
  name: 'sum',
  kind: 'kernel',
  inBf16: 'f32',
  moves: false,
  epilogue: 'none',
  attributes: { axes: 'ints', keepDims: 'boolean' },
  infer: (inputs, attrs) => inferReduce(inputs, attrs, ['f32', 'bf16']),
  vjp: ({ inputs, attrs }, [dy]) => {
    const [x] = exactly(inputs, 1)
    return [dy && broadcastTo(unreduced(dy, x, attrs), x.shape)]
  },
})

export type Axes = number | readonly number[]

export function normalAxes(name: string, axes: Axes | undefined, rank: number): number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, axis) => axis)
  expectKind(`ops.${name}`, 'axes', is.either(is.number, is.numbers), axes)
  const list = typeof axes === 'number' ? [axes] : axes
  return [...new Set(list.map((axis) => normalAxis(axis, rank, name)))].sort((a, b) => a - b)
}

export function reduce(
  op: Op<ReduceAttrs>,
  x: Tensor,
  axes: Axes | undefined,
  options: ReduceOptions | undefined,
): Tensor {
  if (options !== undefined) expectOptions(`ops.${op.name}`, options, { keepDims: is.flag })
  const normal = normalAxes(op.name, axes, x.rank)
  return normal.length === 0 ? x : emitOne(op, [x], { axes: normal, keepDims: options?.keepDims ?? false })
}

export interface Reduction {
  <D extends DType>(x: Tensor<D>): Tensor<D, []>
  <D extends DType>(x: Tensor<D>, axes: Axes | undefined, options?: ReduceOptions): Tensor<D>
}

/**
 * Sum over axes (all when not given; negative ones count from the back). x float [...] -> [...] without the axes.
 * @throws ShapeError for an integer x or an axis that x does not have.
 * @example sum(mul(x, x), -1, { keepDims: true }) // [128, 784] -> [128, 1]
 */
export const sum: Reduction = ((x: Tensor, axes?: Axes, options?: ReduceOptions) =>
  reduce(sumOp, x, axes, options)) as Reduction

/** Adjoint of broadcasting: sums `dy` over the axes along which a tensor of `shape` was repeated. */
export function unbroadcast(dy: Tensor, shape: Shape): Tensor {
  if (sameShape(dy.shape, shape)) return dy
  const lead = dy.rank - shape.length
  const axes = dy.shape.flatMap((extent, axis) => (axis < lead || shape[axis - lead] !== extent ? [axis] : []))
  return reshape(sum(dy, axes), shape)
}
