// Layers without parameters that keep the extents of their input.
import type { Tensor } from '../graph/index.js'
import * as ops from '../ops/index.js'
import { expectNumber } from './check.js'
import { layer, type Layer } from './layer.js'
import type { SameShape } from './types.js'

type Pointwise = Layer<Tensor<'f32'>, SameShape>

function pointwise(kind: string, apply: (x: Tensor<'f32'>) => Tensor<'f32'>): Pointwise {
  return layer<Tensor<'f32'>, SameShape>({ kind, apply })
}

/** max(x, 0). */
export function relu(): Pointwise {
  return pointwise('relu', ops.relu)
}

/** x where it is positive, else slope * x. Maas, Hannun & Ng 2013, "Rectifier nonlinearities improve neural network acoustic models". */
export function leakyRelu(slope = 0.01): Pointwise {
  expectNumber('leakyRelu', 'the slope', slope)
  return pointwise('leakyRelu', (x) => ops.leakyRelu(x, slope))
}

/** Hyperbolic tangent. */
export function tanh(): Pointwise {
  return pointwise('tanh', ops.tanh)
}

/** Logistic function. */
export function sigmoid(): Pointwise {
  return pointwise('sigmoid', ops.sigmoid)
}

/** exp(x) / sum(exp(x)) over the last axis. Losses take logits: put no softmax before `crossEntropy`. */
export function softmax(): Pointwise {
  return pointwise('softmax', ops.softmax)
}

/**
 * In training, zeroes each element with probability `rate` and divides the others by 1 - rate; otherwise x itself.
 * Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from overfitting".
 * @throws ShapeError when traced, for a rate outside [0, 1).
 * @example nn.dropout(0.5)
 */
export function dropout(rate: number): Pointwise {
  return pointwise('dropout', (x) => ops.dropout(x, rate))
}
