// A recurrent cell as a value, and the loop over time that runs any of them, one step after the other.
import { expectOptions, is, type Schema } from '../base/index.js'
import { formatShape, ofDType, type Shape, ShapeError, type Tensor, type Variable } from '../graph/index.js'
import { concat, expandDims, reshape, where as select } from '../ops/index.js'
import { typeText } from './check.js'
import { type Step } from './layer.js'
import {
  expectStates,
  fromNames,
  type RecurrenceOptions,
  recurrenceOptions,
  type Recurrent,
  recurrentLayer,
  stateAt,
  type States,
} from './recurrence.js'

/**
 * What a recurrent layer does at each step, in ops.
 * @typeParam S names of its states
 */
export interface Cell<S extends string = string> {
  /** Word for its path (`lstm` gives `lstm1`, `lstm2`). Default: `recurrent`. */
  readonly kind?: string
  /** Variables that its functions read, made once, outside of them. */
  readonly parameters?: readonly Variable[]
  /** Layers that its functions call. */
  readonly children?: readonly Step[]
  /**
   * Extents of each state of one row, from those of one row of a step: [D] -> { h: [units], c: [units] }. The first is what the
   * layer gives. For an x that does not fit it throws a ShapeError `expected ..., got ...`, to which the layer adds its place.
   */
  readonly states: (x: Shape) => Readonly<Record<S, Shape>>
  /**
   * What does not wait for the step before, for all steps in one go: x f32 [T, N, ...] -> any number of f32 [T, N, ...]. A product with
   * the input belongs here. Default: x itself.
   */
  readonly inputs?: (x: Tensor<'f32'>) => readonly Tensor<'f32'>[]
  /** One step: what `inputs` gave for it, [N, ...], and the states before it -> the states after it, [N, ...]. */
  readonly step: (inputs: readonly Tensor<'f32'>[], before: States<S>) => States<S>
}

const schema: Schema<Cell> = {
  kind: is.text,
  parameters: is.listOf(is.object, 'variables'),
  children: is.listOf(is.callable, 'layers'),
  states: is.needed(is.callable),
  inputs: is.callable,
  step: is.needed(is.callable),
}

/**
 * A recurrent layer of any cell: x f32 [T, N, ...] -> its first state after each step, [T, N, ...]. Composed of the cell's ops, one set
 * for each step.
 * @throws OstrichError `ERR_OPTION`, for carry with reverse too; ShapeError when traced, for a step whose states have other names or extents.
 * @example
 * const u = nn.parameter('u', [8, 8], nn.init.glorotUniform, { in: 8, out: 8 })
 * const leaky = nn.recurrent({
 *   parameters: [u],
 *   states: () => ({ h: [8] }),
 *   step: ([x], { h }) => ({ h: ops.add(ops.mul(h, 0.9), ops.mul(ops.tanh(ops.add(x, ops.matmul(h, read(u)))), 0.1)) }),
 * })
 */
export function recurrent<S extends string>(
  cell: Cell<S>,
  options: RecurrenceOptions = {},
): Recurrent<Tensor<'f32'>, Tensor<'f32'>, S> {
  expectOptions<Cell>('nn.recurrent', cell, schema)
  expectOptions('nn.recurrent', options, recurrenceOptions)
  return cellLayer<Tensor<'f32'>, Tensor<'f32'>, S>(cell, options)
}

/** A layer of a cell, of known types. */
export function cellLayer<In extends Tensor, Out extends Tensor, S extends string>(
  cell: Cell<S>,
  options: RecurrenceOptions,
): Recurrent<In, Out, S> {
  const { kind = 'recurrent', parameters = [], children = [], inputs = (x: Tensor<'f32'>) => [x], step } = cell
  const shapesOf = (x: Tensor, where: string) => {
    if (x.dtype !== 'f32' || x.rank < 2) {
      throw new ShapeError(`${where}: expected x of f32[T, N, ...], got ${typeText(x)}`)
    }
    const rows = x.shape[1] ?? 1
    const shapes = Object.entries<Shape>(placed(where, () => cell.states(x.shape.slice(2))))
    if (shapes.length === 0) throw new ShapeError(`${where}: expected a cell of one state or more, got none`)
    return Object.fromEntries(shapes.map(([name, shape]) => [name, [rows, ...shape]])) as unknown as Readonly<
      Record<S, Shape>
    >
  }
  return recurrentLayer<In, Out, S>(
    {
      kind,
      parameters,
      children,
      states: shapesOf,
      scan: (x, start, { reverse = false, mask }, where) => {
        const [steps = 1, rows = 1] = x.shape
        const shapes = shapesOf(x, where)
        const names = Object.keys(shapes) as S[]
        const given = inputs(ofDType(x, 'f32', where))
        for (const one of given) expectSequence(one, steps, rows, where)
        const kept: States<S>[] = []
        let before = start
        for (let i = 0; i < steps; i++) {
          const t = reverse ? steps - 1 - i : i
          const own = given.map((one) => stateAt(one, t))
          const after = step(own, before)
          expectStates(after, shapes, 'step', where)
          before = mask === undefined ? after : held(stateAt(mask, t), after, before, names)
          kept[t] = before
        }
        return fromNames(names, (name) =>
          concat(
            kept.map((states) => expandDims(states[name], 0)),
            0,
          ),
        )
      },
    },
    options,
  )
}

/** The states after a step where `live` [N] is not 0, those before it elsewhere. */
function held<S extends string>(
  live: Tensor<'u8'>,
  after: States<S>,
  before: States<S>,
  names: readonly S[],
): States<S> {
  return fromNames(names, (name) => {
    const condition = reshape(live, [live.shape[0] ?? 1, ...after[name].shape.slice(1).map(() => 1)])
    return select<'f32'>(condition, after[name], before[name])
  })
}

/** Puts the place before what a cell refuses. */
function placed<T>(where: string, ask: () => T): T {
  try {
    return ask()
  } catch (error) {
    if (!(error instanceof ShapeError) || !error.message.startsWith('expected ')) throw error
    throw new ShapeError(`${where}: ${error.message}`)
  }
}

function expectSequence(x: Tensor, steps: number, rows: number, where: string): void {
  if (x.dtype === 'f32' && x.shape[0] === steps && x.shape[1] === rows) return
  throw new ShapeError(
    `${where}: expected inputs of f32${formatShape([steps, rows])} and more axes, got ${typeText(x)}`,
  )
}
