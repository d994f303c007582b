// The scalar formula of every pointwise op, in float64.

export const formulas = {
  neg: (x: number) => -x,
  abs: Math.abs,
  sign: Math.sign,
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  rsqrt: (x: number) => 1 / Math.sqrt(x),
  tanh: Math.tanh,
  sigmoid: (x: number) => 1 / (1 + Math.exp(-x)),
  relu: (x: number) => Math.max(x, 0),
  floor: Math.floor,
  cos: Math.cos,
  sin: Math.sin,
  add: (a: number, b: number) => a + b,
  sub: (a: number, b: number) => a - b,
  mul: (a: number, b: number) => a * b,
  div: (a: number, b: number) => a / b,
  pow: Math.pow,
  maximum: (a: number, b: number) => Math.max(a, b),
  minimum: (a: number, b: number) => Math.min(a, b),
  equal: (a: number, b: number) => Number(a === b),
  less: (a: number, b: number) => Number(a < b),
  lessEqual: (a: number, b: number) => Number(a <= b),
  reluGrad: (dy: number, y: number) => (y > 0 ? dy : 0),
  where: (condition: number, a: number, b: number) => (condition === 0 ? b : a),
} as const satisfies Record<string, (...x: number[]) => number>

/** Formula of a pointwise op by name; `cast` needs its dtype: towards zero for integers. */
export function formulaOf(name: string, dtype: string): (...x: number[]) => number {
  if (name === 'cast') return dtype === 'f32' || dtype === 'bf16' ? (x = 0) => x : (x = 0) => Math.trunc(x) + 0
  const formula = (formulas as Record<string, (...x: number[]) => number>)[name]
  if (formula === undefined) throw new Error(`${name}: expected a formula`)
  return formula
}
