// Matrix products: batched, transposed operands, bias, activation. A b of rank 2 is shared by the whole batch.
// Refuses f32 with bf16, and a batch in b that a does not have.
import { expectOptions, is, type Schema } from '../base/index.js'
import { count, type DType, emitOne, formatShape, GraphError, sameShape, type Shape } from '../graph/index.js'
import type { Tensor, TensorType } from '../graph/index.js'
import { reshape, sum } from './axes.js'
import { activate, type Activation, anActivation, expectActivation } from './activation.js'
import {
  expectDType,
  expectFloat,
  expectRank,
  expectShape,
  expectThat,
  floatAttr,
  register,
  typeText,
} from './define.js'
import { aDType, aTensor } from './operand.js'
import { cast } from './pointwise.js'
import { transpose } from './reshape.js'

type MatmulAttrs = {
  readonly transposeA: boolean
  readonly transposeB: boolean
  readonly activation: string
  readonly dtype: string
  readonly sumA: boolean
}

/** Rows and columns of the last two axes, after transposition. */
function matrix(type: TensorType, transposed: boolean, what: string): { batch: Shape; rows: number; columns: number } {
  expectThat(
    type.shape.length >= 2,
    () => `${what} with at least 2 axes`,
    () => formatShape(type.shape),
  )
  const [first = 1, second = 1] = type.shape.slice(-2)
  const [rows, columns] = transposed ? [second, first] : [first, second]
  return { batch: type.shape.slice(0, -2), rows, columns }
}

const matmulOp = register<MatmulAttrs>({
  name: 'matmul',
  kind: 'kernel',
  inBf16: 2,
  moves: false,
  epilogue: 'lastAxis',
  attributes: { transposeA: 'boolean', transposeB: 'boolean', activation: 'string', dtype: 'dtype', sumA: 'boolean' },
  infer: (inputs, attrs) => {
    const [a, b, bias] = inputs
    expectThat(a !== undefined && b !== undefined && inputs.length <= 3, '2 or 3 inputs', inputs.length.toString())
    expectFloat(a, 'a')
    expectThat(a.dtype === b.dtype, 'a and b of one dtype', () => `${a.dtype} and ${b.dtype}`)
    const [left, right] = [matrix(a, attrs.transposeA, 'a'), matrix(b, attrs.transposeB, 'b')]
    const batched = right.batch.length === 0 || sameShape(left.batch, right.batch)
    expectThat(
      batched,
      () => `b with 2 axes or batch ${formatShape(left.batch)}`,
      () => typeText(b),
    )
    const fit = () => `b with ${left.columns} rows to contract with the columns of ${formatShape(a.shape)}`
    expectThat(left.columns === right.rows, fit, () => `${right.rows} in ${formatShape(b.shape)}`)
    expectActivation(attrs.activation)
    const dtype = floatAttr(attrs.dtype)
    if (bias !== undefined) {
      expectDType(bias, ['f32'], 'a bias')
      expectShape(bias, [right.columns], 'a bias of shape')
    }
    const product = { dtype, shape: [...left.batch, left.rows, right.columns] }
    if (!attrs.sumA) return [product]
    expectRank(a, 2, 'a (with sumA)')
    expectThat(bias === undefined, 'no bias with sumA', 'one')
    const weightGradient = attrs.transposeA && !attrs.transposeB && attrs.activation === 'none'
    expectThat(weightGradient, 'A^T B without activation with sumA', 'another product')
    return [product, { dtype: 'f32', shape: [left.rows] }]
  },
  vjp: ({ inputs, attrs }, [dy]) => {
    const [a, b, bias] = inputs
    if (attrs.activation !== 'none' || attrs.sumA) {
      throw new GraphError('matmul: expected a graph before fusion, got a fused activation or sumA')
    }
    if (dy === undefined || a === undefined || b === undefined) return []
    const seed = cast(dy, a.dtype)
    const { transposeA, transposeB } = attrs
    const db = gradientB(a, b, seed, transposeA, transposeB)
    return [gradientA(a, b, seed, transposeA, transposeB), db, bias && sumLeading(cast(dy, 'f32'))]
  },
})

/** One matmul node; the typed public function and the gradients are made of it. */
function product(
  a: Tensor,
  b: Tensor,
  transposeA: boolean,
  transposeB: boolean,
  bias?: Tensor,
  dtype = a.dtype,
): Tensor {
  const attrs = { transposeA, transposeB, activation: 'none', dtype, sumA: false }
  return emitOne(matmulOp, bias ? [a, b, bias] : [a, b], attrs)
}

/** With Y = op(A) op(B): d op(A) = dY op(B)^T. */
function gradientA(a: Tensor, b: Tensor, dy: Tensor, transposeA: boolean, transposeB: boolean): Tensor {
  if (!transposeA) return product(dy, b, false, !transposeB)
  if (b.rank === a.rank) return product(b, dy, transposeB, true)
  // A shared b can only stand on the right.
  return swapLast(product(dy, b, false, !transposeB))
}

/** With Y = op(A) op(B): d op(B) = op(A)^T dY, summed over the batch where b is shared. */
function gradientB(a: Tensor, b: Tensor, dy: Tensor, transposeA: boolean, transposeB: boolean): Tensor {
  if (b.rank < a.rank && !transposeA) {
    const rows = (x: Tensor) => reshape(x, [count(x.shape.slice(0, -1)), x.shape.at(-1) ?? 1])
    return gradientB(rows(a), b, rows(dy), false, transposeB)
  }
  const db = transposeB ? product(dy, a, true, transposeA) : product(a, dy, !transposeA, false)
  return db.rank === b.rank
    ? db
    : sum(
        db,
        db.shape.slice(0, -2).map((_, axis) => axis),
      )
}

function swapLast(x: Tensor): Tensor {
  const axes = x.shape.map((_, axis) => axis)
  return transpose(x, [...axes.slice(0, -2), x.rank - 1, x.rank - 2])
}

/** Sum over all axes but the last: the gradient of a bias. */
function sumLeading(dy: Tensor): Tensor {
  return sum(
    dy,
    dy.shape.slice(0, -1).map((_, axis) => axis),
  )
}

/** Extent of the last axis but one. */
type Rows<S extends Shape> = S extends readonly [...Shape, infer R extends number, number] ? R : number
/** Extent of the last axis. */
type Columns<S extends Shape> = S extends readonly [...Shape, number, infer C extends number] ? C : number
type Batch<S extends Shape> = S extends readonly [...infer B extends Shape, number, number] ? B : Shape
type OutRows<S extends Shape, T> = T extends true ? Columns<S> : Rows<S>
type OutColumns<S extends Shape, T> = T extends true ? Rows<S> : Columns<S>

/** What b must look like for its rows to meet the columns of a. */
type Partner<A extends Shape, TA, TB> = number extends A['length']
  ? Shape
  : TB extends true
    ? readonly [...Shape, number, OutColumns<A, TA>]
    : readonly [...Shape, OutColumns<A, TA>, number]

/** Shape of op(A) op(B). */
export type Product<A extends Shape, B extends Shape, TA, TB> = number extends A['length']
  ? Shape
  : [...Batch<A>, OutRows<A, TA>, OutColumns<B, TB>]

/** Options of `matmul`. */
export interface MatmulOptions<TA extends boolean = boolean, TB extends boolean = boolean, O extends DType = DType> {
  /** Use a as [..., K, M]. Default: false. */
  readonly transposeA?: TA
  /** Use b as [..., N, K]. Default: false. */
  readonly transposeB?: TB
  /** f32 [N], added to every row. */
  readonly bias?: Tensor<'f32'>
  /** Applied to the biased product. Default: none. */
  readonly activation?: Activation
  /** Of the result; sums are f32 in any case. Default: that of a. */
  readonly dtype?: O
}

const schema: Schema<MatmulOptions> = {
  transposeA: is.flag,
  transposeB: is.flag,
  bias: aTensor,
  activation: anActivation,
  dtype: aDType,
}

/**
 * Matrix product: a [..., M, K] x b [..., K, N] -> [..., M, N]; a b of rank 2 is shared by the whole batch.
 * @throws ShapeError where K or the batch extents differ, dtypes differ, or the bias is not f32 [N].
 * @example matmul(x, w, { transposeB: true, bias }) // x [128, 784], w [512, 784] -> [128, 512]
 */
export function matmul<
  D extends DType,
  A extends Shape,
  B extends Partner<A, TA, TB>,
  TA extends boolean = false,
  TB extends boolean = false,
  O extends DType = D,
>(a: Tensor<D, A>, b: Tensor<NoInfer<D>, B>, options: MatmulOptions<TA, TB, O> = {}): Tensor<O, Product<A, B, TA, TB>> {
  expectOptions<MatmulOptions>('ops.matmul', options, schema)
  const { transposeA = false, transposeB = false, bias, activation, dtype } = options
  const attrs = { transposeA, transposeB, activation: 'none', dtype: dtype ?? a.dtype, sumA: false }
  const y: Tensor<O, Product<A, B, TA, TB>> = emitOne(matmulOp, bias ? [a, b, bias] : [a, b], attrs)
  return activate(y, activation)
}
