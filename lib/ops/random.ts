// Random draws: Philox4x32-10 (Salmon et al. 2011) at (seed, step, stream, element), so that backward sees the masks of
// forward without storing them and both backends draw alike. `stream` is a hash of the op's place in the graph; `step` counts
// training steps, or what `withDraws` says.
import { expectKind, expectOptions, is, OstrichError } from '../base/index.js'
import {
  at,
  type DType,
  emitOne,
  type Op,
  randomStream,
  read,
  type Shape,
  type Tensor,
  type TensorType,
  traceMode,
  Variable,
} from '../graph/index.js'
import { exactly, expectDType, expectFloat, expectInts, expectShape, expectThat, register } from './define.js'
import { zeros } from './operand.js'
import { cast, less } from './pointwise.js'

/** What every draw depends on: set once for a run. Shared by all programs of a session. */
export const seed = new Variable<'i32', [2]>({
  label: 'seed',
  dtype: 'i32',
  shape: [2],
  role: 'statistic',
  init: () => zeros([2], 'i32'),
})

/** Number of the training step; the training program counts it up, and so draws anew at each step. */
export const step = new Variable<'i32', []>({
  label: 'step',
  dtype: 'i32',
  shape: [],
  role: 'statistic',
  init: () => zeros([], 'i32'),
})

let counted: (() => Tensor<'i32', []>) | undefined

/**
 * Traces `body` so that its random draws depend on what `count` gives, i32 [], another number at each run of the program, in the
 * place of the training step.
 * @example withDraws(() => feed('run', 'i32', []), () => net(x))
 */
export function withDraws<R>(count: () => Tensor<'i32', []>, body: () => R): R {
  const outer = counted
  counted = count
  try {
    return body()
  } finally {
    counted = outer
  }
}

/** Both are of the whole program, not of the layer that happens to read them first. */
export function counters(): [Tensor, Tensor] {
  return at({ path: '', site: undefined }, () => [read(seed), counted === undefined ? read(step) : counted()])
}

function expectCounters(seedType: TensorType, stepType: TensorType): void {
  for (const type of [seedType, stepType]) expectDType(type, ['i32'], 'seed and step')
  expectShape(seedType, [2], 'seed of shape')
  expectShape(stepType, [], 'step of shape')
}

function expectStream(stream: number): void {
  expectThat(stream >= 0 && stream <= 0xffffffff, 'a stream of 32 bits', stream.toString())
}

type DropoutAttrs = { readonly rate: number; readonly stream: number }

const dropoutOp: Op<DropoutAttrs> = register<DropoutAttrs>({
  name: 'dropout',
  kind: 'kernel',
  inBf16: 'follows',
  moves: false,
  epilogue: 'none',
  attributes: { rate: 'number', stream: 'int' },
  infer: (inputs, { rate, stream }) => {
    const [x, seedType, stepType] = exactly(inputs, 3)
    expectFloat(x, 'x')
    expectCounters(seedType, stepType)
    expectStream(stream)
    expectThat(rate >= 0 && rate < 1, 'a rate from 0 to below 1', rate.toString())
    return [{ dtype: x.dtype, shape: x.shape }]
  },
  // Linear in x with the same mask: the same draw at the same seed, step and stream.
  vjp: ({ inputs, attrs }, [dy]) => {
    const [, seedValue, stepValue] = exactly(inputs, 3)
    return [dy && emitOne(dropoutOp, [dy, seedValue, stepValue], attrs), undefined, undefined]
  },
})

/**
 * Zeroes elements with probability `rate` and divides the others by 1 - rate; x itself in evaluation mode. Any shape. The mask
 * is another at each training step and at each run of a compiled function.
 * Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from overfitting".
 * @throws OstrichError `ERR_OPTION` for a rate outside [0, 1).
 * @example dropout(x, 0.5)
 */
export function dropout<D extends DType, S extends Shape>(x: Tensor<D, S>, rate: number): Tensor<D, S> {
  expectKind('ops.dropout', 'rate', is.fraction, rate)
  if (rate === 0 || traceMode() === 'eval') return x
  return emitOne(dropoutOp, [x, ...counters()], { rate, stream: randomStream() })
}

type DrawAttrs = { readonly shape: readonly number[]; readonly stream: number }
type UniformAttrs = DrawAttrs & { readonly low: number; readonly high: number }
type NormalAttrs = DrawAttrs & { readonly mean: number; readonly std: number }

function inferDraw(inputs: readonly TensorType[], { shape, stream }: DrawAttrs): TensorType[] {
  expectCounters(...exactly(inputs, 2))
  expectStream(stream)
  expectInts(shape, shape.length, 1, 'a shape')
  return [{ dtype: 'f32', shape }]
}

const randomUniformOp = register<UniformAttrs>({
  name: 'randomUniform',
  kind: 'kernel',
  inBf16: 'f32',
  moves: false,
  epilogue: 'none',
  attributes: { shape: 'ints', stream: 'int', low: 'number', high: 'number' },
  infer: (inputs, attrs) => {
    expectThat(attrs.low <= attrs.high, `high of at least ${attrs.low}`, attrs.high.toString())
    const width = attrs.high - attrs.low
    expectThat(Number.isFinite(Math.fround(width)), 'a f32 for high - low', width.toString())
    return inferDraw(inputs, attrs)
  },
  vjp: () => [undefined, undefined],
})

const randomNormalOp = register<NormalAttrs>({
  name: 'randomNormal',
  kind: 'kernel',
  inBf16: 'f32',
  moves: false,
  epilogue: 'none',
  attributes: { shape: 'ints', stream: 'int', mean: 'number', std: 'number' },
  infer: (inputs, attrs) => {
    expectThat(attrs.std >= 0, 'std of at least 0', attrs.std.toString())
    return inferDraw(inputs, attrs)
  },
  vjp: () => [undefined, undefined],
})

/** Options of `randomUniform`. */
export interface UniformOptions {
  /** Default: 0. */
  readonly low?: number
  /** Exclusive. Default: 1. */
  readonly high?: number
}

/** Options of `randomNormal`. */
export interface NormalOptions {
  /** Default: 0. */
  readonly mean?: number
  /** Standard deviation. Default: 1. */
  readonly std?: number
}

/**
 * Independent draws from [low, high), f32: others for each call within a function, at each training step and at each run of a
 * compiled function, by the seed; measuring and predicting between two steps draw the same again.
 * @throws OstrichError `ERR_OPTION` where high < low, or high - low is no f32.
 * @example randomUniform([128, 100], { low: -1, high: 1 })
 */
export function randomUniform<S extends Shape>(shape: readonly [...S], options: UniformOptions = {}): Tensor<'f32', S> {
  expectOptions('ops.randomUniform', options, { low: is.finite, high: is.finite })
  const { low = 0, high = 1 } = options
  if (!(low <= high && Number.isFinite(Math.fround(high - low)))) {
    const expected = `expected high of at least ${low}, and a f32 between the two`
    throw new OstrichError('ERR_OPTION', `ops.randomUniform[high]: ${expected}, got ${high}`)
  }
  const attrs = { shape: [...shape], stream: randomStream(), low, high }
  return emitOne(randomUniformOp, counters(), attrs)
}

/**
 * Independent draws from a normal distribution, f32, by Box-Muller: others where those of `randomUniform` are.
 * @throws OstrichError `ERR_OPTION` where std < 0.
 * @example randomNormal([512, 784], { std: 0.05 })
 */
export function randomNormal<S extends Shape>(shape: readonly [...S], options: NormalOptions = {}): Tensor<'f32', S> {
  expectOptions('ops.randomNormal', options, { mean: is.finite, std: is.notNegative })
  const { mean = 0, std = 1 } = options
  const attrs = { shape: [...shape], stream: randomStream(), mean, std }
  return emitOne(randomNormalOp, counters(), attrs)
}

/**
 * 1 with the given probability, else 0, of its dtype and shape; no gradient reaches the probability.
 * @example bernoulli(sigmoid(activation)) // the hidden units of a Boltzmann machine
 */
export function bernoulli<D extends DType, S extends Shape>(probability: Tensor<D, S>): Tensor<D, S> {
  const u = randomUniform<S>(probability.shape)
  return cast(less(u, cast(probability, 'f32')), probability.dtype)
}
