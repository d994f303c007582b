// What recurrent layers over features have in common.
import { type Shape, ShapeError, type Tensor } from '../graph/index.js'
import { matmul, reshape } from '../ops/index.js'

/** x W^T + b of all steps in one product: x f32 [T, N, D], W [K, D], b [K] -> [T, N, K]. */
export function projected(x: Tensor<'f32'>, w: Tensor<'f32'>, bias?: Tensor<'f32'>): Tensor<'f32'> {
  const [steps = 1, streams = 1, features = 1] = x.shape
  const rows = reshape(x, [steps * streams, features])
  const product = matmul<'f32', Shape, Shape, false, true>(rows, w, { transposeB: true, ...(bias && { bias }) })
  return reshape(product, [steps, streams, w.shape[0] ?? 1])
}

/** h U of one step: h f32 [N, H], U [H, K] -> [N, K]. */
export function recurrentProduct(h: Tensor<'f32'>, u: Tensor<'f32'>): Tensor<'f32'> {
  return matmul<'f32', Shape, Shape>(h, u)
}

/** Refuses a row of a step that has not these features. */
export function expectFeatures(x: Shape, inputs: number): void {
  if (x.length === 1 && x[0] === inputs) return
  throw new ShapeError(`expected x of f32[T, N, ${inputs}], got f32[${['T', 'N', ...x].join(', ')}]`)
}
