// Registration of ops and the small checks that every shape rule is written with.
// Refuses two ops of one name; a failed check is a ShapeError `expected ..., got ...` (the tracer adds op and path).
import {
  type Attrs,
  type DType,
  formatShape,
  GraphError,
  isFloat,
  type Op,
  ShapeError,
  type TensorType,
} from '../graph/index.js'

const ops = new Map<string, Op>()

/** Every op that a program may hold, by name: the same names as native/program/ops.def. Complete once index.ts is loaded. */
export const registry: ReadonlyMap<string, Op> = ops

/** Declares an op and puts it in the registry. */
export function register<A extends Attrs = Attrs>(op: Op<A>): Op<A> {
  if (ops.has(op.name)) throw new GraphError(`${op.name}: expected a new op name, got one that is registered`)
  ops.set(op.name, op as unknown as Op)
  return op
}

/** Words of a message; a function, where they cost more than the check, as a shape rule runs for every node of every pass. */
export type Words = string | (() => string)

const said = (words: Words) => (typeof words === 'string' ? words : words())

/** Throws the ShapeError of a shape rule unless `condition` holds. */
export function expectThat(condition: boolean, expected: Words, got: Words): asserts condition {
  if (!condition) throw new ShapeError(`expected ${said(expected)}, got ${said(got)}`)
}

type Tuple<T, N extends number, R extends T[] = []> = R['length'] extends N ? R : Tuple<T, N, [...R, T]>

/** The list as a tuple of exactly `n` items. */
export function exactly<T, N extends number>(items: readonly T[], n: N): Tuple<T, N> {
  expectThat(
    items.length === n,
    () => `${n} inputs`,
    () => items.length.toString(),
  )
  return items as Tuple<T, N>
}

/** A type as in messages: `f32[128, 784]`. */
export function typeText(type: TensorType): string {
  return `${type.dtype}${formatShape(type.shape)}`
}

export function expectDType(type: TensorType, allowed: readonly DType[], what: string): void {
  expectThat(
    allowed.includes(type.dtype),
    () => `${what} of ${allowed.join(' or ')}`,
    () => typeText(type),
  )
}

export function expectFloat(type: TensorType, what: string): void {
  expectThat(
    isFloat(type.dtype),
    () => `${what} of f32 or bf16`,
    () => typeText(type),
  )
}

export function expectRank(type: TensorType, rank: number, what: string): void {
  expectThat(
    type.shape.length === rank,
    () => `${what} with ${rank} axes`,
    () => formatShape(type.shape),
  )
}

export function expectShape(type: TensorType, shape: readonly number[], what: string): void {
  const same = type.shape.length === shape.length && shape.every((extent, axis) => extent === type.shape[axis])
  expectThat(
    same,
    () => `${what} ${formatShape(shape)}`,
    () => formatShape(type.shape),
  )
}

/** The float dtype that an attribute names. */
export function floatAttr(dtype: string): 'f32' | 'bf16' {
  expectThat(dtype === 'f32' || dtype === 'bf16', 'dtype f32 or bf16', dtype)
  return dtype
}

/** Axis counted from the front; negative axes count from the back. `name` is the op in the message. */
export function normalAxis(axis: number, rank: number, name: string): number {
  const normal = axis < 0 ? axis + rank : axis
  const good = Number.isInteger(axis) && normal >= 0 && normal < rank
  if (!good) throw new ShapeError(`${name}: expected an axis from ${-rank} to ${rank - 1}, got ${axis}`)
  return normal
}

/** Checks a list attribute: `length` integers of at least `least`. */
export function expectInts(values: readonly number[], length: number, least: number, what: string): void {
  const good = values.length === length && values.every((value) => Number.isSafeInteger(value) && value >= least)
  expectThat(
    good,
    () => `${what} of ${length} integers >= ${least}`,
    () => formatShape(values),
  )
}
