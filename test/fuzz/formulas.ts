// Pointwise functions that a random graph may grow by.
import type { Tensor } from '../../lib/graph/index.js'
import * as ops from '../../lib/ops/index.js'

export type F = Tensor<'f32'>

/** Functions whose results stay near 1, whatever their arguments. */
export const unary: readonly ((x: F) => F)[] = [
  (x) => ops.tanh(x),
  (x) => ops.sigmoid(x),
  (x) => ops.neg(x),
  (x) => ops.abs(x),
  (x) => ops.mul(ops.relu(x), 0.9),
  (x) => ops.sin(x),
  (x) => ops.cos(x),
  (x) => ops.erf(x),
  (x) => ops.mul(ops.gelu(x), 0.9),
  (x) => ops.mul(ops.gelu(x, { approximate: 'tanh' }), 0.9),
  (x) => ops.mul(ops.silu(x), 0.9),
  (x) => ops.mul(ops.softplus(x), 0.8),
  (x) => ops.mul(ops.elu(x), 0.9),
  (x) => ops.exp(ops.neg(ops.abs(x))),
  (x) => ops.expm1(ops.neg(ops.abs(x))),
  (x) => ops.log(ops.add(ops.abs(x), 0.5)),
  (x) => ops.sqrt(ops.add(ops.abs(x), 0.1)),
  (x) => ops.rsqrt(ops.add(ops.square(x), 0.5)),
  (x) => ops.div(x, ops.add(ops.abs(x), 1)),
  (x) => ops.pow(ops.add(ops.abs(x), 0.5), 0.7),
]

export const binary: readonly ((a: F, b: F) => F)[] = [
  (a, b) => ops.mul(ops.add(a, b), 0.5),
  (a, b) => ops.mul(ops.sub(a, b), 0.5),
  (a, b) => ops.mul(ops.tanh(a), b),
  (a, b) => ops.maximum(a, b),
  (a, b) => ops.minimum(a, b),
  (a, b) => ops.div(ops.tanh(a), ops.add(ops.abs(b), 1)),
  (a, b) => ops.where(ops.less(a, b), ops.mul(a, 0.5), b),
  (a, b) => ops.where(ops.lessEqual(a, b), ops.neg(b), ops.mul(a, 0.5)),
  (a, b) => ops.where(ops.logicalAnd(ops.less(0, a), ops.logicalNot(ops.less(a, b))), ops.mul(a, 0.5), ops.mul(b, 0.5)),
]
