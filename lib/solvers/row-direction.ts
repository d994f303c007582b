// Direction of a projected quasi-Newton step, for N rows at once: the two-loop recursion over the variables that are free, the
// scaled gradient for those held at a limit. Bertsekas 1982, "Projected Newton methods for optimization problems with simple
// constraints"; Nocedal & Wright 2006, "Numerical optimization", algorithm 7.4.
import type { Tensor } from '../graph/index.js'
import * as ops from '../ops/index.js'

/** A step of x and the change of the gradient along it, f32 [N, D]; zeros in rows that took none. */
export interface Pair {
  readonly s: Tensor
  readonly y: Tensor
}

/** What a direction is made of: f32, [N, D] or, one value a row, [N, 1]. */
export interface Model {
  readonly gradient: Tensor
  /** u8 [N, D]: 1 where a variable may move either way. */
  readonly free: Tensor
  /** Newest first. */
  readonly pairs: readonly Pair[]
  /** How many of the pairs count, [N, 1]. */
  readonly known: Tensor
  /** Scale of the inverse Hessian that the pairs change, [N, 1]. */
  readonly scale: Tensor
}

/** Curvatures below it are no curvatures: their inverse would overflow. */
const flat = 1e-30

/** aᵀb of each row: [N, D] and [N, D] -> [N, 1]. */
export function rowDot(a: Tensor, b: Tensor): Tensor {
  return ops.sum(ops.mul(a, b), 1, { keepDims: true })
}

/**
 * -H g over the free variables and -scale g over the others, [N, D]. The pairs are restricted to the free variables, so that
 * H is the inverse of a Hessian among those alone; pairs without curvature there are left out.
 */
export function direction({ gradient, free, pairs, known, scale }: Model): Tensor {
  let q: Tensor = ops.where(free, gradient, 0)
  const steps = pairs.map(({ s, y: whole }, age) => {
    const y: Tensor = ops.where(free, whole, 0)
    const curvature = rowDot(s, y)
    const counts = ops.minimum(ops.less(age, known), ops.less(flat, curvature))
    const rho: Tensor = ops.where(counts, ops.div(1, curvature), 0)
    const alpha = ops.mul(rho, rowDot(s, q))
    q = ops.sub(q, ops.mul(alpha, y))
    return { s, y, rho, alpha }
  })
  let r: Tensor = ops.mul(scale, q)
  for (const { s, y, rho, alpha } of steps.reverse()) {
    const beta = ops.mul(rho, rowDot(y, r))
    r = ops.add(r, ops.mul(ops.sub(alpha, beta), s))
  }
  return ops.neg(ops.where(free, r, ops.mul(scale, gradient)))
}
