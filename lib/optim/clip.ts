// Gradient clipping by global norm. Pascanu, Mikolov & Bengio 2013, "On the difficulty of training recurrent neural
// networks", algorithm 1, over all parameters together.
import { expectKind, is } from '../base/index.js'
import { constant, type Tensor } from '../graph/index.js'
import { add, div, minimum, mul, sqrt, sumSquares } from '../ops/index.js'

/** Keeps the factor finite where all gradients are zero; PyTorch's value. */
const epsilon = 1e-6

/** Square root of the sum of squares of all elements: f32 []. */
export function globalNorm(tensors: readonly Tensor[]): Tensor<'f32', []> {
  const squares = tensors.map((tensor) => sumSquares(tensor))
  const [first = constant('f32', [], 0), ...rest] = squares
  return sqrt(rest.reduce((total, next) => add(total, next), first))
}

/**
 * All gradients times min(1, limit / (norm + 1e-6)).
 * @example clipByGlobalNorm(Object.values(grad(loss, weights)), 5)
 */
export function clipByGlobalNorm(gradients: readonly Tensor[], limit: number): readonly Tensor[] {
  expectKind('optim.clipByGlobalNorm', 'limit', is.number, limit)
  const factor: Tensor = minimum(div(limit, add(globalNorm(gradients), epsilon)), 1)
  return gradients.map((gradient) => mul(gradient, factor))
}
