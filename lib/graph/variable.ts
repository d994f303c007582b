// A variable: device memory that outlives one run (parameter, moment, step counter). Its identity is the object, so it is made once:
// outside of traces, or by something that keeps it for all of them.
import { expectOptions, is, type Schema } from '../base/index.js'
import { type DType, dtypes } from './dtype.js'
import { GraphError, ShapeError } from './errors.js'
import { count, formatShape, type Shape } from './shape.js'
import { callSite } from './site.js'
import type { Tensor } from './tensor.js'
import { isTracing } from './tracing.js'

/**
 * What a variable is for: `parameter` is trained, `statistic` is carried (moments, counters), `shadow` is derived, `scratch`
 * holds what programs work on: it is in no checkpoint, and its memory goes with the last of them.
 */
export type VariableRole = 'parameter' | 'statistic' | 'shadow' | 'scratch'

export interface VariableOptions<D extends DType, S extends Shape> {
  /** Last part of its path (`w`); the scope in which it is first read gives the rest (`mlp/fc1`). */
  readonly label: string
  readonly dtype: D
  readonly shape: readonly [...S]
  readonly role: VariableRole
  /**
   * Of a table f32 [V, D] of which each batch reads few rows, by `gather`: optimisers update these rows in place and leave the others, with
   * their moments, as they are. Default: false.
   */
  readonly sparse?: boolean
  /** Traced once, in an initialisation program; must return this dtype and shape. */
  readonly init: () => Tensor<D, S>
}

const schema: Schema<VariableOptions<DType, Shape>> = {
  label: is.needed(is.text),
  dtype: is.needed(is.oneOf(...dtypes)),
  shape: is.needed(is.numbers),
  role: is.needed(is.oneOf('parameter', 'statistic', 'shadow', 'scratch')),
  sparse: is.flag,
  init: is.needed(is.callable),
}

/** What `keptBy` has made, for each owner and key. */
const kept = new WeakMap<object, Map<unknown, Variable>>()
let keeping = false

/**
 * Named state of a program. Two traces that read the same Variable share its memory.
 *
 * @throws ShapeError for a sparse table without two axes; GraphError within a traced function: each trace would make another, and so train one and measure one that is new
 * @example
 * const w = new Variable({ label: 'w', dtype: 'f32', shape: [512, 784], role: 'parameter', init: () => zeros([512, 784]) })
 */
export class Variable<D extends DType = DType, S extends Shape = Shape> {
  readonly label: string
  readonly dtype: D
  readonly shape: S
  readonly role: VariableRole
  /** Whether optimisers update the rows that a batch reads, in place. */
  readonly sparse: boolean
  /** Its first value, traced in an initialisation program. */
  readonly init: () => Tensor<D, S>

  constructor(options: VariableOptions<D, S>) {
    expectOptions<VariableOptions<DType, Shape>>('Variable', options, schema)
    if (isTracing() && !keeping) refuseWithin(options.label)
    this.label = options.label
    this.dtype = options.dtype
    this.shape = options.shape as unknown as S
    this.role = options.role
    this.sparse = options.sparse ?? false
    if (this.sparse && this.shape.length !== 2) {
      throw new ShapeError(
        `variable[${this.label}]: expected a sparse table with 2 axes, got ${formatShape(this.shape)}`,
      )
    }
    this.init = options.init
  }

  get count(): number {
    return count(this.shape)
  }
}

function refuseWithin(label: string): never {
  const site = callSite()
  const where = site === undefined ? '' : ` (at ${site})`
  throw new GraphError(
    `variable[${label}]: expected to be made before tracing, got made within the function that is traced, of which every trace would make ` +
      `another: make layers and variables once, outside of the function, and call or read them in it${where}`,
  )
}

/**
 * The variable that `owner` keeps under a key, made when it is first asked for: what only a trace can know of (the state of so
 * many streams, a moment of a parameter) is made within it, and is the same one at every further trace. The owner outlives traces.
 * @example keptBy(layer, 'h20', () => new Variable({ label: 'h20', dtype: 'f32', shape: [20, 512], role: 'statistic', init }))
 */
export function keptBy<V extends Variable>(owner: object, key: unknown, make: () => V): V {
  const own = kept.get(owner) ?? new Map<unknown, Variable>()
  kept.set(owner, own)
  const known = own.get(key)
  // The keys of an owner are its own: what lies under one is what it made for it.
  if (known !== undefined) return known as V
  const outer = keeping
  keeping = true
  try {
    const made = make()
    own.set(key, made)
    return made
  } finally {
    keeping = outer
  }
}
