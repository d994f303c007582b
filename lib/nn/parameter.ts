// Trained variables of layers.
import { type Shape, type Tensor, Variable } from '../graph/index.js'
import type { Fans, Initializer } from './types.js'

const none: Fans = { in: 1, out: 1 }

/**
 * Makes a trained f32 variable; `fans` are what its initialiser sees, `sparse` that of `Variable`.
 * @throws as `Variable`
 * @example const g = nn.parameter('g', [64], nn.init.fill(1))
 */
export function parameter<S extends Shape>(
  label: string,
  shape: readonly [...S],
  init: Initializer,
  fans: Fans = none,
  sparse = false,
): Variable<'f32', S> {
  return new Variable<'f32', S>({
    label,
    dtype: 'f32',
    shape,
    role: 'parameter',
    sparse,
    init: () => init(shape, fans) as Tensor<'f32', S>,
  })
}
