// What a large table is trained with when a batch touches few of its rows: the gradient of each row that was touched, and a table with
// some rows replaced, which a backend writes in place where the table is a state. An index outside the table is the run-time error ERR_DATA.
import { assign, constant, type DType, emitOne, read, type Shape, type Tensor, type Variable } from '../graph/index.js'
import { exactly, expectDType, expectFloat, expectRank, expectThat, register } from './define.js'
import { expectRows, expectUpdates, gather } from './gather.js'
import { cast, less, where } from './pointwise.js'

type Table = Tensor<DType, readonly [number, number]>

const coalesceOp = register<{ readonly rows: number }>({
  name: 'coalesce',
  kind: 'kernel',
  inBf16: 'f32',
  moves: false,
  epilogue: 'none',
  attributes: { rows: 'int' },
  infer: (inputs, { rows }) => {
    const { dtype, shape } = expectUpdates(inputs, rows)
    return [{ dtype, shape }]
  },
  // Every row of an index has a part in the last one's sum.
  vjp: ({ inputs, attrs }, [dy]) => {
    const index = cast(exactly(inputs, 2)[0], 'i32')
    if (dy === undefined) return []
    const table = constant(dy.dtype, [attrs.rows, dy.shape.at(-1) ?? 1], 0)
    return [undefined, gather(setRows(table, index, dy) as Table, index)]
  },
})

const setRowsOp = register({
  name: 'setRows',
  kind: 'kernel',
  inBf16: 'f32',
  moves: false,
  epilogue: 'none',
  attributes: {},
  infer: (inputs) => {
    const [table, index, rows] = exactly(inputs, 3)
    expectFloat(table, 'a table')
    expectRank(table, 2, 'a table')
    expectDType(index, ['i32'], 'an index')
    expectDType(rows, [table.dtype], 'rows')
    expectRows('rows', rows, index)
    const width = rows.shape.at(-1) ?? 1
    expectThat(width === table.shape[1], `rows of ${table.shape[1] ?? 1} numbers, as the table has`, width.toString())
    return [{ dtype: table.dtype, shape: table.shape }]
  },
  vjp: ({ inputs }, [dy]) => {
    const [, index, rows] = exactly(inputs, 3)
    if (dy === undefined) return []
    const [at, given] = [cast(index, 'i32'), rows]
    // Of several rows for one index only the last is in the table.
    const isLast = less(0, coalesce(at, constant('f32', [...at.shape, 1], 1), dy.shape[0] ?? 1))
    const taken: Tensor = where(isLast, gather(dy as Table, at), 0)
    return [setRows(dy as Table, at, constant(given.dtype, given.shape, 0)), undefined, taken]
  },
})

/**
 * Sums the rows of each index: index i32 [...], updates float [..., D] -> [..., D], the sum of all rows of an index in the place of the
 * last of them, in order of position, and zeros in the place of the others. It is `scatterAdd` without a table: its norm is the same.
 * @param rows of the table that indices are of
 * @throws ShapeError where dtypes or extents do not fit.
 * @example coalesce(words, gradients, 1_000_000) // [3, 1, 3], [[1], [2], [4]] -> [[0], [2], [5]]
 */
export function coalesce<D extends DType, S extends Shape>(
  index: Tensor<'i32'>,
  updates: Tensor<D, S>,
  rows: number,
): Tensor<D, S> {
  return emitOne(coalesceOp, [index, updates], { rows })
}

/**
 * A table with some rows replaced: table float [V, D], index i32 [...], rows [..., D] -> [V, D]. Of several rows for one index the last
 * counts.
 * @throws ShapeError where dtypes or extents do not fit.
 * @example setRows(table, words, rows) // [10000, 650], [20, 35], [20, 35, 650] -> [10000, 650]
 */
export function setRows<D extends DType, S extends Shape>(
  table: Tensor<D, S>,
  index: Tensor<'i32'>,
  rows: Tensor<D>,
): Tensor<D, S> {
  return emitOne(setRowsOp, [table, index, rows], {})
}

/**
 * After the run, these rows of a variable f32 [V, D] hold `rows` [..., D], at index i32 [...], the last of several for one index; the others
 * hold what they held. They are written in place, at a cost that grows with the rows, not with the table. Every read in the run sees the
 * rows from before it.
 * @throws as `setRows` and `assign`.
 * @example assignRows(table, words, sub(gather(read(table), words), mul(coalesce(words, gradients, 1_000_000), 0.1)))
 */
export function assignRows(variable: Variable, index: Tensor<'i32'>, rows: Tensor): void {
  assign(variable, setRows(read(variable), index, rows))
}
