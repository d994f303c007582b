// Standard problems in a box, in float64. Moré, Garbow & Hillstrom 1981; Hock & Schittkowski 1981 (HS); Zhu, Byrd, Lu &
// Nocedal 1997 (the driver of L-BFGS-B). The same functions are in test/golden/make_lbfgsb.py.
import type { Bounds, Evaluation } from '../../../lib/optim.js'

export interface Problem {
  readonly name: string
  readonly f: (x: Float64Array) => Evaluation & { readonly gradient: Float64Array }
  readonly x0: readonly number[]
  readonly bounds: Bounds
}

type Terms = (x: Float64Array, g: Float64Array) => number

function problem(name: string, x0: readonly number[], bounds: Bounds, terms: Terms): Problem {
  const f = (x: Float64Array) => {
    const gradient = new Float64Array(x.length)
    return { value: terms(x, gradient), gradient }
  }
  return { name, f, x0, bounds }
}

const repeat = (n: number, of: (i: number) => number) => Array.from({ length: n }, (_, i) => of(i))

/** sum of 100 (x[i+1] - x[i]^2)^2 + (1 - x[i])^2 */
const rosenbrock: Terms = (x, g) => {
  let value = 0
  for (let i = 0; i + 1 < x.length; i++) {
    const [bend, rest] = [x[i + 1]! - x[i]! ** 2, 1 - x[i]!]
    value += 100 * bend ** 2 + rest ** 2
    g[i]! += -400 * bend * x[i]! - 2 * rest
    g[i + 1]! += 200 * bend
  }
  return value
}

/** (x0 - 1)^2 / 4 + sum of (x[i] - x[i-1]^2)^2, times 4 */
const driver: Terms = (x, g) => {
  let value = 0.25 * (x[0]! - 1) ** 2
  g[0] = 2 * (x[0]! - 1)
  for (let i = 1; i < x.length; i++) {
    const bend = x[i]! - x[i - 1]! ** 2
    value += bend ** 2
    g[i]! += 8 * bend
    g[i - 1]! -= 16 * bend * x[i - 1]!
  }
  return 4 * value
}

const hs3: Terms = (x, g) => {
  const difference = x[1]! - x[0]!
  g[0] = -2e-5 * difference
  g[1] = 1 + 2e-5 * difference
  return x[1]! + 1e-5 * difference ** 2
}

const hs4: Terms = (x, g) => {
  g[0] = (x[0]! + 1) ** 2
  g[1] = 1
  return (x[0]! + 1) ** 3 / 3 + x[1]!
}

const hs5: Terms = (x, g) => {
  const [a, b] = [x[0]!, x[1]!]
  const wave = Math.cos(a + b)
  g[0] = wave + 2 * (a - b) - 1.5
  g[1] = wave - 2 * (a - b) + 2.5
  return Math.sin(a + b) + (a - b) ** 2 - 1.5 * a + 2.5 * b + 1
}

/** HS 38, Colville's function */
const colville: Terms = (x, g) => {
  const [a, b, c, d] = [x[0]!, x[1]!, x[2]!, x[3]!]
  const [u, v] = [b - a * a, d - c * c]
  g[0] = -400 * a * u - 2 * (1 - a)
  g[1] = 200 * u + 20.2 * (b - 1) + 19.8 * (d - 1)
  g[2] = -360 * c * v - 2 * (1 - c)
  g[3] = 180 * v + 20.2 * (d - 1) + 19.8 * (b - 1)
  const pairs = 10.1 * ((b - 1) ** 2 + (d - 1) ** 2) + 19.8 * (b - 1) * (d - 1)
  return 100 * u * u + (1 - a) ** 2 + 90 * v * v + (1 - c) ** 2 + pairs
}

const hs45: Terms = (x, g) => {
  const product = x.reduce((a, b) => a * b, 1)
  for (let i = 0; i < x.length; i++) g[i] = -product / x[i]! / 120
  return 2 - product / 120
}

const hs110: Terms = (x, g) => {
  const product = x.reduce((a, b) => a * b, 1) ** 0.2
  let value = -product
  for (let i = 0; i < x.length; i++) {
    const [low, high] = [Math.log(x[i]! - 2), Math.log(10 - x[i]!)]
    value += low ** 2 + high ** 2
    g[i] = (2 * low) / (x[i]! - 2) - (2 * high) / (10 - x[i]!) - (0.2 * product) / x[i]!
  }
  return value
}

const beale: Terms = (x, g) => {
  const [a, b] = [x[0]!, x[1]!]
  let value = 0
  for (const [power, target] of [1.5, 2.25, 2.625].entries()) {
    const rest = target - a * (1 - b ** (power + 1))
    value += rest ** 2
    g[0]! -= 2 * rest * (1 - b ** (power + 1))
    g[1]! += 2 * rest * a * (power + 1) * b ** power
  }
  return value
}

/** Powell's singular function, four variables */
const powell: Terms = (x, g) => {
  const [a, b, c, d] = [x[0]!, x[1]!, x[2]!, x[3]!]
  const [p, q, r, s] = [a + 10 * b, c - d, b - 2 * c, a - d]
  g[0] = 2 * p + 40 * s ** 3
  g[1] = 20 * p + 4 * r ** 3
  g[2] = 10 * q - 8 * r ** 3
  g[3] = -10 * q - 40 * s ** 3
  return p ** 2 + 5 * q ** 2 + r ** 4 + 10 * s ** 4
}

/** xᵀAx / 2 - bᵀx, with the second difference A + I / 100 and a b that drives many variables out of the box */
const quadratic: Terms = (x, g) => {
  let value = 0
  for (let i = 0; i < x.length; i++) {
    const product = 2.01 * x[i]! - (x[i - 1] ?? 0) - (x[i + 1] ?? 0)
    const b = Math.sin(i + 1)
    value += 0.5 * x[i]! * product - b * x[i]!
    g[i] = product - b
  }
  return value
}

/** Mean logistic loss of 60 made-up examples of 10 features, plus |w|^2 / 200 */
const logistic: Terms = (w, g) => {
  const examples = 60
  let value = 0
  for (let n = 0; n < examples; n++) {
    const feature = (j: number) => Math.sin(1 + 1.7 * n + 0.9 * j * n + j)
    const label = Math.cos(3 * n) > 0 ? 1 : -1
    const margin = label * w.reduce((sum, weight, j) => sum + weight * feature(j), 0)
    value += Math.log1p(Math.exp(-margin)) / examples
    for (let j = 0; j < w.length; j++) g[j]! -= (label * feature(j)) / (1 + Math.exp(margin)) / examples
  }
  for (let j = 0; j < w.length; j++) {
    value += w[j]! ** 2 / 200
    g[j]! += w[j]! / 100
  }
  return value
}

const odd = (n: number, a: number, b: number) => repeat(n, (i) => (i % 2 === 0 ? a : b))

export const problems: readonly Problem[] = [
  problem('rosenbrock 2', [-1.2, 1], { lower: [-2, -2], upper: [0.8, 2] }, rosenbrock),
  problem('rosenbrock 10', odd(10, -1.2, 1), { lower: -1.5, upper: odd(10, 0.7, 2) }, rosenbrock),
  problem('rosenbrock 100', odd(100, -1.2, 1), { lower: -30, upper: 0.9 }, rosenbrock),
  problem('rosenbrock 20, open', odd(20, -1.2, 1), {}, rosenbrock),
  problem(
    'driver 25',
    repeat(25, () => 3),
    { lower: odd(25, 1, -100), upper: 100 },
    driver,
  ),
  problem('hs1', [-2, 1], { lower: [-Infinity, -1.5] }, rosenbrock),
  problem('hs2', [-2, 1], { lower: [-Infinity, 1.5] }, rosenbrock),
  problem('hs3', [10, 1], { lower: [-Infinity, 0] }, hs3),
  problem('hs4', [1.125, 0.125], { lower: [1, 0] }, hs4),
  problem('hs5', [0, 0], { lower: [-1.5, -3], upper: [4, 3] }, hs5),
  problem('hs38', [-3, -1, -3, -1], { lower: -10, upper: 10 }, colville),
  problem(
    'hs45',
    repeat(5, () => 0.5),
    { lower: 0, upper: [1, 2, 3, 4, 5] },
    hs45,
  ),
  problem(
    'hs110',
    repeat(10, () => 9),
    { lower: 2.001, upper: 9.999 },
    hs110,
  ),
  problem('beale', [1, 1], { lower: [0.6, 0.5], upper: [10, 100] }, beale),
  problem('powell', [3, -1, 0, 1], { lower: [0.1, -20, -20, -20], upper: [100, 20, 20, 0.2] }, powell),
  problem(
    'quadratic 50',
    repeat(50, () => 0.5),
    { lower: 0, upper: 1 },
    quadratic,
  ),
  problem(
    'logistic 10',
    repeat(10, () => 0),
    { lower: -0.5, upper: odd(10, 0.25, 2) },
    logistic,
  ),
]
