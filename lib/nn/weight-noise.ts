// Noise on weights, while a network learns: what it learns must not hang on the last digit of a weight.
import { expectKind, is } from '../base/index.js'
import {
  at,
  GraphError,
  ofDType,
  type Shape,
  type Tensor,
  traceMode,
  type Variable,
  withStandIn,
} from '../graph/index.js'
import { add, randomNormal } from '../ops/index.js'

/**
 * Traces `body` so that, in training, each trained variable which it reads has normal noise of this deviation added: one draw for each
 * number at each training step, the same wherever the variable is read and for all rows and steps of time of a batch. What is updated is the
 * variable itself, by the gradient at where the noise put it. In evaluation it is `body` alone.
 * @throws OstrichError `ERR_OPTION`; GraphError for a sparse table, whose rows alone are read
 * @see Graves, Mohamed & Hinton 2013, "Speech recognition with deep recurrent neural networks", 3.
 * @example nn.withWeightNoise(0.075, () => net(x))
 */
export function withWeightNoise<R>(deviation: number, body: () => R): R {
  expectKind('nn.withWeightNoise', 'deviation', is.notNegative, deviation)
  expectKind('nn.withWeightNoise', 'body', is.callable, body)
  if (deviation === 0 || traceMode() === 'eval') return body()
  const noisy = new Map<Variable, Tensor>()
  return withStandIn((variable, value) => {
    if (variable.role !== 'parameter') return value
    const known = noisy.get(variable)
    if (known !== undefined) return known
    const made = withNoise(variable, value, deviation)
    noisy.set(variable, made)
    return made
  }, body)
}

/** At the variable's own path: its draws are its own, and refusals that name a weight find it there. */
function withNoise({ sparse, shape }: Variable, value: Tensor, deviation: number): Tensor {
  const { path, site } = value.node
  if (sparse) {
    throw new GraphError(`withWeightNoise[${path}]: expected parameters that are read whole, got a sparse table`)
  }
  return at({ path, site }, () =>
    add<'f32', Shape>(ofDType(value, 'f32', path), randomNormal(shape, { std: deviation })),
  )
}
