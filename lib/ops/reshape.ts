// Ops that move elements and change none: flatten, transpose, slice, concat, pad (reshape and broadcastTo: axes.ts).
import { count, type DType, emitOne, emitUnless, formatShape, isFloat } from '../graph/index.js'
import { type Shape, ShapeError, type Tensor } from '../graph/index.js'
import { reshape } from './axes.js'
import { exactly, expectInts, expectThat, normalAxis, register } from './define.js'

/**
 * All axes but the first as one: [N, ...] -> [N, D].
 * @example flatten(x) // [128, 64, 7, 7] -> [128, 3136]
 */
export function flatten<D extends DType>(x: Tensor<D>): Tensor<D, [number, number]> {
  if (x.rank < 1) throw new ShapeError(`flatten: expected x with at least one axis, got ${formatShape(x.shape)}`)
  return reshape(x, [x.shape[0] ?? 1, count(x.shape.slice(1))])
}

/** Inserts an axis of extent 1 before `axis` (negative: counted from the back, -1 appends). */
export function expandDims<D extends DType>(x: Tensor<D>, axis: number): Tensor<D> {
  const at = normalAxis(axis, x.rank + 1, 'expandDims')
  return reshape(x, [...x.shape.slice(0, at), 1, ...x.shape.slice(at)])
}

/**
 * Removes an axis of extent 1.
 * @throws ShapeError where the extent is not 1.
 */
export function squeeze<D extends DType>(x: Tensor<D>, axis: number): Tensor<D> {
  const at = normalAxis(axis, x.rank, 'squeeze')
  if (x.shape[at] !== 1) throw new ShapeError(`squeeze: expected extent 1 on axis ${at}, got ${formatShape(x.shape)}`)
  return reshape(x, [...x.shape.slice(0, at), ...x.shape.slice(at + 1)])
}

const transposeOp = register<{ readonly perm: readonly number[] }>({
  name: 'transpose',
  kind: 'kernel',
  inBf16: 'follows',
  moves: true,
  epilogue: 'none',
  attributes: { perm: 'ints' },
  infer: (inputs, { perm }) => {
    const [x] = exactly(inputs, 1)
    const valid = perm.length === x.shape.length && x.shape.every((_extent, axis) => perm.includes(axis))
    expectThat(
      valid,
      () => `a permutation of ${x.shape.length} axes`,
      () => formatShape(perm),
    )
    return [{ dtype: x.dtype, shape: perm.map((axis) => x.shape[axis] ?? 1) }]
  },
  vjp: ({ attrs }, [dy]) => [
    dy &&
      transpose(
        dy,
        attrs.perm.map((_, axis) => attrs.perm.indexOf(axis)),
      ),
  ],
})

/** Extents in another order of axes. */
export type Permuted<S extends Shape, P extends Shape> = {
  [I in keyof P]: P[I] extends keyof S ? (S[P[I]] extends number ? S[P[I]] : number) : number
}

/**
 * Permutes axes: out.shape[i] = x.shape[perm[i]].
 * @throws ShapeError where `perm` is not a permutation.
 * @example transpose(x, [0, 2, 3, 1]) // [N, C, H, W] -> [N, H, W, C]
 */
export function transpose<D extends DType, S extends Shape, P extends Shape>(
  x: Tensor<D, S>,
  perm: readonly [...P],
): Tensor<D, Permuted<S, P>> {
  const still = perm.length === x.shape.length && perm.every((axis, i) => axis === i)
  return emitUnless(still, transposeOp, x, { perm: [...perm] })
}

const sliceOp = register<{ readonly start: readonly number[]; readonly size: readonly number[] }>({
  name: 'slice',
  kind: 'kernel',
  inBf16: 'follows',
  moves: true,
  epilogue: 'none',
  attributes: { start: 'ints', size: 'ints' },
  infer: (inputs, { start, size }) => {
    const [x] = exactly(inputs, 1)
    expectInts(start, x.shape.length, 0, 'start')
    expectInts(size, x.shape.length, 1, 'size')
    const inside = x.shape.every((extent, axis) => (start[axis] ?? 0) + (size[axis] ?? 0) <= extent)
    expectThat(
      inside,
      () => `a slice inside ${formatShape(x.shape)}`,
      () => `start ${formatShape(start)}, size ${formatShape(size)}`,
    )
    return [{ dtype: x.dtype, shape: size }]
  },
  vjp: ({ inputs, attrs: { start, size } }, [dy]) => {
    const [x] = exactly(inputs, 1)
    const after = x.shape.map((extent, axis) => extent - (start[axis] ?? 0) - (size[axis] ?? 0))
    return [dy && pad(dy, start, after)]
  },
})

/**
 * x[start[i] : start[i] + size[i]] on every axis.
 * @throws ShapeError where the slice leaves x.
 * @example slice(x, [0, 4], [128, 2]) // columns 4 and 5 of [128, 10]
 */
export function slice<D extends DType, S extends Shape>(
  x: Tensor<D>,
  start: readonly number[],
  size: readonly [...S],
): Tensor<D, S> {
  return emitOne(sliceOp, [x], { start: [...start], size: [...size] })
}

const concatOp = register<{ readonly axis: number }>({
  name: 'concat',
  kind: 'kernel',
  inBf16: 'follows',
  moves: false,
  epilogue: 'none',
  attributes: { axis: 'int' },
  infer: (inputs, { axis }) => {
    const [first] = inputs
    expectThat(first !== undefined && inputs.length >= 2, 'two or more inputs', inputs.length.toString())
    expectThat(axis >= 0 && axis < first.shape.length, `an axis of ${first.shape.length}`, axis.toString())
    for (const x of inputs) {
      const alike = x.shape.length === first.shape.length && x.shape.every((n, i) => i === axis || n === first.shape[i])
      const got = () => `${x.dtype}${formatShape(x.shape)}`
      expectThat(alike, () => `extents of ${formatShape(first.shape)} but on axis ${axis}`, got)
      expectThat(x.dtype === first.dtype, () => `inputs of ${first.dtype}`, got)
    }
    const joined = inputs.reduce((total, x) => total + (x.shape[axis] ?? 0), 0)
    return [{ dtype: first.dtype, shape: first.shape.map((extent, i) => (i === axis ? joined : extent)) }]
  },
  vjp: ({ inputs, attrs: { axis } }, [dy]) => {
    let offset = 0
    return inputs.map((x) => {
      const start = x.shape.map((_, i) => (i === axis ? offset : 0))
      offset += x.shape[axis] ?? 0
      return dy && isFloat(x.dtype) ? slice(dy, start, x.shape) : undefined
    })
  },
})

/**
 * Joins tensors along an axis (negative: counted from the back).
 * @throws ShapeError where dtypes, or extents on another axis, differ.
 * @example concat([a, b], 1) // [128, 10] and [128, 3] -> [128, 13]
 */
export function concat<D extends DType>(tensors: readonly Tensor<D>[], axis: number): Tensor<D> {
  const [first] = tensors
  if (first !== undefined && tensors.length === 1) return first
  return emitOne(concatOp, tensors, { axis: normalAxis(axis, first?.rank ?? 0, 'concat') })
}

type PadAttrs = { readonly before: readonly number[]; readonly after: readonly number[]; readonly value: number }

const padOp = register<PadAttrs>({
  name: 'pad',
  kind: 'kernel',
  inBf16: 'follows',
  moves: false,
  epilogue: 'none',
  attributes: { before: 'ints', after: 'ints', value: 'number' },
  infer: (inputs, { before, after }) => {
    const [x] = exactly(inputs, 1)
    expectInts(before, x.shape.length, 0, 'before')
    expectInts(after, x.shape.length, 0, 'after')
    return [{ dtype: x.dtype, shape: x.shape.map((n, axis) => (before[axis] ?? 0) + n + (after[axis] ?? 0)) }]
  },
  vjp: ({ inputs, attrs }, [dy]) => [dy && slice(dy, attrs.before, exactly(inputs, 1)[0].shape)],
})

/**
 * Adds `before[i]` elements in front of axis i and `after[i]` behind it, all of them `value`.
 * @example pad(x, [0, 1], [0, 1]) // [8, 3] -> [8, 5], a zero on either side of each row
 */
export function pad<D extends DType>(
  x: Tensor<D>,
  before: readonly number[],
  after: readonly number[],
  value = 0,
): Tensor<D> {
  return emitOne(padOp, [x], { before: [...before], after: [...after], value })
}
