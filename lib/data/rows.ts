// How the rows of a batch lie in the array of a field: behind each other where the batch extent is the first, and else (sequences,
// time-major) row beside row at each step.
import { arrayNameOf, describe, dtypeOf, elementsOf, type FieldArray, type Fields, type FieldSpec } from './dataset.js'
import { DataError } from './errors.js'

/** A field's array as `outer` blocks of rows of `inner` values each. */
function blocksOf({ shape, batchAxis = 0 }: FieldSpec): { readonly outer: number; readonly inner: number } {
  const product = (extents: readonly number[]): number => extents.reduce((all, extent) => all * extent, 1)
  return { outer: product(shape.slice(0, batchAxis)), inner: product(shape.slice(batchAxis)) }
}

/** Puts an example, its values in their own order, into a row of a batch. */
export function putRow(spec: FieldSpec, values: FieldArray, out: FieldArray, row: number): void {
  const { outer, inner } = blocksOf(spec)
  const width = outer === 1 ? 0 : rowsOf(spec, out) * inner
  for (let block = 0; block < outer; block++) {
    const to = block * width + row * inner
    if (inner === 1) out[to] = values[block]!
    else out.set(values.subarray(block * inner, (block + 1) * inner), to)
  }
}

/** Puts the `count` rows of a smaller batch into the rows of a batch from `first` on. */
export function placeRows(spec: FieldSpec, piece: FieldArray, count: number, out: FieldArray, first: number): void {
  const { outer, inner } = blocksOf(spec)
  const width = outer === 1 ? 0 : rowsOf(spec, out) * inner
  for (let block = 0; block < outer; block++) {
    const rows = piece.subarray(block * count * inner, (block + 1) * count * inner)
    out.set(rows, block * width + first * inner)
  }
}

/** How many rows an array of a field has. */
export function rowsOf({ shape }: FieldSpec, out: FieldArray): number {
  return Math.floor(out.length / elementsOf(shape))
}

/** @throws DataError where an array has no room for so many rows of a field, or is of another kind */
export function expectRoom(name: string, { dtype, shape }: FieldSpec, out: unknown, rows: number): void {
  const least = rows * elementsOf(shape)
  if (dtypeOf(out) === dtype && (out as FieldArray).length >= least) return
  throw new DataError(
    `gather[${name}]: expected ${arrayNameOf(dtype)} of length ${least} or more, got ${describe(out)}`,
  )
}

/** Zeroes all rows of a batch of `batch` from `from` on. */
export function clearRows(
  fields: Fields,
  feeds: Readonly<Record<string, FieldArray>>,
  from: number,
  batch: number,
): void {
  for (const [name, spec] of Object.entries(fields)) {
    const { outer, inner } = blocksOf(spec)
    for (let block = 0; block < outer; block++) {
      feeds[name]?.fill(0, (block * batch + from) * inner, (block + 1) * batch * inner)
    }
  }
}

/** The first `rows` rows of a field's array: a view where that is one piece, else a copy. */
export function firstRows(spec: FieldSpec, array: FieldArray, rows: number): FieldArray {
  const { outer, inner } = blocksOf(spec)
  if (outer === 1 || array.length === outer * rows * inner) return array.subarray(0, outer * rows * inner)
  const few = array.slice(0, outer * rows * inner)
  moveRows(array, array.length / outer, few, rows * inner, outer)
  return few
}

/** Rows of a shorter batch at the beginning of a batch of zeros. */
export function padRows(spec: FieldSpec, rows: FieldArray, whole: FieldArray): void {
  const { outer } = blocksOf(spec)
  moveRows(rows, rows.length / outer, whole, whole.length / outer, outer)
}

/** Copies the beginning of each of `outer` blocks, as much as both have. */
function moveRows(from: FieldArray, fromWidth: number, to: FieldArray, toWidth: number, outer: number): void {
  const width = Math.min(fromWidth, toWidth)
  for (let block = 0; block < outer; block++) {
    to.set(from.subarray(block * fromWidth, block * fromWidth + width), block * toWidth)
  }
}
