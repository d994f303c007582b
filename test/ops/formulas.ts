// The scalar formula of every pointwise op, in float64.
import { accumulation, type Tolerance } from '../support/op-case.js'
import { type Draw, uniform } from '../support/random.js'

type Formula = (...x: number[]) => number

const smooth = uniform()
const positive = uniform(0.25, 4)

/** Differentiable functions of one real number, with inputs away from poles: a row is the whole case of its op. */
export const functions: Readonly<Record<string, { formula: Formula; draw: Draw; tolerance?: Tolerance }>> = {
  exp: { formula: Math.exp, draw: smooth },
  expm1: { formula: Math.expm1, draw: smooth },
  log: { formula: Math.log, draw: positive },
  sqrt: { formula: Math.sqrt, draw: positive },
  rsqrt: { formula: (x = 0) => 1 / Math.sqrt(x), draw: positive },
  tanh: { formula: Math.tanh, draw: smooth },
  sigmoid: { formula: (x = 0) => 1 / (1 + Math.exp(-x)), draw: smooth },
  cos: { formula: Math.cos, draw: smooth, tolerance: accumulation },
  sin: { formula: Math.sin, draw: smooth, tolerance: accumulation },
}

const others: Readonly<Record<string, Formula>> = {
  neg: (x = 0) => -x,
  abs: Math.abs,
  sign: Math.sign,
  relu: (x = 0) => Math.max(x, 0),
  floor: Math.floor,
  add: (a = 0, b = 0) => a + b,
  sub: (a = 0, b = 0) => a - b,
  mul: (a = 0, b = 0) => a * b,
  div: (a = 0, b = 0) => a / b,
  pow: Math.pow,
  maximum: (a = 0, b = 0) => Math.max(a, b),
  minimum: (a = 0, b = 0) => Math.min(a, b),
  equal: (a = 0, b = 0) => Number(a === b),
  less: (a = 0, b = 0) => Number(a < b),
  lessEqual: (a = 0, b = 0) => Number(a <= b),
  reluGrad: (dy = 0, y = 0) => (y > 0 ? dy : 0),
  where: (condition = 0, a = 0, b = 0) => (condition === 0 ? b : a),
}

/** Formula of a pointwise op by name; `cast` needs its dtype: towards zero for integers. */
export function formulaOf(name: string, dtype: string): Formula {
  if (name === 'cast') return dtype === 'f32' || dtype === 'bf16' ? (x = 0) => x : (x = 0) => Math.trunc(x) + 0
  const formula = functions[name]?.formula ?? others[name]
  if (formula === undefined) throw new Error(`${name}: expected a formula`)
  return formula
}
