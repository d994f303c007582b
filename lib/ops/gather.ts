// Rows of a table by index (an embedding), and its adjoint. An index outside the table is the run-time error ERR_DATA.
import { type DType, emitOne, formatShape, ofDType, type Shape, type Tensor, type TensorType } from '../graph/index.js'
import { exactly, expectDType, expectFloat, expectRank, expectThat, register } from './define.js'

const gatherOp = register({
  name: 'gather',
  kind: 'kernel',
  inBf16: 'follows',
  moves: false,
  epilogue: 'none',
  attributes: {},
  infer: (inputs) => {
    const [table, index] = exactly(inputs, 2)
    expectFloat(table, 'a table')
    expectRank(table, 2, 'a table')
    expectDType(index, ['i32'], 'an index')
    return [{ dtype: table.dtype, shape: [...index.shape, table.shape[1] ?? 1] }]
  },
  vjp: ({ inputs }, [dy]) => {
    const [table, index] = exactly(inputs, 2)
    return [dy && scatterAdd(ofDType(index, 'i32', 'an index'), dy, table.shape[0] ?? 1), undefined]
  },
})

/** Refuses rows that are not one of D numbers for each index. */
export function expectRows(what: string, rows: TensorType, index: TensorType): void {
  const fits =
    rows.shape.length === index.shape.length + 1 && index.shape.every((extent, i) => extent === rows.shape[i])
  expectThat(fits, `${what} of ${formatShape(index.shape)} and one more axis`, formatShape(rows.shape))
}

/** The updates of an op that sums them by index: index i32 [...], updates float [..., D], for a table of so many rows. */
export function expectUpdates(inputs: readonly TensorType[], rows: number): TensorType {
  const [index, updates] = exactly(inputs, 2)
  expectDType(index, ['i32'], 'an index')
  expectFloat(updates, 'updates')
  expectRows('updates', updates, index)
  expectThat(Number.isSafeInteger(rows) && rows >= 1, 'rows of at least 1', rows.toString())
  return updates
}

/** Op of `scatterAdd`. */
export const scatterAddOp = register<{ readonly rows: number }>({
  name: 'scatterAdd',
  kind: 'kernel',
  inBf16: 'f32',
  moves: false,
  epilogue: 'none',
  attributes: { rows: 'int' },
  infer: (inputs, { rows }) => {
    const { dtype, shape } = expectUpdates(inputs, rows)
    return [{ dtype, shape: [rows, shape.at(-1) ?? 1] }]
  },
  vjp: ({ inputs }, [dy]) => {
    const [index] = exactly(inputs, 2)
    return [undefined, dy && emitOne(gatherOp, [dy, index], {})]
  },
})

/**
 * Rows of a table: table float [V, D], index i32 [...] -> [..., D].
 * @throws ShapeError where dtypes or axes do not fit.
 * @example gather(embedding, words) // [10000, 650], [20, 35] -> [20, 35, 650]
 */
export function gather<D extends DType, F extends number, S extends Shape>(
  table: Tensor<D, readonly [number, F]>,
  index: Tensor<'i32', S>,
): Tensor<D, [...S, F]> {
  return emitOne(gatherOp, [table, index], {})
}

/**
 * Sums rows into a table of zeros: index i32 [...], updates float [..., D] -> [rows, D]. Rows are summed in order of position.
 * @throws ShapeError where dtypes or extents do not fit.
 */
export function scatterAdd<D extends DType>(
  index: Tensor<'i32'>,
  updates: Tensor<D>,
  rows: number,
): Tensor<D, [number, number]> {
  return emitOne(scatterAddOp, [index, updates], { rows })
}
