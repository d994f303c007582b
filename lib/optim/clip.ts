// Gradient clipping by global norm. Pascanu, Mikolov & Bengio 2013, "On the difficulty of training recurrent neural
// networks", algorithm 1, over all parameters together.
import { expectKind, is } from '../base/index.js'
import { constant, type Tensor } from '../graph/index.js'
import { add, div, maximum, minimum, mul, norm, sqrt, square, stopGradient } from '../ops/index.js'

/** Keeps the factor finite where all gradients are zero; PyTorch's value. */
const epsilon = 1e-6

/** The smallest and the largest number of f32 that have their full precision. */
const [smallest, largest] = [2 ** -126, (2 - 2 ** -23) * 2 ** 127]

/** Square root of the sum of squares of all elements, also where f32 does not hold that sum: f32 []. */
export function globalNorm(tensors: readonly Tensor[]): Tensor<'f32', []> {
  const [first, ...rest] = tensors.map((tensor) => norm(tensor))
  if (first === undefined) return constant('f32', [], 0)
  if (rest.length === 0) return first
  const norms = [first, ...rest]
  // Squares of at most 1, as a share of the largest. An infinite norm stays so: infinity / infinity would be NaN.
  const top = rest.reduce((a, b) => maximum(a, b), first)
  const scale = stopGradient(minimum(maximum(top, smallest), largest))
  const squares = norms.map((each) => square(div(each, scale)))
  return mul(sqrt(squares.reduce((total, next) => add(total, next))), scale)
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
