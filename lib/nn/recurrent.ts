// Recurrent layers over time-major sequences [T, N, D] -> [T, N, units]: LSTM, GRU, and the plain network. All products
// with the input are one matmul over T * N rows; the ops of lib/ops have the recurrent part alone.
import { expectOptions, is, type Schema } from '../base/index.js'
import { constant, keptBy, read, type Shape, ShapeError, type Tensor, type Variable } from '../graph/index.js'
import * as ops from '../ops/index.js'
import { add, type SequenceOptions, zeros as zerosOf } from '../ops/index.js'
import { expectCount, expectNumber, typeText } from './check.js'
import { uniform, zeros } from './init.js'
import { parameter } from './parameter.js'
import { projected } from './projection.js'
import {
  type Recurrence,
  type RecurrenceOptions,
  recurrenceOptions,
  type Recurrent,
  recurrentLayer,
  type States,
} from './recurrence.js'
import type { Features, Initializer } from './types.js'

/** Options that all recurrent layers over features have. */
export interface RecurrentOptions<U extends number = number, I extends number = number> extends RecurrenceOptions {
  /** H: extent of the state and of the output. */
  readonly units: U
  /** D. Default: what the first input has. */
  readonly inputs?: I
  /** Of both weight matrices. Default: uniform in +-1 / sqrt(units). */
  readonly init?: Initializer
  /** Of the biases. Default: zeros. */
  readonly biasInit?: Initializer
}

/** The kinds of the options of all recurrent layers over features. */
export const recurrentOptions: Schema<RecurrentOptions> = {
  ...recurrenceOptions,
  units: is.needed(is.number),
  inputs: is.number,
  init: is.callable,
  biasInit: is.callable,
}

/** Options of `lstm`. */
export interface LstmOptions<U extends number = number, I extends number = number> extends RecurrentOptions<U, I> {
  /** A second bias, beside the recurrent product, as in cuDNN and Torch. Default: false. */
  readonly recurrentBias?: boolean
  /** Added to the initial bias of the forget gate: to the first, where there are two. Default: 0. */
  readonly forgetBias?: number
  /**
   * In training, rate at which weights between states are zeroed, with one mask for all steps of a run: Merity, Keskar & Socher
   * 2018, "Regularizing and optimizing LSTM language models" (weight drop). Default: 0.
   */
  readonly weightDrop?: number
}

/** Options of `rnn`. */
export interface RnnOptions<U extends number = number, I extends number = number> extends RecurrentOptions<U, I> {
  /** Default: tanh. */
  readonly activation?: 'tanh' | 'relu'
  /** A second bias, beside the recurrent product, as in cuDNN and Torch. Default: false. */
  readonly recurrentBias?: boolean
}

/** Options of `gru`. */
export interface GruOptions<U extends number = number, I extends number = number> extends RecurrentOptions<U, I> {
  /** A bias of the recurrent product, which the reset gate scales with it. Default: true. */
  readonly recurrentBias?: boolean
}

/** An op over x W^T + b, [T, N, parts * H], from the first states: each state after each step, [T, N, H]. */
type Sequence<S extends string> = (
  gates: Tensor<'f32'>,
  w: Tensor<'f32'>,
  start: States<S>,
  order: SequenceOptions,
  bias: Tensor<'f32'> | undefined,
) => States<S>

interface Kind<S extends string> {
  readonly kind: string
  /** Pre-activations for each unit. */
  readonly parts: number
  readonly states: readonly S[]
  /** Of the bias, and of a second one, beside the recurrent product. */
  readonly biases: readonly Initializer[]
  /** The op itself adds the second bias; else it is added to the first. */
  readonly innerBias: boolean
  readonly sequence: Sequence<S>
}

/** Weights of a layer. Those of the input are made when D is known. */
class Weights {
  readonly all: Variable<'f32'>[] = []
  readonly #x = new Map<number, Variable<'f32'>>()
  readonly #u: Variable<'f32'>
  readonly #biases: readonly Variable<'f32'>[]

  constructor(
    readonly units: number,
    readonly parts: number,
    readonly init: Initializer,
    biases: readonly Initializer[],
  ) {
    const width = parts * units
    this.#u = parameter('u', [units, width], init, { in: units, out: units })
    this.#biases = biases.map((bias, i) => parameter(i === 0 ? 'b' : 'br', [width], bias))
    this.all.push(this.#u, ...this.#biases)
  }

  /** [parts * H, D] for the one D of this layer. */
  expect(inputs: number): Variable<'f32'> {
    const known = this.#x.get(inputs)
    if (known !== undefined) return known
    const fans = { in: inputs, out: this.units }
    const w = keptBy(this, 'w', (): Variable<'f32'> =>
      parameter('w', [this.parts * this.units, inputs], this.init, fans),
    )
    this.#x.set(inputs, w)
    this.all.unshift(w)
    return w
  }

  /** Reads all that an x of f32 [T, N, D] needs. */
  read(x: Tensor, where: string) {
    const [inputs = x.shape.at(-1) ?? 1] = this.#x.keys()
    if (x.dtype !== 'f32' || x.rank !== 3 || x.shape[2] !== inputs) {
      const expected = `f32[T, N, ${this.#x.size === 0 ? 'D' : inputs}]`
      throw new ShapeError(`${where}: expected x of ${expected}, got ${typeText(x)}`)
    }
    const variables = [this.expect(inputs), this.#u, ...this.#biases]
    const [w, u, b, br] = variables.map((variable) => read(variable))
    return { w: w!, u: u!, b: b!, br }
  }
}

function recurrentOver<U extends number, I extends number, S extends string>(
  { kind, parts, states, biases, innerBias, sequence }: Kind<S>,
  { units, inputs, init: given, ...options }: RecurrentOptions<U, I>,
): Recurrent<Features<I>, Features<U>, S> {
  expectCount(kind, 'units', units)
  if (inputs !== undefined) expectCount(kind, 'inputs', inputs)
  const init = given ?? uniform(-(units ** -0.5), units ** -0.5)
  const weights = new Weights(units, parts, init, biases)
  if (inputs !== undefined) weights.expect(inputs)
  const recurrence: Recurrence<S> = {
    kind,
    parameters: weights.all,
    states: (x, where) => {
      weights.read(x, where)
      const shape = [x.shape[1] ?? 1, units]
      return Object.fromEntries(states.map((label) => [label, shape])) as unknown as Readonly<Record<S, Shape>>
    },
    scan: (x, start, order, where) => {
      const own = weights.read(x, where)
      const bias = own.br && !innerBias ? add(own.b, own.br) : own.b
      return sequence(projected(ops.cast(x, 'f32'), own.w, bias), own.u, start, order, innerBias ? own.br : undefined)
    },
  }
  return recurrentLayer<Features<I>, Features<U>, S>(recurrence, options)
}

/**
 * Long short-term memory: x f32 [T, N, D] -> h [T, N, units]. With z = x W^T + b + h_{t-1} U in the order i, f, g, o:
 * c_t = sigmoid(z_f) c_{t-1} + sigmoid(z_i) tanh(z_g), h_t = sigmoid(z_o) tanh(c_t). W [4 units, D], U [units, 4 units].
 * @throws OstrichError `ERR_OPTION`, for extents below 1 and carry with reverse too; ShapeError when traced, for an x of other extents.
 * @see Hochreiter & Schmidhuber 1997, "Long short-term memory"; Gers, Schmidhuber & Cummins 2000, "Learning to forget".
 * @example nn.sequential(nn.embedding(10000, 200), nn.lstm({ units: 200, carry: true }), nn.linear(200, 10000))
 */
export function lstm<const U extends number, const I extends number = number>(
  options: LstmOptions<U, I>,
): Recurrent<Features<I>, Features<U>, 'h' | 'c'> {
  const own = { recurrentBias: is.flag, forgetBias: is.number, weightDrop: is.number }
  expectOptions<LstmOptions>('nn.lstm', options, { ...recurrentOptions, ...own })
  const { units, recurrentBias = false, forgetBias = 0, biasInit = zeros, weightDrop = 0 } = options
  expectNumber('lstm', 'the forget bias', forgetBias)
  // The two are summed: in both it would count twice, and a network that forgets nothing is lost from any other state.
  const first = forgetBias === 0 ? biasInit : forgetful(biasInit, units, forgetBias)
  return recurrentOver<U, I, 'h' | 'c'>(
    {
      kind: 'lstm',
      parts: 4,
      states: ['h', 'c'],
      biases: recurrentBias ? [first, biasInit] : [first],
      innerBias: false,
      sequence: (gates, w, start, order) => ({ ...ops.lstm(gates, ops.dropout(w, weightDrop), start, order) }),
    },
    options,
  )
}

/** A bias [4 units] whose second quarter, that of the forget gate, is larger. */
export function forgetful(init: Initializer, units: number, more: number): Initializer {
  return (shape, fans) => {
    const extra = Array.from({ length: 4 * units }, (_, i) => (Math.floor(i / units) === 1 ? more : 0))
    return add<'f32', Shape, Shape>(init(shape, fans), constant('f32', shape, extra))
  }
}

/**
 * A plain recurrent network: x f32 [T, N, D] -> h [T, N, units], h_t = tanh(x_t W^T + b + h_{t-1} U), or relu of it.
 * @throws as `lstm`.
 * @see Elman 1990, "Finding structure in time".
 * @example nn.rnn({ units: 128, activation: 'relu' })
 */
export function rnn<const U extends number, const I extends number = number>(
  options: RnnOptions<U, I>,
): Recurrent<Features<I>, Features<U>, 'h'> {
  const own = { recurrentBias: is.flag, activation: is.oneOf('tanh', 'relu') }
  expectOptions<RnnOptions>('nn.rnn', options, { ...recurrentOptions, ...own })
  const { recurrentBias = false, activation = 'tanh', biasInit = zeros } = options
  return recurrentOver<U, I, 'h'>(
    {
      kind: 'rnn',
      parts: 1,
      states: ['h'],
      biases: recurrentBias ? [biasInit, biasInit] : [biasInit],
      innerBias: false,
      sequence: (gates, w, { h }, order) => ({ h: ops.rnn(gates, w, h, { activation, ...order }) }),
    },
    options,
  )
}

/**
 * Gated recurrent units: x f32 [T, N, D] -> h [T, N, units]. With y = x W^T + b and s = h_{t-1} U + br in the order r, z, n:
 * n_t = tanh(y_n + sigmoid(y_r + s_r) s_n), z_t = sigmoid(y_z + s_z), h_t = (1 - z_t) n_t + z_t h_{t-1}: the reset gate scales
 * the finished product, as in cuDNN.
 * @throws as `lstm`.
 * @see Cho et al. 2014, "Learning phrase representations using RNN encoder-decoder for statistical machine translation".
 * @example nn.gru({ units: 256 })
 */
export function gru<const U extends number, const I extends number = number>(
  options: GruOptions<U, I>,
): Recurrent<Features<I>, Features<U>, 'h'> {
  expectOptions<GruOptions>('nn.gru', options, { ...recurrentOptions, recurrentBias: is.flag })
  const { units, recurrentBias = true, biasInit = zeros } = options
  return recurrentOver<U, I, 'h'>(
    {
      kind: 'gru',
      parts: 3,
      states: ['h'],
      biases: recurrentBias ? [biasInit, biasInit] : [biasInit],
      innerBias: true,
      sequence: (gates, w, { h }, order, b) => ({ h: ops.gru(gates, w, b ?? zerosOf([3 * units]), h, order) }),
    },
    options,
  )
}
