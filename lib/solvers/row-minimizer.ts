// Minimises many problems at once on a device: one call carries all rows through several evaluations of f, so that the work
// of JavaScript does not grow with their number.
import type { HostArray } from '../graph/index.js'
import type { Compiler } from './compiler.js'
import { RowIteration } from './row-iteration.js'
import { type RowObjective, type RowOptions, RowProblem, runningRows } from './row-problem.js'
import { rowStatus } from './row-step.js'

/** How a row ended: `notFinite` where f was not finite at its start, else as in `lbfgsb`. */
export type RowStatus = Exclude<keyof typeof rowStatus, 'running'>

/** What was found for each of M rows. */
export interface RowResults {
  /** f32 [M, ...], row after row. */
  readonly x: Float32Array
  /** f at x; where the status is `notFinite`, 3e38. */
  readonly value: Float32Array
  /** Largest element of the projected gradient at x. */
  readonly residual: Float32Array
  /** Steps taken, and evaluations of f. */
  readonly iterations: Float32Array
  readonly evaluations: Float32Array
  readonly status: readonly RowStatus[]
}

/** Minimises problems of one kind, N at a time; made by `rowMinimizer`. */
export interface RowMinimizer extends Disposable {
  /**
   * Minimises from x [M, ...], which is first moved into the box, with what is given, [M, ...]; M may be any number. Where M is
   * more than N, a row that has ended goes on with the next problem, so that memory is that of N.
   * @throws OstrichError `ERR_STATE` while another call runs, `ERR_DISPOSED` after dispose; DataError for inputs that do not fit
   */
  run(x: Float32Array, given?: Readonly<Record<string, HostArray>>): Promise<RowResults>
  /** Frees its programs and their memory. */
  dispose(): void
}

const statuses = Object.keys(rowStatus) as (keyof typeof rowStatus)[]

/**
 * Compiles a solver of N problems in one box: projected limited-memory BFGS, in f32, each row with its own history, line
 * search and end. Byrd, Lu, Nocedal & Zhu 1995 for what is solved, Bertsekas 1982 for the projection;
 * docs/decisions/0010-rows-by-composed-ops.md says how, and how far it agrees with `lbfgsb`.
 * @param compiler a session, whose variables f may read
 * @throws OstrichError `ERR_ARGUMENT` for options out of range; ShapeError where f does not give one value a row
 * @example
 * const minimizer = await solvers.rowMinimizer(session,
 *   (x: Tensor<'f32', [number, 784]>, { target }: { target: Tensor<'i32', [number]> }) => ops.crossEntropy(net(x), target),
 *   { shape: [1000, 784], bounds: { lower: 0, upper: 1 }, given: { target: { dtype: 'i32', shape: [1000] } } })
 * const { x, status } = await minimizer.run(images, { target: labels })
 */
export async function rowMinimizer(compiler: Compiler, f: RowObjective, options: RowOptions): Promise<RowMinimizer> {
  const problem = new RowProblem('rowMinimizer', options)
  const iteration = await RowIteration.compile('rowMinimizer', compiler, {
    inputs: problem.inputs,
    start: ({ x, ...given }, fresh) => {
      problem.start(x!, given, fresh)
      return {}
    },
    cycle: () => {
      const { rows, pairs } = problem.cycle(f)
      problem.save(rows, pairs)
      return runningRows(rows)
    },
    finish: () => problem.results(),
  })
  const dispose = (): void => {
    iteration.dispose()
  }
  return {
    async run(x, given = {}) {
      const found = (await iteration.run({ x, ...given })) as unknown as Found
      return { ...found, status: Array.from(found.status, (code) => statuses[code] as RowStatus) }
    },
    dispose,
    [Symbol.dispose]: dispose,
  }
}

type Found = Omit<RowResults, 'status'> & { readonly status: Float32Array }
