// Layers without parameters that keep the extents of their input.
import { expectKind, expectOptions, is } from '../base/index.js'
import { ShapeError, type Tensor } from '../graph/index.js'
import * as ops from '../ops/index.js'
import { expectNumber, typeText } from './check.js'
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

/**
 * Gaussian error linear unit, by the error function unless `approximate` is `tanh`.
 * Hendrycks & Gimpel 2016, "Gaussian error linear units (GELUs)".
 * @throws OstrichError `ERR_OPTION`
 * @example nn.gelu({ approximate: 'tanh' })
 */
export function gelu(options: ops.GeluOptions = {}): Pointwise {
  expectOptions<ops.GeluOptions>('nn.gelu', options, { approximate: is.oneOf('none', 'tanh') })
  return pointwise('gelu', (x) => ops.gelu(x, options))
}

/** x * sigmoid(x), also called swish. Elfwing, Uchibe & Doya 2018, "Sigmoid-weighted linear units for neural network function approximation". */
export function silu(): Pointwise {
  return pointwise('silu', ops.silu)
}

/** log(1 + exp(x)). */
export function softplus(): Pointwise {
  return pointwise('softplus', ops.softplus)
}

/** x where it is positive, else alpha * (exp(x) - 1). Clevert, Unterthiner & Hochreiter 2016, "Fast and accurate deep network learning by exponential linear units (ELUs)". */
export function elu(alpha = 1): Pointwise {
  expectNumber('elu', 'alpha', alpha)
  return pointwise('elu', (x) => ops.elu(x, alpha))
}

/** exp(x) / sum(exp(x)) over the last axis. Losses take logits: put no softmax before `crossEntropy`. */
export function softmax(): Pointwise {
  return pointwise('softmax', ops.softmax)
}

/**
 * In training, zeroes each element with probability `rate` and divides the others by 1 - rate; otherwise x itself.
 * Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from overfitting".
 * @throws OstrichError `ERR_OPTION` for a rate outside [0, 1).
 * @example nn.dropout(0.5)
 */
export function dropout(rate: number): Pointwise {
  expectKind('nn.dropout', 'rate', is.fraction, rate)
  return pointwise('dropout', (x) => ops.dropout(x, rate))
}

/**
 * Dropout with one mask for all steps of time: x f32 [T, N, D], the same elements of [N, D] are zeroed at each step.
 * @throws as `dropout`; ShapeError when traced, for an x of other rank.
 * @see Gal & Ghahramani 2016, "A theoretically grounded application of dropout in recurrent neural networks".
 * @example nn.lockedDropout(0.4)
 */
export function lockedDropout(rate: number): Pointwise {
  expectKind('nn.lockedDropout', 'rate', is.fraction, rate)
  return pointwise('dropout', (x) => {
    const [, streams = 1, features = 1] = x.shape
    if (x.rank !== 3) throw new ShapeError(`lockedDropout: expected x of f32[T, N, D], got ${typeText(x)}`)
    const ones = ops.ones([1, streams, features])
    const mask = ops.dropout(ones, rate)
    return mask === ones ? x : ops.mul(x, mask)
  })
}
