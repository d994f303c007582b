// What ops over single elements are declared with: a row each, with NumPy broadcasting, and their public functions. Refuses operands of
// different dtypes (cast first).
import { broadcastShapes, type DType, emitOne, formatShape, notDifferentiable, type Shape } from '../graph/index.js'
import { type PointwiseTraits, type Tensor, type TensorType } from '../graph/index.js'
import { unbroadcast } from './axes.js'
import { type Broadcast, wantsGradient } from './broadcast.js'
import { exactly, expectDType, expectThat, register } from './define.js'
import { asOperands } from './operand.js'

export const floats: readonly DType[] = ['f32', 'bf16']
export const numbers: readonly DType[] = ['f32', 'bf16', 'i32']

export interface Unary {
  <D extends DType, S extends Shape>(x: Tensor<D, S>): Tensor<D, S>
}

export interface Binary {
  <D extends DType, S extends Shape>(a: Tensor<D, S>, b: Tensor<NoInfer<D>, S> | number): Tensor<D, S>
  <D extends DType, S extends Shape>(a: number, b: Tensor<D, S>): Tensor<D, S>
  <D extends DType, A extends Shape, B extends Shape>(
    a: Tensor<D, A>,
    b: Tensor<NoInfer<D>, B>,
  ): Tensor<D, Broadcast<A, B>>
  <D extends DType>(a: Tensor<D>, b: Tensor<NoInfer<D>> | number): Tensor<D>
}

export interface Comparison {
  <S extends Shape>(a: Tensor<DType, S>, b: Tensor<DType, S> | number): Tensor<'u8', S>
  <S extends Shape>(a: number, b: Tensor<DType, S>): Tensor<'u8', S>
  <A extends Shape, B extends Shape>(a: Tensor<DType, A>, b: Tensor<DType, B>): Tensor<'u8', Broadcast<A, B>>
}

/** dL/dx from dL/dy, the input and the output. */
type UnaryGradient = (dy: Tensor, x: Tensor, y: Tensor) => Tensor
/** dL/d(one operand) before the sum over its broadcast axes. */
type BinaryGradient = (dy: Tensor, a: Tensor, b: Tensor, y: Tensor) => Tensor
/** For steps: the derivative is zero wherever it exists. */
export const flat = undefined

interface UnaryRow {
  readonly inBf16: PointwiseTraits['inBf16']
  readonly formula: ((x: number) => number) | undefined
  readonly gradient: UnaryGradient | typeof flat
}

interface BinaryRow {
  readonly inBf16: PointwiseTraits['inBf16']
  readonly formula: (a: number, b: number) => number
  /** Of a and of b. */
  readonly gradients: readonly [BinaryGradient | typeof flat, BinaryGradient | typeof flat]
}

/** Declares an op of one operand. */
export function unary(name: string, accepts: readonly DType[], { gradient, ...traits }: UnaryRow): Unary {
  const op = register({
    name,
    kind: 'pointwise',
    ...traits,
    attributes: {},
    infer: (inputs) => {
      const [x] = exactly(inputs, 1)
      expectDType(x, accepts, 'x')
      return [{ dtype: x.dtype, shape: x.shape }]
    },
    vjp: ({ inputs, outputs }, [dy]) => {
      const [x, [y]] = [exactly(inputs, 1)[0], exactly(outputs, 1)]
      return [dy && gradient && wantsGradient(x) ? gradient(dy, x, y) : undefined]
    },
  })
  return <D extends DType, S extends Shape>(x: Tensor<D, S>): Tensor<D, S> => emitOne(op, [x], {})
}

/** Common shape of broadcast operands. */
export function broadcast(inputs: readonly TensorType[]): Shape {
  const shape = broadcastShapes(...inputs.map((input) => input.shape))
  expectThat(shape !== undefined, 'extents that broadcast', () =>
    inputs.map((input) => formatShape(input.shape)).join(' and '),
  )
  return shape
}

/** Refuses operands of different dtypes. */
export function sameDTypes(a: TensorType, b: TensorType): void {
  expectThat(a.dtype === b.dtype, 'operands of one dtype (cast one of them)', () => `${a.dtype} and ${b.dtype}`)
}

/** Declares an op of two operands. */
export function binary(name: string, accepts: readonly DType[], { gradients, ...traits }: BinaryRow): Binary {
  const op = register({
    name,
    kind: 'pointwise',
    ...traits,
    attributes: {},
    infer: (inputs) => {
      const [a, b] = exactly(inputs, 2)
      sameDTypes(a, b)
      expectDType(a, accepts, 'a')
      return [{ dtype: a.dtype, shape: broadcast(inputs) }]
    },
    vjp: ({ inputs, outputs }, [dy]) => {
      const [[a, b], [y]] = [exactly(inputs, 2), exactly(outputs, 1)]
      const part = (x: Tensor, gradient: BinaryGradient | typeof flat) =>
        dy && gradient && wantsGradient(x) ? unbroadcast(gradient(dy, a, b, y), x.shape) : undefined
      return [part(a, gradients[0]), part(b, gradients[1])]
    },
  })
  return (a: Tensor | number, b: Tensor | number) => emitOne(op, asOperands(a, b), {})
}

/** Declares an op that gives 0 or 1. */
export function comparison(name: string, formula: (a: number, b: number) => boolean): Comparison {
  const op = register({
    name,
    kind: 'pointwise',
    inBf16: 'f32',
    formula: (a = 0, b = 0) => Number(formula(a, b)),
    attributes: {},
    infer: (inputs) => {
      sameDTypes(...exactly(inputs, 2))
      return [{ dtype: 'u8', shape: broadcast(inputs) }]
    },
    vjp: notDifferentiable('a comparison has no derivative'),
  })
  return ((a: Tensor | number, b: Tensor | number) => emitOne(op, asOperands(a, b), {})) as Comparison
}
