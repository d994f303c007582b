// Normalised exponentials over the last axis, and the cross-entropy of integer labels that is fused with them.
import { expectOptions, is } from '../base/index.js'
import { constant, type DType, emit, emitOne, type Shape, type Tensor } from '../graph/index.js'
import { broadcastTo, reshape, sum } from './axes.js'
import { exactly, expectDType, expectFloat, expectRank, expectShape, expectThat, register } from './define.js'
import { add, cast, equal, exp, mul, neg, sub } from './pointwise.js'
import { argmax } from './reduce.js'
import { slice } from './reshape.js'

type Rule = (y: Tensor, dy: Tensor) => Tensor

function normalised(name: string, gradient: Rule) {
  const op = register({
    name,
    kind: 'kernel',
    inBf16: 'f32',
    moves: false,
    epilogue: 'none',
    attributes: {},
    infer: (inputs) => {
      const [x] = exactly(inputs, 1)
      expectFloat(x, 'x')
      expectThat(x.shape.length >= 1, 'x with at least one axis', '[]')
      return [{ dtype: x.dtype, shape: x.shape }]
    },
    vjp: ({ outputs }, [dy]) => [dy && gradient(exactly(outputs, 1)[0], dy)],
  })
  return <D extends DType, S extends Shape>(x: Tensor<D, S>): Tensor<D, S> => emitOne(op, [x], {})
}

function sumLast(x: Tensor): Tensor {
  return sum(x, -1, { keepDims: true })
}

/** exp(x) / sum(exp(x)) over the last axis: float [..., K] -> the same. */
export const softmax = normalised('softmax', (y, dy) => mul(y, sub(dy, sumLast(mul(y, dy)))))

/** x - log(sum(exp(x))) over the last axis: float [..., K] -> the same. */
export const logSoftmax = normalised('logSoftmax', (y, dy) => sub(dy, mul(exp(y), sumLast(dy))))

// The second output is log(sum(exp(logits))) in two parts, [N, 2]: the largest logit m, and log(sum(exp(logits - m))).
// Their sum would lose the second part beside large logits.
type CrossEntropyAttrs = { readonly smoothing: number }

const crossEntropyOp = register<CrossEntropyAttrs>({
  name: 'crossEntropy',
  kind: 'kernel',
  inBf16: 'f32',
  moves: false,
  epilogue: 'none',
  attributes: { smoothing: 'number' },
  infer: (inputs, { smoothing }) => {
    expectSmoothing(smoothing)
    const [logits, labels] = exactly(inputs, 2)
    expectFloat(logits, 'logits')
    expectRank(logits, 2, 'logits')
    expectDType(labels, ['i32'], 'labels')
    const perExample = [logits.shape[0] ?? 1]
    expectShape(labels, perExample, 'labels of shape')
    return [
      { dtype: 'f32', shape: perExample },
      { dtype: 'f32', shape: [...perExample, 2] },
    ]
  },
  vjp: ({ inputs, outputs, attrs }, [dloss, dlse]) => {
    const [[logits, labels], [, lse]] = [exactly(inputs, 2), exactly(outputs, 2)]
    const direct = dloss && emitOne(crossEntropyGradOp, [dloss, logits, labels, lse], attrs)
    const through = dlse && cast(partsGradient(dlse, logits, lse), logits.dtype)
    return [direct && through ? add(direct, through) : (direct ?? through), undefined]
  },
})

function expectSmoothing(smoothing: number): void {
  expectThat(smoothing >= 0 && smoothing < 1, 'a smoothing from 0 to below 1', smoothing.toString())
}

// dlogits = dloss (p - (1 - smoothing) onehot - smoothing / K), p = exp(logits - logSumExp): dloss, logits and logSumExp each get
// their part.
const crossEntropyGradOp = register<CrossEntropyAttrs>({
  name: 'crossEntropyGrad',
  kind: 'kernel',
  inBf16: 'f32',
  moves: false,
  epilogue: 'none',
  attributes: { smoothing: 'number' },
  infer: (inputs, { smoothing }) => {
    expectSmoothing(smoothing)
    const [dloss, logits, labels, lse] = exactly(inputs, 4)
    expectDType(dloss, ['f32'], 'dloss')
    expectFloat(logits, 'logits')
    expectRank(logits, 2, 'logits')
    expectDType(labels, ['i32'], 'labels')
    expectDType(lse, ['f32'], 'logSumExp')
    const perExample = logits.shape.slice(0, 1)
    for (const input of [dloss, labels]) expectShape(input, perExample, 'one value per example')
    expectShape(lse, [...perExample, 2], 'logSumExp of shape')
    return [{ dtype: logits.dtype, shape: logits.shape }]
  },
  vjp: ({ inputs, attrs: { smoothing } }, [dy]) => {
    const [dloss, logits, labels, lse] = exactly(inputs, 4)
    if (dy === undefined) return []
    const seed = widen(dy)
    const p = probabilities(logits, lse)
    const weighted = mul(mul(seed, column(dloss)), p)
    const classes = logits.shape[1] ?? 1
    const wanted = add(mul(widen(oneHot(labels, classes)), 1 - smoothing), smoothing / classes)
    const slope = sub(p, wanted)
    // Only the sum of the parts matters: each has its gradient.
    const dlse = broadcastTo(neg(sumLast(weighted)), lse.shape)
    return [sum(mul(seed, slope), [1]), cast(weighted, logits.dtype), undefined, dlse]
  },
})

/** [N] -> [N, 1] */
function column(x: Tensor): Tensor {
  return reshape(x, [x.shape[0] ?? 1, 1])
}

/** As f32, the dtype of losses and their parts. */
function widen(x: Tensor): Tensor {
  return cast(x, 'f32')
}

/** One of the two parts of logSumExp, or of its gradient: f32 [N, 1]. */
function part(lse: Tensor, which: 0 | 1): Tensor {
  return slice(lse, [0, which], [lse.shape[0] ?? 1, 1])
}

/** f32 exp(logits - logSumExp), [N, K]. */
function probabilities(logits: Tensor, lse: Tensor): Tensor {
  return exp(sub(sub(widen(logits), part(lse, 0)), part(lse, 1)))
}

/** m' = onehot(argmax), log(sum(exp(logits - m)))' = p - m': f32 [N, K]. */
function partsGradient(dlse: Tensor, logits: Tensor, lse: Tensor): Tensor {
  const [dmax, dsum] = [part(dlse, 0), part(dlse, 1)]
  const largest = widen(oneHot(argmax(logits, 1), logits.shape[1] ?? 1))
  return add(mul(dsum, probabilities(logits, lse)), mul(sub(dmax, dsum), largest))
}

/** u8 [N, K]: 1 where the class is the label. */
function oneHot(labels: Tensor, classes: number): Tensor<'u8'> {
  const range = constant(
    'i32',
    [1, classes],
    Array.from({ length: classes }, (_, k) => k),
  )
  return equal<Shape, Shape>(column(labels), range)
}

/** Options of `crossEntropy`. */
export interface SmoothingOptions {
  /** Share of the target that is spread over all K classes alike, from 0 to below 1 (Szegedy et al. 2016, 7). Default: 0. */
  readonly smoothing?: number
}

/**
 * Cross-entropy of each example, -log softmax(logits)[label]: logits float [N, K], labels i32 [N] -> f32 [N]. With `smoothing` s it is
 * 1 - s times that, and s times the mean over all classes. A label outside 0..K-1 is the run-time error ERR_DATA.
 * @throws ShapeError where dtypes or extents do not fit; OstrichError `ERR_OPTION`
 * @example mean(crossEntropy(logits, labels))
 */
export function crossEntropy(
  logits: Tensor<DType, readonly [number, number]>,
  labels: Tensor<'i32', readonly [number]>,
  options: SmoothingOptions = {},
): Tensor<'f32', [number]> {
  expectOptions<SmoothingOptions>('ops.crossEntropy', options, { smoothing: is.fraction })
  const { smoothing = 0 } = options
  const [loss] = exactly(emit(crossEntropyOp, [logits, labels], { smoothing }), 2)
  return reshape(cast(loss, 'f32'), [logits.shape[0]])
}
