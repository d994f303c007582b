// A variable: device memory that outlives one run (parameter, moment, step counter). Its identity is the object.
import { expectOptions, is, type Schema } from '../base/index.js'
import { type DType, dtypes } from './dtype.js'
import { count, type Shape } from './shape.js'
import type { Tensor } from './tensor.js'

/**
 * What a variable is for: `parameter` is trained, `statistic` is carried (moments, counters), `shadow` is derived, `scratch`
 * holds what programs work on: it is in no checkpoint, and its memory goes with the last of them.
 */
export type VariableRole = 'parameter' | 'statistic' | 'shadow' | 'scratch'

export interface VariableOptions<D extends DType, S extends Shape> {
  /** Last part of its path (`w`); the scope in which it is first read gives the rest (`mlp/fc1`). */
  readonly label: string
  readonly dtype: D
  readonly shape: S
  readonly role: VariableRole
  /** Traced once, in an initialisation program; must return this dtype and shape. */
  readonly init: () => Tensor<D, S>
}

const schema: Schema<VariableOptions<DType, Shape>> = {
  label: is.needed(is.text),
  dtype: is.needed(is.oneOf(...dtypes)),
  shape: is.needed(is.numbers),
  role: is.needed(is.oneOf('parameter', 'statistic', 'shadow', 'scratch')),
  init: is.needed(is.callable),
}

/**
 * Named state of a program. Two traces that read the same Variable share its memory.
 *
 * @example
 * const w = new Variable({ label: 'w', dtype: 'f32', shape: [512, 784], role: 'parameter', init: () => zeros([512, 784]) })
 */
export class Variable<D extends DType = DType, S extends Shape = Shape> {
  readonly label: string
  readonly dtype: D
  readonly shape: S
  readonly role: VariableRole
  /** Its first value, traced in an initialisation program. */
  readonly init: () => Tensor<D, S>

  constructor(options: VariableOptions<D, S>) {
    expectOptions<VariableOptions<DType, Shape>>('Variable', options, schema)
    this.label = options.label
    this.dtype = options.dtype
    this.shape = options.shape
    this.role = options.role
    this.init = options.init
  }

  get count(): number {
    return count(this.shape)
  }
}
