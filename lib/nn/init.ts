// Initialisers: graph builders that the initialisation program runs once per parameter. Draws depend on seed and path only.
import { expectKind, is } from '../base/index.js'
import { constant } from '../graph/index.js'
import { randomNormal, randomUniform } from '../ops/index.js'
import type { Fans, Initializer } from './types.js'

/** Zeros. */
export const zeros: Initializer = (shape) => constant('f32', shape, 0)

/** One value everywhere. */
export function fill(value: number): Initializer {
  expectKind('nn.init.fill', 'value', is.finite, value)
  return (shape) => constant('f32', shape, value)
}

/** Uniform in [low, high). */
export function uniform(low: number, high: number): Initializer {
  expectKind('nn.init.uniform', 'low', is.finite, low)
  expectKind('nn.init.uniform', 'high', is.finite, high)
  return (shape) => randomUniform(shape, { low, high })
}

/** Normal with mean 0 and this standard deviation. */
export function normal(std: number): Initializer {
  expectKind('nn.init.normal', 'std', is.finite, std)
  return (shape) => randomNormal(shape, { std })
}

/** Uniform draws of variance v lie in +-sqrt(3 v). */
function uniformOf(variance: (fans: Fans) => number): Initializer {
  return (shape, fans) => {
    const bound = Math.sqrt(3 * variance(fans))
    return randomUniform(shape, { low: -bound, high: bound })
  }
}

function normalOf(variance: (fans: Fans) => number): Initializer {
  return (shape, fans) => randomNormal(shape, { std: Math.sqrt(variance(fans)) })
}

const lecun = (fans: Fans) => 1 / fans.in
const glorot = (fans: Fans) => 2 / (fans.in + fans.out)
const he = (fans: Fans) => 2 / fans.in

/** Variance 1 / in. LeCun, Bottou, Orr & Müller 1998, "Efficient BackProp", eq. 16. */
export const lecunUniform = uniformOf(lecun)
/** Variance 1 / in. LeCun, Bottou, Orr & Müller 1998, "Efficient BackProp", eq. 16. */
export const lecunNormal = normalOf(lecun)

/** Variance 2 / (in + out), for tanh. Glorot & Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks", eq. 16. */
export const glorotUniform = uniformOf(glorot)
/** Variance 2 / (in + out), for tanh. Glorot & Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks", eq. 12. */
export const glorotNormal = normalOf(glorot)

/** Variance 2 / in, for relu. He, Zhang, Ren & Sun 2015, "Delving deep into rectifiers", eq. 10. */
export const heUniform = uniformOf(he)
/** Variance 2 / in, for relu. He, Zhang, Ren & Sun 2015, "Delving deep into rectifiers", eq. 10. */
export const heNormal = normalOf(he)
