// Sparse tables within an update: the rows that a gradient is of, how they and their moments are read and replaced, and the refusal of
// options that would need all rows.
import { OstrichError } from '../base/index.js'
import { assign, type Node, read, sameShape, type Tensor, type Variable } from '../graph/index.js'
import { scatterAddOp } from '../ops/gather.js'
import { assignRows, cast, coalesce, concat, gather, reshape } from '../ops/index.js'
import { parameterGradientOp } from '../ops/marker.js'

/** The rows of a table that a batch read. */
export interface Touched {
  /** Their numbers, i32 [N]; one may stand there several times. */
  readonly index: Tensor<'i32'>
  /** dL/d(row), f32 [N, D]: all of it in the last place of a row, zeros in the others. */
  readonly gradient: Tensor<'f32'>
}

/**
 * The rows that the gradient of a sparse table is the sum of; undefined where no row is read on the way to the loss.
 * @param where names the parameter in messages
 * @throws OstrichError `ERR_OPTION` where it is of more than rows that `gather` read
 */
export function touchedRows(where: string, gradient: Tensor): Touched | undefined {
  const parts = scattered(where, gradient)
  if (parts.length === 0) return undefined
  const [rows = 1, width = 1] = gradient.shape
  const index = concat(
    parts.map(({ inputs: [at] }) => cast(reshape(at!, [-1]), 'i32')),
    0,
  )
  const updates = concat(
    parts.map(({ inputs: [, given] }) => cast(reshape(given!, [-1, width]), 'f32')),
    0,
  )
  return { index, gradient: coalesce(index, updates, rows) }
}

/** The `scatterAdd`s that a gradient is the sum of. */
function scattered(where: string, gradient: Tensor): readonly Node[] {
  const { op, attrs, inputs } = gradient.node
  if (op.name === scatterAddOp.name) return [gradient.node]
  if (op.name === 'constant' && (attrs['data'] as readonly number[]).every((value) => value === 0)) return []
  const isSum = op.name === 'add' && inputs.every((input) => sameShape(input.shape, gradient.shape))
  if (isSum || op.name === parameterGradientOp.name) return inputs.flatMap((input) => scattered(where, input))
  throw new OstrichError(
    'ERR_OPTION',
    `${where}: expected the gradient of a sparse table to be of rows that gather reads, got one of ${op.name}[${gradient.node.path}]: ` +
      'where the whole table is used too, as in a tied output, make it without sparse',
  )
}

/** What an optimiser was asked for that touches every weight at every update. */
interface Whole {
  readonly weightDecay: number
  readonly accumulate: number
  readonly average: object | undefined
}

/** Refuses what cannot be done to some rows alone. */
export function expectOfRows(where: string, path: string, { weightDecay, accumulate, average }: Whole): void {
  const refuse = (option: string, got: string, remedy: string): never => {
    const expected = `${option} for a sparse table, of which an update touches few rows`
    throw new OstrichError('ERR_OPTION', `${where}: expected ${expected}, got ${got}${remedy}`)
  }
  const group = `groups: [{ match: '${path}', weightDecay: 0 }]`
  if (weightDecay !== 0) refuse('a weightDecay of 0', weightDecay.toString(), `: give ${group}`)
  if (accumulate !== 1) refuse('accumulate of 1', accumulate.toString(), '')
  if (average !== undefined) refuse('no average', 'one', '')
}

/** The rows of a variable, as an update sees it: its rows of an index, or all of it. */
export function rowsOf(variable: Variable, touched: Touched | undefined): Tensor {
  return touched === undefined
    ? read(variable)
    : gather(read(variable as Variable<'f32', [number, number]>), touched.index)
}

/** After the run, they are `after`. */
export function putRows(variable: Variable, after: Tensor, touched: Touched | undefined): void {
  if (touched === undefined) assign(variable, after)
  else assignRows(variable, touched.index, after)
}
