// The scalar formula of every pointwise op, in float64.
import { accumulation, type Tolerance } from '../support/op-case.js'
import { type Draw, uniform } from '../support/random.js'

type Formula = (...x: number[]) => number

const smooth = uniform()
const positive = uniform(0.25, 4)

/** The series 2 / sqrt(pi) * sum of (-1)^n x^(2n + 1) / (n! (2n + 1)), for |x| of a few. */
function erf(x = 0): number {
  let [sum, term] = [0, x]
  for (let n = 1; n < 100; n++) {
    sum += term / (2 * n - 1)
    term *= (-x * x) / n
  }
  return (2 / Math.sqrt(Math.PI)) * sum
}

const geluTanh = (x = 0) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))

interface Row {
  readonly formula: Formula
  readonly draw: Draw
  readonly tolerance?: Tolerance
  /** PyTorch has it: test/golden holds vectors. */
  readonly isGolden?: true
}

/** Differentiable functions of one real number, with inputs away from poles: a row is the whole case of its op. */
export const functions: Readonly<Record<string, Row>> = {
  exp: { formula: Math.exp, draw: smooth },
  expm1: { formula: Math.expm1, draw: smooth },
  log: { formula: Math.log, draw: positive },
  sqrt: { formula: Math.sqrt, draw: positive },
  rsqrt: { formula: (x = 0) => 1 / Math.sqrt(x), draw: positive },
  tanh: { formula: Math.tanh, draw: smooth },
  sigmoid: { formula: (x = 0) => 1 / (1 + Math.exp(-x)), draw: smooth },
  erf: { formula: erf, draw: smooth, isGolden: true },
  gelu: {
    formula: (x = 0) => (x / 2) * (1 + erf(x / Math.SQRT2)),
    draw: smooth,
    tolerance: accumulation,
    isGolden: true,
  },
  geluTanh: { formula: geluTanh, draw: smooth, isGolden: true },
  silu: { formula: (x = 0) => x / (1 + Math.exp(-x)), draw: smooth, isGolden: true },
  softplus: { formula: (x = 0) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))), draw: smooth, isGolden: true },
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
