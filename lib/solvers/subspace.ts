// Minimises the quadratic model over the variables that the Cauchy point leaves free, and goes there inside the box.
// Byrd, Lu, Nocedal & Zhu 1995, section 5.1 (direct primal method), with the projection of Morales & Nocedal 2011, "Remark on
// algorithm 778", in the place of the truncation of the step.
import { type Box, largestStep, project } from './box.js'
import type { Cauchy } from './cauchy.js'
import type { CompactMatrix } from './compact.js'
import { vector } from './dense.js'

/** What the step starts from. */
export interface Start {
  readonly x: Float64Array
  readonly gradient: Float64Array
}

/** The model's minimiser from the Cauchy point, inside the box; undefined where the reduced matrix is singular. */
export function subspaceMinimum(
  box: Box,
  { x, gradient }: Start,
  { point, free, c }: Cauchy,
  matrix: CompactMatrix,
): Float64Array | undefined {
  const { theta } = matrix
  const solve = matrix.reduced(free)
  if (solve === undefined) return undefined
  const picked = (i: number, value: number) => (free[i] === 1 ? value : 0)
  // r = -Zᵀ(g + θ(z - x) - W M c), eq. 5.4 with its sign turned: steepest descent of the model at the Cauchy point.
  const bent = matrix.scatter(matrix.middle(c), x.length)
  const r = vector(x.length, (i) => picked(i, bent[i]! - gradient[i]! - theta * (point[i]! - x[i]!)))
  // d = r / θ + ZᵀW (M⁻¹ - WᵀZZᵀW / θ)⁻¹ WᵀZ r / θ², eq. 5.11
  const rest = matrix.scatter(solve(matrix.gather(r)), x.length)
  const d = vector(x.length, (i) => picked(i, (r[i]! + rest[i]! / theta) / theta))
  const target = moved(box, point, d, 1)
  if (descends(target, x, gradient)) return target
  // As far along d as the box allows, eq. 5.8.
  return moved(box, point, d, Math.min(1, largestStep(box, point, d)))
}

/** The nearest point of the box to point + step d. */
function moved(box: Box, point: Float64Array, d: Float64Array, step: number): Float64Array {
  return project(
    box,
    vector(point.length, (i) => point[i]! + step * d[i]!),
  )
}

/** Whether f falls from x towards the target. */
function descends(target: Float64Array, x: Float64Array, gradient: Float64Array): boolean {
  let slope = 0
  for (let i = 0; i < x.length; i++) slope += (target[i]! - x[i]!) * gradient[i]!
  return slope <= 0
}
